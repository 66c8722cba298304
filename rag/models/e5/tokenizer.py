"""Text to token ids as XLM-RoBERTa's Unigram tokenizer gives them, in plain Python.

Three steps: the file's normalisation map (close to NFKC, control characters out, spaces unified), spaces to the marker
`▁`, and Viterbi over the pieces' scores. Cost grows with the text's length alone: each character opens at most 16
pieces. What is written in a text is text: `<mask>` or `</s>` never become the special tokens of that name, and unknown
characters give one unknown token each, as in the engine whose weights these are (Hugging Face's tokenizers join them).
"""

from __future__ import annotations

import re
import unicodedata
from array import array

from rag.models.e5.weights import Weights

SPACE = "▁"
_UNKNOWN_PENALTY = 10.0
"""An unknown character costs this much more than the dearest piece (sentencepiece's constant)."""
_SPACES = re.compile(" {2,}")
LONGEST_PIECE = 16
"""Characters of the vocabulary's longest piece: of `n` times as many characters come `n` tokens at least."""
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


class Tokenizer:
    """The pieces of one vocabulary. Holds about 40 MB; safe to share between threads."""

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
        """What is tokenised: NFC, mapped, single spaces as `▁`, one of them in front."""
        text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8").replace("\0", " "))
        text = _SPACES.sub(" ", text.translate(self._map))
        return (text if text.startswith(" ") else f" {text}").replace(" ", SPACE)

    def encode(self, text: str, *, characters: int | None = None) -> list[int]:
        """Ids without the special tokens around them. Of more `characters`, before or after normalising, the first."""
        text = self.normalise(text[:characters])[:characters]
        size, ids, scores, longest = len(text), self._ids, self._scores, self._longest
        best = [-1e30] * (size + 1)
        best[0] = 0.0
        origin = [0] * (size + 1)
        chosen = [self._unknown] * (size + 1)
        for start in range(size):
            base = best[start]
            # No piece reaches past the text; a piece of one character may be missing, then it is unknown.
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
