"""Both languages have all texts, with the same placeholders."""

from __future__ import annotations

import string
from dataclasses import fields
from typing import get_args

import pytest

from rag.errors import InputError, ModelUnavailable, PackageMissing, RagError
from rag.types import Notice
from rag.ui.texts import ENGLISH, KOREAN, TEXTS, Texts


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(
    "name", [field.name for field in fields(Texts) if field.name not in ("language", "notices", "errors")]
)
def test_every_text_is_there_in_both_languages(name: str) -> None:
    korean, english = getattr(KOREAN, name), getattr(ENGLISH, name)
    assert korean and english and korean != english
    assert places(korean) == places(english)
    assert any("가" <= character <= "힣" for character in korean)
    assert not any("가" <= character <= "힣" for character in english)


def test_every_notice_has_a_line() -> None:
    for texts in TEXTS.values():
        assert set(texts.notices) == set(get_args(Notice))
        assert all(texts.notices.values())


def test_progress() -> None:
    assert KOREAN.step("질문을 준비하는 중", 120, 300) == "질문을 준비하는 중 … 120/300"
    assert KOREAN.step("", 0, 0) == "자료를 준비하는 중 …"
    assert ENGLISH.step("질문을 준비하는 중", 120, 300) == "Preparing the FAQ … 120/300"


def test_errors() -> None:
    error = ModelUnavailable("no endpoint", korean="모델이 없습니다.")
    assert (KOREAN.error(error), ENGLISH.error(error)) == ("모델이 없습니다.", ENGLISH.errors["ModelUnavailable"])
    assert ENGLISH.error(InputError("There is no 'x'.")) == "There is no 'x'."


def test_no_errors_message_for_the_operator_reaches_an_english_page() -> None:
    secret = "endpoint faq-llm at http://10.0.0.7 in /srv/faq"
    for kind in kinds(RagError):
        if kind.__module__ == RagError.__module__ and not issubclass(kind, (InputError, PackageMissing)):
            assert secret not in ENGLISH.error(kind(secret)), kind


def kinds(kind: type[RagError]) -> list[type[RagError]]:
    return [kind, *(each for below in kind.__subclasses__() for each in kinds(below))]
