"""Does a sentence reverse the direction of a change or transfer: "우편을 이메일로" where a passage has "이메일을 우편으로"?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.synthesis.clauses import Finding, Sources, split_clauses
from rag.synthesis.words import word_forms

_NOUN = r"(?<![가-힣A-Za-z])(?:[가-힣A-Za-z]{1,8}(?<![의을를서에로])\s)?[가-힣A-Za-z]{1,10}?"
_CHANGES = re.compile(
    r"(?:바[꾸꿔꿀꾼뀌뀐뀝]|변경|전환|옮[기겨긴길깁]|복사|이동|내보[내낸냅]|보[내낸냅낼]|전송|갈아|교체|이관)"
)
_TO = re.compile(
    rf"(?P<first>{_NOUN}(?:이나|나|과|와|,|·|\s또는)\s?)?(?P<last>{_NOUN})(?:\([^)]*\))?(?:으로|로)\s?(?:(?![가-힣]*로\s)[가-힣]{{1,6}}\s){{0,3}}"
    rf"{_CHANGES.pattern}"
)
_FROM = re.compile(
    rf"({_NOUN})(?:\([^)]*\))?(?:에서|에\s(?:있|저장|설치|보관|깔)[가-힣]{{1,2}}|으?로\s(?:받|쓰|이용하)[가-힣]{{1,2}}|의|을|를)(?=\s)"
)
_JOINED = re.compile(r"(?:이나|나|과|와|,|·|\s또는)\s?$")


@dataclass(frozen=True, slots=True)
class _Change:
    """The source and the target of a change, each with its synonyms."""

    before: frozenset[str]
    after: frozenset[str]


def check_transfers(text: str, sources: Sources) -> Finding | None:
    """Withhold a change that the passages contain only in the opposite direction."""
    own = _changes(text)
    stated = [change for line in sources.lines for change in _changes(line.text)] if own else []
    for change in own:
        is_reversed = any(change.before & each.after and change.after & each.before for each in stated)
        if is_reversed and not any(change.before & each.before and change.after & each.after for each in stated):
            return Finding("withheld", "polarity", text)
    return None


@lru_cache(maxsize=2048)
def _changes(text: str) -> tuple[_Change, ...]:
    changes = []
    # A fast first check: the other patterns take ten times as long.
    for clause in split_clauses(text) if _CHANGES.search(text) else ():
        if match := _TO.search(clause):
            after = f"{match['last']} {_JOINED.sub('', match['first'] or '')}".lower().split()
            before = " ".join(each[1] for each in _FROM.finditer(clause, 0, match.start("last"))).lower().split()
            changes.append(_Change(_forms(set(before) - set(after)), _forms(set(after) - set(before))))
    return tuple(changes)


def _forms(nouns: set[str]) -> frozenset[str]:
    return frozenset(form for noun in nouns for form in word_forms(noun))
