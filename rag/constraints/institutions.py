"""Institutions named in a text: the everyday names of Korean banks, insurers, card and securities firms, and an index's own.

What counts as a name:
- An alias begins at a word's edge and is followed by the word's end, a particle, or a banking word ("도담정기예금",
  "새나래앱"); an index's name may also follow a syllable directly, before a banking word or whole with its kind.
- An index's institutions also go by their name without its kind ("도담저축은행": 도담, 도담저축, 도담은행, 도담뱅크),
  unless two share it.
- A short name that is an everyday word counts only with its kind: 우리, 하나, 기업, 제일 … ("우리 계좌", "제일 싼 대출").
- A group or a means of payment (한화, 카카오, 토스 …) whose houses the index does not hold counts before a product ("한화 실손",
  "토스 통장") and as the place where something is done ("토스에서").
- One that is a place or a group (국민, 대구, 현대 …) counts alone only if the index holds exactly one such institution, at
  the very start of a text and before a banking word ("국민 OTP 등록", but not "대구 지점" or "현대 자동차 할부").
- They go by their name in Latin letters, too ("Dodam").
- What is no known name, but one letter away from a name with its kind of one of the index's, is that one ("세나래은행").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from rag.data_files import read_table
from rag.korean import decompose, fold, latin_names

KINDS = (
    *("저축은행", "투자증권", "금융투자", "손해보험", "은행", "뱅크", "증권"),
    *("카드", "생명", "화재", "보험", "캐피탈", "투자", "금융", "신협", "새마을금고", "페이"),
)
_SPACED_KINDS = ("저축은행", "은행", "뱅크", "증권", "투자증권", "캐피탈", "손해보험", "생명", "화재", "pay")
_BANKING_WORD = (
    r"(?:은행|뱅크|뱅킹|저축|증권|카드|앱|어플|인뱅|인터넷|모바일|고객센터|콜센터|지점|영업점|통장|계좌|예금|적금|정기|자유|입출금"
    r"|대출|신용|체크|이체|송금|출금|입금|보안|otp|공동|금융인증|간편|비밀번호|비번|로그인|환전|외화|해외|국내|주식|펀드|atm|수수료"
    r"|금리|한도|자동이체|자동납부|끼리|프로|주담대|전세|보험|연금|isa|청약)"
)
_PARTICLE = (
    r"(?:이랑|랑|하고|에서는|에서도|에서|에선|에게|한테|으로|로|은요|는요|은|는|이|가|을|를|의|에|도|만|과|와|이나|나|보다|까지|부터|말고"
    r"|처럼|이라|라|인데|이고|꺼|거|건|쪽|이용|고객|손님|직원|끼리)"
)
_ENDING = r"(?:이?라(?:면|고|서|는|던)|인데|이에요|예요|입니다|이고|이?요(?![가-힣]))"
_AFTER = re.compile(
    rf"$|[^가-힣a-z]|(?-i:[a-z])|{_PARTICLE}(?:$|[^가-힣]|[은는도만을를요])|{_ENDING}|{_BANKING_WORD}", re.IGNORECASE
)
_ATTACHED = re.compile(_BANKING_WORD, re.IGNORECASE)
_BANKING = re.compile(rf"\s+(?!지점|영업점){_BANKING_WORD}", re.IGNORECASE)
_NEGATED = re.compile(r"\s?[은는이가을를]?\s?(?:말고|아니[고라었에]|아닌|아냐|빼고|제외|외에)")
_COUNTERPART = re.compile(
    r"\s?(?:계좌|통장)?(?:으로|로)(?=\s?(?:돈|이체|송금|보내|보냈|잘못|입금|옮|갈아|자동|\d))"
    r"|\s?(?:계좌|통장|앱)?(?:에서|의)\s?"
    r"(?:만든|만들었|발급\s?받은|발급한|받은|쓰던|가입한|개설한|보낸|보내온|온\s|옮|넘어|이체한|빌린|들어온|입금)"
    r"|\s?(?:사람|고객|직원)?(?:한테|에게)|에\s?(?:있는|있던)"
)

_UNLISTED = re.compile(
    r"(?<![가-힣a-z0-9])(?P<stem>[가-힣]{2,5}?)"
    r"(?P<kind>저축은행|은행|증권|생명|화재|손해보험|손보|생보|캐피탈|자산운용|신협|수협|농협|새마을금고|뱅크|페이)"
    rf"(?=$|\s|[?!.,]|{_PARTICLE}(?:$|[^가-힣]))"
)
_SERVICES = ("뱅크", "페이")  # Also what an institution's app or means of payment may be called.
_PRODUCT = (
    r"(?:정기예금|예금|적금|입출금|통장|계좌|체크카드|신용카드|실손|실비|보험|연금|isa|irp|대출|신용대출|주담대|마이너스|청약|이체한도|otp|자동이체"
    r"|오픈뱅킹|cma|펀드)"
)
_MISTYPED = {"은헹": "은행", "은햄": "은행", "카득": "카드", "증꿘": "증권"}
"""Kinds as they are mistyped, of the same length."""
_NO_NAME_ENDINGS = ("하는", "있는", "없는", "인", "된", "한", "던", "의")


@dataclass(frozen=True)
class InstitutionMention:
    """An institution named in a text.

    `name` is the index's own name if it holds the institution (`held`), else the canonical everyday one. `negated`:
    "A 말고", "A가 아니라". `counterpart`: only where money goes or a thing comes from ("카카오뱅크로 이체",
    "신한은행에서 만든 인증서"). `kind` is the column of institutions.tsv, "index", or "unlisted" for a name that
    only its kind gives away.
    """

    name: str
    kind: str
    held: bool
    negated: bool
    counterpart: bool
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class _Alias:
    text: str
    name: str
    kind: str
    held: bool
    everyday: bool


@dataclass(eq=False)
class InstitutionNames:
    """All names prepared for search: `held` ones of an index with their aliases, and the bundled list."""

    held: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _by_first: dict[str, list[_Alias]] = field(default_factory=dict, init=False, repr=False)
    _known: set[str] = field(default_factory=set, init=False, repr=False)
    _with_kind: list[tuple[_Alias, int]] = field(default_factory=list, init=False, repr=False)
    """The index's own names that end in their kind, each with the number of syllables before it."""

    def __post_init__(self) -> None:
        for alias in _all_aliases(self.held):
            self._by_first.setdefault(alias.text[0], []).append(alias)
            self._known.add(alias.text)
            stem = len(next((alias.text.removesuffix(kind) for kind in KINDS if alias.text.endswith(kind)), ""))
            if alias.held and stem >= 2:
                self._with_kind.append((alias, stem))
        # The longest first, so that "새나래은행" is not read as "새나래" and a rest; the index's own before the world's.
        for aliases in self._by_first.values():
            aliases.sort(key=lambda alias: (-len(alias.text), not alias.held))

    def find(self, text: str) -> list[InstitutionMention]:
        """The institutions a text names, in text order, the longest name at each place."""
        folded, places = fold(text)
        # Offsets must survive: a few letters change their length in lower case (İ), then the case stays.
        lowered = folded.lower() if len(folded.lower()) == len(folded) else folded
        for mistyped, kind in _MISTYPED.items():
            lowered = lowered.replace(mistyped, kind)
        mentions: list[InstitutionMention] = []
        position = 0
        while position < len(lowered):
            hit = self._at(lowered, position) or self._mistyped(lowered, position)
            if hit is None:
                position += 1
                continue
            alias, end = hit
            mentions.append(_mention(alias, text, lowered, places, (position, end)))
            position = end
        unknown = self._unlisted(lowered, text, places)
        # "토스" before a product is the house, whatever it is alone.
        mentions = [m for m in mentions if m.kind != "pay" or not any(u.start == m.start for u in unknown)]
        taken = [(mention.start, mention.end) for mention in mentions]
        mentions += [m for m in unknown if not any(m.start < end and start < m.end for start, end in taken)]
        return sorted(mentions, key=lambda mention: mention.start)

    def _unlisted(self, lowered: str, text: str, places: list[int] | None) -> list[InstitutionMention]:
        """Names that no list holds, told by their kind ("한결은행"): customers of other houses ask too."""
        unlisted = [match.span() for match in _UNLISTED.finditer(lowered) if self._is_unlisted(match)]
        groups = [
            match.span("name")
            for match in _groups().finditer(lowered)
            if not any(_plain(name).startswith(match["name"]) for name in self.held)
        ]
        alias = _Alias("", "", "unlisted", held=False, everyday=False)
        return [_mention(alias, text, lowered, places, span) for span in (*unlisted, *groups)]

    def _is_unlisted(self, match: re.Match[str]) -> bool:
        stem = match["stem"]
        # "도담페이" of 도담은행.
        is_own = match["kind"] in _SERVICES and any(stem.startswith(_short(_plain(name))) for name in self.held)
        return not (is_own or match[0] in self._known or _is_no_name(stem))

    def _at(self, text: str, position: int) -> tuple[_Alias, int] | None:
        candidates = self._by_first.get(text[position])
        if not candidates or text[position] == " ":
            return None
        before = text[position - 1] if position else " "
        at_edge = not before.isalnum()
        for alias in candidates:
            end = _match_spaced(text, position, alias)
            if end is None or (not at_edge and not _may_follow(alias, before, _ATTACHED.match(text, end) is not None)):
                continue
            # "국민", "현대": a name only as the question's first word and before a banking word.
            if alias.everyday:
                if position == 0 and _BANKING.match(text, end):
                    return alias, end
            elif _AFTER.match(text, end):
                return alias, end
        return None

    def _mistyped(self, text: str, position: int) -> tuple[_Alias, int] | None:
        """The institution of the index of which a name with its kind is one letter away, and its end; None for two."""
        if not "가" <= text[position] <= "힣" or (position and text[position - 1].isalnum()):
            return None
        hits: dict[str, tuple[_Alias, int]] = {}
        for alias, stem in self._with_kind:
            gap = text[position + stem : position + stem + 1] == " "
            end = position + len(alias.text) + gap
            written = text[position : position + stem] + text[position + stem + gap : end]
            if written not in self._known and _one_letter_apart(written, alias.text) and _AFTER.match(text, end):
                hits.update({} if _is_no_name(written[:stem]) else {alias.name: (alias, end)})
        return next(iter(hits.values())) if len(hits) == 1 else None


@cache
def _groups() -> re.Pattern[str]:
    names = "|".join(sorted(_everyday("group"), key=lambda name: (-len(name), name)))
    # "국민연금" and "국민주택" are no house's.
    names = rf"(?!국민\s?(?:연금|주택|행복|내일))(?:{names})"
    used = r"에서\s(?!\S*\s?비교)|에도?\s?가입|\s?쓰(?:다가|는데|고\s)|꺼\s"
    return re.compile(rf"(?<![가-힣a-z0-9])(?P<name>{names})(?=\s?{_PRODUCT}|{used})")


@cache
def known_institutions() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """(canonical name, kind, aliases) of the bundled list."""
    return tuple(row for row in _table() if row[1] not in ("word", "start", "group", "no_name"))


@cache
def _table() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    rows = read_table(__package__, "institutions.tsv")
    return tuple((name, kind, tuple(filter(None, aliases.split("|")))) for name, kind, aliases in rows)


@cache
def _everyday(*kinds: str) -> frozenset[str]:
    return frozenset(_plain(word) for _, kind, words in _table() if kind in kinds for word in words)


def _mention(
    alias: _Alias, text: str, lowered: str, places: list[int] | None, span: tuple[int, int]
) -> InstitutionMention:
    """`span`: offsets into `lowered`, the folded text; `places`: those of `text` for each of them, where they differ."""
    start, end = span if places is None else (places[span[0]], places[span[1]])
    negated, counterpart = (pattern.match(lowered, span[1]) is not None for pattern in (_NEGATED, _COUNTERPART))
    name = alias.name or text[start:end]
    return InstitutionMention(name, alias.kind, alias.held, negated, counterpart, text[start:end], start, end)


def _is_no_name(stem: str) -> bool:
    return stem in _everyday("no_name") or stem.endswith(_NO_NAME_ENDINGS)


def _all_aliases(held: Mapping[str, Sequence[str]]) -> Iterable[_Alias]:
    written: dict[str, tuple[str, str, bool]] = {}
    for name, kind, aliases in known_institutions():
        # The index's own name for a house that the list knows under another.
        owner = next((own for own in held if _plain(own) in map(_plain, (name, *aliases))), None)
        # Customers call their "가온신협" by what it is, where the index holds no other.
        if owner is None and kind == "cooperative":
            members = [own for own in held if _plain(own).endswith(_plain(name))]
            owner = members[0] if len(members) == 1 else None
        for alias in (name, *aliases):
            written.setdefault(_plain(alias), (owner or name, kind, owner is not None))
    # A short form that two institutions of the index share would name either: it names none.
    shorts = Counter(short for name in held for short in {_short(name)})
    for name, own in held.items():
        kind = written.get(_plain(name), ("", "index", True))[1]
        short = _short(name)
        forms = [name, *own]
        if shorts[short] == 1 and short != name:
            forms += [short, *_variants(name, short), *latin_names(short)]
        everyday = {_short(form) for form, owner in written.items() if owner[0] == name} & _everyday("word", "start")
        forms += [word for word in everyday if sum(word in _plain(other) for other in held) == 1]
        for form in forms:
            written[_plain(form)] = (name, kind, True)
    for form, (name, kind, is_held) in written.items():
        yield _Alias(form, name, kind, is_held, form in _everyday("word", "start"))


def _variants(name: str, short: str) -> list[str]:
    if name.endswith("저축은행"):
        return [short + "저축", short + "은행", short + "뱅크"]
    if name.endswith(("은행", "뱅크")):
        return [short + "은행", short + "뱅크"]
    return [short + "증권"] if name.endswith("증권") else []


def _short(name: str) -> str:
    short = next((name.removesuffix(kind) for kind in KINDS if name.endswith(kind)), name)
    return short if len(short) >= 2 else name


def _plain(name: str) -> str:
    return "".join(fold(name)[0].lower().split())


def _one_letter_apart(one: str, other: str) -> bool:
    """Whether two names of the same length differ in one letter: another one, or one final consonant more or fewer."""
    if len(one) != len(other):
        return False
    letters = (decompose(character) + decompose(its_other) for character, its_other in zip(one, other, strict=True))
    return sum(a != b for pair in letters for a, b in zip(pair[:3], pair[3:], strict=True)) == 1


def _match_spaced(text: str, start: int, alias: _Alias) -> int | None:
    """The end of the alias at `start`; a space may stand before its kind and between Latin and Hangul letters."""
    if alias.everyday and alias.text in _everyday("word"):
        return None
    position = start
    # Of a long name of the index's own a space may stand anywhere: its syllables in a row are nothing else.
    gaps = range(len(alias.text)) if alias.held and len(alias.text) >= 5 else _gaps(alias.text)
    for index, character in enumerate(alias.text):
        if index in gaps and text[position : position + 1].isspace():
            position += 1
        if text[position : position + 1] != character:
            return None
        position += 1
    return position


@cache
def _gaps(alias: str) -> frozenset[int]:
    """Where a space may stand in an alias: "KB 국민은행", "신한 카드", but not "우리 카드" or "하나 카드"."""
    gaps = {i for i in range(1, len(alias)) if alias[i].isascii() != alias[i - 1].isascii()}
    kind = next((kind for kind in (*_SPACED_KINDS, "카드") if alias.endswith(kind)), "")
    before = alias.removesuffix(kind)
    if kind and before and (kind != "카드" or before not in _everyday("word")):
        gaps.add(len(before))
    return frozenset(gaps)


def _may_follow(alias: _Alias, before: str, banking: bool) -> bool:
    """Whether the alias may stand directly behind another syllable, as in questions written without spaces."""
    if alias.text[0].isascii() or not "가" <= before <= "힣" or not alias.held or alias.everyday:
        return False
    return banking or (len(alias.text) >= 3 and before in "은는이가을를에로도서의고데" and alias.text.endswith(KINDS))
