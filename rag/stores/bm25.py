"""In-process BM25 over token lists: one `LexicalIndex` per field, and the tokens of each field.

The scoring is Lucene's (k1 1.2, b 0.75, its idf, its one-byte field lengths), so that results equal those of an OpenSearch
server. Scores are returned as coverage in [0, 1], BM25 divided by the sum of the query terms' idf, never as absolute BM25.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rag.korean import jamo_ngrams, query_terms, tokens
from rag.stores.base import JAMO, PHRASING, QUESTION, TOKENS

K1: Final = 1.2
B: Final = 0.75
_EXACT: Final = 24
"""Field lengths below this are stored exactly: SmallFloat's 255 - longToInt4(2**31 - 1)."""

_FEW_POSTINGS: Final = 1 << 15
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def field_tokens(field: str, metadata: Mapping[str, Any], text: str) -> list[str]:
    """Return the tokens of a node in `field`: of question and text in TOKENS, of the question only in JAMO.

    A node with a PHRASING is indexed under that phrasing only; the text is indexed with the row's own node.
    """
    if phrasing := metadata.get(PHRASING):
        return jamo_ngrams(phrasing) if field == JAMO else tokens(phrasing)
    question = metadata.get(QUESTION)
    question = question if isinstance(question, str) else ""
    return jamo_ngrams(question) if field == JAMO else tokens(f"{question}\n{text}")


def query_tokens(query: str) -> dict[str, list[str]]:
    """Return the distinct query terms for each of LEXICAL_FIELDS."""
    return {TOKENS: query_terms(tokens(query)), JAMO: query_terms(jamo_ngrams(query))}


def stored_length(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return field lengths as Lucene stores them: `SmallFloat.byte4ToInt(intToByte4(length))`.

    Lengths up to 40 are exact. Above that, the excess over 24 is rounded down to four significant bits.
    """
    excess = np.maximum(lengths - _EXACT, 0)
    bits = np.frexp(excess.astype(np.float64))[1]
    shift = np.maximum(bits - 4, 0)
    return np.where(lengths < _EXACT, lengths, _EXACT + (excess >> shift << shift))


class LexicalIndex:
    """The postings of one field over rows 0..n-1. Immutable; `updated` returns a new index.

    `vocabulary` maps a term to its number. Postings are sorted by (term, row): those of term t are
    `rows[offsets[t]:offsets[t + 1]]` (int32), their frequencies the same slice of `counts` (int32).
    `lengths` (n,) is the number of tokens of each row.
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        offsets: NDArray[np.int64],
        rows: NDArray[np.int32],
        counts: NDArray[np.int32],
        lengths: NDArray[np.int64],
    ) -> None:
        self.vocabulary = vocabulary
        self.offsets = offsets
        self.rows = rows
        self.counts = counts
        self.lengths = lengths
        self._documents = int(np.count_nonzero(lengths))  # as in Lucene, a row without tokens is not counted
        average = lengths.sum() / self._documents if self._documents else 1.0
        saturation = K1 * (1 - B + B * stored_length(lengths) / average)
        self._gains = (counts / (counts + saturation[rows])).astype(np.float32)  # each posting's score without the idf

    @classmethod
    def build(cls, documents: Iterable[Sequence[str]]) -> LexicalIndex:
        """Build an index of these token lists; row i is the i-th list."""
        none = np.zeros(0, np.int32)
        empty = cls({}, np.zeros(1, np.int64), none, none, np.zeros(0, np.int64))
        return empty.updated(np.zeros(0, np.bool_), documents)

    def updated(self, keep: Mask, documents: Iterable[Sequence[str]]) -> LexicalIndex:
        """Return the index of the rows where `keep` (n,) is true, renumbered in order, followed by `documents`."""
        vocabulary, lengths, terms = self._read(documents)
        remaining = int(np.count_nonzero(keep))
        lengths = np.concatenate([self.lengths[keep], lengths])
        total = max(len(lengths), 1)  # a posting's key is term * total + row: sorted by term, then row
        fresh = np.repeat(np.arange(remaining, len(lengths), dtype=np.int64), lengths[remaining:])
        keys, counts = np.unique(terms.astype(np.int64) * total + fresh, return_counts=True)
        old_keys, old_counts = self._remaining(keep, total)
        # Both are sorted, so new postings are inserted between the old ones and no row is tokenised again.
        positions = np.searchsorted(old_keys, keys)
        keys = np.insert(old_keys, positions, keys)
        counts = np.insert(old_counts, positions, counts.astype(np.int32))
        offsets = np.searchsorted(keys, np.arange(len(vocabulary) + 1, dtype=np.int64) * total)
        return LexicalIndex(vocabulary, offsets, (keys % total).astype(np.int32), counts, lengths)

    def coverage(self, terms: Sequence[str]) -> Floats:
        """Return (n,) the coverage in [0, 1] of the distinct query `terms` in each row; 0 where no term occurs."""
        n = len(self.lengths)
        known = np.array([self.vocabulary.get(term, -1) for term in terms], np.int64)
        starts, ends = self.offsets[known], self.offsets[np.minimum(known, len(self.offsets) - 2) + 1]
        sizes = np.where(known < 0, 0, ends - starts)  # the number of rows with each term
        # Unknown terms count too: if no row has half of the query's terms, coverage is at most about a half.
        idf = np.log1p((self._documents - sizes + 0.5) / (sizes + 0.5))
        if not sizes.any():
            return np.zeros(n)
        rows, gains = self._postings(starts, sizes)
        # bincount adds the terms of a row in query order: equal rows get exactly equal scores.
        coverage: Floats = np.bincount(rows, np.repeat(idf, sizes) * gains, minlength=n) / idf.sum()
        # Rounding errors may make the sum slightly larger than 1.
        return np.minimum(coverage, 1.0)

    def _postings(
        self, starts: NDArray[np.int64], sizes: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the rows and gains of the postings of several terms, one term after another."""
        total = int(sizes.sum())
        if total <= _FEW_POSTINGS:  # fewer calls: a question has two hundred terms
            picked = np.repeat(starts + sizes - np.cumsum(sizes), sizes) + np.arange(total)
            return self.rows[picked], self._gains[picked]
        spans = [
            slice(start, start + size) for start, size in zip(starts.tolist(), sizes.tolist(), strict=True) if size
        ]
        return np.concatenate([self.rows[span] for span in spans]), np.concatenate(
            [self._gains[span] for span in spans]
        )

    def _read(
        self, documents: Iterable[Sequence[str]]
    ) -> tuple[Mapping[str, int], NDArray[np.int64], NDArray[np.int32]]:
        """Number the terms of new rows. Returns the extended vocabulary, the rows' lengths and all their term numbers."""
        numbers: defaultdict[str, int] = defaultdict(None, self.vocabulary)
        numbers.default_factory = numbers.__len__
        # Arrays, not lists of objects: a large index has millions of terms.
        lengths, terms = array("q"), array("i")
        for document in documents:
            lengths.append(len(document))
            terms.extend(map(numbers.__getitem__, document))
        return dict(numbers), np.array(lengths, np.int64), np.array(terms, np.int32)

    def _remaining(self, keep: Mask, total: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return keys and counts of the postings whose row is kept, with the new row numbers."""
        terms = np.repeat(np.arange(len(self.offsets) - 1, dtype=np.int64), np.diff(self.offsets))
        stays = keep[self.rows]
        renumbered = np.cumsum(keep) - 1
        return terms[stays] * total + renumbered[self.rows[stays]], self.counts[stays]
