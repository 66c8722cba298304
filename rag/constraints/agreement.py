"""Does a row answer what a question pins down, or another value, product, action or institution?

Conservative: without evidence the status is unknown. A conflict is evidence that the row is about something else than asked,
with what was asked and what the row holds, for the message to the customer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from rag.constraints.bounds import is_decided
from rag.constraints.contrasts import ANSWERING, ContrastMention, Contrasts, cached_mentions, default_contrasts
from rag.constraints.everyday_values import values_of
from rag.constraints.exceptions import is_excepted
from rag.constraints.institutions import InstitutionNames
from rag.constraints.quantities import Quantity
from rag.constraints.value_agreement import (
    agrees,
    comparable,
    decides,
    excludes,
    families,
    holds,
    is_incidental,
    pins,
    scope,
)
from rag.korean import tokens

Status = Literal["agree", "conflict", "unknown"]
_NOTE = re.compile(r"^\s*※.*$", re.MULTILINE)
_PATH = re.compile(r"^.* > .*$", re.MULTILINE)
_STEP = re.compile(r"^.*(?:>|^\s*\[|^\s*-).*$", re.MULTILINE)
_PART = re.compile(r"[^?？!\n]*(?:[?？!\n]+|$)")
_SENTENCE = re.compile(r"^[^.\n]*")

_GENERIC = frozenset(tokens("어떻게 방법 하려면 신청 경우 하나요 무엇 언제 얼마 되나요 하는 에서 으로 까지 부터"))
_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,6}-?\d{3,6}(?![A-Za-z0-9])")
"""A code of an error or a form: "SN-2001"."""
_MOST_VALUES = 12
"""Values of one dimension in a question that are compared; more is not a question."""
_OTHER_INSTITUTIONS = ("same_institution", "타행")
_ORIGIN = re.compile(r"에서|에\s|\s?계좌")
"""After "타 금융기관": a thing or money comes from there or goes there, unlike in "타행이체 수수료"."""
_OBJECT_SPAN = 24
"""Characters before an action that hold what it is done to, adverbs included."""


@dataclass(frozen=True)
class Conflict:
    """What differs: `asked` in the question's words, `held` in the row's.

    `kind` is a dimension of a quantity, a kind of contrast set, or "institution". `by_limit`: a limit of the row says what
    holds for the value asked about, which the row does not state (`rag.constraints.bounds`).
    """

    kind: str
    asked: str
    held: str
    by_limit: bool = False


@dataclass(frozen=True)
class Agreement:
    """How a row stands to a question's constraints.

    `agreed` holds the question's words that the row confirms; `missing` those of several values the row lacks while it holds
    another of them ("1년과 2년 만기" beside the row on 1년).
    """

    status: Status
    conflicts: tuple[Conflict, ...] = ()
    agreed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def compare(
    question: str,
    row_question: str,
    row_answer: str,
    *,
    row_institution: str | None = None,
    names: InstitutionNames | None = None,
    contrasts: Contrasts | None = None,
) -> Agreement:
    """Compares a customer's question with one row.

    `row_institution` is the institution of the row as the index names it and `names` the index's institutions; without both,
    institutions are not compared. `contrasts` defaults to the bundled sets.
    """
    sets = contrasts or default_contrasts()
    # Values and products are compared for the part of the question that this row may answer, institutions for all of it.
    part = concerned_part(question, row_question)
    evidence = _Evidence()
    _compare_values(evidence, part, row_question, row_answer)
    _compare_codes(evidence, part, row_question)
    _compare_contrasts(evidence, sets, question, part, row_question, row_answer)
    if names is not None and row_institution:
        is_on_others = any(
            (m.set_name, m.member) == _OTHER_INSTITUTIONS and _ORIGIN.match(row_question, m.end)
            for m in cached_mentions(sets, row_question)
        )
        _compare_institutions(evidence, names, question, row_institution, is_on_others)
    return evidence.agreement()


@dataclass
class _Evidence:
    conflicts: list[Conflict] = field(default_factory=list)
    agreed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def agreement(self) -> Agreement:
        agreed = tuple(dict.fromkeys(self.agreed))
        status: Status = "conflict" if self.conflicts else "agree" if agreed and not self.missing else "unknown"
        return Agreement(status, tuple(self.conflicts), agreed, tuple(self.missing))


@lru_cache(maxsize=4096)
def _tokens(text: str) -> frozenset[str]:
    return frozenset(tokens(text))


def _compare_values(evidence: _Evidence, question: str, row_question: str, answer: str) -> None:
    asked_by_family = families(comparable(question, values_of(question)))
    if not asked_by_family:
        return
    row_by_family = families(scope(row_question, comparable(row_question, values_of(row_question))))
    answer_by_family = families(values_of(answer))
    for family, values in asked_by_family.items():
        # A question pasted from a statement holds dozens of amounts; comparing all would cost what a search costs.
        asked = values[:_MOST_VALUES]
        in_question, in_answer = row_by_family.get(family, []), answer_by_family.get(family, [])
        if in_question and in_question[0].dimension == "length":
            in_answer = []  # a row's answer names the lengths of other numbers too
        held = [
            value
            for value in asked
            if holds(value, in_question if excludes(in_question, value) else [*in_question, *in_answer])
        ]
        lacking = [
            value
            for value in asked
            if value not in held and not (in_question and _is_told(question, value, in_question))
        ]
        evidence.agreed.extend(value.text for value in held if in_question or pins(question, value))
        # "1년과 2년" beside the row on 1년 is half an answer, no conflict.
        if held:
            evidence.missing.extend(value.text for value in lacking if in_question)
            continue
        for value in lacking:
            other = in_question or _decisive(question, value, in_answer)
            # One value of the row that cannot be compared (None) is doubt enough: only plain differences are evidence.
            if other and all(agrees(value, row) is False for row in other):
                words = ", ".join(dict.fromkeys(row.text for row in other))
                by_limit = not in_question and is_decided(question, value, row_question, answer)
                evidence.conflicts.append(Conflict(value.dimension, value.text, words, by_limit))


def _is_told(question: str, value: Quantity, in_question: Sequence[Quantity]) -> bool:
    """Whether a value is only told of; how long ago something was decides where a row is on a span of it ("30일 이내인")."""
    decides_scope = value.dimension == "duration" and excludes(in_question, value)
    return is_incidental(question, value) and not decides_scope


def _compare_codes(evidence: _Evidence, question: str, row_question: str) -> None:
    asked, held = ([match.group().upper() for match in _CODE.finditer(text)] for text in (question, row_question))
    if asked and held and not set(asked) & set(held):
        evidence.conflicts.append(Conflict("code", ", ".join(asked), ", ".join(held)))


def _decisive(question: str, asked: Quantity, answer: list[Quantity]) -> list[Quantity]:
    """The values of an answer that show it is about another value than asked, where the row's question holds none."""
    if not pins(question, asked) or decides(asked, answer):
        return []
    return [
        value
        for value in answer
        if value.dimension != "duration" or (value.unit in ("month", "day") and not value.side)
    ]


def _compare_contrasts(
    evidence: _Evidence, sets: Contrasts, question: str, part: str, row_question: str, answer: str
) -> None:
    asked_by_set = _by_set(cached_mentions(sets, part))
    if not asked_by_set:
        return
    row_by_set = _by_set(cached_mentions(sets, row_question))
    elsewhere = {(mention.set_name, mention.member) for mention in cached_mentions(sets, question)}
    for name, asked in asked_by_set.items():
        row = {member: label for member, label in row_by_set.get(name, {}).items() if member != ANSWERING}
        asked.pop(ANSWERING, None)
        # A fee or a rate is asked of many things: that a row has one says nothing for it.
        if not row or not asked or (sets.sets[name].kind == "term" and ANSWERING in sets.sets[name].members):
            continue
        same_object = _same_object(sets, name, question, row_question)
        if asked.keys() & row.keys():
            evidence.agreed.extend(asked[member] for member in asked if member in row and same_object)
            continue
        # The other half of the question names the row's member: it is asked about after all.
        if any((name, member) in elsewhere for member in row) or not same_object:
            continue
        kind = sets.sets[name].kind
        in_answer = {
            mention.member for mention in cached_mentions(sets, guidance(kind, answer)) if mention.set_name == name
        }
        if not asked.keys() & in_answer and not all(is_excepted(part, label, answer) for label in asked.values()):
            evidence.conflicts.append(Conflict(kind, ", ".join(asked.values()), ", ".join(row.values())))


def concerned_part(question: str, row_question: str) -> str:
    """Of several questions in one message, the part that shares most words with a row's question; all of it on a tie."""
    parts = [part for part in _PART.findall(question) if part.strip()]
    if len(parts) < 2:
        return question
    row = _tokens(row_question)
    shared = [len(_tokens(part) & row) for part in parts]
    return " ".join(part for part, count in zip(parts, shared, strict=True) if count == max(shared))


def _same_object(sets: Contrasts, name: str, question: str, row_question: str) -> bool:
    """Whether an action of the row is done to something the question names: "송금을 취소" is no reverse of "지급정지 신청"."""
    if sets.sets[name].kind != "action":
        return True
    # Customers and rows say either for the same thing.
    asked = _tokens(question.replace("계좌", "통장")) - _GENERIC
    places = [mention.start for mention in cached_mentions(sets, row_question) if mention.set_name == name]
    objects = [row_question[max(0, place - _OBJECT_SPAN) : place].replace("계좌", "통장") for place in places]
    return any(asked & _tokens(text) for text in objects)


def guidance(kind: str, answer: str) -> str:
    """The part of an answer that can show it is about a member too.

    A menu path names a product's category ("상품가입 > 예금·적금") and a note what else there is. So for an action only the
    opening and the steps count, for means and scope neither path nor note, for a product no path.
    """
    if kind == "channel":
        return answer
    if kind == "product":
        return _PATH.sub("", answer)
    body = without_notes(answer)
    if kind not in ("action", "state"):
        return _PATH.sub("", body)
    first = _SENTENCE.match(body)
    return "\n".join([first.group() if first else "", *_STEP.findall(body)])


def without_notes(answer: str) -> str:
    """An answer without its notes, the lines that begin with ※."""
    return _NOTE.sub("", answer)


def _by_set(mentions: Iterable[ContrastMention]) -> dict[str, dict[str, str]]:
    grouped: dict[str, dict[str, str]] = {}
    for mention in mentions:
        grouped.setdefault(mention.set_name, {}).setdefault(mention.member, mention.label)
    return grouped


def _compare_institutions(
    evidence: _Evidence, names: InstitutionNames, question: str, row_institution: str, is_on_others: bool
) -> None:
    """`is_on_others`: the row is about other institutions ("타 금융기관 OTP 등록"), of which a question may name one."""
    mentions = [m for m in names.find(question) if m.kind != "pay" and not m.counterpart]
    asked = [mention for mention in mentions if not mention.negated]
    if any(mention.name == row_institution for mention in asked):
        evidence.agreed.extend(mention.text for mention in asked if mention.name == row_institution)
        return
    # "타행 OTP 등록" is the bank's own answer on other banks' devices: naming one of those is no conflict.
    if is_on_others and not any(mention.held for mention in mentions):
        return
    if asked or any(mention.negated and mention.name == row_institution for mention in mentions):
        words = ", ".join(mention.text for mention in asked or mentions)
        evidence.conflicts.append(Conflict("institution", words, row_institution))
