"""Does a row change a thing in the other direction than a question: "디지털OTP에서 보안카드로" is not "보안카드에서 디지털OTP로"?

"다른 은행에 등록" is not "다른 은행에서 발급받은". A question may name both ends of a change or its target alone, as one that
goes back does: "한도계좌로 다시 바꾸고 싶어요".
"""

from __future__ import annotations

import re
from functools import lru_cache

from rag.constraints.compounds import is_same_member
from rag.constraints.contrasts import members_of
from rag.constraints.synonyms import Synonyms, other_names
from rag.korean import compact, tokens

_CHANGE = (
    r"(?:전환|변경|바꾸|바꿀|바꿔|돌릴|돌려|옮|이전|복사|교체|갈아|내보내|가져|대환|쪼개|쪼갤|나누|나눌|합치"
    r"|합칠|돌아|되돌|돌리|환전)"
)
_FROM_TO = re.compile(
    r"(?P<source>[^,.?!\n]{2,20}?)(?P<by>에서(?!\s?(?:나가|빠지))|을|를|(?:\s|(?<=[한된든산쓴낸]))(?:거를|것을|걸|거))\s*"
    r"(?:(?:다시|도로|그냥|원래)\s*)*(?P<target>(?:(?!는데|지만)[^,.?!\n]){2,16}?)(?:으로|로)"
    r"(?=\s*(?:\S{2,6}(?:[을를]|(?<=증서))\s*)?(?:(?:다시|자동|바로|전부|일괄)\s*)?"
    rf"{_CHANGE})"
)
_TO = re.compile(
    r"(?<![가-힣A-Za-z])(?P<target>[가-힣A-Za-z]{2,12}?)(?:으로|로)\s?"
    rf"(?:(?:다시|도로)\s?(?:{_CHANGE}|받|쓰|쓸|바뀔|바뀌[나는]|[\s?!.]*$)"
    r"|(?:전환|변경|바뀌)(?!됐|되었|되어|돼서|었|어|더)|(?:바꾸|바꿀|바꿔|바뀔|되돌|돌아가|돌아갈))"
)
"""A change of which only the target is named; a thing that is received or used again went back to it. What has changed by itself
is a story: "한도계좌로 바뀌었는데 어떻게 풀어요"."""
_BACK_TO = re.compile(r"(?:다시|도로|원래)\s(?P<target>[가-힣A-Za-z]{2,12}?)(?:으로|로)[\s?!.]*$")
"""A return without its verb: "다시 한도계좌로"."""
MAY_CHANGE = re.compile(rf"로(?![가-힣])|로(?:다시|도로|{_CHANGE})|(?:다른|타|딴)\s?(?:[가-힣]{{2}}\s?)?[가-힣]")
"""Matches each question that may name a direction: a fast first check."""
_INSTITUTION = r"(?:금융\s?(?:기관|회사)|금융사|기관|회사|은행|행|증권사|증권|보험사|카드사|저축은행|데|곳)"
_SITE = r"(?:(?:의\s)?\s?(?:앱|어플|(?:모바일|인터넷)?\s?뱅킹|홈페이지|사이트|창구|지점|영업점))?"
_BY_THEN = (
    r"(?:하?던|[하되]?는\s(?!법|방법|거|게|건|데)|한(?![다번])|된|되어|돼\s?있|해\s?(?:둔|놓|놨)|\s?중(?![가-힣]))"
)
"""Follows what was done there before: "다른 은행에서 쓰던 OTP"."""
_USED_THERE = (
    rf"{_SITE}(?:에다가?|에서|에)(?:도|는)?\s?(?:(?:바로|같이|또|계속|그대로)\s?)?"
    rf"(?:이용\s?등록|등록|사용|이용(?!\s?등록)|쓸|써|쓰|로그인)(?!{_BY_THEN})"
)
_USED_ELSEWHERE = re.compile(rf"(?<![가-힣])(?:다른|타|딴|모든|여러)\s?{_INSTITUTION}{_USED_THERE}")
USED_AT = re.compile(_USED_THERE)
"""Follows the name of an institution where a thing is used."""
_ISSUED_ELSEWHERE = re.compile(
    rf"(?<![가-힣])(?:다른|타|딴)\s?{_INSTITUTION}{_SITE}(?:에서|에|이|가)?\s?"
    rf"(?:발급|발행|만든|만들었|받은|받았|(?:등록|사용|이용|쓰)(?={_BY_THEN}))"
)
_STORED = re.compile(r"에\s?(?:저장|보관|설치|있)")
_ANOTHER = re.compile(rf"(?P<which>다른|딴|새)\s?(?P<thing>\S{{1,8}}?)(?:으로|로)\s*(?:\S{{1,6}}\s+)?{_CHANGE}")
_CANCELLED = r"{}(?:[을를]?\s?(?:해제|해지|탈퇴|취소)|[^?]{{0,20}}?(?<![가-힣])(?:해제|풀))"
"""Cancelling a thing in a row's question, by its name; releasing it may be asked behind something else."""
_PHONE = re.compile(r"휴대\s?전화|(?:휴대|핸드|스마트)\s?폰")


def other_target(question: str, row_question: str, row: str, synonyms: Synonyms) -> str:
    """The target of a change in a question if the row changes the same source to another target (누구나, 부부); else empty."""
    asked, held = _direction(question), _direction(row_question)
    if asked is None or held is None or not set(tokens(asked["source"])) & set(tokens(held["source"])):
        return ""
    target = asked["target"].strip()
    is_named = any(name in compact(row) for name in (compact(target), *other_names(target, synonyms)))
    is_same = bool(set(tokens(target)) & set(tokens(held["target"]))) or is_same_member(target, held["target"].strip())
    return "" if is_named or is_same else target


@lru_cache(maxsize=4096)
def _direction(text: str) -> re.Match[str] | None:
    """A match of _FROM_TO with the groups `source`, `by` and `target`; None if the text has none."""
    return _FROM_TO.search(text)


def is_reversed(question: str, row_question: str, row_answer: str = "") -> bool:
    """Whether a row describes the opposite direction of a change; False if question or row names no direction.

    The answer decides where the row's question names none, and the question names where a thing comes from.
    """
    asked, row = _direction(question), _direction(row_question)
    target = target_of(question)
    if _is_used_at_other_end(question, row_question, row_answer):
        return True
    # Cancelling the target is the opposite, too: "한도제한계좌 해제" for "일반계좌를 한도제한계좌로 바꾸려면".
    if target and re.search(_CANCELLED.format(_name(target)), row_question):
        return True
    if row is None:
        return _is_reversed_in(question, row_answer)
    if _is_on_other_devices(question, row):
        return True
    if asked is None:
        # A target alone says little: it must be what the row changes, and not what it changes it to.
        name = re.compile(_name(target))
        return bool(target and name.search(row["source"]) and not name.search(row["target"]))
    # The target decides, because the source often has words of both ("미국주식 온주를 소수점으로"). The source counts only if
    # it is a place: "폰에서 폰으로" is not "PC에서 폰으로".
    if _likeness(target, row["source"]) > _likeness(target, row["target"]):
        return True
    is_place = asked["by"].endswith("에서")
    return is_place and _likeness(asked["source"], row["target"]) > _likeness(asked["source"], row["source"])


def _is_used_at_other_end(question: str, row_question: str, row_answer: str) -> bool:
    """Whether a thing is used elsewhere in a question and was issued elsewhere in a row, or the other way round."""
    row = f"{row_question}\n{row_answer}"
    is_used, is_issued = (pattern.search(question) for pattern in (_USED_ELSEWHERE, _ISSUED_ELSEWHERE))
    if is_used and not is_issued:
        return bool(_ISSUED_ELSEWHERE.search(row)) and not _USED_ELSEWHERE.search(row)
    if is_issued and not is_used:
        return bool(_USED_ELSEWHERE.search(row_question)) and not _ISSUED_ELSEWHERE.search(row)
    return False


def _is_on_other_devices(question: str, row: re.Match[str]) -> bool:
    """Whether a question names two devices of one kind ("휴대폰에서 다른 휴대폰으로") and a row comes from another kind."""
    question, source, target = (_PHONE.sub("폰", text) for text in (question, row["source"], row["target"]))
    another = _ANOTHER.search(question)
    if another is None:
        return False
    thing, is_named_twice = another["thing"], another["thing"] in question[: another.start()]
    # "다른 휴대폰" alone suggests a copy from a phone, where the row's thing is stored on something else.
    is_place = is_named_twice and row["by"].endswith("에서")
    is_stored = _STORED.search(source) and (is_named_twice or another["which"] != "새")
    return bool(is_place or is_stored) and thing in target and thing not in source


def target_of(question: str) -> str:
    """What a change in a question leads to, also where it names nothing else ("한도계좌로 다시 바꾸고"); empty without one."""
    if match := _direction(question) or _TO.search(question) or _BACK_TO.search(question):
        # In "명세서를 이메일에서 우편으로" the thing is named first.
        return str(match["target"]).rpartition("에서 ")[2].strip()
    return ""


def _name(target: str) -> str:
    """A pattern of a target. A row may add up to three syllables to a long one: 한도제한계좌 for "한도계좌"."""
    is_long = re.fullmatch("[가-힣]{4,}", target)
    return rf"{target[:2]}[가-힣]{{0,3}}{target[2:]}" if is_long else re.escape(target)


def _is_reversed_in(question: str, answer: str) -> bool:
    """Whether all changes in an answer have the opposite direction."""
    if (asked := _direction(question)) is None or not asked["by"].endswith("에서"):
        return False
    likeness = [
        _likeness(asked["target"], change["target"]) - _likeness(asked["target"], change["source"])
        for change in _FROM_TO.finditer(answer)
    ]
    return bool(likeness) and max(likeness) < 0


@lru_cache(maxsize=4096)
def _likeness(one: str, other: str) -> int:
    """How similar two texts are: the number of common tokens, plus 2 for each contrast set of which they name the same member,
    minus 2 for each with different members and for different numbers ("3세대", "4세대")."""
    members, other_members = members_of(one), members_of(other)
    shared = {name for name, _ in members & other_members}
    apart = {name for name, _ in members} & {name for name, _ in other_members} - shared
    numbers, others = (set(re.findall(r"\d+", text)) for text in (one, other))
    is_other_number = bool(numbers and others and not numbers & others)
    return len(set(tokens(one)) & set(tokens(other))) + 2 * len(shared) - 2 * (len(apart) + is_other_number)
