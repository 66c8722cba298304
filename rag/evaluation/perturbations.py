"""Perturbs questions by rules: without spaces, with a typing error, in another tone, with English words.

The rules keep the meaning, so the relevant rows stay the same. A rule that does not change a question makes no variant.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence

from rag.evaluation.datasets import Case

SEED = 20261128
_LATIN = (
    ("비밀번호", "password"), ("비번", "password"), ("인증서", "cert"), ("카드", "card"), ("계좌", "account"),
    ("통장", "account"), ("대출", "loan"), ("이체", "transfer"), ("송금", "transfer"), ("환전", "exchange"),
    ("수수료", "fee"), ("한도", "limit"), ("앱", "app"), ("보험", "insurance"), ("포인트", "point"), ("주식", "stock"),
)  # fmt: skip
_POLITE = (
    ("하고 싶어요", "하고 싶습니다"), ("알려줘요", "알려 주십시오"), ("알려줘", "알려 주십시오"), ("해주세요", "해 주십시오"),
    ("되나요", "되는지요"), ("돼요", "됩니까"), ("해요", "합니까"), ("예요", "입니까"), ("있어요", "있습니까"),
    ("없어요", "없습니까"), ("나요", "는지요"), ("가요", "가는지요"), ("어요", "습니다"),
)  # fmt: skip
_PLAIN = (
    ("하고 싶습니다", "하고 싶어"), ("하고 싶어요", "하고 싶어"), ("알려 주세요", "알려줘"), ("알려주세요", "알려줘"),
    ("해주세요", "해줘"), ("되나요", "돼"), ("인가요", "임"), ("합니까", "함"), ("하나요", "함"), ("돼요", "됨"), ("해요", "함"),
    ("예요", "임"), ("있나요", "있음"), ("있어요", "있음"), ("없어요", "없음"), ("나요", "나"), ("어요", "어"), ("습니다", "음"),
)  # fmt: skip
_NEAR = {
    "ᅢ": "ᅦ", "ᅦ": "ᅢ", "ᅬ": "ᅫ", "ᅫ": "ᅬ", "ᅥ": "ᅡ", "ᅩ": "ᅥ", "ᅳ": "ᅮ", "ᄀ": "ᄏ", "ᄃ": "ᄐ", "ᄇ": "ᄑ",
    "ᄌ": "ᄎ", "ᄉ": "ᄊ", "ᅵ": "ᅡ", "ᅡ": "ᅥ",
}  # fmt: skip
"""For each jamo, one that is often typed in its place because it sounds or looks similar."""


def without_spaces(text: str, _seed: str) -> str:
    """운전면허증도 되나요 → 운전면허증도되나요."""
    return re.sub(r"\s+", "", text)


def mistyped(text: str, seed: str) -> str:
    """Replace one jamo by a similar one. `seed`: the question's id, so that runs agree whatever the order."""
    # A typing error changes one jamo, not a whole syllable.
    decomposed = unicodedata.normalize("NFD", text)
    places = [index for index, jamo in enumerate(decomposed) if jamo in _NEAR]
    if not places:
        return text
    place = random.Random(f"{SEED} {seed}").choice(places)  # noqa: S311 -- not for cryptography
    return unicodedata.normalize("NFC", decomposed[:place] + _NEAR[decomposed[place]] + decomposed[place + 1 :])


def honorific(text: str, _seed: str) -> str:
    """Put the last sentence ending into the formal tone."""
    return _last_replaced(text, _POLITE)


def informal(text: str, _seed: str) -> str:
    """Put the last sentence ending into the informal tone."""
    return _last_replaced(text, _PLAIN)


def latin(text: str, _seed: str) -> str:
    """Replace the first of the listed banking words by its English word."""
    places = [(text.find(word), -len(word), word, english) for word, english in _LATIN if word in text]
    if not places:
        return text
    # The first word of the text; of two that start at the same place the longer one.
    _, _, word, english = min(places)
    return text.replace(word, f"{english} ", 1).replace("  ", " ").strip()


PERTURBATIONS: Mapping[str, Callable[[str, str], str]] = {
    "no_spaces": without_spaces,
    "jamo_typo": mistyped,
    "honorific": honorific,
    "informal": informal,
    "latin": latin,
}


def perturbed(cases: Sequence[Case]) -> Iterator[Case]:
    """All variants of the cases in the set `queries`: set "perturbed", label is the rule, id is "<question id>:<rule>"."""
    for name, change in PERTURBATIONS.items():
        for case in cases:
            if case.set == "queries" and (text := change(case.turns[0], case.id)) != case.turns[0]:
                yield Case("perturbed", f"{case.id}:{name}", name, (text,), case.relevant)


def _last_replaced(text: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Replace the word that ends last in the text by its pair's second word; of several that end there, the longest."""
    _, _, word, other = max(
        ((text.rfind(word) + len(word), len(word), word, other) for word, other in pairs if word in text),
        default=(0, 0, "", ""),
    )
    head, _, tail = text.rpartition(word) if word else (text, "", "")
    return f"{head}{other}{tail}"
