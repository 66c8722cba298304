"""Does a question say that something has happened of which a row's question says that it has not, or the other way round?

"아직 발송 안 된 송금" is not "발송이 완료된 송금". There is no list of events: a noun before 전, 안 된, 못 한, 되지 않은 or
after 미 has not happened; one before 완료, 된, 한 후, 됐는데 or after 이미 has. Also compared: the state that something is
shown in, what follows from not doing something, past values, what happens without the money or after a refusal, and reasons.
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
    r"|왜|깜빡|까먹|밀[렸려린]|연체|부족|모자|없[으을]|거절|부결|반려|탈락"
)
"""Matches every question for which `other_states` returns something: a fast first check."""
_SHOWN = re.compile(
    r"상태[가는이도]?\s?['\"‘“]?(?P<state>[가-힣]{2,6}?)['\"’”]?(?:으?로\s?(?:돼|되|나|떠|뜨|표시|남|있)|이?라고|인데|이에요|예요|이던데|이고|입니다)"
)
_OMITTED = re.compile(
    r"(?:(?<![가-힣])(?:안|못)\s?(?!되|돼)[가-힣]{1,4}(?:\s?[가-힣]{1,2})?면|지\s?(?:않|못)[가-힣]{0,2}면)\s?"
    r"(?:\S{1,6}\s)?(?:어떻게\s?[돼되]|어찌\s?[돼되]|무슨\s?일|불이익|문제|가산세|벌금|과태료|위약금|손해)"
)
"""Asks what happens if something is not done: "안 찾으러 가면 어떻게 되나요"."""
_OMISSION = re.compile(
    r"지\s?(?:않|못)(?:\S{0,6}(?:면|때|\s경우)|은|고|한)|못하(?:면|시면|신|는|실)|미[가-힣]{2}\s?시|없으(?:면|시면)"
    r"|(?:기한|기간|[일월년])[이을]?\s?(?:지나|경과|넘기|넘으)|연체"
)
_UNFUNDED = re.compile(r"(?:잔액|잔고|돈)(?:이|도)?\s?(?:부족|모자라|없으|없을)[가-힣]{0,2}\s?(?:면|때)")
"""Asks what happens without the money: "자동이체 날 잔액이 부족하면"."""
_FUNDS = re.compile(r"부족|모자|잔액|잔고|미납|연체|재출금|다시\s?출금|출금되지")
_REFUSED = re.compile(
    r"(?:거절|부결|반려|탈락)[가-힣]{0,4}\s?(?:\S{1,6}\s){0,3}(?:다시|또|재신청|재심사)|(?:다시|재)\s?신청.{0,12}(?:거절|부결|반려|탈락)"
)
"""Asks for another try after a refusal: "심사에서 거절되면 언제 다시 신청할 수 있나요"."""
_ANOTHER_TRY = re.compile(r"거절|부결|반려|탈락|재신청|재심사|다시\s?신청|불승인|승인되지")
_WHY_SO = re.compile(r"왜\s.{0,30}[는은인한된될]\s?(?:거|건|걸|것)(?:에요|예요|이에요|죠|지요?|가요|야|임)?[\s?!.]*$")
"""Asks for the reason of what the row only states: "왜 300만원까지만 되는 거예요"."""
_REASON = re.compile(r"왜|이유|원인|때문|위해|위하여|므로|목적|[어아라]서(?![가-힣])|규정|의무|법률|법에")
_ASKED_AND_STATED = (
    (_OMITTED, _OMISSION, ""),
    (_UNFUNDED, _FUNDS, ""),
    (_REFUSED, _ANOTHER_TRY, ""),
    (_WHY_SO, _REASON, "이유"),
)
"""What a question asks and how a row says it, with its name in a reply: "" for the words that ask."""
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
    있어요"), what happens if something is not done, a past value. `today`: see `rag.constraints.compare`.
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
    for asks, stated, name in _ASKED_AND_STATED:
        if (match := asks.search(question)) and not stated.search(f"{row_question}\n{row_answer}"):
            yield name or match.group(), ""
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
