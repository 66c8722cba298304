"""A raised digit behind an amount is a mark and not a part of it; a cell spans no rows that the table lacks."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from rag.ingestion.cell_text import clean_cell
from rag.ingestion.documents.pdf_lines import raise_digits
from rag.ingestion.documents.reading import read_document
from rag.ingestion.documents.second_reading import quantities
from tests.document_builders import docx, read, slides, texts, word_run, zipped


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


def test_raised_digits_and_struck_text_of_slides_and_sheets(tmp_path: Path) -> None:
    plain = slides([("h1", "요금"), ("p", "발급 9,500원")])
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        parts: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    name = "ppt/slides/slide1.xml"
    runs = [("발급 9,500", ""), ("3", "baseline='30000'"), ("원", "baseline='0'"), (" 8,100원", "strike='sngStrike'")]
    made = "".join(f"<a:r><a:rPr {properties}/><a:t>{text}</a:t></a:r>" for text, properties in runs)
    parts[name] = archive_text(parts[name]).replace("<a:r><a:t>발급 9,500원</a:t></a:r>", made)
    document = read(tmp_path, "a.pptx", zipped(parts))
    assert texts(document) == ["요금", "발급 9,500³원"]
    assert "struck_text" in {note.kind for note in document.notes}
    book = Workbook()
    book.active.append(["구분", "요금"])
    book.active.append(["발급", CellRichText("9,500", TextBlock(InlineFont(vertAlign="superscript"), "3"), "원")])
    book.save(tmp_path / "b.xlsx")
    assert texts(read_document(tmp_path / "b.xlsx"))[-1] == "발급 | 9,500³원"


def archive_text(part: str | bytes) -> str:
    return part.decode() if isinstance(part, bytes) else part


def test_raised_digits_of_a_pdf_are_smaller_and_higher_than_the_letter_before_them() -> None:
    def char(text: str, left: float, size: float, bottom: float) -> dict[str, object]:
        return {"text": text, "x0": left, "x1": left + 5, "size": size, "top": bottom - size, "bottom": bottom}

    line = [char("5", 10, 10, 100), char("1", 15, 7, 95), char("2", 20, 7, 95), char("원", 25, 10, 100)]
    # An index, a small digit on the line, a digit further off, and one of the line above.
    line += [char("1", 30, 7, 102), char("3", 35, 7, 100), char("4", 60, 7, 95), char("5", 65, 7, 80)]
    raise_digits(line)
    assert [each["text"] for each in line] == ["5", "¹", "²", "원", "1", "3", "4", "5"]


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
