"""Products, means and actions that exclude each other: which of them does a text name?

The sets are data (contrasts.toml), and an index may add its own. Spaces, case and width do not matter; particles may follow a
form and compounds precede it ("정기적금" names 적금); a denied form ("해지 말고", "OTP 없이") is not named. But where a customer
asks whether something holds for a thing, a sentence that refuses it for that thing is the answer ("체크카드는 제외합니다").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, Literal

from rag.data_files import read_table, read_toml
from rag.korean import compact, fold, sentence_texts

Kind = Literal["product", "means", "scope", "action", "state", "channel", "term"]
_DENIED = re.compile(
    r"\s?(?:방문|이용|소지)?\s?[이가을를은는도만에]?\s?"
    r"(?:안\s?[하가]|못\s?가|가지\s?(?:않|말|못)|가기|갈\s?시간|멀|(?:하지|되지|이지)\s?(?:않|말|못)|말고|없이|없는"
    r"|아니[라고]|아닌|빼고|제외"
    r"|같은\s?[거것게]|(?:취급|판매|제공|지원|운영|발급)하지\s?(?:않|아니))"
    r"|[가-힣]{1,3}\s?(?:말고|빼고)"
)
_UNABLE = re.compile(r"(?:^|\s)[못안]\s?$")
"""Before an action: "못 갚으면" asks what happens without it."""
_STORY = re.compile(
    r"\s?(?:신청|처리)?(?:한(?![다도])|된|됐|되었|되어|했(?!으면)|하였|받은|받았|해\s?(?:놨|놓|둔|뒀|봤)|하고 나서|하다가|하던|었"
    r"|어\s?(?:놓|둔|놨)|하?고\s.{1,15}?로\s?(?:갈아|바꾸|바꿀|변경|전환|옮))"
)
_INSTEAD = re.compile(r"말고|대신|빼고|아니라|아니고")
_INSTEAD_SPAN = 12
"""Characters between a member and the word that replaces it with another."""
_SUBJECT = re.compile(r"(?:이|가|을|를)(?![가-힣])(?!\s?(?:방문|통해|통하|이용))")
"""A channel as subject or object ("앱이 안 켜져요", but not "창구를 방문하여") is not where something is done."""
OPEN = re.compile(
    r"어떻|어케|어떡|어디|무엇|뭐|뭘|무슨|누구|언제|왜|얼마|몇|며칠|방법|절차|서류|알려|궁금|조건|금리|이율|이자율|환율|비교|추천|차이"
)
"""Words that ask for more than yes or no."""
_ASKS = re.compile(
    r"(?:나요?|까요?|가요?|[어아해돼되내려]요|되나|돼|됨|됩니까|가능\S{0,4}|죠|지요|는지|을까|냐|으로|로|수\s?있어?)[\s?？!.~ㅋㅠ]*$"
)
_REFUSED = re.compile(
    r"제외|빼고|불가|(?:안|못)\s?(?:[됩돼되하합받쓰씁]|들어)|(?:지|수|은|는|이|가|에서)\s?(?:않|없|아니|못)|해당하지|받지|어렵"
)
_NOT_EXCEPTED = re.compile(
    r"없이|아니[라어]도|않[아으]?[도면]|없[어으]?[도면]|지\s?않은|없는|상관|관계|외에|제한\s?없|수수료[는가]?\s?없"
)
ANSWERING = "answering"
"""The member of a term that a row may name, but no question asks for: "무료" answers what a fee is."""
_PARTICLES = frozenset("을를은는이가로에도만고서요")


@dataclass(frozen=True)
class ContrastSet:
    """One set: its name, its kind, and each member's forms as written in the data file.

    `required`: members of an action that a row must name somewhere to answer a question on them. `general`: what all members
    are kinds of; a row on that answers questions on each, or on the `plain` members alone where there are any. `regardless`:
    sets of which a row on a member of this set is on all kinds: a lost card, whichever it is.
    """

    name: str
    kind: Kind
    members: Mapping[str, tuple[str, ...]]
    exceptions: tuple[str, ...] = ()
    weak: frozenset[str] = frozenset()
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    general: str = ""
    plain: frozenset[str] = frozenset()
    regardless: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ContrastMention:
    """A member named by a text; `start` and `end` are offsets into that text, `text` is what stands there.

    `label` names it to a customer: the text, "줄이기" for a verb's stem with 기, or the member's name for another
    form of a verb ("끄고").
    """

    set_name: str
    member: str
    text: str
    start: int
    end: int
    label: str


@dataclass(frozen=True)
class _Form:
    set_name: str
    member: str | None
    text: str
    stem: bool
    weak: bool
    unless: tuple[str, ...]
    kind: Kind


@dataclass(eq=False)
class Contrasts:
    """The contrast sets of an index, prepared for search."""

    sets: Mapping[str, ContrastSet]
    _by_beginning: dict[str, list[_Form]] = field(default_factory=dict, init=False, repr=False)
    _of_one: dict[str, list[_Form]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for contrast in self.sets.values():
            forms = [(member, form) for member, written in contrast.members.items() for form in written]
            for member, form in [*forms, *((None, form) for form in contrast.exceptions)]:
                text = _squeeze(form.removeprefix("^"))
                unless = tuple(map(_squeeze, contrast.unless.get(form, ())))
                stem, weak = form.startswith("^"), form in contrast.weak
                entry = _Form(contrast.name, member, text, stem, weak, unless, contrast.kind)
                (self._by_beginning if len(text) > 1 else self._of_one).setdefault(text[:2], []).append(entry)
        for entries in self._by_beginning.values():
            # The longest form first: it hides the shorter ones inside it.
            entries.sort(key=lambda entry: -len(entry.text))

    def mentions(self, text: str) -> list[ContrastMention]:
        """The members a text names, each form once, in text order. A longer form hides shorter ones of its set.

        A weak form ("신청" in "해지 신청") counts only where its set has no other form beside it; a set with a form beside one of
        its `unless` words is not named at all.
        """
        squeezed, offsets, starts = _spread(text)
        covered: dict[str, tuple[int, int]] = {}
        named: list[tuple[ContrastMention, bool]] = []
        void: set[str] = set()
        for position, character in enumerate(squeezed):
            longer = self._by_beginning.get(squeezed[position : position + 2], ())
            for form in (*longer, *self._of_one.get(character, ())):
                end = position + len(form.text)
                if not squeezed.startswith(form.text, position):
                    continue
                # "정기예금" was read there: the "예금" inside it is no second mention, but equal forms of two members are.
                hidden = covered.get(form.set_name, (0, 0))
                if position < hidden[1] and hidden != (position, end):
                    continue
                if not _at_edge(squeezed, position, end, form, starts):
                    continue
                covered[form.set_name] = (position, end)
                start, stop = offsets[position], offsets[end - 1] + 1
                if any(word in squeezed for word in form.unless):
                    void.add(form.set_name)
                elif form.member is not None and not _is_denied(form, text, start, stop):
                    label = text[start:stop]
                    if form.stem and form.kind != "term":  # a verb's, which cannot be quoted alone
                        label = f"{label}기" if text.startswith("기", stop) else form.member
                    mention = ContrastMention(form.set_name, form.member, text[start:stop], start, stop, label)
                    named.append((mention, form.weak))
        # "해지 신청" is about 해지: "신청" is only how it is done.
        strong = {mention.set_name for mention, weak in named if not weak}
        kept = [mention for mention, weak in named if not weak or mention.set_name not in strong]
        return _without_replaced(text, [mention for mention in kept if mention.set_name not in void])


def _squeeze(text: str) -> str:
    return "".join(fold(text)[0].lower().split())


def _spread(text: str) -> tuple[str, list[int], set[int]]:
    """The text folded, lower-cased and without spaces; each character's original offset; where words begin."""
    folded, places = fold(text)
    lowered = folded.lower()
    # A few letters change their length in lower case (İ): then the offsets count for more than the case.
    if len(lowered) != len(folded):
        lowered = folded
    kept = [i for i, character in enumerate(lowered) if not character.isspace()]
    squeezed = "".join(lowered[i] for i in kept)
    starts = {n for n, i in enumerate(kept) if i == 0 or not lowered[i - 1].isalnum()}
    return squeezed, kept if places is None else [places[i] for i in kept], starts


def _at_edge(text: str, start: int, end: int, form: _Form, starts: set[int]) -> bool:
    # A verb's stem begins a word, or follows a particle where the spaces were left out.
    if form.stem and start not in starts and text[start - 1] not in _PARTICLES:
        return False
    # "망하면 제 돈" holds no 면제: a word's last syllable begins no other word.
    if start not in starts and start + 1 < end and start + 1 in starts:
        return False
    if (
        form.text[0].isascii()
        and start
        and text[start - 1].isascii()
        and text[start - 1].isalpha()
        and start not in starts
    ):
        return False
    following = text[end : end + 1]
    return not (form.text[-1].isascii() and following.isascii() and following.isalpha() and end not in starts)


def _is_denied(form: _Form, text: str, start: int, end: int) -> bool:
    if _DENIED.match(text, end) or (form.kind == "action" and _UNABLE.search(text[max(0, start - 3) : start])):
        return True
    outside = {"action": _STORY, "channel": _SUBJECT}.get(form.kind)
    return outside is not None and outside.match(text, end) is not None


def stands_in(word: str, text: str) -> bool:
    """Whether a word stands in a text and is not denied there, whatever else the text holds."""
    places = (match.end() for match in re.finditer(re.escape(word), text, re.IGNORECASE))
    return any(not _DENIED.match(text, place) for place in places)


def asks_whether(question: str) -> bool:
    """Whether a question asks for no more than yes or no: "되나요", not "어떻게 되나요"."""
    return OPEN.search(question) is None and _ASKS.search(question) is not None


def is_excepted(question: str, thing: str, answer: str) -> bool:
    """Whether a sentence of an answer refuses something for a thing, named in the question's words, that is asked about."""
    word = compact(thing)
    return asks_whether(question) and any(
        word in compact(sentence) and _REFUSED.search(sentence) and not _NOT_EXCEPTED.search(sentence)
        for sentence in sentence_texts(answer)
    )


def _without_replaced(text: str, mentions: list[ContrastMention]) -> list[ContrastMention]:
    """Leaves out what another member is named instead of: "국내주식 대체출고 말고 해외주식", "공동인증서 대신 금융인증서"."""
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


def contrast_set(entry: Mapping[str, Any]) -> ContrastSet:
    """One set from its form in the data file: name, kind, members, and optionally the fields of `ContrastSet`."""
    members = {str(name): tuple(forms) for name, forms in entry["members"].items()}
    unless = {str(form): tuple(words) for form, words in entry.get("unless", {}).items()}
    exceptions, weak = tuple(entry.get("except", ())), frozenset(entry.get("weak", ()))
    required = frozenset(entry.get("required", ()))
    general = str(entry.get("general", ""))
    plain, regardless = frozenset(entry.get("plain", ())), frozenset(entry.get("regardless", ()))
    return ContrastSet(
        entry["name"], entry["kind"], members, exceptions, weak, unless, required, general, plain, regardless
    )


@cache
def _bundled() -> dict[str, ContrastSet]:
    sets = [contrast_set(entry) for entry in read_toml(__package__, "contrasts.toml")["set"]]
    terms = [_term(*cells) for cells in read_table(__package__, "terms.tsv")]
    return {each.name: each for each in (*sets, *terms)}


def _term(names: str, answering: str = "") -> ContrastSet:
    """The set of a thing that excludes nothing: one member with all its names, and one for the words that only answer it."""
    forms = tuple(name for name in names.split("|") if not name.startswith("!"))
    exceptions = tuple(name.removeprefix("!") for name in names.split("|") if name.startswith("!"))
    name = forms[0].removeprefix("^")
    members = {name: forms, **({ANSWERING: tuple(answering.split("|"))} if answering else {})}
    return ContrastSet(f"term {name}", "term", members, exceptions)


@cache
def default_contrasts() -> Contrasts:
    """The bundled sets alone."""
    return Contrasts(_bundled())


@lru_cache(maxsize=8192)
def _all_mentions(text: str) -> tuple[ContrastMention, ...]:
    return tuple(default_contrasts().mentions(text))


@lru_cache(maxsize=8192)
def mentions_of(text: str) -> tuple[ContrastMention, ...]:
    """The members of the bundled sets that a text names; kept, as many rules read the same question and the same rows."""
    return tuple(mention for mention in _all_mentions(text) if mention.member != ANSWERING)


@lru_cache(maxsize=8192)
def answered_by(text: str) -> frozenset[str]:
    """The names of the bundled sets on whose members a text answers without naming one: a row with "무료" on fees."""
    return frozenset(mention.set_name for mention in _all_mentions(text) if mention.member == ANSWERING)


@lru_cache(maxsize=8192)
def members_of(text: str) -> frozenset[tuple[str, str]]:
    """The (set, member) pairs of `mentions_of`."""
    return frozenset((mention.set_name, mention.member) for mention in mentions_of(text))
