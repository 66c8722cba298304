"""Is what was done to be taken back, begun again or begun at all, where the row says only how it ends, or how it begins?

No list of actions holds all words for that. But a customer says that something has ended ("탈회했는데 다시 …", "멈춰 둔"), or
takes the ending itself back ("해지 취소"): then the row must say in its question or in its steps how that is done. And a row that
says only how something ends, or how something else is asked for, does not say how it begins ("새로 만들려면" beside "연장 신청").
"""

from __future__ import annotations

import re
from collections.abc import Callable

_WITHDRAWALS = "해지|탈퇴|탈회|해제|철회|반납|폐기|정지|중지|거절"
_ENDINGS = (
    r"취소|철회|취하|해제|해지|해약|삭제|말소|폐기|폐쇄|파기|중단|중지|종료|탈퇴|탈회|회수|반납|반환|거절|거부|제외|끊|없애|없앨|지우|지워"
    r"|빼|뺄|풀|끄|그만|되돌|돌려|도로\s|안\s?(?:하고|쓰고|받고|쓸|할|하려|쓰려|받으려)|필요\s?(?:가\s?)?없"
)
"""Words by which a question wants an end and no beginning."""

_ENDED = r"(?:해지|해약|탈퇴|탈회|중지|정지|해제|유예|취소|폐쇄|말소|철회|휴면|거절|실효)"
_STOPPED = (
    r"(?:(?:(?:멈[춘춰]|막[은아]|[꺼닫숨]겨?|중단해)\s?(?:둔|놓은|놨|놓았|뒀)|멈춘|숨긴|지운|삭제한|중단한|쉬던|낮춘|줄인|내린)"
    r"(?:\s|걸|거|것))"
)
_AGAIN = re.compile(
    rf"{_ENDED}\S{{0,4}}.{{0,20}}?(?:다시|도로|재개|되살|살리|살릴|돌아가|원래|복구|부활)"
    rf"|{_STOPPED}.{{0,20}}?(?:다시|도로|원래|복구|되살|재개)"
    r"|다시\s?(?:시작|재개|가입|회원|내고|내려|낼|켜|살리)|재개|재가입|돌아가고\s?싶"
)
_BEGINS_AGAIN = re.compile(
    r"다시|재개|재가입|재신청|재등록|재사용|재발급|재설정|부활|복구|되살|살리|되돌|해제|복원|원상|회복"
)
_TAKEN_BACK = re.compile(
    rf"(?:{_WITHDRAWALS}|환매)\s?(?:신청|요청|접수|처리)?\s?"
    r"(?:한\s?(?:거|것|걸|건)|했는데|했던\s?(?:거|것)|을|를)?\s?(?:다시\s|도로\s)?(?:취소|철회|번복|무르|무를|물리|없던|되돌)(?!\s?(?:수수료|불가))"
)
_TAKES_BACK = re.compile(
    rf"(?:{_WITHDRAWALS}|취소|환매)\s?(?:신청|요청|접수)?\s?(?:을|를|은|는|의)?\s?(?:취소|철회|번복)"
    r"|신청\s?(?:을|를|은|는)?\s?(?:취소|철회)|되돌|복구|부활|다시"
)
_BEGINS = re.compile(
    r"(?:가입|개설)\s?(?:하(?:고|려|는|러)|할래|을\s?하|방법|해\s?(?:주|줘|야)|해요|되나|돼)"
    r"|(?:등록|설정|지정)\s?(?:하(?:고|려|는|러)|할래|을\s?하|방법)"
    r"|(?:새로|처음)\s?(?:만들(?!어서|었)|드는|들(?!어)|개설|가입)|하나\s?(?:더\s?)?파|만드는\s?(?:법|방법)|만들(?:려|고\s?싶|\s?수)|걸어\s?[두놓]|걸고\s?싶|켜고|켜려"
)
"""Asks for a beginning and nothing but that: "가입하려면", "새로 만들려면"."""
_BEGUN = re.compile(r"가입|신청|등록|개설|설정|지정|신규|만들|만드|켜[서시기]")
_NO_BEGINNING = re.compile(
    r"(?:해지|해제|취소|철회|탈퇴|탈회|폐기|중지|중단|말소|해약|반납|환매)\S{0,2}\s?(?:신청|등록|설정|가능|하실 수 있)"
    r"|(?:가입|신청|등록|설정|지정|개설)(?:되어|된|하신|한|하여|돼|되)"
    r"|(?:연장|증액|감액|변경|해지|해제|취소|철회|재발급|상환|전환|말소|갱신|정지|환급|이의|이의제기|인하|면제|반환|폐기|환매|상향|하향|재심사|부활|탈회|조회)"
    r"(?:에서|으로|은|는|을|를)?\s?(?:어떻게\s)?신청|신청(?:일|시간|기간|자|서|인)|가입\s?(?:시|기간|당시|일)"
)
"""Words of a row that begin nothing: "해지 신청", "가입되어 있으면", "기한연장 신청", "신청일"."""


def is_taken_back(question: str, row_question: str, steps: Callable[[], str]) -> bool:
    """Whether a question begins again what has ended, takes an ending back or begins something, of which the row says nothing.

    `steps`: gives the part of the row's answer that says what to do; it is only asked for where the question calls for it.
    """
    for asks, answers in ((_AGAIN, _BEGINS_AGAIN), (_TAKEN_BACK, _TAKES_BACK)):
        if asks.search(question) and not answers.search(row_question) and not answers.search(steps()):
            return True
    if not _BEGINS.search(question) or re.search(_ENDINGS, question):
        return False
    return _BEGUN.search(_NO_BEGINNING.sub(" ", f"{row_question}\n{steps()}")) is None
