"""What a message names that is of everyday life or of another trade, and that the row found for it does not name.

"병원 예약도 취소돼요?" after "체크카드 취소했는데 환불 언제" shares an action with what was asked before, so that the joined
reading finds the same row; but no row of a bank is about a hospital's appointment. The things of other trades are data
(`other_trades.tsv`). The noun that a message begins with is another thing, too, where the row does not name it: it is what the
message is about. Where a card was used ("편의점에서도 돼요?") is no thing asked about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from rag.constraints.aspects import ASPECT_OF
from rag.constraints.compounds import compound_words, is_bare_noun, is_no_kind
from rag.constraints.contrasts import members_of, mentions_of
from rag.constraints.everyday_values import values_of
from rag.constraints.synonyms import holds_name
from rag.conversation.asked_of_row import things
from rag.conversation.shown_rows import subject_names
from rag.conversation.word_rules import content_words, plain
from rag.data_files import read_table
from rag.korean import compact
from rag.retrieval.hybrid import FusedNode
from rag.retrieval.query_analysis import expand
from rag.retrieval.rows import row_text

_SUFFIXES = "비|값|표|집|권|료|요금|가게|앱|예약|회원증?|티켓|센터|번호|기사님?"
"""Endings by which a thing of the table is named in another respect: "택배비", "도서관회원증"."""
_PARTICLES = "은|는|이|가|을|를|도|의|만|랑|이랑|하고|나|이나|부터|까지|요|은요|는요|도요|이요"
_PARTICLE = re.compile(r"(?<=[가-힣]{2})(?:은|는|이|가|을|를|도|의)$")
_GENERAL = "general"
"""The line of the table with what is no thing."""
_TOKEN = re.compile(r"[0-9a-z가-힣]+")


@dataclass(frozen=True, slots=True)
class OtherThing:
    """A thing that a message names and a row does not. `is_foreign`: it is one of the table that no row found names either."""

    word: str
    is_foreign: bool


def other_thing(message: str, before: str, row: FusedNode, found: Sequence[FusedNode]) -> OtherThing | None:
    """The first thing of another trade that a message names and neither `row` nor the questions `before` it do; else None.

    `found`: all rows found for the message.
    """
    held = f"{before}\n{row_text(row)}"
    squeezed = compact(held)
    for word in listed_things(message):
        # Not by the lexicon, which has 알림 for 재난문자, too.
        if compact(word) not in squeezed and not _is_member(word, held):
            return OtherThing(word, not any(compact(word) in compact(row_text(hit)) for hit in found))
    subject = _first_subject(message)
    if subject and not (_is_general(subject) or _is_held(subject, held)):
        return OtherThing(subject, False)
    return None


@lru_cache(maxsize=256)
def listed_things(message: str) -> tuple[str, ...]:
    """The things of the table that a message names as such, in text order: not "편의점에서" or "택배로"."""
    return tuple(match["thing"] or match["place"] for match in _listed().finditer(plain(message)))


def _is_general(word: str) -> bool:
    """Whether a word is one of the bank's own or of any message, which a row need not name."""
    words = compound_words()
    is_of_bank = word in words["products"] | words["heads"] | words["verbal_nouns"] | ASPECT_OF.keys()
    return is_of_bank or word in _general_words() or is_no_kind(word) or bool(values_of(word))


def _first_subject(message: str) -> str:
    """The noun that a message of several words begins with, alone or as subject or object: what it is about; or nothing."""
    named = [word for word in _TOKEN.findall(plain(message)) if content_words(word)]
    bare = _PARTICLE.sub("", named[0]) if len(named) > 1 else ""
    return bare if len(bare) > 1 and is_bare_noun(bare) and bare in things(message) else ""


def _is_held(word: str, text: str) -> bool:
    """Whether a text names the thing, by this word, or by another name of it."""
    squeezed = compact(text)
    if any(compact(name) in squeezed for name in subject_names([word])) or holds_name(squeezed, word, expand):
        return True
    return bool(members_of(word) & members_of(text))


def _is_member(word: str, text: str) -> bool:
    """Whether a text names the thing by another name. 문자 is no other name of 재난문자."""
    named = {(each.set_name, each.member) for each in mentions_of(word) if each.text == word}
    return bool(named & members_of(text))


@cache
def _general_words() -> frozenset[str]:
    return frozenset(word for trade, words, *_ in _table() if trade == _GENERAL for word in words.split())


def _table() -> list[list[str]]:
    """The lines of the table: a trade, its things, and a particle with which they are meant, too."""
    return read_table(__package__, "other_trades.tsv")


@cache
def _listed() -> re.Pattern[str]:
    """Matches a thing of the table; one of a line with a particle with that particle, too."""
    names: dict[bool, list[str]] = {False: [], True: []}
    for trade, words, *particle in _table():
        if trade != _GENERAL:
            names[bool(particle)] += [re.escape(word).replace("_", r"\s?") for word in words.split()]
    # Longer names first, for a shorter one may be their beginning.
    marked, others = ("|".join(sorted(names[is_marked], key=len, reverse=True)) for is_marked in (True, False))
    return re.compile(
        rf"(?<![0-9a-z가-힣])(?:(?P<thing>{others}|{marked})(?:{_SUFFIXES})?(?:{_PARTICLES})?"
        rf"|(?P<place>{marked})(?:에서|에)(?:는|도)?)(?![0-9a-z가-힣])"
    )
