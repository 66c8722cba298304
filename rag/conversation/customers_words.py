"""Limits the words that a note quotes to whole words as the customer typed them."""

from __future__ import annotations

import re
from dataclasses import replace

from rag.korean import compact
from rag.types import Note

LONG_QUOTE = 14
"""Characters without spaces that a note quotes, at most: a longer quotation is not the name of a thing."""
_WITH = re.compile(r"(?<=[가-힣]{2})(?<!키)(?<!킬)(?:으로|로|에서)$")
_VALUE = re.compile(r"\d|^(?:한|두|세|네|다섯|여섯|일곱|여덟|아홉|열\S?)\s\S{1,2}$")
_NO_VERB_ENDING = r"(?!려|고(?!객)|면|니|기(?!\s?간)|어|아|지|자|두|둬|게|싶|가\s?두|수있)"
_END_OF_NOUN = (
    r"(?=(?:이|가|은|는|을|를|도|만|의|에|에[서게는도]|으로|로|와|과|이?랑|하고|까지|부터|마다|처럼|보다|이?나|인데|이?에요|예요|이?요"
    r"|이?면|이?라도|쯤|정도|짜리|용|말고|[하해했할한합되돼됐된될받넣걸내]\S*|시[키켜]\S*)?(?:[^가-힣]|$))"
)
"""What may follow a noun up to the next space. The "잃어" of "카드 잃어버렸어요" is the beginning of a verb."""


def in_the_customers_words(note: Note, text: str) -> Note | None:
    """The note with only those of its words that occur in the text as whole words; None if there are none.

    Left out are parts of words ("청구 서" in "청구 서류") and words that the customer did not use (종료 for "끄는 법").
    """
    words = [_WITH.sub("", word) for word in str(note.values.get("word", "")).split(", ")]
    whole = [word for word in words if len(compact(word)) <= LONG_QUOTE and _is_typed_whole(word, text)]
    return replace(note, values={**note.values, "word": ", ".join(whole)}) if whole else None


def _is_typed_whole(word: str, text: str) -> bool:
    if _VALUE.search(word):
        return True
    parts = word.split()
    if not all(len(part) > 1 for part in parts) or word.endswith("하"):
        return False
    pattern = r"\s*".join(map(re.escape, parts))
    return bool(re.search(rf"(?<![가-힣a-zA-Z]){pattern}{_NO_VERB_ENDING}{_END_OF_NOUN}", text, re.IGNORECASE))
