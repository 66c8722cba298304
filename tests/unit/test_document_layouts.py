"""How documents are laid out: numbers that go on, marks for "as above", spaced labels, aligned text, Markdown, slides."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from rag.errors import RowErrors
from rag.ingestion.documents.blocks import Cell, Document, table_blocks
from rag.ingestion.documents.docx_symbols import symbol
from rag.ingestion.documents.passages import passages
from rag.ingestion.documents.pdf import _is_slanted
from rag.ingestion.documents.pdf_columns import regions_of
from rag.ingestion.documents.pdf_lines import Word
from rag.ingestion.documents.reading import read_document
from rag.ingestion.sources import read_sources
from tests.document_builders import docx, read, slides, texts, zipped


def kinds(document: Document) -> list[str]:
    return [note.kind for note in document.notes]


def grid(*rows: str) -> list[Cell]:
    """Cells of rows such as "가 | 나"; "<" widens the cell on the left, "^" lengthens the one above."""
    cells: dict[tuple[int, int], list[object]] = {}
    lines = [row.split(" | ") for row in rows]
    for row, line in enumerate(lines):
        for column, text in enumerate(line):
            if text not in ("<", "^"):
                across = next((n for n, each in enumerate(line[column + 1 :], 1) if each != "<"), len(line) - column)
                down = next((n for n, each in enumerate(lines[row + 1 :], 1) if each[column] != "^"), len(lines) - row)
                cells[row, column] = [text, row, column, down, across]
    return [Cell(*values) for values in cells.values()]  # type: ignore[arg-type]


def paragraph(level: int, text: str) -> str:
    numbering = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>'
    return f"<w:p><w:pPr>{numbering}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def with_levels(body: str, levels: str) -> bytes:
    """A Word document whose numbered list has these levels."""
    with zipfile.ZipFile(io.BytesIO(docx([], body=body))) as archive:
        parts: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    xml = parts["word/numbering.xml"]
    assert isinstance(xml, bytes)
    parts["word/numbering.xml"] = re.sub(r"<w:lvl .*</w:lvl>", levels, xml.decode(), flags=re.S)
    return zipped(parts)


def level(at: int, form: str, text: str, more: str = "") -> str:
    return (
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>{more}<w:lvlText w:val="{text}"/></w:lvl>'
    )


def test_articles_count_on_over_chapters_where_the_file_says_so(tmp_path: Path) -> None:
    articles = [(0, "총칙"), (1, "(목적)"), (1, "(뜻)"), (0, "이용"), (1, "(비용)"), (2, "낸다.")]
    body = "".join(paragraph(depth, text) for depth, text in articles)
    levels = [level(0, "decimal", "제%1장"), level(1, "decimal", "제%2조", '<w:lvlRestart w:val="0"/>')]
    levels.append(level(2, "decimalEnclosedCircle", "%3"))
    document = read(tmp_path, "terms.docx", with_levels(body, "".join(levels)))
    assert texts(document) == ["제1장 총칙", "제1조 (목적)", "제2조 (뜻)", "제2장 이용", "제3조 (비용)", "① 낸다."]
    # The other reader restarts them; a number is no amount, so that makes nothing doubtful.
    assert not any(block.uncertain for block in document.blocks)


def test_numbers_of_legal_style_are_decimal(tmp_path: Path) -> None:
    levels = level(0, "upperRoman", "%1.") + level(1, "decimal", "%1.%2", "<w:isLgl/>")
    document = read(tmp_path, "terms.docx", with_levels(paragraph(0, "수신") + paragraph(1, "예금"), levels))
    assert texts(document) == ["I. 수신", "1.1 예금"]


def test_check_boxes_of_symbol_fonts_keep_their_meaning(tmp_path: Path) -> None:
    boxes = "".join(
        f'<w:r><w:sym w:font="Wingdings" w:char="{code}"/></w:r><w:r><w:t xml:space="preserve"> {name} </w:t></w:r>'
        for code, name in (("F0FE", "국내"), ("F0A8", "해외"))
    )
    assert texts(read(tmp_path, "form.docx", docx([], body=f"<w:p>{boxes}</w:p>"))) == ["☑ 국내 ☐ 해외"]
    assert [symbol("Wingdings", "F081"), symbol("Wingdings 2", "F052"), symbol("Arial", "2460")] == ["①", "☑", "①"]
    assert [symbol("Webdings", "F063"), symbol("", "x"), symbol("Wingdings", "F020")] == ["", "", ""]


def test_signs_of_the_symbol_font_are_kept(tmp_path: Path) -> None:
    signs = "".join(
        f'<w:r><w:t xml:space="preserve">{before}</w:t></w:r><w:r><w:sym w:font="Symbol" w:char="{code}"/></w:r>'
        for before, code in (
            ("신용점수 ", "F0B3"),
            ("700점, 금리 ", "F0B1"),
            ("0.5%p, 만기 ", "F0A3"),
            ("1년 ", "00B4"),
        )
    )
    typed = '<w:r><w:rPr><w:rFonts w:ascii="Symbol" w:hAnsi="Symbol"/></w:rPr><w:t>\uf0b9</w:t></w:r><w:r><w:t> 2회</w:t></w:r>'
    assert texts(read(tmp_path, "terms.docx", docx([], body=f"<w:p>{signs}</w:p><w:p>{typed}</w:p>"))) == [
        "신용점수 ≥700점, 금리 ±0.5%p, 만기 ≤1년 ×",
        "≠ 2회",
    ]


def test_marks_for_as_above_and_as_left_are_what_they_mean() -> None:
    rows = table_blocks(
        grid("구분 | 창구 | 앱", "개인 | 1억원 | 좌동", "〃 | 상동 | 5억원", '법인 | " | 〃', "비고 | - | 위와 같음"),
        table=1,
    )
    assert [row.text for row in rows[1:]] == [
        "개인 | 1억원 | 1억원",
        "개인 | 1억원 | 5억원",
        "법인 | 1억원 | 5억원",
        "비고 | - | 5억원",
    ]
    # In the first row there is nothing above but the names of the columns.
    assert table_blocks(grid("구분 | 창구", "개인 | 〃"), table=1)[1].text == "개인 | 〃"


@pytest.mark.parametrize(
    ("rows", "header", "first"),
    [
        (("구 분 | < | 창 구 | 앱", "이 체 | 당행 | 면 제 | 면제", "^ | 타행 | 천원 | 오백원"),
         "구분 |  | 창구 | 앱", "이체 | 당행 | 면제 | 면제"),
        (("구분 | 수수료 | <", "이체 | 500원 | 600원"), "구분 | 수수료 |", "이체 | 500원 | 600원"),
        (("구분 | 수수료 | <", "^ | 창구 | 앱", "이체 | 500원 | 600원"),
         "구분 | 수수료 창구 | 수수료 앱", "이체 | 500원 | 600원"),
        (("상품 | 금리 | <", "상품명 | 세전 | 세후", "예금 | 3% | 2%"),
         "상품 상품명 | 금리 세전 | 금리 세후", "예금 | 3% | 2%"),
    ],
)  # fmt: skip
def test_the_height_of_a_header(rows: tuple[str, ...], header: str, first: str) -> None:
    blocks = table_blocks(grid(*rows), table=1)
    assert [block.text for block in blocks[:2]] == [header, first]


def test_a_bar_within_a_cell_does_not_end_it() -> None:
    assert table_blocks(grid("가 | 나", "다 | 라|마"), table=1)[1].text == "다 | 라|마"
    assert table_blocks([Cell("가", 0, 0), Cell("1년 | 2년", 0, 1)], table=1)[0].text == "가 | 1년|2년"


def test_aligned_and_drawn_text_is_a_table(tmp_path: Path) -> None:
    aligned = "우편 수수료\n=========\n구분   국내     해외\n보통   500원    900원\n등기   2,500원  6,000원\n* 무게로 다릅니다."
    drawn = "┌──┬───┐\n│구분│ 금액 │\n├──┼───┤\n│소형│300원 │\n│대형│700원 │\n└──┴───┘"
    document = read(tmp_path, "fees.txt", f"{aligned}\n\n{drawn}\n\n두 칸  띄운 말은  그대로입니다.\n")
    assert texts(document) == [
        "우편 수수료",
        "구분 | 국내 | 해외",
        "보통 | 500원 | 900원",
        "등기 | 2,500원 | 6,000원",
        "* 무게로 다릅니다.",
        "구분 | 금액",
        "소형 | 300원",
        "대형 | 700원",
        "두 칸 띄운 말은 그대로입니다.",
    ]


def test_dots_that_lead_to_an_amount_are_left_out(tmp_path: Path) -> None:
    assert texts(read(tmp_path, "fees.txt", "잔액증명서 ........ 2,000원\n가나다……끝")) == [
        "잔액증명서 … 2,000원\n가나다……끝"
    ]


def sections(document: Document) -> list[tuple[str, str]]:
    found = passages(document, token_count=len, max_tokens=900)
    return [(passage.heading.split(" › ")[-1], passage.text.strip()) for passage in found]


@pytest.mark.parametrize("suffix", ["txt", "md", "html", "docx"])
def test_each_question_of_a_document_is_a_section(tmp_path: Path, suffix: str) -> None:
    lines = ["자주 묻는 질문", "Q1. 언제 되나요?", "A. 내일 됩니다.", "Q2. 어디서 하나요?", "A. 앱에서 합니다."]
    forms: dict[str, bytes | str] = {
        "txt": "\n".join(lines), "md": "\n\n".join(["# " + lines[0], *lines[1:]]),
        "html": "<h1>{}</h1><dl><dt>{}</dt><dd>{}</dd><dt>{}</dt><dd>{}</dd></dl>".format(*lines),
        "docx": docx([("h1", lines[0]), *(("p", line) for line in lines[1:])]),
    }  # fmt: skip
    found = sections(read(tmp_path, f"faq.{suffix}", forms[suffix]))
    assert [heading for heading, _ in found] == ["Q1. 언제 되나요?", "Q2. 어디서 하나요?"]
    assert found[1][1] == "Q2. 어디서 하나요?\nA. 앱에서 합니다."


def test_questions_in_a_table_are_sections_and_no_header(tmp_path: Path) -> None:
    rows = [["Q1", "언제 되나요?"], ["A1", "내일 됩니다."], ["Q2", "어디서 하나요?"], ["A2", "앱에서 합니다."]]
    found = sections(read(tmp_path, "faq.docx", docx([("h1", "문답"), ("table", rows)])))
    assert [heading for heading, _ in found] == ["Q1. 언제 되나요?", "Q2. 어디서 하나요?"]


MARKDOWN = """---
title: 수수료 안내
author: 수신부
---
우대**0.5%**를 더합니다.[^1] *주의* 5*3=15, snake_case, ~~500원~~ 1,000원
3.5%~4.0%, 12개월~36개월 [누리집](https://bank.example/fee) `a*b*c`

- [x] 한 것
- [ ] 안 한 것

| 구분 | 기간 |
|---|---|
| 거래 | 3년<br>(해지 뒤 1년) |

[^1]: 급여를 받으면 그렇습니다.
"""


def test_markdown_is_what_its_page_shows(tmp_path: Path) -> None:
    document = read(tmp_path, "fees.md", MARKDOWN)
    assert texts(document) == [
        "수수료 안내",
        "우대0.5%를 더합니다.[주1] 주의 5*3=15, snake_case, 1,000원\n"
        "3.5%~4.0%, 12개월~36개월 누리집 (https://bank.example/fee) a*b*c",
        "[주1] 급여를 받으면 그렇습니다.",
        "- ☑ 한 것\n- ☐ 안 한 것",
        "구분 | 기간",
        "거래 | 3년 (해지 뒤 1년)",
    ]
    assert kinds(document) == ["front_matter", "footnotes", "struck_text"]


def test_slides_are_numbered_as_they_are_shown(tmp_path: Path) -> None:
    with zipfile.ZipFile(
        io.BytesIO(slides([("h1", "나중"), ("p", "둘째 말"), ("h1", "먼저"), ("p", "첫째 말")]))
    ) as archive:
        parts: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    order = parts["ppt/presentation.xml"]
    assert isinstance(order, bytes)
    # The second slide was moved to the front; its file keeps its number.
    swapped = re.sub(r'r:id="r([12])"', lambda match: f'r:id="r{3 - int(match[1])}"', order.decode())
    parts["ppt/presentation.xml"] = swapped
    parts["ppt/notesSlides/notesSlide1.xml"] = "<notes/>"
    document = read(tmp_path, "talk.pptx", zipped(parts))
    assert [(block.page, block.text) for block in document.blocks] == [
        (1, "먼저"),
        (1, "첫째 말"),
        (2, "나중"),
        (2, "둘째 말"),
    ]
    assert "speaker_notes" in kinds(document)


def test_a_page_that_was_saved_as_a_workbook_is_read(tmp_path: Path) -> None:
    page = "<html><table><tr><td>종류</td><td>값</td></tr><tr><td>소액</td><td>700원</td></tr></table>"
    document = read(tmp_path, "fees.xls", page)
    assert texts(document) == ["종류 | 값", "소액 | 700원"]
    assert kinds(document) == ["renamed_html"]


def test_a_menu_beside_the_text_is_no_label_of_its_table(tmp_path: Path) -> None:
    fees = "<table><tr><td>시간</td><td>값</td></tr><tr><td>야간</td><td>250원</td></tr></table>"
    page = f"<table><tr><td>처음으로<br>예금</td><td><b>수수료</b>{fees}</td></tr></table>"
    assert texts(read(tmp_path, "old.html", page)) == ["처음으로\n예금", "수수료", "시간 | 값", "야간 | 250원"]


def test_columns_with_tables_are_read_one_after_the_other() -> None:
    def line(text: str, left: float, top: float) -> list[Word]:
        return [
            Word(word, (left + at * 40, top, left + at * 40 + 36, top + 10)) for at, word in enumerate(text.split())
        ]

    words = [*line("왼쪽 단의 글이 이어지는 줄입니다", 60, 100), *line("오른쪽 단의 글이 이어지는 줄입니다", 310, 100)]
    tables = [(60.0, 130.0, 250.0, 200.0), (310.0, 120.0, 500.0, 190.0)]
    page = (0.0, 0.0, 595.0, 842.0)
    regions = regions_of(words, tables, page)
    assert len(regions) == 2
    assert regions[0][0] == 0.0
    assert regions_of(words, tables[:1], page) == [page]


def test_cells_merged_in_pairs_are_one_column() -> None:
    rows = table_blocks(
        grid("센터 | < | 전화 | < | 팩스", "가람 | < | 02-1 | < | 02-2", "나루 | < | 02-3 | < | 02-4"), table=1
    )
    assert [row.text for row in rows] == ["센터 | 전화 | 팩스", "가람 | 02-1 | 02-2", "나루 | 02-3 | 02-4"]
    assert [row.header for row in rows] == ["", rows[0].text, rows[0].text]


def test_entries_of_a_table_of_contents_are_no_articles(tmp_path: Path) -> None:
    lines = [
        "목차",
        "제1조(목적)\t1",
        "제2조(비용) ........ 2",
        "제1조(목적)",
        "약관을 정한다.",
        "제2조(비용)",
        "비용은 없다.",
    ]
    found = passages(read(tmp_path, "terms.txt", "\n\n".join(lines)), token_count=len, max_tokens=900)
    assert [passage.clause for passage in found] == ["", "제1조", "제2조"]
    assert found[2].text.strip() == "제2조(비용)\n비용은 없다."


def sheet(tmp_path: Path, rows: list[list[object]]) -> Document:
    book = Workbook()
    assert book.active
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "fees.xlsx")
    return read_document(tmp_path / "fees.xlsx")


def test_sections_of_a_sheet_keep_the_names_of_its_columns(tmp_path: Path) -> None:
    document = sheet(
        tmp_path, [["항목", "개인", "법인"], ["1. 이체"], ["창구", 1000, 2000], ["2. 증명"], ["창구", 3000, 4000]]
    )
    values = [block for block in document.blocks if block.text.startswith("창구")]
    assert [block.header for block in values] == ["항목 | 개인 | 법인"] * 2
    # A table of its own has its own names.
    document = sheet(tmp_path, [["항목", "개인"], ["이체", 1000], ["카드 안내"], ["이름", "등급"], ["새빛", 3]])
    assert [block.header for block in document.blocks if block.text == "새빛 | 3"] == ["이름 | 등급"]


def test_titles_of_tables_side_by_side_are_no_column_names(tmp_path: Path) -> None:
    rows: list[list[object]] = [["카드", None, None, "대출", None], ["이름", "회비", None, "이름", "금리"]]
    rows += [["새빛", "9원", None, "가을", "4%"]]
    rows += [["달빛", "8원"], [None, None, None, "겨울", "5%"]]
    blocks = sheet(tmp_path, rows).blocks
    assert [block.text for block in blocks if block.kind == "heading"][2:] == ["카드", "대출"]
    assert {block.text: block.header for block in blocks if "%" in block.text} == {
        "가을 | 4%": "이름 | 금리",
        "겨울 | 5%": "이름 | 금리",
    }


@pytest.mark.parametrize(
    ("matrix", "slanted"),
    [
        ((10, 0, 0, 10, 0, 0), False),
        ((0, 10, -10, 0, 0, 0), False),
        ((8, 5, -5, 8, 0, 0), True),
        ((10, 0, 3, 10, 0, 0), False),
    ],
)
def test_watermarks_run_at_an_angle(matrix: tuple[float, ...], slanted: bool) -> None:
    """Level, turned by a right angle, at an angle; and italics, whose letters lean but whose line is level."""
    assert _is_slanted(matrix) is slanted


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("대여료.csv", '크기,지점,대여료\n소형,"모든 지점","1,200원"\n대형,"본점, 강변점",면제\n'),
        ("대여료.csv", "\ufeffsep=;\n크기;지점;대여료\n소형;모든 지점;1,200원\n대형;본점, 강변점;면제\n"),
        ("대여료.tsv", "크기\t지점\t대여료\n소형\t모든 지점\t1,200원\n대형\t본점, 강변점\t면제\n"),
    ],
)
def test_a_csv_file_of_other_data_is_a_document_with_a_table(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    sources = read_sources([tmp_path])
    [document] = sources.documents.values()
    assert [block.text for block in document.blocks] == [
        "대여료",
        "크기 | 지점 | 대여료",
        "소형 | 모든 지점 | 1,200원",
        "대형 | 본점, 강변점 | 면제",
    ]
    assert not sources.rows and [note.kind for note in sources.notes] == ["as_document"]


@pytest.mark.parametrize("header", ["질문,해설", "고객 문의,처리", "물음"])
def test_a_csv_file_with_a_column_of_an_faq_or_a_single_one_is_refused(tmp_path: Path, header: str) -> None:
    lines = [header, *(",".join(["가나다"] * (header.count(",") + 1)) for _ in range(3))]
    (tmp_path / "목록.csv").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(RowErrors, match="--columns"):
        read_sources([tmp_path])
