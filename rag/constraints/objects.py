"""What is an action done to? "진단서 재발급" is not answered by a row on "보험증권을 재발급받으려면".

Where question and row name the same action, each with the thing it is done to, the row's question must hold the question's
thing: that its answer mentions it ("연결된 체크카드를 해지합니다" beside "입출금통장을 해지하려면") makes it no row on that.
Things and actions that the contrast sets know are compared by what they mean; of others the noun right before the same
verbal noun decides, and there only one that the whole row holds nowhere. The words are data (compounds.toml).

Rows on issuing a certificate answer only questions about certificates, not "연말정산 환급금은 언제 나와요": such rows name what
their certificates are for (taxes, loans, deposits), so they match many questions on those subjects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache

from rag.constraints.compounds import compound_words, is_same_member
from rag.constraints.contrasts import ANSWERING, ContrastMention, default_contrasts, members_of, mentions_of
from rag.korean import compact

_THINGS = ("product", "means", "term")
_SPAN = 14
"""Characters between a thing and what is done to it."""
_PAPER = re.compile(r"[증명인단고구약격계식지]서$")
"""Nouns that end as a verb form does ("해서")."""
_NO_NOUN = re.compile(
    r"(?:에서|으로|이랑|하고|까지|부터|려고|에게|한테"
    r"|[은는이가의로만랑과와요고면데서게지며던한할된될인어아해줘시때거것든야죠네나까니둔안여건간들후중마다당채려듯에기렇])$"
)

_CERTIFICATE = re.compile(
    r"(?P<certificate>[가-힣]*(?:증명서|영수증|확인서|증명원|확인원|증빙자료|통장사본|잔액증명))(?:\([^)]*\))?[을를은는이가의]?\s?"
    r"(?:[가-힣]{2,5}(?:으로|에서)\s?)?(?:어디에서|어디서|어떻게|언제부터)?[^?]{0,12}?(?:발급|출력)"
)
_WANTED = re.compile(
    r"증명|영수증|확인[서원]|서류|발급|떼|뗄|뗀|띠|뽑|출력|인쇄|프린트|자료|제출|사본|내역|증빙|명세|pdf|파일|필요|원천징수|간소화|소명|조회"
    r"|안\s?[떠뜨나보]|[가-힣]서(?![가-힣])",
    re.IGNORECASE,
)


def other_objects(
    question: str, row_question: str, row_answer: str, *, synonyms: Callable[[str], str] = str
) -> list[tuple[str, str]]:
    """(asked, held) things of the actions that both name, where the row's question is on another thing.

    `synonyms`: a word with what else it is called, so that those agree.
    """
    return list(
        dict.fromkeys(
            [*_other_things(question, row_question), *_other_nouns(question, row_question, row_answer, synonyms)]
        )
    )


def _other_things(question: str, row_question: str) -> list[tuple[str, str]]:
    asked_by_action = _things(question)
    if not asked_by_action:
        return []
    row = members_of(row_question)
    text, held_by_action = compact(row_question), _things(row_question)
    return [
        (asked[0].label, ", ".join(dict.fromkeys(mention.label for mention in held_by_action[action])))
        for action, asked in asked_by_action.items()
        if action in held_by_action and not any((m.set_name, m.member) in row or compact(m.text) in text for m in asked)
    ]


def _other_nouns(
    question: str, row_question: str, row_answer: str, synonyms: Callable[[str], str]
) -> list[tuple[str, str]]:
    asked_by_verbal = dict(_nouns(question))
    if not asked_by_verbal:
        return []
    held_by_verbal = dict(_nouns(row_question))
    row, asked_text = compact(f"{row_question} {row_answer}"), compact(question)
    return [
        (f"{asked} {verbal}", f"{held} {verbal}")
        for verbal, asked in asked_by_verbal.items()
        if (held := held_by_verbal.get(verbal)) and asked not in row and held not in asked_text
        if not is_same_member(asked, held)
        and not _is_kind_of(asked, held)
        and not any(compact(term) in row for term in synonyms(asked).split()[1:])
    ]


def _is_kind_of(asked: str, held: str) -> bool:
    """Whether a row is on the thing in general: "보험계약" for "암보험"."""
    return any(asked.endswith(product) and held.startswith(product) for product in compound_words()["products"])


@lru_cache(maxsize=4096)
def _things(text: str) -> Mapping[tuple[str, str], tuple[ContrastMention, ...]]:
    """What stands closest before each action of a text; several members where one word names them all."""
    sets, mentions = default_contrasts().sets, mentions_of(text)
    things = [m for m in mentions if sets[m.set_name].kind in _THINGS and m.member != ANSWERING]
    found: dict[tuple[str, str], tuple[ContrastMention, ...]] = {}
    for action in mentions:
        if sets[action.set_name].kind != "action":
            continue
        before = [thing for thing in things if thing.end <= action.start <= thing.end + _SPAN]
        closest = max((thing.end for thing in before), default=0)
        if same := tuple(thing for thing in before if thing.end >= closest - 1):
            found.setdefault((action.set_name, action.member), same)
    return found


@lru_cache(maxsize=4096)
def _nouns(text: str) -> tuple[tuple[str, str], ...]:
    """(verbal noun, bare noun or object right before it)."""
    pairs = []
    for match in _verbal_nouns().finditer(text):
        word = match["noun"]
        noun = re.sub(r"[을를은는]$", "", word) if len(word) > 2 else word
        is_noun = noun != word or _PAPER.search(word) or not _NO_NOUN.search(word)
        if is_noun and noun not in compound_words()["no_objects"] and noun not in compound_words()["no_modifiers"]:
            pairs.append((match["verbal"], noun))
    return tuple(pairs)


@cache
def _verbal_nouns() -> re.Pattern[str]:
    verbal_nouns = "|".join(sorted(compound_words()["verbal_nouns"], key=lambda word: (-len(word), word)))
    return re.compile(
        rf"(?<![0-9A-Za-z가-힣])(?P<noun>[가-힣]{{2,12}})\s+(?:(?:어떻게|어디서|어디에서)\s+)?(?P<verbal>{verbal_nouns})"
    )


def unrequested_certificate(question: str, row_question: str) -> str:
    """The certificate whose issue a row explains, if the question asks for none; otherwise empty."""
    match = _CERTIFICATE.search(row_question)
    return "" if match is None or _WANTED.search(question) else match["certificate"]
