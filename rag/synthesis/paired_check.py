"""Is what a sentence says of one thing what its passages say of another beside it? "A는 X, B는 Y", buying and selling."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints import quantities_of
from rag.synthesis.content_words import content_words
from rag.synthesis.passage_clauses import Finding, Sources, begins_word, split_clauses
from rag.synthesis.polarity_check import is_negative

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
_THIRD_BEARS = re.compile(
    r"(?:(?:받|보내|맡기|파|사)(?:는|시는|으시는) (?:분|사람|쪽|은행)|수취인|송금인|상대방|판매자|가맹점"
    r"|임대인|집주인|보험사|카드사|은행)"
    r"(?:이|가|께서|에서) (?:모두 |전액 )?부담"
)
_LABEL_DENIES = re.compile(
    r"^\s*(?:[-•·*]\s*)?([^:|]{0,12}(?:제외|불가|비대상|비보호|미적용|미지원)[^:|]{0,8}):\s*(.+)$"
)


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
        for word in content_words(text):
            if word.stem not in other:
                continue
            # Only where something is done: other nouns of a neighbour's clause are too often both topics' own.
            is_place = word.is_noun and re.search(rf"{re.escape(word.stem)}(?:에|에서|으로|로)(?![가-힣])", text)
            if is_place and word.stem not in own and word.stem not in rest:
                return Finding("withheld", "entity", word.stem)
    return None


def check_sides(text: str, sources: Sources) -> Finding | None:
    """A value of one side ("매도할 때 0.2%") said of the other ("살 때 0.2%")."""
    trade = _SIDES[0]
    for own, other in (trade, trade[::-1]):
        # What is bought or sold, where the passages speak of the other alone.
        if (
            (match := own.search(text))
            and not other.search(text)
            and not own.search(sources.text)
            and other.search(sources.text)
            and not re.search(r"매매|거래|주문", sources.text)
        ):
            return Finding("withheld", "polarity", match[0])
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


@lru_cache(maxsize=64)
def _exceptions(sources: Sources) -> tuple[str, ...]:
    lists = [match[2] for line in sources.lines if (match := _LABEL_DENIES.match(line.text))]
    lists += [line.text for line in sources.lines if re.search(r"제외|불가|비보호", line.heading)]
    return tuple(lists)


def check_excluded(text: str, sources: Sources) -> Finding | None:
    """What a list of exceptions names ("제외 차량: 리스 차량"), affirmed."""
    if not (lists := _exceptions(sources)):
        return None
    for clause in split_clauses(text):
        if is_negative(clause) or not re.search(r"(?<!밖에 )수(?:도|가)? 있|가능|됩니다|돼요|받아요|받습니다", clause):
            continue
        for word in content_words(clause):
            elsewhere = [each for each in sources.clauses if word.stem in each.text and not is_negative(each.text)]
            is_listed = any(begins_word(word.stem, each) for each in lists)
            if (
                word.is_noun
                and is_listed
                and all(any(each.text.strip(" ,.") in a for a in lists) for each in elsewhere)
            ):
                return Finding("withheld", "polarity", word.stem)
    return None


def check_payer(text: str, sources: Sources) -> Finding | None:
    """Who pays: the institution or its customer, where the passages name the other alone."""
    for own, other in ((_OURS, _CUSTOMERS), (_CUSTOMERS, _OURS)):
        match = own.search(text)
        if match and (other.search(sources.text) or _BEARS.search(sources.text)) and not own.search(sources.text):
            return Finding("withheld", "entity", match[0])
    # A third who pays must be the passages' own: nobody pays where they do not say who.
    if (match := _THIRD_BEARS.search(text)) and "부담" not in sources.text:
        return Finding("withheld", "entity", match[0])
    return None
