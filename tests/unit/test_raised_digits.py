"""A raised digit behind an amount is a mark and not a part of it; a cell spans no rows that the table lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.ingestion.cell_text import clean_cell
from rag.ingestion.documents.quantities import quantities
from tests.document_builders import docx, read, texts, word_run


def test_raised_digits_of_html_and_word_are_no_part_of_the_amount(tmp_path: Path) -> None:
    raised = '<w:vertAlign w:val="superscript"/>'
    row = "".join(
        f"<w:tc><w:p>{cell}</w:p></w:tc>"
        for cell in (word_run("발급"), word_run("9,500") + word_run("3", raised) + word_run("원"))
    )
    word = docx(
        [],
        body=f"<w:tbl><w:tr>{row}</w:tr></w:tbl><w:p>{word_run('면적은 7m')}{word_run('2', raised)}{word_run('이다.')}</w:p>",
    )
    document = read(tmp_path, "a.docx", word)
    assert texts(document) == ["발급 | 9,500³원", "면적은 7m²이다."]
    assert not any(block.uncertain for block in document.blocks)
    page = read(
        tmp_path, "a.html", "<p>발급 9,500<sup>3</sup>원</p><p>1<sup>st</sup></p><p>우대 0.4%p<sup><b>1)</b></sup></p>"
    )
    assert texts(page) == ["발급 9,500³원", "1st", "우대 0.4%p¹⁾"]
    assert quantities("발급 9,500³원") == ["9,500"]


def test_raised_digits_of_an_faqs_cell_are_no_part_of_the_amount() -> None:
    assert clean_cell("수수료는 9,500<sup>3</sup>원입니다.") == ("수수료는 9,500³원입니다.", {"html"})


@pytest.mark.parametrize("tag", ["del", "s", "strike"])
def test_a_struck_value_of_a_cell_and_of_markdown_is_left_out(tmp_path: Path, tag: str) -> None:
    text = f"발급비는 <{tag}>8,800원</{tag}>4,400원입니다. <strong>무료</strong>는 없습니다."
    assert clean_cell(text) == ("발급비는 4,400원입니다. 무료는 없습니다.", {"html", "hidden_text"})
    document = read(tmp_path, "a.md", text)
    assert texts(document) == ["발급비는 4,400원입니다. 무료는 없습니다."]
    assert [note.kind for note in document.notes] == ["hidden"]


@pytest.mark.parametrize("span", [0, 9])
def test_a_cell_spans_the_rows_that_there_are(tmp_path: Path, span: int) -> None:
    page = f"<table><tr><td rowspan={span}>송금<td>300원<tr><td>700원</table><p>끝</p>"
    assert texts(read(tmp_path, "a.html", page)) == ["송금 | 300원", "송금 | 700원", "끝"]
