"""What is an action done to? "진단서 재발급" is not answered by a row on "보험증권을 재발급받으려면".

Where question and row name the same action, the noun right before it decides, if the whole row holds it nowhere. A native
verb is the same action as a verbal noun ("날짜 바꾸고" and "계좌 변경"). The words are data (compounds.toml, verbal_nouns.toml).

Rows on issuing a certificate answer only questions about certificates, not "연말정산 환급금은 언제 나와요": such rows name what
their certificates are for (taxes, loans, deposits), so they match many questions on those subjects.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

from rag.constraints.compounds import compound_words, is_same_member, tells_no_kind
from rag.constraints.verbal_nouns import is_same_object, native_verbs
from rag.korean import compact

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
    """(asked, held) things, each with what is done to them, where the row does the same to another thing.

    `synonyms`: a word with what else it is called, so that those agree.
    """
    asked_by_action = dict(_objects(question))
    if not asked_by_action:
        return []
    held_by_action = dict(_objects(row_question))
    row, asked_text = compact(f"{row_question} {row_answer}"), compact(question)
    return [
        (f"{asked} {action}", f"{held} {action}")
        for action, asked in asked_by_action.items()
        if (held := held_by_action.get(action)) and asked not in row and held not in asked_text
        if not is_same_member(asked, held)
        and not is_same_object(asked, held)
        and not _is_kind_of(asked, held)
        # "전화번호" calls for "변경" too, which names no thing.
        and not any(
            compact(term) in row for term in synonyms(asked).split()[1:] if term not in compound_words()["verbal_nouns"]
        )
    ]


def _is_kind_of(asked: str, held: str) -> bool:
    """Whether a row is on the thing in general: "보험계약" for "암보험"."""
    return any(asked.endswith(product) and held.startswith(product) for product in compound_words()["products"])


@lru_cache(maxsize=4096)
def _objects(text: str) -> tuple[tuple[str, str], ...]:
    """(verbal noun, bare noun or object right before it or before the native verb for it)."""
    pairs = []
    for match in _actions().finditer(text):
        word, native = match["noun"], match["native"]
        # What a native verb is done to is named with a particle more often than not: "주소가 바뀌었어요".
        noun = re.sub(r"[을를은는이가도]$" if native else r"[을를은는]$", "", word) if len(word) > 2 else word
        is_noun = noun != word or _PAPER.search(word) or not _NO_NOUN.search(word)
        if is_noun and noun not in compound_words()["no_objects"] and not tells_no_kind(noun):
            pairs.append((native_verbs()[native] if native else match["verbal"], noun))
    return tuple(pairs)


@cache
def _actions() -> re.Pattern[str]:
    verbal, native = (
        "|".join(sorted(words, key=lambda word: (-len(word), word)))
        for words in (compound_words()["verbal_nouns"], native_verbs())
    )
    return re.compile(
        r"(?<![0-9A-Za-z가-힣])(?P<noun>[가-힣]{2,12})\s+(?:(?:어떻게|어디서|어디에서)\s+)?"
        rf"(?:(?P<verbal>{verbal})|(?P<native>{native}))"
    )


def unrequested_certificate(question: str, row_question: str) -> str:
    """The certificate whose issue a row explains, if the question asks for none; otherwise empty."""
    match = _CERTIFICATE.search(row_question)
    return "" if match is None or _WANTED.search(question) else match["certificate"]
