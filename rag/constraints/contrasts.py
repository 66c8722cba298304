"""Finds the members of contrast sets in a text: products, means and actions that exclude each other.

The sets are data (contrasts.toml, terms.tsv). Spaces, case and width are ignored. A form may be followed by a particle or be
the end of a compound ("정기적금" names 적금); "*" in a form stands for up to _GAP other characters. A denied form ("해지 말고",
"OTP 없이") does not count. If a customer asks whether something applies to a thing, a sentence that denies it for that thing is
the answer ("체크카드는 제외합니다").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache

from rag.constraints.contrast_sets import ANSWERING, ContrastSet, Kind, bundled_sets
from rag.korean import compact, fold, sentence_texts

_DENIED = re.compile(
    r"\s?(?:방문|이용|소지)?\s?[이가을를은는도만에]?\s?"
    r"(?:안\s?[하가]|못\s?가|가지\s?(?:않|말|못)|가기|갈\s?시간|멀|(?:하지|되지|이지)\s?(?:않|말|못)|말고|없이|없는"
    r"|아니[라고]|아닌|빼고|제외"
    r"|같은\s?[거것게]|처럼|비슷한|(?:취급|판매|제공|지원|운영|발급)하지\s?(?:않|아니))"
    r"|[가-힣]{1,3}\s?(?:말고|빼고)"
)
_UNABLE = re.compile(r"(?:^|\s)[못안]\s?$")
"""Precedes an action that does not take place: "못 갚으면"."""
_STORY = re.compile(
    r"\s?(?:신청|처리)?(?:한(?![다도])|된|됐|되었|되어|[돼되]\s?있(?![나을습])|했(?!으면)|하였|받은|받았|해\s?(?:놨|놓|둔|뒀|봤)"
    r"|하고 나서|하다가|하던|었"
    r"|어\s?(?:놓|둔|놨)|하?고\s.{1,15}?로\s?(?:갈아|바꾸|바꿀|변경|전환|옮))"
)
_INSTEAD = re.compile(r"말고|대신|빼고|아니라|아니고")
_INSTEAD_SPAN = 12
"""Characters between a member and a word of _INSTEAD, at most."""
_JOINED = re.compile(r"\s?(?:및|[·/,、]|또는|하거나|이나|[과와])\s?(?=[가-힣]{2})")
"""Follows a weak form that is named beside another member: "신청 및 해지", but not "해지 신청"."""
_SUBJECT = re.compile(r"(?:이|가|을|를)(?![가-힣])(?!\s?(?:방문|통해|통하|이용))")
"""Follows a channel that is subject or object ("앱이 안 켜져요", but not "창구를 방문하여"), so that nothing is done there."""
OPEN = re.compile(
    r"어떻|어케|어떡|어디|무엇|뭐|뭘|무슨|누구|언제|왜|얼마|몇|며칠|방법|절차|서류|알려|궁금|조건|금리|이율|이자율|환율|비교|추천|차이"
)
"""Words of open questions, which ask for more than yes or no."""
_ASKS = re.compile(
    r"(?:나요?|까요?|가요?|[어아해돼되내려]요|되나|돼|됨|됩니까|가능\S{0,4}|죠|지요|는지|을까|냐|으로|로|수\s?있어?)[\s?？!.~ㅋㅠ]*$"
)
_REFUSED = re.compile(
    r"제외|빼고|불가|(?:안|못)\s?(?:[됩돼되하합받쓰씁]|들어)|(?:지|수|은|는|이|가|에서)\s?(?:않|없|아니|못)|해당하지|받지|어렵"
)
_NOT_EXCEPTED = re.compile(
    r"없이|아니[라어]도|않[아으]?[도면]|없[어으]?[도면]|지\s?않은|없는|상관|관계|외에|제한\s?없|수수료[는가]?\s?없"
)
_GAP = 10
"""Characters without spaces that "*" in a form stands for, at most: "제계좌로*잘못" names "제 계좌로 3만원을 잘못"."""
_STOP = re.compile(r"[.?!\n]")
_TIMES = frozenset("후전중때")
_PARTICLES = frozenset("을를은는이가로에도만고서요")
_THINGS = ("product", "means", "term", "channel")


@dataclass(frozen=True)
class ContrastMention:
    """A member that a text names: `text`, at the offsets `start` to `end`.

    `label` is how a reply refers to it: the text itself, but "줄이기" for the stem of a verb before 기 and the name of the
    member for another form of a verb ("끄고").
    """

    set_name: str
    member: str
    text: str
    start: int
    end: int
    label: str


@dataclass(frozen=True)
class _Form:
    """One form of a member, without spaces; `member` is None for an exception, `stem` is True for the stem of a verb.

    `rest` is what follows `text` after other characters ("*"); empty for most forms.
    """

    set_name: str
    member: str | None
    text: str
    rest: str
    stem: bool
    weak: bool
    unless: tuple[str, ...]
    kind: Kind


@dataclass(eq=False)
class Contrasts:
    """The contrast sets of an index, prepared for search."""

    sets: Mapping[str, ContrastSet]
    _by_text: dict[str, list[_Form]] = field(default_factory=dict, init=False, repr=False)
    _sizes: dict[str, list[int]] = field(default_factory=dict, init=False, repr=False)
    """The lengths of the forms that begin with these two characters (or are this one), longest first."""

    def __post_init__(self) -> None:
        for contrast in self.sets.values():
            forms = [(member, form) for member, written in contrast.members.items() for form in written]
            for member, form in [*forms, *((None, form) for form in contrast.exceptions)]:
                text, _, rest = _squeeze(form.removeprefix("^")).partition("*")
                unless = tuple(map(_squeeze, contrast.unless.get(form, ())))
                stem, weak = form.startswith("^"), form in contrast.weak
                entry = _Form(contrast.name, member, text, rest, stem, weak, unless, contrast.kind)
                self._by_text.setdefault(text, []).append(entry)
        # Longer forms hide shorter ones inside them, so they come first.
        for text in sorted(self._by_text, key=len, reverse=True):
            sizes = self._sizes.setdefault(text[:2], [])
            if len(text) not in sizes:
                sizes.append(len(text))

    def mentions(self, text: str) -> list[ContrastMention]:
        """The members that a text names, in text order. A longer form hides shorter ones of its set at the same place.

        A weak form ("신청" in "해지 신청") counts only without other forms of its set or joined with one ("신청 및 해지"). A
        form with one of its `unless` words excludes its set.
        """
        squeezed, offsets, starts = _spread(text)
        covered: dict[str, tuple[int, int]] = {}
        named: list[tuple[ContrastMention, bool]] = []
        excluded: set[str] = set()
        for position in range(len(squeezed)):
            for form in self._forms_at(squeezed, position):
                end = position + len(form.text)
                if form.rest and (end := _end_of_rest(form.rest, squeezed, end)) < 0:
                    continue
                # "예금" within "정기예금" is no second mention, but the same form of two members is.
                last = covered.get(form.set_name, (0, 0))
                if position < last[1] and last != (position, end):
                    continue
                if not _at_edge(squeezed, position, end, form, starts):
                    continue
                covered[form.set_name] = (position, end)
                start, stop = offsets[position], offsets[end - 1] + 1
                if any(word in squeezed for word in form.unless):
                    excluded.add(form.set_name)
                elif form.member is not None and not _is_denied(form, text, start, stop):
                    label = text[start:stop]
                    if form.stem and form.kind != "term":  # a verb's, which cannot be quoted alone
                        label = f"{label}기" if text.startswith("기", stop) else form.member
                    mention = ContrastMention(form.set_name, form.member, text[start:stop], start, stop, label)
                    named.append((mention, form.weak))
        strong = {mention.set_name for mention, weak in named if not weak}
        beside = {mention for mention, weak in named if weak and _JOINED.match(text, mention.end)}
        kept = [
            mention
            for mention, weak in named
            if (not weak or mention.set_name not in strong or mention in beside) and mention.set_name not in excluded
        ]
        return _without_replaced(text, kept)

    def _forms_at(self, text: str, position: int) -> Iterator[_Form]:
        """The forms whose text stands at a position, longer ones first."""
        # At the end of the text both beginnings are the last character, whose forms stand there once.
        for beginning in dict.fromkeys((text[position : position + 2], text[position])):
            for size in self._sizes.get(beginning, ()):
                # A shorter piece at the end of the text is another size's.
                if len(piece := text[position : position + size]) == size:
                    yield from self._by_text.get(piece, ())


def _end_of_rest(rest: str, text: str, begin: int) -> int:
    """Where the rest of a form ends that stands within _GAP characters from `begin`; -1 if it does not."""
    place = text.find(rest, begin, begin + _GAP + len(rest))
    return -1 if place < 0 or _STOP.search(text, begin, place) else place + len(rest)


def _squeeze(text: str) -> str:
    return "".join(fold(text)[0].lower().split())


def _spread(text: str) -> tuple[str, list[int], set[int]]:
    """(text, offsets, starts): the folded text in lower case without spaces, the original offset of each character, and where
    words begin."""
    folded, places = fold(text)
    lowered = folded.lower()
    # A few letters have another length in lower case (İ); then the case is kept, so that the offsets are right.
    if len(lowered) != len(folded):
        lowered = folded
    kept = [i for i, character in enumerate(lowered) if not character.isspace()]
    squeezed = "".join(lowered[i] for i in kept)
    starts = {n for n, i in enumerate(kept) if i == 0 or not lowered[i - 1].isalnum()}
    return squeezed, kept if places is None else [places[i] for i in kept], starts


def _at_edge(text: str, start: int, end: int, form: _Form, starts: set[int]) -> bool:
    """Whether a form at this place is a word of its own."""
    # The stem of a verb must begin a word, or follow a particle in a text without spaces.
    if form.stem and start not in starts and text[start - 1] not in _PARTICLES:
        return False
    # A form must not begin with the last syllable of a word: "망하면 제 돈" does not name 면제.
    if start not in starts and start + 1 < end and start + 1 in starts:
        return False
    # Nor with a word of time: "1년 거치 후 원금" does not name 후원금.
    if text[start] in _TIMES and start + 1 < end and start + 1 in starts:
        return False
    # Nor may a thing's name end with the first syllable of one: "청구 서류" does not name 청구서. A form may end within a verb.
    is_cut = not form.stem and start < end - 1 and end - 1 in starts and end < len(text) and end not in starts
    if is_cut and form.kind in _THINGS and not _PARTICLES & set(text[end - 2 : end - 1] + text[end : end + 1]):
        return False
    # A form in Latin letters must not have other Latin letters beside it.
    before, after = text[start - 1 : start], text[end : end + 1]
    if form.text[0].isascii() and before.isascii() and before.isalpha() and start not in starts:
        return False
    return not (form.text[-1].isascii() and after.isascii() and after.isalpha() and end not in starts)


def _is_denied(form: _Form, text: str, start: int, end: int) -> bool:
    if _DENIED.match(text, end) or (form.kind == "action" and _UNABLE.search(text[max(0, start - 3) : start])):
        return True
    outside = {"action": _STORY, "channel": _SUBJECT}.get(form.kind)
    return outside is not None and outside.match(text, end) is not None


def stands_in(word: str, text: str) -> bool:
    """Whether a text contains a word without denying it."""
    places = (match.end() for match in re.finditer(re.escape(word), text, re.IGNORECASE))
    return any(not _DENIED.match(text, place) for place in places)


def asks_whether(question: str) -> bool:
    """Whether a question is answered by yes or no: "되나요", but not "어떻게 되나요"."""
    return OPEN.search(question) is None and _ASKS.search(question) is not None


def is_excepted(question: str, thing: str, answer: str) -> bool:
    """Whether a question asks for yes or no and a sentence of the answer says no for `thing`, a word of the question."""
    word = compact(thing)
    return asks_whether(question) and any(
        word in compact(sentence) and refuses(sentence) for sentence in sentence_texts(answer)
    )


def refuses(sentence: str) -> bool:
    """Whether a sentence of an answer says no for the things that it names."""
    return _REFUSED.search(sentence) is not None and not _NOT_EXCEPTED.search(sentence)


def _without_replaced(text: str, mentions: list[ContrastMention]) -> list[ContrastMention]:
    """The mentions without those that the text replaces by another member: "공동인증서 대신 금융인증서"."""
    if not (instead := [match.start() for match in _INSTEAD.finditer(text)]):
        return mentions
    return [
        mention
        for mention in mentions
        if not any(
            mention.end <= place <= mention.end + _INSTEAD_SPAN
            and any(m.set_name == mention.set_name and m.member != mention.member and m.start > place for m in mentions)
            for place in instead
        )
    ]


@cache
def default_contrasts() -> Contrasts:
    """The bundled sets alone."""
    return Contrasts(bundled_sets())


@lru_cache(maxsize=8192)
def _all_mentions(text: str) -> tuple[ContrastMention, ...]:
    return tuple(default_contrasts().mentions(text))


@lru_cache(maxsize=8192)
def mentions_of(text: str) -> tuple[ContrastMention, ...]:
    """The members of the bundled sets that a text names, cached because many checks read the same texts."""
    return tuple(mention for mention in _all_mentions(text) if mention.member != ANSWERING)


@lru_cache(maxsize=8192)
def answered_by(text: str) -> frozenset[str]:
    """The names of the bundled sets of which a text answers questions without naming a member: "무료" answers those on fees."""
    return frozenset(mention.set_name for mention in _all_mentions(text) if mention.member == ANSWERING)


@lru_cache(maxsize=8192)
def members_of(text: str) -> frozenset[tuple[str, str]]:
    """The (set, member) pairs of `mentions_of`."""
    return frozenset((mention.set_name, mention.member) for mention in mentions_of(text))


def is_of_other_product(earlier: str, row: str) -> bool:
    """Whether a question names a product ("햇살론") and a row neither it nor what all of its kind are ("대출")."""
    held, sets = members_of(row), default_contrasts().sets
    return any(
        sets[name].kind == "product"
        and (name, member) not in held
        and not (sets[name].general and sets[name].general in row)
        for name, member in members_of(earlier)
    )


@lru_cache(maxsize=8192)
def implied_by(text: str) -> frozenset[tuple[str, str]]:
    """The (set, member) pairs that a row is on without naming them: 주식 for one on 신용융자."""
    row = compact(text)
    return frozenset((name, member) for name, member, words in _implied() if any(word in row for word in words))


@cache
def _implied() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    sets = default_contrasts().sets.values()
    return tuple((about.name, member, words) for about in sets for member, words in about.implied.items())
