"""What a question's words say before it is searched: the institutions it names, and the words that banks would use.

`named_banks` reads the institutions (`rag.constraints.institutions`), `limit_to_bank` narrows the filters to the one that the
customer means. `expand` appends the banks' words for the customer's, `in_korean` puts Korean in the place of English: both
lists (`lexicon.tsv`, `glossary.tsv`) are plain data that a bank can read and extend. Stems of the lexicon are matched as
substrings of the question without its spaces, so endings, particles and missing spaces do not matter.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise

from rag.constraints.directions import USED_AT
from rag.constraints.institution_list import MACHINE
from rag.constraints.institutions import InstitutionMention, InstitutionNames
from rag.data_files import entry_lines, read_table, read_text
from rag.errors import InputError
from rag.korean import compact, fold
from rag.stores.filters import BANK as BANK
from rag.types import Filters

_HANGUL = re.compile(r"[가-힣]")
_DISTINCTIVE_KIND = re.compile(r"(?<![가-힣a-zA-Z])(저축은행|증권)(?!사?기)")
_INSTITUTION_KINDS = frozenset({
    "bank", "unlisted", "savings_bank", "card", "securities", "life_insurer", "nonlife_insurer", "capital", "rental",
    "dealer", "lender", "cooperative", "post", "index",
})  # fmt: skip
"""Kinds of institutions.tsv whose customers have a desk of their own; a means of payment ("삼성페이") is no institution,
unless the index holds one."""
_PAY = ("페이", "pay", "머니")
_NEGATION_AFTER = re.compile(r"\s?[은는이가을를]?\s?(말고는?|아니[고라]|아닌|빼고|제외하고|외에)(?=\s|[요?!.]|$)")
_PARTICLE_AFTER = re.compile(r"(이랑|랑|하고|에서는|에서도|에서|에선|은요|는요|은|는|의|꺼|거|과|와|도)?(?=\s|$)")
_FROM = re.compile(r"\s?(?:계좌|통장)?에서\s?")
_TO = re.compile(r"\s?(?:계좌|통장)?으?로")
_MACHINE = re.compile(rf"\s?(?:의\s)?(?={MACHINE})", re.IGNORECASE)
"""Follows the owner of a machine."""


@dataclass(frozen=True, slots=True)
class NamedBanks:
    """What a text says of institutions.

    `chosen`: those of the index that it is about, in text order; `excluded`: those it turns away from ("A 말고"); `others`:
    institutions that the index does not hold. One to which only money goes ("B로 이체") is none of them. `rest`: the text
    without all these names.
    """

    chosen: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    rest: str = ""


def named_banks(text: str, banks: Iterable[str], aliases: Mapping[str, Sequence[str]] | None = None) -> NamedBanks:
    """Read the institutions of a text, for an index of `banks`.

    `aliases`: further names of the index's institutions; one that is no value of the rows counts as held too.
    Where no name occurs, a kind does that only one of several institutions is of ("증권 계좌"); a plain "은행" says nothing.
    """
    own_names = tuple((name, tuple(own)) for name, own in sorted((aliases or {}).items()))
    return _named_banks(text, tuple(sorted({*banks, *(aliases or {})})), own_names)


# The steps of a search ask it of the same text several times.
@lru_cache(maxsize=1024)
def _named_banks(
    text: str, institutions: tuple[str, ...], aliases: tuple[tuple[str, tuple[str, ...]], ...]
) -> NamedBanks:
    held = tuple(name for name in institutions if fold(name)[0].strip())
    names = _names(held, aliases)
    kinds = _INSTITUTION_KINDS | {"pay"} if any(name.lower().endswith(_PAY) for name in held) else _INSTITUTION_KINDS
    mentions = [mention for mention in names.find(text) if mention.held or mention.kind in kinds]
    about = [mention for mention in mentions if not mention.counterpart]
    chosen = _distinct(mention.name for mention in about if mention.held and not mention.negated)
    excluded = tuple(
        name
        for name in _distinct(mention.name for mention in about if mention.held and mention.negated)
        if name not in chosen
    )
    if not mentions and len(held) > 1 and (kind := _DISTINCTIVE_KIND.search(text)):
        of_kind = [name for name in held if name.replace(" ", "").endswith(kind[1])]
        chosen = tuple(of_kind) if len(of_kind) == 1 else ()
    others = _distinct(mention.name for mention in about if not mention.held and not mention.negated)
    places = [mention for mention in mentions if mention.counterpart]
    # "토스에서 새나래 계좌로 돈이 안 들어와요": of two places the one that is known here is asked.
    if not (chosen or excluded or others) and not all(mention.held for mention in places):
        chosen = _distinct(mention.name for mention in places if mention.held)
    within = _within_one(text, mentions)
    # Where a thing is used says which end is asked about: "새나래 OTP 카카오뱅크에 등록".
    about = [mention for mention in about if mention.held or not USED_AT.match(text, mention.end)]
    left_out = [mention for mention in mentions if mention in about or mention == within]
    return NamedBanks(chosen, excluded, others, _without(text, left_out, within=within))


def limit_to_bank(
    filters: Filters, text: str, banks: Iterable[str], aliases: Mapping[str, Sequence[str]] | None = None
) -> Filters:
    """The filters, limited to the one of `banks` that the text names; one that was chosen already stays."""
    if BANK in filters.equals or not (bank := detect_bank(text, banks, aliases)):
        return filters
    return replace(filters, equals={**filters.equals, BANK: bank})


def detect_bank(question: str, banks: Iterable[str], aliases: Mapping[str, Sequence[str]] | None = None) -> str | None:
    """The one institution of the index that a question is about; None for none or several.

    Of two institutions, turning away from one names the other.
    """
    known = sorted(filter(None, banks))
    named = named_banks(question, known, aliases)
    chosen = [bank for bank in named.chosen if bank in known]
    if not chosen and named.excluded:
        chosen = [bank for bank in known if bank not in named.excluded]
    return chosen[0] if len(chosen) == 1 else None


@lru_cache(maxsize=16)
def _names(held: tuple[str, ...], aliases: tuple[tuple[str, tuple[str, ...]], ...]) -> InstitutionNames:
    own = dict(aliases)
    return InstitutionNames({name: own.get(name, ()) for name in held})


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _within_one(text: str, mentions: Sequence[InstitutionMention]) -> InstitutionMention | None:
    """The mention of an institution to which something goes from the same one: "도담에서 도담으로"."""
    for first, second in pairwise(mentions):
        goes = _FROM.fullmatch(text, first.end, second.start) and _TO.match(text, second.end)
        if goes and second.held and first.name == second.name:
            return second
    return None


def _without(text: str, mentions: Sequence[InstitutionMention], *, within: InstitutionMention | None = None) -> str:
    """The text without the mentions; that of `within` becomes "같은 은행 계좌로": without both names that would be lost.

    The owner of a machine becomes "여기", because a row on the machines of other banks does not answer.
    """
    # From the end, so that the offsets of those before stay true.
    for mention in reversed(mentions):
        if mention == within and (to := _TO.match(text, mention.end)):
            text = f"{text[: mention.start]}같은 은행 계좌로{text[to.end() :]}"
            continue
        if mention.held and not mention.negated and (owned := _MACHINE.match(text, mention.end)):
            text = f"{text[: mention.start]}여기 {text[owned.end() :]}"
            continue
        after = (mention.negated and _NEGATION_AFTER.match(text, mention.end)) or _PARTICLE_AFTER.match(
            text, mention.end
        )
        text = text[: mention.start] + text[after.end() if after else mention.end :]
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class LexiconEntry:
    """Any of `stems` in a question calls for `terms`."""

    stems: tuple[str, ...]
    terms: tuple[str, ...]


class Lexicon:
    """Customers' words, and the words that banks would use for them. Iterates over its entries."""

    def __init__(self, entries: Iterable[LexiconEntry]) -> None:
        self._entries = tuple(entries)
        # By their first two characters: thousands of stems cost a question .1 ms.
        self._stems: dict[str, list[tuple[str, int]]] = {}
        for number, entry in enumerate(self._entries):
            for stem in map(_without_also, entry.stems):
                self._stems.setdefault(stem[:2], []).append((stem, number))

    def __iter__(self) -> Iterator[LexiconEntry]:
        return iter(self._entries)

    @property
    def terms(self) -> frozenset[str]:
        """The terms of all entries."""
        return frozenset(term for entry in self for term in entry.terms)

    def terms_for(self, question: str) -> tuple[str, ...]:
        """The terms that a question calls for, each once and none that it already holds."""
        held = compact(question)
        text = _without_also(held)
        matches = {
            number
            for at in range(len(text))
            for head in (text[at], text[at : at + 2])  # a stem of one character stands under that character alone
            for stem, number in self._stems.get(head, ())
            if text.startswith(stem, at)
        }
        # In the lexicon's order, whatever the order in the question: the same words give the same text and vector.
        terms = dict.fromkeys(term for number in sorted(matches) for term in self._entries[number].terms)
        return tuple(term for term in terms if compact(term) not in held)


def _without_also(text: str) -> str:
    """ "휴일에도 이체" as "휴일에 이체": so no stem has to be written twice."""
    return text.replace("에도", "에")


def parse_lexicon(lines: Iterable[str], *, name: str = "lexicon") -> Lexicon:
    """Lines of `stem|stem<TAB>term term`; `#` begins a comment. Raises InputError naming the line."""
    entries = []
    for number, line in entry_lines(lines):
        stems, tab, terms = line.partition("\t")
        if not tab or not terms.strip() or not all(stem.strip() for stem in stems.split("|")):
            raise InputError(f"{name}, line {number}: expected `stem|stem<TAB>term term`")
        entries.append(LexiconEntry(tuple(compact(stem) for stem in stems.split("|")), tuple(terms.split())))
    return Lexicon(entries)


@cache
def bundled_lexicon() -> Lexicon:
    """The lexicon that comes with the package."""
    return parse_lexicon(read_text(__package__, "lexicon.tsv").splitlines(), name="lexicon.tsv")


def expand(question: str, *, without: Collection[str] = frozenset()) -> str:
    """The question followed by the bundled lexicon's terms for it.

    `without`: terms that are not added, such as those that no row of an index holds (`unheld_terms`).
    """
    added = [term for term in _bundled_terms(question) if term not in without]
    return " ".join([question, *added]) if added else question


@lru_cache(maxsize=4096)
def _bundled_terms(question: str) -> tuple[str, ...]:
    return bundled_lexicon().terms_for(question)


def unheld_terms(texts: Iterable[str]) -> frozenset[str]:
    """The bundled lexicon's terms that none of these texts holds.

    The lexicon is of several trades. What an index has no row about would count against all its rows: as a word that they
    lack, and in the vector.
    """
    unheld = {term: compact(term) for term in bundled_lexicon().terms}
    for text in map(compact, texts):
        unheld = {term: form for term, form in unheld.items() if form not in text}
    return frozenset(unheld)


@cache
def lexicon_version() -> str:
    """A digest of the bundled lexicon's terms: by another lexicon other terms are unheld."""
    return hashlib.sha256("\n".join(sorted(bundled_lexicon().terms)).encode()).hexdigest()[:12]


def in_korean(question: str) -> str:
    """The question with its English words of banking in Korean (`glossary.tsv`); as it is where there are none.

    In a question without any Hangul the other words are left out: no row holds them, so they would only count against all.
    """
    text = question.lower()
    translations: list[str] = []

    def translated(match: re.Match[str]) -> str:
        translations.append(GLOSSARY[match["phrase"]])
        return translations[-1]

    korean = _phrases().sub(translated, text)
    if not translations:
        return question
    return korean if _HANGUL.search(question) else " ".join(dict.fromkeys(translations))


GLOSSARY: Mapping[str, str] = dict(read_table(__package__, "glossary.tsv"))
"""English phrases and their Korean translations."""


def in_english(name: str) -> str:
    """The English of a category by the glossary ("대출·할부": loan/installment); empty where a part has none."""
    names = {korean: phrase for phrase, korean in list(GLOSSARY.items())[::-1]}
    parts = [names.get(part.strip(), "") for part in re.split(r"[·/,&]", name)]
    return "/".join(parts) if all(parts) else ""


@cache
def _phrases() -> re.Pattern[str]:
    phrases = "|".join(re.escape(phrase) for phrase in sorted(GLOSSARY, key=len, reverse=True))
    return re.compile(rf"(?<![a-z])(?P<phrase>{phrases})(?:s|es|ed|d|ing)?(?![a-z])")
