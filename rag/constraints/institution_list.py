"""The names that may be an institution's: those of the bundled list (institutions.tsv) and of an index, in their everyday forms.

An index's "도담저축은행" is 도담, 도담저축, 도담은행 or 도담뱅크, too. Besides: names ending in a kind ("한결은행"), and groups.
`rag.constraints.institutions` finds them in a text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from rag.data_files import read_table
from rag.korean import fold, latin_names

KINDS = (
    *("저축은행", "투자증권", "금융투자", "손해보험", "은행", "뱅크", "증권"),
    *("카드", "생명", "화재", "보험", "캐피탈", "파이낸셜", "투자", "금융", "신협", "새마을금고", "페이"),
)
"""Endings of names, longer ones first where one ends in another."""
PARTICLE = (
    r"(?:이랑|랑|하고|에서는|에서도|에서|에선|에게|한테|으로|로|은요|는요|은|는|이|가|을|를|의|에|도|만|과|와|이나|나|보다|까지|부터|말고"
    r"|처럼|이라|라|인데|이고|꺼|거|건|쪽|이용|고객|손님|직원|끼리)"
)
UNLISTED = re.compile(
    r"(?<![가-힣a-z0-9])(?P<stem>[가-힣]{2,5}?)"
    r"(?P<kind>저축은행|은행|증권|생명|화재|손해보험|손보|생보|캐피탈|파이낸셜|자산운용|신협|수협|농협|새마을금고|뱅크|페이)"
    rf"(?=$|\s|[?!.,]|{PARTICLE}(?:$|[^가-힣]))"
)
SERVICES = ("뱅크", "페이")
"""Endings that may also be those of an institution's app or payment service."""
_PRODUCT = (
    r"(?:정기예금|예금|적금|입출금|통장|계좌|체크카드|신용카드|실손|실비|보험|연금|isa|irp|대출|신용대출|주담대|마이너스|청약|이체한도|otp|자동이체"
    r"|오픈뱅킹|cma|펀드|지연이체|예약이체|타행이체|해외송금|환전|보안카드|간편비밀번호|현금서비스|카드론|리볼빙|신용융자|공모주|한도제한|휴면|[a-z]{1,4}\s?카드|(?:[a-z]\s?)?(?:포인트|멤버십|마일리지)(?!\s?(?:으?로|적립)))"
)
BANK_PRODUCT = re.compile(
    r"\s?(?:정기예금|예금|적금|입출금|통장|계좌|체크카드|대출|신용대출|주담대|마이너스|청약|이체한도|otp|자동이체|오픈뱅킹)"
)
OTHER_TRADE = re.compile(
    r"\s?(?:오토\s?(?:리스|론)|리스|(?:장기|단기|월)?\s?렌[트터]카?|(?:신차|중고차)?\s?할부|캐피탈|실손|실비|\S{0,3}암보험|자동차\s?보험)"
)
"""Products that a bank of the list does not sell: its short name before one ("KB 오토리스") is that of its group."""
PENSION_PLAN = re.compile(r"(?<![a-z])(?:dc|irp)(?![a-z])|퇴직|확정\s?(?:급여|기여)")
"""Words beside which "DB" is a kind of retirement pension and no group: "DB에서 DC로 바꾸려면"."""
MACHINE = r"(?:ATM|자동화\s?기기|현금\s?인출기|CD기)"
"""Names of a machine that pays out money, which may be the own institution's or another's."""
_NO_NAME_ENDINGS = ("하는", "있는", "없는", "인", "된", "한", "던", "의")
_FORMS = (
    *(("저축은행", "저축 은행 뱅크"), ("은행", "은행 뱅크"), ("뱅크", "은행 뱅크"), ("증권", "증권")),
    *(("손해보험", "손보"), ("생명", "생보 생명보험"), ("화재", "화재보험 화재해상보험")),
)
"""What customers say in the place of a kind."""


@dataclass(frozen=True)
class Alias:
    """One form, `text`, of an institution's name; `name`, `kind` and `held` as in `InstitutionMention`.

    `everyday`: it is also a word of other meaning and counts only in few places.
    """

    text: str
    name: str
    kind: str
    held: bool
    everyday: bool


UNLISTED_ALIAS = Alias("", "", "unlisted", held=False, everyday=False)
"""For a mention that has the name it is written with."""


@cache
def known_institutions() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """(canonical name, kind, aliases) of the bundled list."""
    return tuple(row for row in _listed_names() if row[1] not in ("word", "start", "group", "brand", "no_name"))


@cache
def everyday(*kinds: str) -> frozenset[str]:
    """The words of the lines of institutions.tsv of some kinds, which are no institutions' names alone."""
    return frozenset(plain(word) for _, kind, words in _listed_names() if kind in kinds for word in words)


def plain(name: str) -> str:
    """The name in NFKC and lower case, without spaces."""
    return "".join(fold(name)[0].lower().split())


@cache
def _listed_names() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """(name, kind, aliases) of each line of institutions.tsv, including those that are no institutions."""
    rows = read_table(__package__, "institutions.tsv")
    return tuple((name, kind, tuple(filter(None, aliases.split("|")))) for name, kind, aliases in rows)


def may_be_name(stem: str) -> bool:
    """Whether the words before a kind may be an unknown name."""
    return stem not in everyday("no_name") and not stem.endswith(_NO_NAME_ENDINGS)


@cache
def groups_named() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Names of groups before a product; and of those that are nothing else, wherever they stand."""
    groups, brands = (
        "|".join(sorted(everyday(kind), key=lambda name: (-len(name), name))) for kind in ("group", "brand")
    )
    # "국민연금" and "국민주택" are no house's.
    groups = rf"(?!국민\s?(?:연금|주택|행복|내일))(?:{groups})"
    used = r"에서\s(?!\S*\s?비교|산\s|샀|사려|사면|구매|구입|주문)|에도?\s?가입|\s?쓰(?:다가|는데|고\s)|꺼\s"
    begin = r"(?<![가-힣a-z0-9])"
    return (
        re.compile(rf"{begin}(?P<name>{groups})(?=\s?{_PRODUCT}|{used})"),
        re.compile(rf"{begin}(?P<name>{brands})(?=$|[^가-힣a-z0-9]|{PARTICLE}(?:$|[^가-힣]))"),
    )


def all_aliases(held: Mapping[str, Sequence[str]]) -> Iterator[Alias]:
    """The names of the bundled list and of `held`, the institutions of an index with their aliases; each form once."""
    written: dict[str, tuple[str, str, bool]] = {}
    for name, kind, aliases in known_institutions():
        # The list may have another name for an institution of the index.
        owner = next((own for own in held if plain(own) in map(plain, (name, *aliases))), None)
        # Customers call "가온신협" just "신협" if the index has no other one.
        if owner is None and kind == "cooperative":
            members = [own for own in held if plain(own).endswith(plain(name))]
            owner = members[0] if len(members) == 1 else None
        for alias in (name, *aliases):
            written.setdefault(plain(alias), (owner or name, kind, owner is not None))
    # A short form that two institutions of the index share does not count.
    shorts = Counter(short for name in held for short in {short_name(name)})
    for name, own in held.items():
        kind = written.get(plain(name), ("", "index", True))[1]
        short = short_name(name)
        forms = [name, *own]
        if shorts[short] == 1 and short != name:
            forms += [short, *_variants(name, short), *latin_names(short)]
        words = {short_name(form) for form, owner in written.items() if owner[0] == name} & everyday("word", "start")
        forms += [word for word in words if sum(word in plain(other) for other in held) == 1]
        for form in forms:
            written[plain(form)] = (name, kind, True)
    for form, (name, kind, is_held) in written.items():
        yield Alias(form, name, kind, is_held, form in everyday("word", "start"))


def _variants(name: str, short: str) -> list[str]:
    forms = next((forms for kind, forms in _FORMS if name.endswith(kind)), "")
    return [short + form for form in forms.split()]


def short_name(name: str) -> str:
    """An institution's name without its kind (도담 of 도담저축은행), unless a single syllable is left."""
    short = next((name.removesuffix(kind) for kind in KINDS if name.endswith(kind)), name)
    return short if len(short) >= 2 else name
