"""Finds institutions in a text: Korean banks, insurers, card and securities companies by everyday names, and those of an index.

What counts as a name:
- An alias begins at the edge of a word and is followed by the end of the word, a particle or a banking word ("도담정기예금",
  "새나래앱"). A name of the index may also follow another syllable directly, before a banking word or if it includes its kind.
- Institutions of the index may be named without their kind ("도담저축은행": 도담, 도담저축, 도담은행, 도담뱅크), unless two
  share the short name, and in Latin letters ("Dodam").
- A short name that is an everyday word counts only with its kind: 우리, 하나, 기업, 제일 … ("우리 계좌" and "제일 싼 대출" name
  none).
- A group or payment service of which the index has no company (한화, 카카오, 토스 …) counts before a product ("한화 실손",
  "토스 통장") and as a place ("토스에서").
- A short name that is also a place or a group (국민, 대구, 현대 …) counts only if the index has exactly one such institution,
  at the beginning of a text and before a banking word ("국민 OTP 등록", but not "대구 지점" or "현대 자동차 할부").
- An unknown name that differs in one letter from a name of the index with its kind stands for that one ("세나래은행").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from rag.constraints.counterparts import is_counterpart
from rag.constraints.institution_list import (
    BANK_PRODUCT,
    KINDS,
    OTHER_TRADE,
    PARTICLE,
    PENSION_PLAN,
    SERVICES,
    UNLISTED,
    UNLISTED_ALIAS,
    Alias,
    all_aliases,
    everyday,
    groups_named,
    may_be_name,
    plain,
    short_name,
)
from rag.korean import decompose, fold

_SPACED_KINDS = (
    *("저축은행", "은행", "뱅크", "증권", "투자증권", "캐피탈", "파이낸셜", "손해보험", "생명", "화재", "pay"),
    "카드",
)
"""Kinds before which a name may have a space."""
_BANKING_WORD = (
    r"(?:은행|뱅크|뱅킹|저축|증권|카드|앱|어플|인뱅|인터넷|모바일|고객센터|콜센터|지점|영업점|통장|계좌|예금|적금|정기|자유|입출금"
    r"|대출|신용|체크|이체|송금|출금|입금|보안|otp|공동|금융인증|간편|비밀번호|비번|로그인|환전|외화|해외|국내|주식|펀드|atm|수수료"
    r"|금리|한도|자동이체|자동납부|끼리|프로|주담대|전세|보험|연금|isa|청약)"
)
_ENDING = r"(?:이?라(?:면|고|서|는|던)|이?[였었][다음어네]|인데|이에요|예요|입니다|이고|이?요(?![가-힣]))"
_AFTER = re.compile(
    rf"$|[^가-힣a-z]|(?-i:[a-z])|{PARTICLE}(?:$|[^가-힣]|[은는도만을를요])|{_ENDING}|{_BANKING_WORD}", re.IGNORECASE
)
_ATTACHED = re.compile(_BANKING_WORD, re.IGNORECASE)
_BANKING = re.compile(rf"\s+(?!지점|영업점){_BANKING_WORD}", re.IGNORECASE)
_NEGATED = re.compile(r"\s?[은는이가을를]?\s?(?:말고|아니[고라었에]|아닌|아냐|빼고|제외|외에)")

_MISTYPED = {"은헹": "은행", "은햄": "은행", "카득": "카드", "증꿘": "증권", "캐피털": "캐피탈", "캐피달": "캐피탈"}
"""Frequent typing errors in kinds, with the same number of characters."""
_OUR = "우리"
"""Also means "our": "우리 은행" is 우리은행 only in an index that holds it, "우리은행" always."""
_INSTEAD = "대신"
_PERSON = re.compile(r"(?:[이가님]|께서|친구|가족|남편|아내|아들|딸|엄마|아빠) $")
"""Before _INSTEAD and a space: "엄마가 대신 증권계좌" names no institution."""
_MOVED_HERE = re.compile(
    r"\s?(?:계좌|통장|앱|은행|증권)?(?:으로|로)\s?(?:\S{1,4}\s)?(?:옮|이전|이관|이동|갈아|대환|가져|바꾸|바꿔|변경)"
)


@dataclass(frozen=True)
class InstitutionMention:
    """An institution that a text names: `text`, at the offsets `start` to `end`.

    `name`: the name in the index if it has rows of the institution (`held`), else the canonical one. `kind`: the column of
    institutions.tsv, "index", or "unlisted" for a name that is recognised by its ending alone. `negated`: "A 말고", "A가 아니라".
    `counterpart`: only the destination of money or the origin of something ("카카오뱅크로 이체", "신한은행에서 만든 인증서").
    """

    name: str
    kind: str
    held: bool
    negated: bool
    counterpart: bool
    text: str
    start: int
    end: int


@dataclass(eq=False)
class InstitutionNames:
    """Finds the names of the bundled list and of an index; `held`: the institutions of the index with their aliases."""

    held: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _by_first: dict[str, list[Alias]] = field(default_factory=dict, init=False, repr=False)
    _known: set[str] = field(default_factory=set, init=False, repr=False)
    _with_kind: list[tuple[Alias, int]] = field(default_factory=list, init=False, repr=False)
    """The names of the index that end in a kind, each with the number of syllables before it."""
    _held_plain: tuple[str, ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        self._held_plain = tuple(map(plain, self.held))
        for alias in all_aliases(self.held):
            self._by_first.setdefault(alias.text[0], []).append(alias)
            self._known.add(alias.text)
            stem = len(next((alias.text.removesuffix(kind) for kind in KINDS if alias.text.endswith(kind)), ""))
            if alias.held and stem >= 2:
                self._with_kind.append((alias, stem))
        # Longer names first, so that "새나래은행" is not read as "새나래"; names of the index before those of the list.
        for aliases in self._by_first.values():
            aliases.sort(key=lambda alias: (-len(alias.text), not alias.held))

    def find(self, text: str) -> list[InstitutionMention]:
        """The institutions that a text names, in text order, with the longest name at each place."""
        folded, places = fold(text)
        # A few letters have another length in lower case (İ); then the case is kept, so that the offsets are right.
        lowered = folded.lower() if len(folded.lower()) == len(folded) else folded
        for mistyped, kind in _MISTYPED.items():
            lowered = lowered.replace(mistyped, kind)
        mentions: list[InstitutionMention] = []
        position = 0
        while position < len(lowered):
            match = self._match(lowered, position) or self._match_mistyped(lowered, position)
            if match is None:
                position += 1
                continue
            alias, end = match
            if (
                alias.kind == "bank"
                and not (alias.held or alias.text.endswith(KINDS))
                and OTHER_TRADE.match(lowered, end)
            ):
                alias = UNLISTED_ALIAS
            mentions.append(_mention(alias, text, lowered, places, (position, end)))
            position = end
        unknown = self._unlisted(lowered, text, places)
        # "토스" before a product is the company, not the payment service.
        mentions = [m for m in mentions if m.kind != "pay" or not any(u.start == m.start for u in unknown)]
        known = tuple(mentions)
        mentions += [u for u in unknown if not any(u.start < m.end and m.start < u.end for m in known)]
        return _with_origins(sorted(mentions, key=lambda mention: mention.start), lowered if places is None else text)

    def _unlisted(self, lowered: str, text: str, places: list[int] | None) -> list[InstitutionMention]:
        """Names that no list contains but that end in a kind ("한결은행"), and names of groups before a product."""
        unlisted = [match.span() for match in UNLISTED.finditer(lowered) if self._is_unlisted(match)]
        found = [match for pattern in groups_named() for match in pattern.finditer(lowered)]
        if PENSION_PLAN.search(lowered):
            found = [match for match in found if match["name"] != "db"]
        groups = [m.span("name") for m in found if not any(name.startswith(m["name"]) for name in self._held_plain)]
        spans = dict.fromkeys((*unlisted, *groups))
        return [_mention(self._bank_of_place(lowered, span), text, lowered, places, span) for span in spans]

    def _bank_of_place(self, lowered: str, span: tuple[int, int]) -> Alias:
        """The bank that a short name which is also a word ("국민") names before a bank's product, else a name without a list."""
        name = lowered[slice(*span)]
        is_bank = name in everyday("start") and BANK_PRODUCT.match(lowered, span[1])
        banks = (alias for alias in self._by_first.get(name[0], ()) if alias.text == f"{name}은행" and not alias.held)
        return (next(banks, None) if is_bank else None) or UNLISTED_ALIAS

    def _is_unlisted(self, match: re.Match[str]) -> bool:
        stem = match["stem"]
        # "도담페이" is a service of 도담은행, if the index has that.
        is_own = match["kind"] in SERVICES and any(stem.startswith(short_name(name)) for name in self._held_plain)
        return not is_own and match[0] not in self._known and may_be_name(stem)

    def _match(self, text: str, position: int) -> tuple[Alias, int] | None:
        """The longest alias at a position, with its end."""
        before = text[position - 1] if position else " "
        at_edge = not before.isalnum()
        for alias in self._by_first.get(text[position], ()):
            end = _match_spaced(text, position, alias)
            if end is None or not (at_edge or _may_follow(alias, before, _ATTACHED.match(text, end) is not None)):
                continue
            is_name = position == 0 and _BANKING.match(text, end) if alias.everyday else _AFTER.match(text, end)
            if is_name:
                return alias, end
        return None

    def _match_mistyped(self, text: str, position: int) -> tuple[Alias, int] | None:
        """The only institution of the index whose name with its kind differs in one letter, with its end."""
        if not "가" <= text[position] <= "힣" or (position and text[position - 1].isalnum()):
            return None
        matches: dict[str, tuple[Alias, int]] = {}
        for alias, stem in self._with_kind:
            gap = text[position + stem : position + stem + 1] == " "
            end = position + len(alias.text) + gap
            written = text[position : position + stem] + text[position + stem + gap : end]
            is_near = written not in self._known and _one_letter_apart(written, alias.text)
            if is_near and may_be_name(written[:stem]) and _AFTER.match(text, end):
                matches[alias.name] = alias, end
        return next(iter(matches.values())) if len(matches) == 1 else None


def _mention(
    alias: Alias, text: str, lowered: str, places: list[int] | None, span: tuple[int, int]
) -> InstitutionMention:
    """A mention at `span` of `lowered`, the folded text; `places`: the offsets in `text`, or None if they are the same."""
    start, end = span if places is None else (places[span[0]], places[span[1]])
    negated = _NEGATED.match(lowered, span[1]) is not None
    counterpart = is_counterpart(lowered, *span, held=alias.held)
    name = alias.name or text[start:end]
    return InstitutionMention(name, alias.kind, alias.held, negated, counterpart, text[start:end], start, end)


def _with_origins(mentions: list[InstitutionMention], text: str) -> list[InstitutionMention]:
    """The mentions, of which those before an institution of the index to which something moves are counterparts.

    "카카오뱅크 대출 도담으로 갈아타기" is asked of 도담.
    """
    here = max((m.start for m in mentions if m.held and _MOVED_HERE.match(text, m.end)), default=-1)
    return [m if m.held or m.start > here else replace(m, counterpart=True) for m in mentions]


def _one_letter_apart(one: str, other: str) -> bool:
    """Whether two names of the same length differ in one letter only, which may be a final consonant that one of them lacks."""
    if len(one) != len(other):
        return False
    different = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
    if len(different) != 1:
        return False
    one, other = different[0]
    return sum(a != b for a, b in zip(decompose(one), decompose(other), strict=True)) == 1


def _match_spaced(text: str, start: int, alias: Alias) -> int | None:
    """The end of the alias at `start`, or None; it may be written with spaces at the places of `_gaps`."""
    if alias.everyday and alias.text in everyday("word"):
        return None
    position = start
    # A long name of the index may have spaces anywhere, because its syllables have no other meaning.
    gaps = range(len(alias.text)) if alias.held and len(alias.text) >= 5 else _gaps(alias.text)
    is_our = not alias.held and alias.text.startswith(_OUR)
    if is_our or (alias.text.startswith(_INSTEAD) and _PERSON.search(text, max(0, start - 4), start)):
        gaps = frozenset[int]()
    for index, character in enumerate(alias.text):
        if index in gaps and text[position : position + 1].isspace():
            position += 1
        if text[position : position + 1] != character:
            return None
        position += 1
    return position


@cache
def _gaps(alias: str) -> frozenset[int]:
    """Where an alias may have a space: beside Latin letters and before its kind ("신한 카드", but not "우리 카드")."""
    gaps = {i for i in range(1, len(alias)) if alias[i].isascii() != alias[i - 1].isascii()}
    kind = next((kind for kind in _SPACED_KINDS if alias.endswith(kind)), "")
    before = alias.removesuffix(kind)
    if kind and before and (kind != "카드" or before not in everyday("word")):
        gaps.add(len(before))
    return frozenset(gaps)


def _may_follow(alias: Alias, before: str, banking: bool) -> bool:
    """Whether an alias may follow another syllable directly, as in questions written without spaces."""
    if alias.text[0].isascii() or not "가" <= before <= "힣" or not alias.held or alias.everyday:
        return False
    return banking or (len(alias.text) >= 3 and before in "은는이가을를에로도서의고데" and alias.text.endswith(KINDS))
