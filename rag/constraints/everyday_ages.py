"""Ages that customers name by other words: "중1", "고등학생", "대학생", "스물여섯인데", "어르신".

Read only to compare a question with a row, not to check a model's statements: whoever writes "대학생" states no number. Years
are 만 ages, as rows state them; a school year spans two.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from rag.constraints.numerals import NATIVE
from rag.constraints.quantities import Quantity, read_quantities

_SCHOOLS = {"초": (6, 6), "중": (12, 3), "고": (15, 3)}
"""The age at which the first year begins, and how many years there are."""
_GROUPS: dict[str, tuple[int | None, int | None]] = {
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
    "고령자": (65, None),
    "어르신": (65, None),
    "노인": (65, None),
}
_AFTER = r"(?=$|[^가-힣0-9]|[이인은는도의가를을에짜때들]|아들|딸|자녀|학생|부모|올라|되)"
_AGE = re.compile(
    rf"(?<![가-힣])(?:(?P<group>{'|'.join(_GROUPS)})|(?P<school>[초중고])(?:등?학?교?\s?)(?P<year>[1-6])(?:학년)?{_AFTER}"
    rf"|(?P<native>{'|'.join(sorted((n for n in NATIVE if NATIVE[n] >= 20), key=len, reverse=True))})"
    r"(?=인데|이에요|예요|입니다|이면|이라|넘|밖에|부터|까지))"
)


@lru_cache(maxsize=8192)
def values_of(text: str) -> tuple[Quantity, ...]:
    """The quantities of a text, everyday ages included, in text order; what an age is read from is nothing else."""
    ages = [age for match in _AGE.finditer(text) if (age := _read(match))]
    others = [q for q in read_quantities(text) if not any(q.start < a.end and a.start < q.end for a in ages)]
    return tuple(sorted([*others, *ages], key=lambda quantity: quantity.start))


def _read(match: re.Match[str]) -> Quantity | None:
    if word := match["native"]:
        low = high = int(NATIVE[word])
    elif match["group"]:
        first, last = _GROUPS[match["group"]]
        return _age(match, first, last)
    else:
        start, years = _SCHOOLS[match["school"]]
        if (year := int(match["year"])) > years:
            return None
        low, high = start + year - 1, start + year
    return _age(match, low, high)


def _age(match: re.Match[str], low: int | None, high: int | None) -> Quantity:
    ends = (None if end is None else Decimal(end) for end in (low, high))
    return Quantity("age", "세", *ends, match.group(), match.start(), match.end())
