"""Reads values in everyday language: "중1", "고등학생", "서른둘인데", "연봉 3000", "700점", "이주 지났는데".

Used to compare a question with a row, not to check the statements of a model: "대학생" states no number. A school year spans two
years of age.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from rag.constraints.quantities import Dimension, Quantity, compared, read_quantities
from rag.constraints.quantity_patterns import NATIVE, SINO, number

_SCHOOLS = {"초": (6, 6), "중": (12, 3), "고": (15, 3)}
"""(age at the beginning of the first year, number of years) of each kind of school."""
_AGES_OF_GROUPS: dict[str, tuple[int | None, int | None]] = {
    "신생아": (0, 1),
    "갓난아기": (0, 1),
    "유치원생": (3, 6),
    "초등학생": (6, 12),
    "초딩": (6, 12),
    "중학생": (12, 15),
    "중딩": (12, 15),
    "고등학생": (15, 18),
    "고딩": (15, 18),
    "수험생": (17, 18),
    "대학생": (19, 29),
    "성인": (19, None),
    "성년": (19, None),
    "환갑": (60, 60),
    "회갑": (60, 60),
    "칠순": (70, 70),
    "팔순": (80, 80),
    "고령자": (65, None),
    "어르신": (65, None),
    "노인": (65, None),
}
_NUMERALS = {
    **{word: int(value) for word, value in NATIVE.items() if value >= 20},
    **{
        ten + one: int(NATIVE[ten]) + unit
        for ten in ("스물", "서른", "마흔", "쉰", "예순", "일흔", "여든")
        for unit, one in enumerate(("하나", "둘", "셋", "넷"), 1)
    },
}
"""Numerals that are an age without a counter: "서른둘인데"."""
_AFTER = r"(?=$|[^가-힣0-9]|[이인은는도의가를을에짜때들]|아들|딸|자녀|학생|부모|올라|되)"
_AFTER_GROUP = r"(?=$|[^가-힣]|[이인은는도의가를을]|자녀|아들|딸|명의|이름|우대|할인|전용|들)"
_AGE = re.compile(
    rf"(?<![가-힣])(?:(?P<group>{'|'.join(_AGES_OF_GROUPS)}){_AFTER_GROUP}|(?P<school>[초중고])(?:등?학?교?\s?)(?P<year>[1-6])(?:학년)?{_AFTER}"
    rf"|(?P<native>{'|'.join(sorted(_NUMERALS, key=len, reverse=True))})"
    r"(?=인데|이에요|예요|입니다|이면|이라|넘|밖에|부터|까지))"
)
_AMOUNT = re.compile(
    r"(?:하루에?|한\s?번에|한\s?달에|매달|1일|연봉|월급|급여|매출|시세|소득|한도|대출|보증금|전세|잔액|잔고|평잔|집값|시가|실적|예금|적금|받고|빌리)\S{0,2}\s?(?:최대\s|한\s)?"
    r"(?P<amount>(?<![\d.,])(?:[1-9]\d{2,4}|[1-9]\s?천|[이삼사오육칠팔구]천))"
    r"(?=$|\s|[?.]|,(?!\d)|으로|까지|정도|이면|인데|만\s|받|되|가능|넘|밖에|이상|이하|도\s)"
    r"(?!\s?(?:달러|불|엔|유로|위안|포인트|마일|km|킬로|키로|명|건|회|개|주|점|장|보|걸음))"
)
"""Amounts whose unit of 10,000 won is left out: "연봉 3000", "대출 5천"."""
_RATIO = re.compile(
    r"(?:비율|담보율|증거금[률율]|유지율|수익률|손실률|할인율|(?<![a-z])(?:ltv|dsr|dti))(?:가|이|는|은|을|를)?\s?"
    r"(?P<bare>(?<![\d.,])[1-9]\d{0,2}(?:\.\d{1,2})?)(?!\d|[.,:~-]|\s?(?:%|퍼|프로|%p|년|월|일(?!\s?때)|개|배|회|번|대|만|천|원|등|위|단계|세|주|시|분))",
    re.IGNORECASE,
)
"""Rates whose "%" is left out: "LTV 70", "담보비율 140". An interest rate is rather the customer's own: "내 금리가 5.5인데"."""
_SCORE = re.compile(
    r"(?:신용\s?)?(?:점수|평점)(?:가|이|는|은)?\s?(?P<bare>[1-9]\d{2})(?!\d|\s?(?:점|만|원|대))"
    r"|(?<![\d.,])(?P<span>(?P<score>[1-9]\d{0,2}(?:,\d{3})+|\d{3,6}|[1-9]\s?[천만])\s?(?:점(?!포|검)|포인트))"
)
_WEEKS = re.compile(
    r"(?<![0-9가-힣])(?P<span>(?P<weeks>\d{1,2}|[한두세네열일이삼사오육칠팔구십])\s?주)(?!택|민|소|식|차|문|거|의)"
    r"(?P<passed>\s?(?:됐|되었|되면|되니|지나|지났|동안|만에|전|째|안에|이내|뒤|후|넘|쓰[면고는니]|쓸|썼|빌[려렸리]|이용))?"
    r"(?P<lasting>된|\s(?:된|남[았은])|\s?안(?=[\s이])|하고|\s?나[왔오]|\s?(?:이상|미만)?\s?(?:진단|치료|입원))?"
)
_SINCE = re.compile(r"(?:전치|생후|임신|입원|치료|진단|지|[받들맺]고|가입하고|신청하고|이후)\s?(?:약\s|한\s)?$")
"""Precedes weeks since something: "태어난 지 9주", "전치 8주"."""
_SINO_DIGITS = "일이삼사오육칠팔구십"
"""Weeks are counted with these only where they have passed: "이주" may be a move."""
_SHARES = re.compile(
    r"주식|주문|매[수도]|배정|공모|증자|주당|종목|상장|균등|비례|단위|청약(?!\s?(?:을\s?)?(?:철회|취소))|[사산팔판]\s|사[려고서면는]|[샀팔]"
)
"""Occurs in a text on shares, where "2주" is two of them unless weeks have passed."""
_PERIOD_OF = re.compile(r"(?:기간|소요|걸리는\s시간)(?:은|이|:|\s:)?\s?(?:약|통상|보통|최대|총)?\s?$")
"""Precedes a number of 주 that is of weeks: "소요 기간: 2~4주"."""
_DISTANCE = re.compile(
    rf"(?:(?<![\d.,])|(?<![가-힣]))(?P<span>(?P<distance>\d[\d,]*(?:[만천백]\d*)*|[만천]\d+[천백]?|{SINO})\s?"
    r"(?:키로|킬로)(?:미터)?)(?!그램|수|바이트)"
)
_ORDINAL = re.compile(
    r"(?<![0-9가-힣])(?P<nth>두|세|네|다섯|여섯|일곱|여덟|아홉|열|열한|[2-9]|1\d)\s?번째\s?"
    r"(?:부터|인데|이면|가면|로?\s?(?:가|쓰|이용|뽑|찾|보내|받|부르|타)(?:면|려면|는데))"
)
"""The ordinal of a use, to compare with a limit on uses: "다섯 번째 가면" with "연 4회 무료"."""
_UNDER = re.compile(
    r"\s?(?:도|이|가|을|를)?\s?(?:채\s?|아직\s?|아직도\s?)*"
    r"(?:(?:안|못)\s?(?:됐|된|되었|되는데|됨|지났|지난|넘었|넘은|넘는데|찼|찬|채웠|채운)|지나지\s?(?:않|못)"
    r"|되지\s?않(?:았|은)|되기\s?전|지나기\s?전|넘기\s?전)"
)
"""Follows a value that has not been reached: "한 달이 아직 안 됐는데", "100만원도 안 되는데"."""
_CHILDREN = re.compile(
    r"(?:자녀|아이|애|아들|딸)(?:가|이|는|은|들이)?\s?(?P<children>하나|둘|셋|넷|다섯)(?=$|[^가-힣]|[이인을]|밖)"
)


_ENTIRELY = re.compile(r"\s?(?:(?:제|내|저|상대방?|그쪽|걔|쟤)\S{0,2}\s?)?(?:잘못|과실|책임|확실|동의|이해)")
"""Follows 100 % that only means "entirely": "상대가 백프로 잘못인데"."""


@lru_cache(maxsize=8192)
def values_of(text: str) -> tuple[Quantity, ...]:
    """The quantities of a text in text order, including those in everyday language."""
    numerals = read_quantities(text)
    everyday = [age for match in _AGE.finditer(text) if (age := _read_age(match))]
    everyday += [_point("money", "KRW", number(m["amount"]) * 10000, m, "amount") for m in _AMOUNT.finditer(text)]
    everyday += [_point("rate", "%", number(m["bare"]), m, "bare") for m in _RATIO.finditer(text)]
    everyday += [
        _point("count", "점", number(m["bare"] or m["score"]), m, "bare" if m["bare"] else "span")
        for m in _SCORE.finditer(text)
    ]
    everyday += [_point("count", "km", number(m["distance"]), m, "span") for m in _DISTANCE.finditer(text)]
    everyday += [_point("count", "회", number(m["nth"]), m, "nth") for m in _ORDINAL.finditer(text)]
    everyday += [_point("count", "명", number(m["children"]), m, "children") for m in _CHILDREN.finditer(text)]
    everyday += [
        _point("duration", "day", number(m["weeks"]) * 7, m, "span")
        for m in _WEEKS.finditer(text)
        if m["passed"] or (m["weeks"] not in _SINO_DIGITS and _are_weeks(text, m))
    ]
    everyday += [
        replace(q, dimension="duration", unit="day", low=q.low and q.low * 7, high=q.high and q.high * 7)
        for q in numerals
        if q.dimension == "count" and q.unit == "주" and _PERIOD_OF.search(text[: q.start])
    ]
    everyday = [
        replace(compared(text, q.start, q.end, q)[1], side="") if q.unit in ("점", "km", "day", "%") else q
        for q in everyday
    ]
    # The 3 of "고3" is part of the age, not a number of its own.
    others = [q for q in numerals if not any(q.start < s.end and s.start < q.end for s in everyday)]
    # A value that has not been reached ("한 달이 안 됐는데") stands for everything below it.
    values = [
        replace(q, low=None, high_closed=False, side="")
        if q.is_point and q.dimension not in ("phone", "number") and _UNDER.match(text, q.end)
        else q
        for q in (*others, *everyday)
        if not (q.dimension == "rate" and q.low == 100 and _ENTIRELY.match(text, q.end))
    ]
    return tuple(sorted(values, key=lambda quantity: quantity.start))


def _are_weeks(text: str, match: re.Match[str]) -> bool:
    """Whether a number of 주 is of weeks that last ("8주 진단") and not of shares."""
    lasts = match["lasting"] is not None or _SINCE.search(text[: match.start()]) is not None
    return lasts and _SHARES.search(text) is None


def _point(dimension: Dimension, unit: str, value: Decimal, match: re.Match[str], group: str) -> Quantity:
    return Quantity(dimension, unit, value, value, match[group], *match.span(group))


def _read_age(match: re.Match[str]) -> Quantity | None:
    """The age or range of ages of a match of _AGE; None for a school year that does not exist."""
    low: int | None
    high: int | None
    if word := match["native"]:
        low = high = _NUMERALS[word]
    elif match["group"]:
        low, high = _AGES_OF_GROUPS[match["group"]]
    else:
        start, years = _SCHOOLS[match["school"]]
        if (year := int(match["year"])) > years:
            return None
        low, high = start + year - 1, start + year
    first, last = (None if end is None else Decimal(end) for end in (low, high))
    return Quantity("age", "세", first, last, match.group(), *match.span())
