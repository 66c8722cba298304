"""The subjects of an index, read off its own rows: the words that several rows' questions begin with, such as its products.

"신차 리스 중도상환" names two of them, 신차 and 리스. A row that begins with one and does not hold the other is about another
product, however alike the rest is, where the index has rows on that one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from rag.constraints import Conflict
from rag.constraints.background import asked_part
from rag.constraints.compounds import is_no_kind
from rag.constraints.institution_list import KINDS
from rag.constraints.synonyms import holds_name
from rag.korean import compact
from rag.retrieval.hybrid import FusedNode
from rag.retrieval.query_analysis import expand
from rag.retrieval.rows import is_passage, phrasings_of, question_of, row_text

LEAST_ROWS = 2
"""Rows whose questions begin with a subject that a category names; LEAST_WITHOUT_CATEGORY where none does."""
LEAST_WITHOUT_CATEGORY = 3
_FIRST = re.compile(r"[0-9A-Za-z가-힣]+")
_PARTICLE = re.compile(r"(?:에서는|에서도|에서|으로|이랑|하고|까지|부터|은|는|이|가|을|를|에|의|로|도|만|과|와)$")


def subjects_of(rows: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The subjects of rows, each a question and its category (or "")."""
    first = Counter[str]()
    categories = set[str]()
    for question, category in set(rows):
        first[first_word(question)] += 1
        categories.add(compact(category))
    del first[""]
    # A row on 장기렌트 is one on 렌트, too.
    counts = {word: sum(n for other, n in first.items() if other.endswith(word)) for word in first}
    return frozenset(
        word
        for word, count in counts.items()
        if count >= LEAST_WITHOUT_CATEGORY or (count >= LEAST_ROWS and any(word in name for name in categories))
    )


def first_word(question: str) -> str:
    """The first word of a question without its particle, folded as by `compact`; empty where there is none."""
    match = _FIRST.search(question)
    word = _PARTICLE.sub("", match[0]) if match else ""
    return compact(word if len(word) >= 2 or not match else match[0])


def other_subject(
    question: str, words: Collection[str], hits: Sequence[FusedNode], subjects: Collection[str]
) -> tuple[Conflict | None, tuple[FusedNode, ...]]:
    """The subject that a question names and the first row, which is on another one, does not hold; and the hits in order.

    `words`: those of the question that name a subject (`subjects_not_in`). Rows that begin with that subject follow the first at
    once, so that they are offered. (None, the hits as they are) where there is none.
    """
    first, unchanged = hits[0], (None, tuple(hits))
    own = first_word(question_of(first))
    if is_passage(first) or not any(own.endswith(subject) for subject in subjects):
        return unchanged
    asked = asked_part(question, phrasings_of(first))
    held = compact(f"{row_text(first)} {first.node.metadata.get('category') or ''}")
    for word in words:
        if is_no_kind(word) or word in KINDS or not _stands_as_noun(word, asked):
            continue
        if not holds_name(held, word, expand):
            rows = sorted(hits[1:], key=lambda hit: not first_word(question_of(hit)).endswith(compact(word)))
            return Conflict("product", word, own), (first, *rows)
    return unchanged


def _stands_as_noun(word: str, text: str) -> bool:
    return re.search(rf"(?<![가-힣]){re.escape(word)}(?:$|[\s?!.,]|[은는의도요])", text.lower()) is not None
