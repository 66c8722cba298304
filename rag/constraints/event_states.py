"""Does a question say that something has happened of which a row's question says that it has not, or the other way round?

"아직 발송 안 된 송금" is not "발송이 완료된 송금". There is no list of events: a noun before 전, 안 된, 못 한, 되지 않은 or
after 미 has not happened; one before 완료, 된, 한 후, 됐는데 or after 이미 has. Also compared: the state that something is
shown in, and past values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from rag.korean import compact

_EVENT = r"(?<![가-힣])(?P<event>[가-힣]{2,4}?)"
_PARTICLE = r"(?:이|가|은|는|을|를|도)?\s?"
_NOT_YET = re.compile(
    rf"{_EVENT}{_PARTICLE}(?:"
    r"(?:[하되]기|하시기)?\s?(?:이?전(?=[에인의이]|\s|$|까지|이라)(?!\s?(?:까지|[가-힣]{2}\s(?:변경|방법))))"
    r"|(?:아직\s?)?(?:안|못)\s?(?:된|됐|되었|돼있|되어|한|했|하고|끝난|끝났)"
    r"|(?:하|되)지\s?(?:않은|않았|못한|못했|못하)"
    r")"
)
_DONE = re.compile(
    rf"{_EVENT}{_PARTICLE}(?:"
    r"완료|(?:된|되어|됐|되었|끝난|끝났|마친)(?!다면)|(?:한|하신|하고\s?나서|했는데|했어요|했던)(?=\s|$)"
    r"|(?:이?후|뒤)(?:에|의|\s)"
    r")"
)
_PREFIXED_NOT = re.compile(r"(?<![가-힣])미(?P<event>[가-힣]{2})(?:된|인|\s)")
_ALREADY = re.compile(r"이미\s(?P<event>[가-힣]{2,4}?)(?:된|됐|되|한|했|하|을|를|\s)")
_NOT_YET_SAID = re.compile(r"아직\s?(?:안|못)\s?[가-힣]")
_COMPLETED = re.compile(r"완료(?:된|되|한|하)|(?:이|을|를)?\s?(?:끝난|마친)")
"""Used with any event: _NOT_YET_SAID by customers ("아직 안 나갔으면"), _COMPLETED by banks."""
MAY_NAME_STATE = re.compile(
    r"전|안|못|않|완료|된|되어|됐|되었|끝[난났]|마친|한(?=\s|$)|하신|하고|했|후|뒤|미|아직|상태|너무|자꾸|계속|매일|그만|작년|지난해|예전|옛날"
    r"|깜빡|까먹|밀[렸려린]|연체"
)
"""Matches every question for which `other_states` returns something: a fast first check."""
_SHOWN = re.compile(
    r"상태[가는이도]?\s?['\"‘“]?(?P<state>[가-힣]{2,6}?)['\"’”]?(?:으?로\s?(?:돼|되|나|떠|뜨|표시|남|있)|이?라고|인데|이에요|예요|이던데|이고|입니다)"
)
_MISSED = re.compile(
    r"(?<![가-힣])(?:못|안)\s?(?:냈|내서|내고|갚았|갚아|갚고|넣었|넣어|납부|부었|낸\s|갚은\s)|(?<![가-힣])밀[렸려린]|연체|깜빡|까먹고"
)
"""Tells that a payment was missed, which no row on changing its day is about."""
_CHANGES = re.compile(r"바꾸|바꿀|바꿔|변경|옮기|미루|미룰|늦추|앞당|조정")
_CHANGES_DAY = re.compile(r"(?:[가-힣]일자?|날|날짜|시기)(?:을|를|은|는|의)?\s?(?:바꾸|바꿀|변경|조정)")
_PAST_TIME = r"(?P<then>재?작년|지난해|예전|옛날|당시|(?:(?P<years>\d+)|[한두세네일이삼사오])\s?년\s?전|몇\s?년\s?전)"
_YEARS_AGO = {"작년": 1, "지난해": 1, "재작년": 2}
_PAST_VALUE = re.compile(
    _PAST_TIME + r"[^?.!\n]{0,24}?(?:얼[마만]|몇\s?\S{1,3}|어느\s?정도|어떻게)\s?(?:였|이었|[됐되]었|됐)"
)
"""Asks for a value in the past: "예전 한도는 얼마였죠"."""
_STATES_PAST = re.compile(r"종전|기존에는|이전(?:에는|까지|은)|(?:\d+년|\d+일)\s?(?:까지|이전|전까지)")
_ACQUIRED = re.compile(_PAST_TIME + r"에?\s(?:\S{1,6}\s)?(?:발급|가입|개설|체결|받은|만든|만들었|든\s|들었|산\s|샀)")
_SINCE = re.compile(r"(?P<year>\d{4})년[^.\n]{0,12}?(?:이후|부터)[^.\n]{0,12}?(?:발급|가입|개설|체결|개시|신규|취급)")
"""Limits what a row states to contracts made from a year on."""
_TOO_OFTEN = re.compile(
    r"(?:너무|자꾸|계속|매일)\s?(?:많이\s?)?(?:와요?|오는데|오네|옵니다|온다|와서|울려|떠요)(?![가-힣])"
    r"|(?:그만\s?(?:좀\s?)?(?:오|울리|뜨|보내)|안\s?(?:오|울리|뜨))게(?=\s|$)"
)
_DOES_NOT = re.compile(r"지\s?않|안\s?[되됩와옵]|실패|못")


def other_states(
    question: str, row_question: str, row_answer: str, *, today: date | None = None
) -> Iterator[tuple[str, str]]:
    """(asked, held) for each state in the question whose opposite the row's question names.

    `held` is empty where the row does not cover the question's state: the state that something is shown in ("상태가 접수로 돼
    있어요"), a past value. `today`: see `rag.constraints.compare`.
    """
    if (shown := _SHOWN.search(question)) and shown["state"] not in compact(f"{row_question}{row_answer}"):
        yield shown["state"], ""
    states_past = _STATES_PAST.search(row_answer) is not None
    if (past_value := _PAST_VALUE.search(question)) and not states_past:
        yield past_value["then"], ""
    acquired, since = _ACQUIRED.search(question), _SINCE.search(row_answer)
    if acquired and since and not states_past:
        years = _YEARS_AGO.get(acquired["then"]) or int(acquired["years"] or 0)
        # Only where the year is certain: "예전" may lie on either side of it.
        is_later = years > 0 and today is not None and today.year - years > int(since["year"])
        if not is_later:
            yield acquired["then"], ""
    if (often := _TOO_OFTEN.search(question)) and _DOES_NOT.search(row_question) and not _DOES_NOT.search(question):
        yield often.group(), row_question
    if (missed := _MISSED.search(question)) and not _CHANGES.search(question) and _CHANGES_DAY.search(row_question):
        yield missed.group(), row_question
    if (not_yet := _NOT_YET_SAID.search(question)) and (completed := _COMPLETED.search(row_question)):
        yield not_yet.group(), completed.group()
    asked, held = happened_by_event(question), happened_by_event(row_question)
    for event, states in asked.items():
        own = held.get(event)
        if own is not None and len(own) == len(states) == 1 and own != states:
            [is_done] = own
            yield f"{event} {'전' if is_done else '후'}", f"{event} {'후' if is_done else '전'}"


@lru_cache(maxsize=4096)
def happened_by_event(text: str) -> dict[str, frozenset[bool]]:
    """Whether each event in a text has happened; both values for an event of which the text names both states."""
    states: dict[str, set[bool]] = {}
    not_happened: list[tuple[int, int]] = []
    for pattern in (_NOT_YET, _PREFIXED_NOT):
        for match in pattern.finditer(text):
            states.setdefault(match["event"], set()).add(False)
            not_happened.append(match.span())
    for pattern in (_DONE, _ALREADY):
        for match in pattern.finditer(text):
            if not any(match.start("event") < end and start < match.end() for start, end in not_happened):
                states.setdefault(match["event"], set()).add(True)
    return {event: frozenset(of_event) for event, of_event in states.items()}
