"""Does a sentence take another's value: another topic's ("A는 X, B는 Y"), selling's for buying's; or name another who pays?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints import quantities_of
from rag.synthesis.passage_clauses import Finding, Sources, begins_word, split_clauses

_TOPIC = re.compile(r"(?:^|[\s(:,])([가-힣A-Za-z·]{2,})(?:은|는|에는|에서는)(?=\s)")
_SIDES = tuple(
    (re.compile(own), re.compile(other))
    for own, other in (
        (r"매수|구매|매입|살 때|사실 때|사는|사면|사려|사고팔", r"매도|팔|파는|파실|처분"),
        (r"입금|넣을|넣는|넣으", r"출금|인출|찾을|찾는|꺼낼|꺼내"),
        (r"가입|시작", r"해지|탈퇴"),
    )
)
_PAYS = r"(?:가|이|께서|에서|은|는|측에서)?\s?(?:전액\s)?"
_OURS = re.compile(rf"(?:당사|당행|은행|증권사|카드사|보험사|회사|저희){_PAYS}(?:부담|내 ?드|지불)")
_CUSTOMERS = re.compile(rf"(?:고객|손님|계약자|회원|본인)(?:님)?{_PAYS}(?:부담|내야|내셔야|지불|납부)")
_BEARS = re.compile(r"[가-힣](?:이|가)\s?(?:전액\s)?부담(?:하|합|해|한)")


@dataclass(frozen=True, slots=True)
class Said:
    """`text`: what a sentence says of `topic`, up to the next topic."""

    topic: str
    text: str


@lru_cache(maxsize=512)
def _said(line: str) -> tuple[Said, ...]:
    found = []
    for sentence in re.split(r"(?<=[다요음함][.])\s", line):
        topics = list(_TOPIC.finditer(sentence))
        # With one topic there is nothing that could be exchanged.
        if len(topics) < 2:
            continue
        ends = [match.start() for match in topics[1:]] + [len(sentence)]
        found += [Said(match[1], sentence[match.end() : end]) for match, end in zip(topics, ends, strict=True)]
    return tuple(found)


def check_pairs(text: str, sources: Sources) -> Finding | None:
    """The value or the thing that a line gives for another topic: "B는 X" of "A는 X, B는 Y"."""
    for line in sources.lines:
        said = _said(line.text)
        # By a topic's name or its beginning: "코스닥은" for "코스닥시장".
        named = [each for each in said if begins_word(each.topic[: max(3, len(each.topic) - 2)], text)]
        others = [each for each in said if each not in named and any(each.topic[-1] == own.topic[-1] for own in named)]
        if not others:
            continue
        own = " ".join(each.text for each in named)
        other = " ".join(each.text for each in others)
        # A value that stands elsewhere too may be said of anything.
        rest = sources.text.replace(line.text, "")
        for each in quantities_of(text):
            is_figure = each.dimension in ("rate", "money", "duration", "time")
            if is_figure and each.text in other and each.text not in own and each.text not in rest:
                return Finding("withheld", "quantity", each.text)
    return None


def check_sides(text: str, sources: Sources) -> Finding | None:
    """A value of one side ("매도할 때 0.2%") said of the other ("살 때 0.2%")."""
    for clause in split_clauses(text):
        for pair in _SIDES:
            for own, other in (pair, pair[::-1]):
                if not own.search(clause) or other.search(clause):
                    continue
                for each in quantities_of(clause):
                    holding = [part.text for part in sources.clauses if each.text in part.text]
                    if any(map(other.search, holding)) and not any(map(own.search, holding)):
                        return Finding("withheld", "quantity", each.text)
    return None


def check_payer(text: str, sources: Sources) -> Finding | None:
    """Who pays: the institution or its customer, where the passages name the other alone."""
    for own, other in ((_OURS, _CUSTOMERS), (_CUSTOMERS, _OURS)):
        match = own.search(text)
        if match and (other.search(sources.text) or _BEARS.search(sources.text)) and not own.search(sources.text):
            return Finding("withheld", "entity", match[0])
    return None
