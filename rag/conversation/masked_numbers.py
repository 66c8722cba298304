"""What a question with masked personal numbers is searched for: the question without them.

"제 주민번호 [주민등록번호]인데 비번 까먹었어요" asks what "비번 까먹었어요" asks; the mask's own words would count as words that
no row has. A card's or an account's number stands for the thing itself: "[카드번호] 분실했어요" asks about a card.
"""

from __future__ import annotations

import re

_MASK = r"\[(?P<kind>주민등록번호|외국인등록번호|카드번호|여권번호|운전면허번호|이메일|전화번호|계좌번호)\]"
_THINGS = {"카드번호": " 카드 ", "계좌번호": " 계좌 "}
_OWNER = r"(?:(?:제|내|저의|본인(?: ?확인용)?) ?)?"
_LABEL = (
    r"(?:(?:주민(?:등록)?|외국인(?:등록)?|여권|(?:운전)?면허증?|휴대폰|핸드폰|휴대전화|전화|연락처|폰|이?메일|정보|번호)"
    r" ?(?:번호|주소)?(?:은|는|이|가)? ?[:=]? ?)?"
)
_TO = r" ?으?로(?![가-힣])"
_TOLD = re.compile(
    # What a number is to be changed to is no introduction: "연락처 [전화번호]로 바꾸고 싶어요" asks about the contact.
    rf"{_MASK}{_TO}|{_OWNER}{_LABEL}{_MASK.replace('kind', 'told')}(?!{_TO})"
    r" ?(?:(?:이고요?|이구요|인데요?|입니다|이에요|예요|이며|맞나요)(?=[\s.,!?]|$)[.,!?]?)?"
)
_LETTERS = re.compile("[가-힣A-Za-z]{2}")


def without_masked_numbers(question: str) -> str:
    """The question without masks and the words that introduce them; unchanged where nothing else is asked."""
    if "[" not in question:
        return question
    rest = _TOLD.sub(lambda match: _THINGS.get(match["kind"] or match["told"], " "), question)
    if rest == question or not _LETTERS.search(rest):
        return question
    return " ".join(rest.split())
