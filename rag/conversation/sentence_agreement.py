"""Judges whether a sentence of a row states what a message asks of that row; `rag.conversation.shown_sentences` chooses.

A sentence must name all that the message names, hold its value and state the kind of value asked for; and name no other member of
a contrast set. Menu paths, examples and denials ("분실이 아니므로") state nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.constraints.asked_values import AskedValue, asked_values, not_stated
from rag.constraints.aspects import ASPECT_OF, ASPECTS, Aspect
from rag.constraints.contrasts import answered_by, members_of, mentions_of
from rag.constraints.everyday_values import values_of
from rag.constraints.quantities import Quantity
from rag.constraints.requested_verbs import lacks_request
from rag.constraints.value_agreement import agrees
from rag.conversation.asked_of_row import FREE, OFTEN, UNDONE, WHEN, FollowUp, kinds_asked
from rag.conversation.follow_up_rules import is_channel
from rag.conversation.shown_rows import subject_names
from rag.korean import compact, sentences

_LIMITS = re.compile(r"이상|이하|미만|초과|이내|까지")
_LOOKED_UP = re.compile(r"조회|확인")
_CHOICES = 3
"""Points of one kind in a sentence from which on they are what one may choose from, and no answer on one of them."""
_PER = re.compile(r"\s?(?:당(?![일사행])|마다|씩|단위)")
_SCOPE = re.compile(r"\s?(?:이내|이하|이상|미만|초과)의\s")
_WITHIN = re.compile(r"안에|안으로|까지(?!\s?(?:며칠|몇|얼마))|이내")
_DUE_IN = re.compile(r"이내|안에|까지|전에|기간|유효")
_TAKES = re.compile(
    r"소요|걸리|걸립|걸려|이내|안에|안으로|[일시간월주]\s?(?:뒤|후)|다음\s?날|익일|즉시|바로|당일|까지|통지|(?:처리|심사|배송|소요)\s?기간"
)
_LASTS = re.compile(r"걸[리려릴렸]")
_IN_TIME = re.compile(r"이내에?\s[^.]{0,20}(?:신청|청구|청약|제출|신고|접수|가입)(?:을|를)?\s?[하해]")
"""Matches a time in which the customer has to do something: no answer to how long it takes."""
_BEFORE, _HAPPENED = re.compile(r"기\s전"), re.compile(r"[했됐갔왔렸났](?:으면|는데|어요|습니다|거든)")

_OF_PAPERS = re.compile(r"(?:이내|안에)에?\s?(?:발급|받은|뗀)|발급분")
_CONDITION, _OLD = re.compile(r"경우|전부터|않았|이력"), re.compile(r"만료|최장")
"""Matches what follows a duration, or stands beside it, that is a condition and no answer to "며칠 걸려요"."""
_SOON = re.compile(r"즉시|바로|당일|다음\s?날|익일|다음\s?영업일|실시간")
_DUE = re.compile(r"동안|까지|부터|이내|안에|전에|후|뒤|즉시|바로|당일|다음|입금|지급|환불|돌려")
_MONEY_BACK = re.compile(r"돈|환불|입금|들어와|들어오|돌려")
_PAYS = re.compile(r"환급|환불|입금|지급|드립|드려|돌려|돌아")
DAYS = re.compile(r"평일|주말|토요일|일요일|휴일|공휴일|영업일|매일|연중무휴|365일|24시간")
_KIN = re.compile(
    r"애(?=[가는도들]?$)|남편|아내|와이프|배우자|부모|엄마|아빠|어머니|아버지|아들|딸|자녀|며느리|사위|가족|동생|언니|오빠|누나"
)
_KIN_NAMED = re.compile(r"가족(?!관계|카드)|동거인")
_FOR_ONESELF = re.compile(r"본인(?:만|\s?명의[^.,]{0,12}만|[에으]\S?\s?한[하해정])")
"""Says that something is for the customer alone, which decides a question on a relative."""
_TIME_OF_DAY = re.compile(r"밤|새벽|아침|저녁|심야|야간|자정|한밤")
_HOURS = re.compile(r"\d{1,2}:\d{2}|\d\s?시(?!간)|24시간(?!\s?(?:동안|이내|안에|후|뒤|이후|이상))|연중무휴|365일")
_PARENT = re.compile(r"부모|엄마|아빠|어머니|아버지")
_SIBLING = re.compile(r"동생|언니|오빠|누나|(?<![가-힣])형(?:은|이|도)")
_PATH = re.compile(r"\S\s>\s\S")
_TAKES_IN_PATH = re.compile(r"\([^()]*\d\s?(?:영업일|일|시간|분|주|개월)[^()]*\)\s*$")
"""Matches a menu path that ends with how long it takes: "(서류 촬영 제출, 2영업일 이내 심사)"."""
_CLOCK = re.compile(r"(?:한국|현지|미국|뉴욕|일본|중국|홍콩|런던)\s?시간")
"""Whose time it is: a sentence with it is not on that country."""
_PREDICATE = re.compile(r"(?:니다|다|음|함|됨)[.)]?\s*$")
_COUNTS_AS = re.compile(r"(?:으로|로)\s?(?:처리(?:됩|된|합|하며)|간주|봅니다)")
"""Follows what something else counts as: a sentence on that, and not on its own case."""
_NEGATED = re.compile(r"아니므로|아니라|아니며|아닌\s")
_BACK = re.compile(r"돌려\s?[받주줘]|환[급불](?![금액])|반환")
_GIVEN_BACK = re.compile(r"(?:환급|환불|반환|돌려)(?!금|액|청구|요청|방법)")
_AFTER = re.compile(r"\s?(?:이|을|가)?\s?(?:경과|지나|지난|지났|넘)")
_BEYOND = re.compile(r"\s?(?:이|을|를|가)?\s?넘[거기는어으]")
_UP_TO = re.compile(r"(?:최근|지난)\s?$")
_LABEL = re.compile(r"^\s*\[([^\[\]\n>]{1,24})\]\s*")
_WITHOUT = re.compile(r"미적용|미만|제외|비대상|아닌|외의")
_EXAMPLE = re.compile(r"예를 들어|예\)|\[.{0,3}예시?\]|예시|계산식")
_ITEM = re.compile(r"^\s*(?:[-*•·]|\d\.)\s*")
_NO_FEE = re.compile(r"무료|면제")
_UNDONE_TOO = re.compile(r"없|않|못|불가|생략|면제|제외|미\S{1,3}\s?시|지나|지난|경과|초과|넘|어려운")


def stated_values(sentence: str) -> list[Quantity]:
    """The values of a sentence; "1km당", "10만원 단위" and "90일 이내의 계약" state none.

    "3년 경과" and "200만원을 넘으면" are that and more, "최근 10년" is that and less.
    """
    return [
        _as_range(each, sentence)
        for each in values_of(sentence)
        if not (_PER.match(sentence, each.end) or _SCOPE.match(sentence, each.end))
    ]


def _as_range(value: Quantity, sentence: str) -> Quantity:
    is_length = value.dimension == "duration"
    if not value.is_point:
        return value
    if (_AFTER if is_length else _BEYOND).match(sentence, value.end):
        return replace(value, high=None)
    return replace(value, low=None) if is_length and _UP_TO.search(sentence[: value.start]) else value


def holds(stated: Quantity, value: Quantity) -> bool:
    """Whether a value of a sentence is a message's or covers it."""
    if stated.dimension != value.dimension or (stated.high is None and stated.unit != value.unit):
        return False
    return agrees(value, stated) is True


def units(content: str) -> Iterator[tuple[str, str]]:
    """(label, sentence) of a row: the label is that of its line or of the list it stands in."""
    label = ""
    for start, end in sentences(content):
        raw = content[start:end]
        if not raw.strip():
            label = ""
            continue
        sentence = _ITEM.sub("", raw.strip()).lstrip("※ ").strip()
        head = _LABEL.match(sentence)
        if head:
            label = head[1]
        elif not _ITEM.match(raw.strip()):
            label = "" if not label or "\n\n" in content[max(0, start - 2) : start] else label
        if sentence and not (head and not sentence[head.end() :].strip()):
            yield label, sentence
        if raw.endswith("\n\n"):
            label = ""


def states(asked: FollowUp, label: str, sentence: str) -> bool:
    """Whether a sentence states what a message asks: names all that it names, and states its values and the kind of value asked.

    `label`: the heading of the sentence's list.
    """
    # Beside a value that the sentence holds, what the topic names need not be named again. Channels are mentions.
    needed = [
        word
        for word in asked.words
        if not (
            asked.values and (compact(word) in compact(asked.topic) or word in ASPECT_OF or _is_of_age(word, asked))
        )
        and not is_channel(word)
    ]
    text = f"{label} {sentence}"
    return may_state(asked, label, sentence) and all(names(text, word, asked.message) for word in needed)


def _is_of_age(word: str, asked: FollowUp) -> bool:
    """Whether a word is a relative whose age a message states: the age decides."""
    return _KIN.match(word) is not None and any(value.dimension == "age" for value in asked.values)


def may_state(asked: FollowUp, label: str, sentence: str) -> bool:
    """Whether nothing in a sentence keeps it from stating what a message asks, whether or not it names the message's words."""
    return not (
        is_aside(label, sentence)
        or _is_on_another_case(asked, label, sentence)
        or _names_other_members(asked, f"{label} {sentence}")
        or _lacks_values(asked, sentence)
        or _lacks_what_is_asked(asked, label, sentence)
        or (WHEN.search(asked.message) and _lacks_time(asked, sentence))
        or (FREE.search(asked.message) and not FREE.search(sentence))
    )


def _is_on_another_case(asked: FollowUp, label: str, sentence: str) -> bool:
    """Whether a sentence is on what something counts as, denies a case, or is on the opposite of the customer's."""
    message = asked.message
    counted = {(each.set_name, each.member) for each in mentions_of(sentence) if _COUNTS_AS.match(sentence, each.end)}
    return bool(
        counted & asked.mentions
        or _NEGATED.search(sentence)
        or (_BACK.search(message) and not _GIVEN_BACK.search(sentence))
        or (label and _WITHOUT.search(label) and not _WITHOUT.search(message))
        or (UNDONE.search(message) and not _UNDONE_TOO.search(sentence))
        or (_HAPPENED.search(message) and _BEFORE.search(sentence))
    )


def _names_other_members(asked: FollowUp, text: str) -> bool:
    """Whether a text lacks a member of a contrast set that a message names, and names another one or the topic lacks it, too."""
    of_topic, named = members_of(asked.topic), members_of(text)
    for each in asked.mentions:
        if asked.values and (each[0] == "channel" or each in of_topic):
            continue
        others = {member for name, member in named if name == each[0]} if each[0] != "day_of_week" else set()
        is_aspect = each[1] in ASPECT_OF and names(text, each[1], asked.message)
        if each in named or each[0] in answered_by(text) or is_aspect or _covered(each, text, asked.message):
            continue
        if others or each not in of_topic:
            return True
    return False


def _lacks_values(asked: FollowUp, sentence: str) -> bool:
    """Whether a sentence does not hold all values of a message, or lists several that one may choose from."""
    own = stated_values(sentence)
    if OFTEN.search(asked.message) and not any(each.dimension == "count" and each.unit == "회" for each in own):
        return True
    if not all(any(holds(each, value) for each in own) for value in asked.values):
        return True
    points = [each.dimension for each in own if each.is_point]
    is_choice = any(points.count(each.dimension) >= _CHOICES for each in asked.values)
    return is_choice and WHEN.search(asked.message) is not None


def _lacks_what_is_asked(asked: FollowUp, label: str, sentence: str) -> bool:
    """Whether a sentence has no value of a kind that a message asks for, or no action that it requests."""
    message, kinds = asked.message, asked_values(asked.message)
    # What can be looked up, which answers a question for a value beside it, is no sentence with it.
    if not_stated(message, "", _LOOKED_UP.sub(" ", sentence)) or lacks_request(message, "", sentence):
        return True
    # Below a heading that the message names ("[결과] 국내 20일") a length of time is that thing's.
    is_below = any(compact(word) in compact(label) for word in asked.words)
    if not is_below and not _takes(message, kinds, label, sentence):
        return True
    if asked.words:
        return False
    if any(each.kind == "duration" for each in kinds):
        lengths = [each for each in stated_values(sentence) if each.dimension == "duration"]
        if _OLD.search(sentence) or (lengths and all(_CONDITION.search(sentence, each.end) for each in lengths)):
            return True
    return any(each.kind == "money" for each in kinds) and not is_fee(sentence)


def _lacks_time(asked: FollowUp, sentence: str) -> bool:
    """Whether a sentence does not say when."""
    dimensions = {each.dimension for each in stated_values(sentence)}
    is_time = _SOON.search(sentence) or dimensions & {"duration", "date", "time"}
    if not (is_time and _DUE.search(sentence)):
        return True
    return not asked.words and _MONEY_BACK.search(asked.message) is not None and not _PAYS.search(sentence)


def is_aside(label: str, sentence: str) -> bool:
    """Whether a sentence is a menu path alone or an example."""
    is_path = _PATH.search(sentence) and not (_PREDICATE.search(sentence) or _TAKES_IN_PATH.search(sentence))
    return bool(is_path or _EXAMPLE.search(f"[{label}] {sentence}"))


def is_fee(sentence: str) -> bool:
    """Whether a sentence is on a fee."""
    return ASPECTS["수수료"].named.search(sentence) is not None


def _takes(message: str, asked: Sequence[AskedValue], label: str, sentence: str) -> bool:
    """Where a length of time is asked for: the sentence says how long something takes, not a sum per day."""
    if not any(each.kind == "duration" for each in asked):
        return True
    if _OF_PAPERS.search(sentence) or (_LASTS.search(message) and _IN_TIME.search(sentence)):
        return False
    return (_DUE_IN if _WITHIN.search(message) else _TAKES).search(f"{label} {sentence}") is not None


def _covered(mention: tuple[str, str], text: str, message: str) -> bool:
    """Whether the thing of a mention is one of the words, which the sentence names."""
    spans = [compact(each.text) for each in mentions_of(message) if (each.set_name, each.member) == mention]
    if DAYS.search(message) and mention[0] in ("day_of_week", "term 주말에도"):
        return DAYS.search(text) is not None
    if mention[0] == "relative" and (_KIN_NAMED.search(text) or _FOR_ONESELF.search(text)):
        return True
    if mention[0] == "day_and_night" and _HOURS.search(text):
        return True
    if mention[0] == "foreign_country" and ("country", "해외") in members_of(text):
        return True
    return any(span in compact(text) for span in (*spans, compact(mention[1])))


def names(text: str, word: str, message: str) -> bool:
    """Whether a text names what a word of a message does, also by another name of it or of its kind."""
    if word == "제한" and _LIMITS.search(text):
        return True
    flat = compact(_CLOCK.sub("", text))
    if any(compact(name) in flat for name in subject_names([word])):
        return True
    # Where a value is asked for, what has one need not be called by its name: "무료" states a fee.
    aspect = ASPECTS.get(ASPECT_OF.get(word, ""))
    if aspect and (kinds_asked(message) or _NO_FEE.search(text)) and aspect.named.search(text):
        return True
    # "등록" is not what 주민등록증 is.
    own = {(each.set_name, each.member) for each in mentions_of(word) if 2 * len(compact(each.text)) >= len(word)}
    if own & members_of(text):
        return True
    if DAYS.match(word):
        return DAYS.search(text) is not None
    if _TIME_OF_DAY.match(word):
        return _HOURS.search(text) is not None
    if _SIBLING.match(word):
        return "형제" in text or _FOR_ONESELF.search(text) is not None
    if _KIN.match(word):
        return _KIN_NAMED.search(text) is not None or _FOR_ONESELF.search(text) is not None
    # What a mention covers ("잃어버린 거": 분실) the members decide.
    covering = [each for each in mentions_of(message) if word in each.text]
    if covering:
        return bool({(each.set_name, each.member) for each in covering} & members_of(text))
    if len(word) > 3 and re.search(rf"(?<![가-힣]){re.escape(word[:-2])}(?![가-힣])", text):
        return True
    if _PARENT.match(word) and re.search(r"법정대리인|친권자|보호자", text):
        return True
    return aspect is not None and _is_named(aspect, text)


def _is_named(aspect: Aspect, text: str) -> bool:
    """Whether a text names an aspect: "까지" or "초과" name a limit only beside a value of its kind."""
    found = [match[0] for match in aspect.named.finditer(text)]
    by_itself = any(ASPECT_OF.get(each) == aspect.name or aspect.words.search(each) for each in found)
    return by_itself or bool(found and any(value.dimension in aspect.dimensions for value in values_of(text)))
