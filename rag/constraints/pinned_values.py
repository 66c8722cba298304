"""Values of a customer's case that a row's question pins to another value of the same thing.

"보험료 한 달 밀렸는데" mentions a value only, but the row "보험료를 2개월 연체하면 어떻게 되나요?" is on customers whose value is
another one. Time beyond the row's is not reported: after three months, two have passed. Two values are of the same thing if the
words beside them are: 밀리다 and 연체, "가입했는데" and "가입하면".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.constraints.contrasts import members_of
from rag.constraints.everyday_values import values_of
from rag.constraints.mentioned_values import comparable
from rag.constraints.quantities import Quantity
from rag.constraints.value_agreement import families, has_end_of, holds, is_beyond

_DIMENSIONS = ("duration", "money", "count")
_AFTER = re.compile(
    r"\s?(?:짜리|정도|이상|이하|넘게|밖에|동안|간|치|씩|이나|만|도|을|를|이|가|은|는|째|의)*\s?(?P<word>[가-힣]{2,8})"
)
_BEFORE = re.compile(
    r"(?<![가-힣])(?P<word>[가-힣]{2,8}?)(?<![면서고데해])(?:을|를|이|가|은|는|도|[한된던]\s?지|한\s?게)?"
    r"\s?(?:벌써\s|이제\s|약\s)?$"
)
_GENERIC = re.compile(
    r"이?(?:지[나났난]|되|된|됐|넘|남|하|했|한|있|없|이|전|후|뒤|안|못|더|내|미만|초과|이상|이하|이내|인데|까지|부터|으로|에서|기다)"
)
"""Begins a word after a value that names no thing."""
_SPAN = 24
"""Characters before a value in which its thing is searched."""
_AGO = re.compile(r"\s?(?:전|후|뒤|안에|이내|만에|까지|부터)")


def other_pinned(question: str, row_question: str, row_answer: str) -> Iterator[tuple[str, str, str]]:
    """(dimension, asked, held) for each value of a question that the row's question names of the same thing with another one."""
    own = families(value for value in values_of(row_question) if value.dimension in _DIMENSIONS)
    if not own:
        return
    answer = families(values_of(row_answer))
    for family, values in families(comparable(question, values_of(question))).items():
        pinned = own.get(family, [])
        if any(holds(value, pinned) for value in values):
            continue
        for value in values if pinned else ():
            if not (thing := _thing(question, value)):
                continue
            same = [each for each in pinned if thing & _thing(row_question, each) and not _has_passed(value, each)]
            beside = [each for each in answer.get(family, []) if thing & _thing(row_answer, each)]
            is_stated = any(has_end_of(value, each) for each in answer.get(family, [])) or holds(value, beside)
            if same and not is_stated:
                yield value.dimension, value.text, ", ".join(each.text for each in same)


def _has_passed(value: Quantity, pinned: Quantity) -> bool:
    """Whether a duration is longer than the row's: what holds after two months holds after three."""
    return value.dimension == "duration" and is_beyond(value, pinned)


def _thing(text: str, value: Quantity) -> frozenset[object]:
    """What a value is of: the contrast sets' members that the words beside it name, and their first two syllables."""
    if _AGO.match(text, value.end):
        return frozenset()
    after, before = _AFTER.match(text, value.end), _BEFORE.search(text, max(0, value.start - _SPAN), value.start)
    words = [after["word"]] if after and not _GENERIC.match(after["word"]) else []
    words += [before["word"]] if before else []
    return frozenset(each for word in words for each in (*members_of(word), word[:2]))
