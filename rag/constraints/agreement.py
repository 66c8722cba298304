"""Does a row answer the question itself, or one on another value, product, action or direction?

`compare` combines all checks of this package: values and limits, members of contrast sets (contrasts.toml), kinds of a thing,
actions, and the kind of value that is asked for. Each check is conservative: it reports only differences that the text of the row
shows. Institutions are not compared, because a search is limited to the one that is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

from rag.constraints.actions import other_actions, without_cancelling
from rag.constraints.asked_phrases import MAY_HOLD_PHRASE, phrases_not_held
from rag.constraints.asked_relations import MAY_RELATE, otherwise_related
from rag.constraints.asked_values import MAY_ASK, bounds_asked, not_stated
from rag.constraints.aspects import asked_aspect
from rag.constraints.background import MAY_HOLD_BACKGROUND, asked_part, on_what_is_unwanted
from rag.constraints.compounds import is_on_all_kinds, other_modifiers
from rag.constraints.contrast_sets import ANSWERING, ContrastSet
from rag.constraints.contrasts import (
    OPEN,
    ContrastMention,
    answered_by,
    default_contrasts,
    implied_by,
    is_excepted,
    members_of,
    mentions_of,
    stands_in,
)
from rag.constraints.event_states import MAY_NAME_STATE, other_states
from rag.constraints.everyday_values import values_of
from rag.constraints.guidance import guidance, steps_of
from rag.constraints.held_values import missing_values, share_held
from rag.constraints.kept_things import ended_instead
from rag.constraints.own_institution import MAY_NAME_PLACE, in_the_rows_words
from rag.constraints.passage_scope import lacking_in_passage
from rag.constraints.requested_nouns import KEYWORDS, noun_not_held
from rag.constraints.synonyms import Synonyms, is_in_a_list, is_written_apart
from rag.constraints.value_conflicts import MAY_COMPARE, compare_values
from rag.korean import compact, tokens

Status = Literal["agree", "conflict", "unknown"]
BLOCKING_KINDS = ("product", "means", "scope", "term")
"""Kinds of contrast sets of which a row must name the member that a question names."""
_GENERIC = frozenset(tokens("어떻게 방법 하려면 신청 경우 하나요 무엇 언제 얼마 되나요 하는 에서 으로 까지 부터"))
_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,6}-?\d{3,6}(?![A-Za-z0-9])")
"""The code of an error or a form: "SN-2001"."""
_COMPARES = re.compile(
    r"(?<![자대])차이(?!나\s?펀드)|다른\s?점|구분\S{0,2}\s?(?:되|법|방법|기준)|비교|장단점|(?:뭐가|무엇이|뭐|어떻게|어케|머가)\s?(?:다른|달라|다르)"
)
"""Asks how things differ ("차이점이 뭐예요", "뭐가 달라요")."""
_DOING = re.compile(
    r"신청|접수|가입|개설|발급|해지|철회|취소|변경|전환|체인지|바꾸|바꿔|만료|갱신|연장|등록|사고|자격|대상|서류|방법|절차|잃어|분실|고장|언제|며칠|어디|누가|어떻게\s?[하해받]"
)
"""Words of a question on how, when or by whom something is done."""
_DONE = re.compile(r"\s?(?:받은|받으신|(?:된|한|하신|했던|됐던)(?!\s?(?:이유|사유|경우|때|원인)))")
"""Follows a verbal noun of what has been done: "발급받은 카드", but not "거절된 이유"."""
_OR = re.compile(r"[요까냐죠]\s|아니면|인지\s")
_OPEN_LIST = re.compile(r"\s?등(?![가-힣])|\s?등[의에을이과](?![가-힣])")
"""Follows the last of some members of a set that are examples: "네이버페이 등"."""
_BY_EVENT = ("passbook_or_card",)
"""Sets of products whose forms name a thing with what happens to it: "통장 분실"."""
_OBJECT_SPAN = 24
"""Characters before an action in which its object is searched."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A difference between a question and a row: `asked` is what the question names, `held` what the row names instead.

    `kind` is the dimension of a quantity, the kind of a contrast set or the name of another check. `by_limit`: the row does not
    state the asked value, but a limit of it decides it (`rag.constraints.held_values`).
    """

    kind: str
    asked: str
    held: str
    by_limit: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a row compares with a question.

    `agreed`: words of the question that the row's question confirms. `conflicts`: values, members of a set or codes of which the
    row is about another one. `lacking`: what the row does not state or cover. `held`: the share of the question's values that the
    row states, 0..1.
    """

    agreed: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    lacking: tuple[Conflict, ...] = ()
    held: float = 0.0

    @property
    def status(self) -> Status:
        """ "conflict" if anything differs, else "agree" if anything agrees, else "unknown"."""
        return "conflict" if self.conflicts or self.lacking else "agree" if self.agreed else "unknown"


def compare(
    question: str,
    row_question: str,
    row_answer: str,
    *,
    institution: str = "",
    is_passage: bool = False,
    synonyms: Synonyms = str,
    today: date | None = None,
) -> Agreement:
    """Compare a customer's question with one row.

    `institution`: the row's, whose name before a product names no kind of it. `is_passage`: the row is a passage of a document,
    which must state more of what is asked than a row of an FAQ. `today`: the day of the question, for "작년"; None: compares
    such words with no date.
    """
    if MAY_NAME_PLACE.search(question):
        question = in_the_rows_words(question, row_question, row_answer, institution)
    has_background = MAY_HOLD_BACKGROUND.search(question) is not None
    part, row = asked_part(question, row_question) if has_background else question, (row_question, row_answer)
    answer = without_cancelling(part, row_answer)
    # A passage is in no fixed form: any of its sentences may say what to do.
    steps = answer if is_passage else steps_of(answer)
    agreed, conflicts = _contrasts(question, part, row_question, answer)
    lacking, share = list[Conflict](), 0.0
    if values_of(question) or MAY_COMPARE.search(question):
        same, others = compare_values(question, part, *row)
        agreed, conflicts = [*same, *agreed], [*(Conflict(*each) for each in others), *conflicts]
    if values_of(question):
        share = share_held(question, *row)
        lacking += [
            Conflict(value.dimension, value.text, "", by_limit)
            for value, by_limit in missing_values(question, *row, synonyms=synonyms)
            if value.dimension not in bounds_asked(part)  # the row's bound answers, whatever the customer's value is
        ]
    if codes := error_codes(part):
        own_codes = error_codes("\n".join(row))
        if other_codes := codes - own_codes:
            conflicts.append(Conflict("code", ", ".join(sorted(other_codes)), ", ".join(sorted(own_codes))))
    lacking += _things_not_held(question, part, *row, steps)
    # A passage that compares things states each of them.
    states_each = is_passage or _COMPARES.search(question) or values_of(question) or asked_aspect(part)
    if not states_each and _only_compares(row, part):
        lacking.append(Conflict("comparison", "", ""))
    kinds = other_modifiers(part, *row, institution=institution, synonyms=synonyms)
    lacking += [Conflict("product", asked, held) for asked, held in kinds]
    if has_background:
        lacking += [Conflict(*each) for each in on_what_is_unwanted(question, part, row_question)]
        lacking += [Conflict("product", *each) for each in ended_instead(question, row_question)]
    if asked_aspect(part) or MAY_ASK.search(part):
        lacking += [Conflict(value.kind, value.label, "") for value in not_stated(part, *row)]
    if MAY_RELATE.search(part):
        lacking += [Conflict(*each, "") for each in otherwise_related(part, *row, synonyms)]
    lacking += [Conflict(*each) for each in other_actions(part, *row, steps, synonyms=synonyms)]
    if KEYWORDS.match(part) and (noun := noun_not_held(part, *row, synonyms)):
        lacking.append(Conflict("aspect", noun, ""))
    if MAY_HOLD_PHRASE.search(part):
        lacking += [Conflict("aspect", asked, "") for asked in phrases_not_held(part, *row)]
    if MAY_NAME_STATE.search(question):
        for asked, held in other_states(question, *row, today=today):
            (conflicts if held else lacking).append(Conflict("state", asked, held))
    if is_passage:
        passage = f"{institution}\n{row_question}\n{row_answer}"
        lacking += [
            Conflict("passage", asked, "") for asked in lacking_in_passage(question, passage, synonyms=synonyms)
        ]
    return Agreement(tuple(dict.fromkeys(agreed)), tuple(conflicts), tuple(lacking), share)


def _only_compares(row: tuple[str, str], question: str) -> bool:
    """Whether a row on how two things differ, which explains what they are, does not say how one is done that is asked for."""
    return _COMPARES.search(row[0]) is not None and any(each not in "".join(row) for each in _DOING.findall(question))


def error_codes(text: str) -> set[str]:
    """The codes of errors and forms in a text, in capital letters."""
    return {match.group().upper() for match in _CODE.finditer(text)}


@lru_cache(maxsize=4096)
def _tokens(text: str) -> frozenset[str]:
    return frozenset(tokens(text))


def _contrasts(question: str, part: str, row_question: str, answer: str) -> tuple[list[str], list[Conflict]]:
    """(agreed, conflicts): words for members of sets that the row's question names, and members that it names instead."""
    agreed: list[str] = []
    conflicts: list[Conflict] = []
    row_by_set, elsewhere = _by_set(mentions_of(row_question)), members_of(question)
    for name, asked in _by_set(mentions_of(part)).items():
        about = default_contrasts().sets[name]
        row = row_by_set.get(name, {})
        # Aspects like a fee or a rate are asked of many things, so it is no agreement that a row is about one.
        if not row or not asked or (about.kind == "term" and ANSWERING in about.members):
            continue
        same_object = _same_object(about, question, row_question)
        if asked.keys() & row.keys():
            agreed.extend(asked[member] for member in asked if member in row and same_object)
            continue
        # The row's member is named elsewhere in the question, so it is asked about, too.
        if any((name, member) in elsewhere for member in row) or not same_object:
            continue
        if all(_names_all(name, member, row_question, answer) for member in asked):
            continue
        in_answer = {member for each, member in members_of(guidance(about.kind, answer)) if each == name}
        if not asked.keys() & in_answer and not all(is_excepted(part, label, answer) for label in asked.values()):
            conflicts.append(Conflict(about.kind, ", ".join(asked.values()), ", ".join(row.values())))
    return agreed, conflicts


def _by_set(mentions: Iterable[ContrastMention]) -> dict[str, dict[str, str]]:
    grouped: dict[str, dict[str, str]] = {}
    for mention in mentions:
        grouped.setdefault(mention.set_name, {}).setdefault(mention.member, mention.label)
    return grouped


def _same_object(about: ContrastSet, question: str, row_question: str) -> bool:
    """Whether an action of the row has an object that the question names: "송금을 취소" is not the opposite of "지급정지
    신청"."""
    if about.kind != "action":
        return True
    # 계좌 and 통장 are used for the same thing.
    asked = _tokens(question.replace("계좌", "통장")) - _GENERIC
    places = [mention.start for mention in mentions_of(row_question) if mention.set_name == about.name]
    objects = [row_question[max(0, place - _OBJECT_SPAN) : place].replace("계좌", "통장") for place in places]
    return any(asked & _tokens(text) for text in objects)


def _things_not_held(question: str, part: str, row_question: str, answer: str, steps: str) -> Iterator[Conflict]:
    """The products, means and scopes in a question that a row does not name anywhere: "카드론" for a row on loans in general.

    Actions count only if their set requires them (such as ending a contract), because customers have more words for the others
    than a contrast set contains; and only `steps` of the answer can name them ("연체하시면 한도가 감액됩니다" does not).
    """
    own, asked = members_of(row_question), members_of(question)
    held, actions = own | members_of(answer), own | members_of(steps)
    # Sets of which the row's question names only other members than the customer: then its answer does not count.
    elsewhere = {name for name, _ in own} - {name for name, _ in own & asked}
    for mention in mentions_of(part):
        name, member = mention.set_name, mention.member
        about = default_contrasts().sets[name]
        is_thing, is_action = about.kind in BLOCKING_KINDS, about.kind == "action"
        # A state is required of a row that names another one of the same set.
        names_other = about.kind == "state" and any(of == name for of, _ in held)
        if not (is_thing or names_other or member in about.required):
            continue
        stated = actions if is_action else own if name in elsewhere else held
        if (name, member) in stated or _is_one_of_two(part, mention, stated):
            continue
        is_default = member in about.default and not any(of == name for of, _ in held)
        is_implied = (name, member) in implied_by(f"{row_question} {steps if is_action else answer}")
        if is_default or is_implied or _names_all(name, member, row_question, answer):
            continue
        is_covered = is_thing and is_excepted(question, mention.text, answer)
        if name not in elsewhere and not is_covered:
            # The word may be in the row although the set's rules ignore it there ("세금" beside "예금").
            is_written = _is_written(about, mention.text, row_question, answer)
            is_covered = is_written or name in answered_by(row_question) | answered_by(steps if is_action else answer)
        if not is_covered and not is_on_all_kinds(row_question, answer, mention.text):
            yield Conflict(about.kind, mention.label, "")


def _is_written(about: ContrastSet, word: str, row_question: str, answer: str) -> bool:
    """Whether a row contains the word for a thing, in one or apart, or its question that for an action.

    What has been done is no action that the question is about: "발급받은 카드".
    """
    if about.kind == "action":
        return any(not _DONE.match(row_question, match.end()) for match in re.finditer(re.escape(word), row_question))
    row, is_term = f"{row_question}\n{answer}", about.kind == "term"
    if stands_in(word, row) or is_in_a_list(word, row):
        return True
    return (is_term or about.name in _BY_EVENT) and is_written_apart(word, row, in_any_order=is_term)


def _names_all(name: str, member: str, row_question: str, answer: str) -> bool:
    """Whether a row's question names all members of a set at once and its answer none but this one ("해외주식", "외화")."""
    if not any(word in compact(row_question) for word in default_contrasts().sets[name].collective):
        return False
    if any(mention.set_name == name and _OPEN_LIST.match(answer, mention.end) for mention in mentions_of(answer)):
        return True
    own = {each for of, each in members_of(row_question) if of == name}
    # The member that rows are on which name none tells nothing of what the others are: "외화 잔액이 부족하면 원화계좌에서".
    stated = {each for of, each in members_of(answer) if of == name} - own - default_contrasts().sets[name].default
    return not stated or member in stated


def _is_one_of_two(question: str, mention: ContrastMention, stated: frozenset[tuple[str, str]]) -> bool:
    """Whether a question asks which of two members applies ("단리예요 복리예요?") and a row states the other one."""
    for other in mentions_of(question):
        if other.set_name == mention.set_name and (other.set_name, other.member) in stated:
            first, last = sorted((mention, other), key=lambda each: each.start)
            between = question[first.end : last.start]
            # An open question ("적금 금리 얼마예요 예금은요") asks about both.
            if _OR.search(between) and not OPEN.search(question[: first.start] + between + question[last.end :]):
                return True
    return False
