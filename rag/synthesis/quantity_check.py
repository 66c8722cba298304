"""Are the quantities of a sentence those of its sources: the value, its side of a threshold, and what it belongs to?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.constraints import Quantity
from rag.synthesis.findings import Finding
from rag.synthesis.passage_clauses import Sources, aligned, mentions, quantities_of, set_kind, split_clauses, stated_by


def check_quantities(text: str, sources: Sources) -> Finding | None:
    """Every quantity is stated; a threshold and what holds from it on, in the same line, and for the same product."""
    if missing := sources.quantities.unsupported(text):
        return Finding("withheld", "quantity", ", ".join(each.text for each in missing))
    for clause in split_clauses(text):
        quantities = quantities_of(clause)
        if not quantities:
            continue
        holding = [line.text for line in sources.lines if not line.stated.unsupported(clause)]
        is_rule = any(not each.is_point for each in quantities) and any(
            each.is_point and each.dimension in ("rate", "money") for each in quantities
        )
        if is_rule and not holding:
            return Finding("withheld", "quantity", ", ".join(each.text for each in quantities))
        finding = _swapped(clause, quantities, holding) or _turned(clause, quantities, sources)
        if finding is not None:
            return finding
    return None


def _swapped(clause: str, quantities: Sequence[Quantity], lines: Sequence[str]) -> Finding | None:
    """A product or means named with a quantity that the passage gives for another of its kind alone."""
    figures = " ".join(each.text for each in quantities)
    parts = [part for line in lines for part in re.split(r"[，/]\s?|,\s|(?<=[고며])\s|[.]\s", line)
             if not stated_by(part).unsupported(figures)]  # fmt: skip
    if not parts:
        return None
    held = [mentions(part) for part in parts]
    for mention in mentions(clause):
        if set_kind(mention) not in ("product", "means", "channel"):
            continue
        members = [{other.member for other in each if other.set_name == mention.set_name} for each in held]
        if all(each and mention.member not in each for each in members):
            return Finding("withheld", "entity", mention.text)
    return None


_UP = re.compile(r"[을를이가]?\s?(?:이상|초과|이후|후(?!보)|뒤|경과|지나|지난|지났|넘)")
_DOWN = re.compile(r"[을를이가]?\s?(?:이하|미만|이내|까지|안에|전(?![화자체용]))")


def _turned(clause: str, quantities: Sequence[Quantity], sources: Sources) -> Finding | None:
    """A threshold on the other side than the clauses about the same put it: "3년 이후" for "3년 이내"."""
    near = aligned(clause, sources)
    for each in quantities:
        side = _side(clause, each.end)
        if not side or (each.low is None and each.high is None):
            continue
        value = each.low if each.low is not None else each.high
        sides = [
            _side(part.text, other.end)
            for part in near
            for other in quantities_of(part.text)
            if other.dimension == each.dimension and value in (other.low, other.high)
        ]
        if sides and all(sides) and side not in sides:
            return Finding("withheld", "quantity", clause[each.start : each.end + 4].strip())
    return None


def _side(text: str, end: int) -> str:
    return "up" if _UP.match(text, end) else "down" if _DOWN.match(text, end) else ""


_OPPOSITES = (
    *(
        ("다음", "이전"),
        ("다음", "전"),
        ("익일", "전일"),
        ("이후", "이전"),
        ("먼저", "나중에"),
        ("최대", "최소"),
        ("최고", "최저"),
    ),
    *(
        ("오전", "오후"),
        ("매월", "매년"),
        ("시작", "종료"),
        ("입금", "출금"),
        ("증액", "감액"),
        ("본인", "타인"),
        ("고객이", "당사가"),
        ("고객이", "은행이"),
    ),
)


def check_opposites(text: str, sources: Sources) -> Finding | None:
    """A word before another, of which the passages have the opposite before it: "이전 영업일" for "다음 영업일"."""
    for pair in _OPPOSITES:
        for word, other in (pair, pair[::-1]):
            for match in re.finditer(rf"(?<![가-힣]){word}\s([가-힣\d]{{2,}})", text):
                noun = match[1][:3].rstrip("은는이가을를에의")
                said, held = rf"(?<![가-힣]){word}\s?{noun}", rf"(?<![가-힣]){other}\s?{noun}"
                if re.search(held, sources.text) and not re.search(said, sources.text):
                    return Finding("withheld", "quantity", match[0])
    return None
