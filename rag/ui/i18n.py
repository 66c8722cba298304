"""The page's texts in Korean and English. Data (questions, passages, errors) is not translated."""

from __future__ import annotations

from collections.abc import Mapping

from rag.ui.english_texts import ENGLISH
from rag.ui.korean_texts import KOREAN
from rag.ui.texts import Language, Texts

__all__ = ["ENGLISH", "KOREAN", "TEXTS", "Language", "Texts"]

TEXTS: Mapping[Language, Texts] = {"ko": KOREAN, "en": ENGLISH}
