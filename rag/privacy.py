"""Masks personal numbers in a customer's text: each is replaced by its kind, "[주민등록번호]", "[계좌번호]" …

Pure functions over regular expressions. Patterns are matched against the text in NFKC without invisible characters, with
every dash as "-" and Korean digits ("공일공 …") as digits; offsets are mapped back, so the rest of the text is unchanged.
Not masked: numbers that the institution publishes (`own_numbers`), hot lines (15xx, 16xx, 18xx, 080), dates, amounts, and
numbers that the preceding word labels as an order, a receipt or a product.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

_MASK = r"\[(?P<kind>주민등록번호|외국인등록번호|카드번호|여권번호|운전면허번호|이메일|전화번호|계좌번호)\]"
_THINGS = {"카드번호": " 카드 ", "계좌번호": " 계좌 "}
_OWNER = r"(?:(?:제|내|저의|본인(?: ?확인용)?) ?)?"
_LABEL = (
    r"(?:(?:주민(?:등록)?|외국인(?:등록)?|여권|(?:운전)?면허증?|휴대폰|핸드폰|휴대전화|전화|연락처|폰|이?메일|정보|번호)"
    r" ?(?:번호|주소)?(?:은|는|이|가)? ?[:=]? ?)?"
)
_TO = r" ?으?로(?![가-힣])"
_INTRODUCED = re.compile(
    # What a number is to be changed to is no introduction: "연락처 [전화번호]로 바꾸고 싶어요" asks about the contact.
    rf"{_MASK}{_TO}|{_OWNER}{_LABEL}{_MASK.replace('kind', 'introduced')}(?!{_TO})"
    r" ?(?:(?:이고요?|이구요|인데요?|입니다|이에요|예요|이며|맞나요)(?=[\s.,!?]|$)[.,!?]?)?"
)
_LETTERS = re.compile("[가-힣A-Za-z]{2}")


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without personal numbers. `kinds`: what was masked ("계좌번호" …), each kind once, in text order."""

    text: str
    kinds: tuple[str, ...] = ()


class _Rule(NamedTuple):
    kind: str
    pattern: re.Pattern[str]
    is_personal: Callable[[re.Match[str]], bool]


def mask(text: str, own: Collection[str] = ()) -> Masked:
    """Replaces each personal number in `text` by "[kind]". `own`: numbers that are kept, from `own_numbers`.

    Idempotent: masking a masked text changes nothing.
    """
    folded, offsets = _fold(text)
    hits: list[tuple[int, int, str]] = []
    for rule in _RULES:
        for match in rule.pattern.finditer(folded):
            start, end = match.span("n")
            # Rules are in order of precedence: a label decides, even if the digits match another pattern too.
            if any(start < other_end and other_start < end for other_start, other_end, _ in hits):
                continue
            if _key(match["n"]) in own or not rule.is_personal(match):
                continue
            hits.append((start, end, _kind(rule.kind, match)))
    hits.sort()
    pieces, position = [], 0
    for start, end, kind in hits:
        pieces += [text[position : offsets[start]], f"[{kind}]"]
        position = offsets[end - 1] + 1
    return Masked("".join([*pieces, text[position:]]), tuple(dict.fromkeys(kind for _, _, kind in hits)))


def without_masked_numbers(question: str) -> str:
    """What a question with masks is searched for: without them and the words that introduce them, unless nothing else is asked.

    A card's or an account's number means the thing itself: "[카드번호] 분실했어요" asks about a card.
    """
    if "[" not in question:
        return question
    rest = _INTRODUCED.sub(lambda match: _THINGS.get(match["kind"] or match["introduced"], " "), question)
    if rest == question or not _LETTERS.search(rest):
        return question
    return " ".join(rest.split())


def own_numbers(texts: Iterable[str]) -> frozenset[str]:
    """Numbers and addresses in an institution's own texts, which `mask` keeps when a customer writes them."""
    numbers: set[str] = set()
    for text in texts:
        folded, _ = _fold(text)
        numbers.update(_key(match["n"]) for rule in _RULES for match in rule.pattern.finditer(folded))
    return frozenset(numbers)


def _key(number: str) -> str:
    """A canonical form of a number or an address: digits and letters only, "+82" replaced by "0"."""
    key = "".join(character for character in number.lower() if character.isalnum() or character == "@")
    return "0" + key[2:].lstrip("0") if key.startswith("82") and len(key) > 9 and number.lstrip("(")[0] == "+" else key


_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−－﹣ー"), "-") | dict.fromkeys(map(ord, "·・ㆍ•。"), ".")
_KOREAN_DIGITS = str.maketrans("공영일이삼사오육륙칠팔구", "001234566789")
_KOREAN_RUN = re.compile(r"(?<![가-힣])[공영일이삼사오육륙칠팔구](?:[\s.\-]{0,2}[공영일이삼사오육륙칠팔구]){7,20}")


def _fold(text: str) -> tuple[str, list[int]]:
    """The text as the patterns match it, and for each of its characters the offset in the original."""
    characters: list[str] = []
    offsets: list[int] = []
    for offset, character in enumerate(text):
        # Zero-width characters and combining marks between digits would prevent every match.
        if unicodedata.category(character) in ("Cf", "Mn") and character != "\n":
            continue
        plain = unicodedata.normalize("NFKC", character)
        if plain.isdigit() and len(plain) == 1:
            plain = str(unicodedata.digit(plain))
        for each in plain.translate(_DASHES):
            characters.append(each)
            offsets.append(offset)
    folded = "".join(characters)
    return _KOREAN_RUN.sub(lambda match: match[0].translate(_KOREAN_DIGITS), folded), offsets


def _digits(match: re.Match[str]) -> str:
    return re.sub(r"\D", "", match["n"])


_S = r"[ \t.\-_/]{0,3}"
"""Separators between the groups of a number."""
_T = r"[ \t.\-]{0,1}"
"""Separator between any two digits of a number typed apart: "9 0 0 1 0 1 …"."""
_BEFORE = r"(?<![\d,])(?<!\d[.\-])(?<![A-Za-z])"
_AFTER = r"(?![\d]|[,.\-]\d|\s?(?:원|만|천원|억|달러|불|엔|%|주(?!민)|포인트))"


def _run(count: str, first: str = r"\d") -> str:
    return rf"{first}(?:{_T}\d){{{count}}}"


_ABROAD = rf"\(?(?:\+\s?82|82(?=[\s\-]|10\d))\)?{_S}\(?0?\)?"
_PHONE_REST = rf"\)?{_S}\d(?:{_T}\d){{2,3}}{_S}{_run('3')}"
_ORDER = re.compile(
    r"(?:주문|접수|예약|승인|송장|운송장|배송|택배|상품|제품|종목|거래|관리|문서|사건|신청|민원|모델|일련|시리얼|우편|참조|오류|코드|등기"
    r"|문의|사업자|법인|고유|조회|영수증|바코드|품번|버전|code|no|serial|order|item)\s?"
    r"(?:등록\s?)?(?:번호|코드|넘버|id|no\.?)?\s?(?:은|는|이|가|을|를)?\s?[:=#(]?\s?[A-Za-z]{0,4}[\-_]?$",
    re.IGNORECASE,
)
_BANK_BEFORE = re.compile(
    r"(?:계좌|통장|예금주|[가-힣A-Za-z]{1,6}(?:은행|뱅크|증권|금고|투자)|농협|수협|신협|우체국|국민|신한|우리|하나|기업|카뱅|토스)"
    r"[^\d]{0,8}$"
)
_BANK_AFTER = re.compile(
    r"\s?(?:\(?[가-힣]{0,4}(?:은행|뱅크|계좌|통장)|(?:으?로|에|에서)\s?(?:돈|잘못|송금|이체|입금|보[내냈]|출금|빠져))"
)
# "2026-01-15-2026-02-15" has as many digits as an account.
_IS_DATE = re.compile(r"(?:19|20)\d\d\D+(?:0?[1-9]|1[0-2])\D+(?:0?[1-9]|[12]\d|3[01])(?:\D|$)")
_AROUND = 24
"""Characters before a number that are searched for a label."""


def _before(match: re.Match[str]) -> str:
    return match.string[max(0, match.start("n") - _AROUND) : match.start("n")]


def _is_labelled_otherwise(match: re.Match[str]) -> bool:
    return _ORDER.search(_before(match)) is not None


def _starts_with_date(match: re.Match[str]) -> bool:
    """Whether the first six digits are a date. The check digit is not used: numbers issued since October 2020 have none."""
    digits = _digits(match)
    try:
        date(2000 + int(digits[:2]) % 4 if digits[2:6] == "0229" else 2001, int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return False
    return True


def _has_luhn(match: re.Match[str]) -> bool:
    digits = [int(digit) for digit in _digits(match)][::-1]
    # Every card number has a Luhn check digit; one in ten other numbers of sixteen digits passes it.
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0 and not _is_labelled_otherwise(match)


def _is_phone(match: re.Match[str]) -> bool:
    return not _digits(match).startswith(("080", "82080"))


def _is_passport(match: re.Match[str]) -> bool:
    looks_dated = re.fullmatch(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", _digits(match)) is not None
    return not looks_dated and not _is_labelled_otherwise(match)


def _is_account(match: re.Match[str]) -> bool:
    """Whether the groups look like an account: 10 to 14 digits in at least three groups; next to a bank's name or a word
    such as 계좌, 10 to 16 digits in any groups."""
    number = match["n"]
    groups = re.findall(r"\d+", number)
    size = sum(map(len, groups))
    if not 10 <= size <= 16 or _is_labelled_otherwise(match) or _is_hot_line(number) or _IS_DATE.match(number):
        return False
    if _BANK_BEFORE.search(_before(match)) or _BANK_AFTER.match(match.string, match.end("n")):
        return True
    if [len(group) for group in groups] == [3, 2, 5]:
        return False  # a business's registration number
    if _are_years(groups):
        return False
    return len(groups) >= 3 and size <= 14 and max(map(len, groups)) >= 4


def _are_years(groups: list[str]) -> bool:
    """Whether groups are years with a count or months beside them: "2024-2025-2026 3년치"."""
    years = [group for group in groups if re.fullmatch(r"(?:19|20)\d\d", group)]
    return len(years) > 1 and all(len(group) < 3 for group in groups if group not in years)


def _is_hot_line(number: str) -> bool:
    digits = re.sub(r"\D", "", number)
    return (len(digits) == 8 and digits[:2] in ("15", "16", "18")) or digits.startswith("080")


def _is_labelled(match: re.Match[str]) -> bool:
    size = len(re.sub(r"[^\dA-Za-z]", "", match["n"]))
    return size >= 8 and not _is_hot_line(match["n"]) and not _IS_DATE.match(match["n"])


def _always(_: re.Match[str]) -> bool:
    return True


def _kind(kind: str, match: re.Match[str]) -> str:
    if kind == "주민등록번호":
        signs = re.sub(r"[^\d*xX●]", "", match["n"])
        return "외국인등록번호" if len(signs) == 13 and signs[6] in "5678" else kind
    return kind


def _labelled(kind: str, label: str, number: str) -> _Rule:
    link = r"\s?(?:번호)?\s?(?:은요?|는요?|이|가|을|를|로|도)?\s?[:=;,(\[]?\s?"
    return _Rule(kind, re.compile(rf"(?:{label}){link}(?P<n>{number}){_AFTER}", re.IGNORECASE), _is_labelled)


_ANY = r"\d(?:[ \t.\-_/]{0,3}\d){7,18}"
_REGION = r"(?:서울|부산|경기|강원|충북|충남|전북|전남|경북|경남|제주|대구|인천|광주|대전|울산|세종)"
_RULES = (
    _Rule(
        "이메일",
        re.compile(
            r"(?P<n>[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}\s?(?:@|\(at\)|\[at\]|골뱅이)\s?"
            r"[A-Za-z0-9\-]{1,40}(?:\s?(?:\.|\(dot\)|\[dot\]|점)\s?[A-Za-z]{2,24}){1,3})",
            re.IGNORECASE,
        ),
        _always,
    ),
    _labelled("주민등록번호", r"주민(?:등록)?\s?(?:번호)?|주번", r"\d(?:[ \t.\-_/]{0,3}[\d*xX●]){12}"),
    _labelled("외국인등록번호", r"외국인\s?(?:등록)?\s?(?:번호)?|거소신고", r"\d(?:[ \t.\-_/]{0,3}[\d*xX●]){12}"),
    _labelled("카드번호", r"(?:신용|체크)?카드\s?번호", _ANY),
    _labelled("여권번호", r"여권", r"[A-Za-z][ \t\-]?\d(?:[ \t\-]?[\dA-Za-z]){6,8}"),
    _labelled("운전면허번호", r"(?:운전)?면허증?", rf"(?:{_REGION}\s?)?\d(?:[ \t.\-_/]{{0,3}}\d){{9,11}}"),
    _Rule(
        "주민등록번호",
        re.compile(rf"뒷\s?자리\s?(?:은|는|이|가)?\s?[:=]?\s?(?P<n>[1-8](?:{_T}\d){{6}})(?!\d)"),
        _always,
    ),
    _Rule(
        "주민등록번호",
        re.compile(rf"{_BEFORE}(?P<n>{_run('5')}{_S}(?:[1-8](?:{_T}\d){{6}}|[1-8]{_S}[*xX●]{{6}}))(?!\d)"),
        lambda match: _starts_with_date(match) and not _is_labelled_otherwise(match),
    ),
    _Rule(
        "전화번호",
        re.compile(rf"(?<![\d,])(?<!\d[.\-])(?P<n>(?:{_ABROAD}|0){_T}1{_T}[016-9]{_PHONE_REST}){_AFTER}"),
        _is_phone,
    ),
    _Rule(
        "전화번호",
        re.compile(
            rf"(?<![\d,])(?<!\d[.\-])(?P<n>(?:{_ABROAD}|\(?0)(?:2|[3-6][1-5]|70|50[2-9]?){_PHONE_REST}){_AFTER}"
        ),
        _is_phone,
    ),
    _labelled("전화번호", r"(?:휴대폰|핸드폰|휴대전화|전화|연락처|폰)\s?(?:번호)?", r"\+?\d(?:[ \t.\-_/()]{0,3}\d){7,12}"),
    _Rule(
        "카드번호",
        re.compile(
            rf"{_BEFORE}(?P<n>[2-69](?:{_T}\d){{3}}(?:{_S}\d(?:{_T}\d){{3}}){{3}}|3[47]\d\d{_S}\d{{6}}{_S}\d{{5}}"
            rf"|3[068]\d\d{_S}\d{{6}}{_S}\d{{4}}){_AFTER}"
        ),
        _has_luhn,
    ),
    _Rule(
        "운전면허번호",
        re.compile(
            rf"{_BEFORE}(?P<n>(?:1[1-9]|2[0-8])[ \t.\-_/]{{1,3}}\d\d{_S}\d{{6}}{_S}\d\d|{_REGION}\s?\d\d{_S}\d{{6}}{_S}\d\d)"
            rf"{_AFTER}"
        ),
        lambda match: not _is_labelled_otherwise(match),
    ),
    _Rule(
        "여권번호",
        re.compile(r"(?<![A-Za-z0-9])(?P<n>[MSRODmsrod][ \t\-]?(?:\d{8}|\d{3}[A-Za-z]\d{4}))(?![A-Za-z0-9])"),
        _is_passport,
    ),
    _labelled("계좌번호", r"계좌\s?(?:번호)?|통장\s?번호", _ANY),
    _Rule(
        "계좌번호",
        re.compile(rf"{_BEFORE}(?P<n>\d{{1,7}}(?:[ \t]?[.\-_/ ][ \t]?\d{{1,7}}){{1,4}}|\d{{10,16}}){_AFTER}"),
        _is_account,
    ),
)  # fmt: skip
