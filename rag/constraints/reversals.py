"""Does a question want back what has been done already? "등록해 둔 카드 빼려면" is not answered by a row on registering a card.

No list of actions holds all that can be taken back, nor all words for it. But a customer says that it has been done ("신청한
거", "걸어둔", "해 놓은"), and then that it should be no more; in that place everyday words are clear that mean much else
elsewhere ("빼다", "끄다", "접다"). The row must say in its question or in its steps how something is ended. The other way
round, what has been ended should begin again ("탈회했는데 다시 …"), the ending itself is taken back ("해지 취소"), or something
should begin of which the row says only how it ends, or how something else is asked for ("새로 만들려면" beside "만기 연장 신청").

And how is it done, or what follows from it? "탈퇴하려면" is not answered by a row on "탈퇴하면 출자금은 언제 돌려받나요".
"""

from __future__ import annotations

import re
from collections.abc import Callable

_DEEDS = (
    "신청|등록|가입|설정|지정|예약|차단|요청|접수|동의|연결|개설|약정|청구|제출|발급|저장|설치|공유|추가|위임|연동|신고|제한|정지|잠금|납부|출금|이체"
    "|구독|적용|승계|양도|증여|상속|충전|환전|전환"
)
_DONE = re.compile(
    rf"(?:{_DEEDS})\s?(?:을|를)?\s?(?:해|하여|되어|돼)?\s?"
    r"(?:한(?=\s|거|것|걸|게|$)|받은(?=\s|거|것|걸)|했[던는다고]|하고서|둔|뒀|두었|놓은|놓았|놨|된|됐|되어\s?있|돼\s?있|있는|있던)"
    r"|(?:[해걸켜꺼쳐둬가와줘져배매세내]|걸어|막아|묶어|맡겨|넣어|잠가|잠궈|맺어|들어)\s?(?:둔|놓은|놨|뒀|두었|놓았|놓고)"
    r"|(?<![가-힣])(?:넣은|건|맺은|든)\s?(?:거|것|걸)|(?<![가-힣])(?:보낸|올린|맡긴|제출한|낸)\s"
)
_ENDINGS = "취소|철회|취하|해제|해지|삭제|말소|폐기|파기|중단|중지|종료|탈퇴|탈회|회수|반납|거절|거부"
_ENDING = re.compile(
    rf"(?:{_ENDINGS})(?!\s?(?:됐|되었|되나|돼|되면|된))"
    r"|(?<![가-힣])(?:빼|뺄|뺀|끄|끌|꺼(?!\s?(?:둔|놨|놓|진|져))|풀|푸는|지우|지워|지울|없애|없앨|끊|떼|접으|접고|접을|내리고|내리려|물리|무르|무를|물러|되돌|닫)"
    r"|그만|안\s?(?:하고|쓰고|받고|쓸|할|하려|쓰려|받으려)|필요\s?(?:가\s?)?없|없던|없었던|원래대로|도로\s|나가려|나가고|돌려[주줄받]"
)
_ENDS = re.compile(rf"{_ENDINGS}|해약|폐쇄|끊|없애|지우|빼|제외|허용|풀|끄|그만|되돌|원상|반환|돌려")
_REPLACED = re.compile(r"바꾸|바꿔|바꿀|변경|새로\s?(?:등록|신청)|다시\s?(?:등록|신청|발급)|재등록|재신청")
"""What is to end only so that another takes its place ("삭제하고 새 주소로 바꾸고")."""
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
_WITHDRAWALS = "해지|탈퇴|탈회|해제|철회|반납|폐기|정지|중지|거절"
_TAKEN_BACK = re.compile(
    rf"(?:{_WITHDRAWALS}|환매)\s?(?:신청|요청|접수|처리)?\s?"
    r"(?:한\s?(?:거|것|걸|건)|했는데|했던\s?(?:거|것)|을|를)?\s?(?:다시\s|도로\s)?(?:취소|철회|번복|무르|무를|물리|없던|되돌)(?!\s?(?:수수료|불가))"
)
_TAKES_BACK = re.compile(
    rf"(?:{_WITHDRAWALS}|취소|환매)\s?(?:신청|요청|접수)?\s?(?:을|를|은|는|의)?\s?(?:취소|철회|번복)"
    r"|신청\s?(?:을|를|은|는)?\s?(?:취소|철회)|되돌|복구|부활|다시"
)
_BEGINS = re.compile(
    r"(?:가입|개설|신청|등록|설정|지정|약정)\s?(?:하(?:고|려|는|러)|할래|을\s?하|방법|어떻게|해\s?(?:주|줘|야)|해요)"
    r"|걸어\s?[두놓]|걸고\s?싶|켜고|켜려|트고|막고\s?싶|막으려"
)
_BEGINS_ANEW = re.compile(
    r"(?:가입|개설)\s?(?:하(?:고|려|는|러)|할래|을\s?하|방법|해\s?(?:주|줘|야)|해요|되나|돼)"
    r"|(?:등록|설정|지정)\s?(?:하(?:고|려|는|러)|할래|을\s?하|방법)"
    r"|(?:새로|처음)\s?(?:만들(?!어서|었)|드는|들(?!어)|개설|가입)|하나\s?(?:더\s?)?파|만드는\s?(?:법|방법)|만들(?:려|고\s?싶|\s?수)|걸어\s?[두놓]|걸고\s?싶|켜고|켜려"
)
"""Asks for a beginning and nothing but that: "가입하려면", "새로 만들려면"."""
_BEGUN = re.compile(r"가입|신청|등록|개설|설정|지정|신규|만들|켜[서시기]|시작|접수|제출|방문하여|하실 수 있")
_BEGUN_ANEW = re.compile(r"가입|신청|등록|개설|설정|지정|신규|만들|만드|켜[서시기]")
_ENDS_FORMALLY = r"(?:해지|해제|취소|철회|탈퇴|탈회|폐기|중지|중단|말소|해약|반납|환매)"
_NO_BEGINNING = re.compile(
    rf"{_ENDS_FORMALLY}\S{{0,2}}\s?(?:신청|등록|설정|가능|하실 수 있)"
    r"|(?:가입|신청|등록|설정|지정|개설)(?:되어|된|하신|한|하여|돼|되)"
)
"""What of a row's words begins nothing: "해지 신청", "가입되어 있으면"."""
_OTHER_REQUEST = re.compile(
    r"(?:연장|증액|감액|변경|해지|해제|취소|철회|재발급|상환|전환|말소|갱신|정지|환급|이의|이의제기|인하|면제|반환|폐기|환매|상향|하향|재심사|부활|탈회|조회)"
    r"(?:에서|으로|은|는|을|를)?\s?(?:어떻게\s)?신청|신청(?:일|시간|기간|자|서|인)|가입\s?(?:시|기간|당시|일)"
)
"""A request for something else than a beginning ("기한연장 신청"), and words of when or who ("신청일")."""

_ACTION = re.compile(
    r"해지|탈퇴|탈회|가입|신청|연장|상환|환매|취소|매수|매도|출금|인출|이체|송금|변경|발급|등록|납부|개설|충전|환전|정지|철회|해제|승계|청구|전환"
)
_ASKS_HOW = re.compile(r"\s?(?:을|를)?\s?(?:하려면|하고\s?싶|하는\s?(?:법|방법)|방법|할래|하려고|어떻게\s?(?:해|하))")
_IS_CONDITION = re.compile(
    r"\s?(?:하면|하시면|되면|할\s?때|하는\s?경우|했을|한\s?경우|하였을|된\s?경우|시(?:\s|에)|한\s?(?:뒤|후)|후\s|하지\s?않으면|받은|한\s|된\s)"
)
_EXPLAINS_HOW = re.compile(r"방법|하려면|절차|어떻게\s?(?:하|해|신청)")


def is_taken_back(question: str, row_question: str, steps: Callable[[], str]) -> bool:
    """Whether a question takes back what has been done, or begins what was or is only ended, and the row says nothing of that.

    `steps`: gives the part of the row's answer that says what to do; it is only asked for where the question calls for it.
    """
    for holds, answers in (
        (_ends_what_is_done, _ENDS),
        (_AGAIN.search, _BEGINS_AGAIN),
        (_TAKEN_BACK.search, _TAKES_BACK),
    ):
        if holds(question) and not answers.search(row_question) and not answers.search(steps()):
            return True
    if _begins(question) and _only_ends(f"{row_question}\n{steps()}"):
        return True
    return _begins_anew(question) and not _says_how_to_begin(f"{row_question}\n{steps()}")


def _ends_what_is_done(question: str) -> bool:
    done = _DONE.search(question)
    return done is not None and _ENDING.search(question, done.end()) is not None and not _REPLACED.search(question)


def _begins(question: str) -> bool:
    return _BEGINS.search(question) is not None and not _ENDING.search(question) and not _ENDS.search(question)


def _begins_anew(question: str) -> bool:
    return _BEGINS_ANEW.search(question) is not None and not _ENDING.search(question) and not _ENDS.search(question)


def _says_how_to_begin(row: str) -> bool:
    return _BEGUN_ANEW.search(_OTHER_REQUEST.sub(" ", _NO_BEGINNING.sub(" ", row))) is not None


def _only_ends(row: str) -> bool:
    return re.search(_ENDS_FORMALLY, row) is not None and not _BEGUN.search(_NO_BEGINNING.sub(" ", row))


def is_consequence(question: str, row_question: str, steps: Callable[[], str]) -> bool:
    """Whether a question asks how to do what a row's question only has as a condition.

    `steps`: gives the part of the row's answer that says what to do; a row that names the action there is on that, too.
    """
    asked = {match.group() for match in _ACTION.finditer(question) if _ASKS_HOW.match(question, match.end())}
    if not asked or _EXPLAINS_HOW.search(row_question):
        return False
    held = [match for match in _ACTION.finditer(row_question) if match.group() in asked]
    if not held or not all(_IS_CONDITION.match(row_question, match.end()) for match in held):
        return False
    done = steps()
    return not any(
        match.group() in asked and not _IS_CONDITION.match(done, match.end()) for match in _ACTION.finditer(done)
    )
