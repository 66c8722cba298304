"""Fee tables laid out for people: section rows, separate units, notes between rows, columns and rotated pages."""

from __future__ import annotations

import io
from typing import Any

from openpyxl import Workbook

from tests.document_builders import docx, hangul
from tests.office.expected import Line, OfficeFile
from tests.office.pages import Print, rotated

SECTIONED = [
    ["업무", "창구", "인터넷"],
    ["예금", "<", "<"],
    ["잔액증명서", "2,000", "면제"],
    ["통장 재발급", "3,000", "-"],
    ["대출", "<", "<"],
    ["상환 확인서", "1,500", "500"],
    ["기한 연장", "4,000", "1,000"],
]
SECTIONED_LINES: tuple[Line, ...] = (
    ("잔액증명서", "2,000", "면제"),
    ("통장 재발급", "3,000"),
    ("상환 확인서", "1,500", "500"),
    ("기한 연장", "4,000", "1,000"),
    ("업무", "창구", "인터넷"),
)
TITLE = ("h1", "새터은행 수수료 (단위: 원)")


def _sectioned() -> bytes:
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "수수료"
    sheet["A1"] = "새터은행 수수료"
    sheet["C2"] = "(단위: 원)"
    for y, row in enumerate(SECTIONED, 3):
        for x, text in enumerate(row, 1):
            if text != "<":
                number = int(text.replace(",", "")) if text.replace(",", "").isdigit() else text
                sheet.cell(y, x, number).number_format = "#,##0"
        if "<" in row:
            sheet.merge_cells(start_row=y, start_column=1, end_row=y, end_column=3)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _three_rows() -> bytes:
    """A header of three rows, a remark between rows, a total below."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "대출"
    rows: list[list[Any]] = [
        ["상품", "금리", None, None, None],
        [None, "고정", None, "변동", None],
        [None, "1년", "3년", "1년", "3년"],
        ["신용", 0.051, 0.055, 0.047, 0.049],
        ["※ 신용은 심사에 따라 달라진다."],
        ["담보", 0.039, 0.042, 0.036, 0.038],
    ]
    for y, row in enumerate(rows, 1):
        for x, value in enumerate(row, 1):
            if value is not None:
                sheet.cell(y, x, value).number_format = "0.0%" if isinstance(value, float) else "General"
    for area in ("A1:A3", "B1:E1", "B2:C2", "D2:E2", "A5:E5"):
        sheet.merge_cells(area)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _beside() -> bytes:
    book = Workbook()
    sheet: Any = book.active
    sheet.title = "환율우대"
    for y, row in enumerate([["통화", "우대율"], ["달러", "90%"], ["엔", "80%"]], 1):
        for x, text in enumerate(row, 1):
            sheet.cell(y, x, text)
    for y, row in enumerate(
        [["지점", "금고 크기", "연 사용료"], ["강변", "소형", "30,000원"], ["들판", "대형", "90,000원"]], 1
    ):
        for x, text in enumerate(row, 5):
            sheet.cell(y, x, text)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _html(rows: list[list[str]], *, style: str = "") -> str:
    lines = []
    for at, row in enumerate(rows):
        tag = "td" if at else "th"
        if "<" in row:
            lines.append(f"<tr><{tag} colspan={len(row)}>{row[0]}</{tag}></tr>")
        else:
            lines.append("<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in row) + "</tr>")
    return f"<table style='{style}'>{''.join(lines)}</table>"


RULES = "td,th{border-top:.6pt solid #333;border-bottom:.6pt solid #333;padding:3pt 18pt;text-align:left} "
BARE = "td,th{padding:3pt 16pt;text-align:left;max-width:150pt} "
WRAPPED = [
    ["업무", "설명", "수수료"],
    ["당발 송금", "해외로 보내는 돈으로 보낼 때마다 받으며 중계 은행의 몫은 따로 뗀다", "8,000원"],
    ["타발 송금", "해외에서 오는 돈", "10,000원"],
    ["수표 추심", "외국 은행에 보내어 받는 수표로 우편료를 더한다", "15,000원"],
]
PROSE = "".join(
    f"<p>{text}</p>"
    for text in (
        "새터은행은 올해부터 창구의 수수료를 고친다. 인터넷으로 하는 일은 "
        "거의 받지 않으며 나이가 많은 고객은 창구에서도 절반만 받는다.",
        "강변 지점과 들판 지점은 점심시간에도 문을 연다. 다른 지점은 앞으로 넓혀 갈 생각이며 자세한 날짜는 누리집에 알린다.",
        "대여금고는 크기에 따라 사용료가 다르다. 열쇠를 잃으면 새로 만드는 값을 고객이 낸다. 보증금은 돌려준다.",
    )
)
_FEES = [["금고", "연 사용료"], ["소형", "30,000원"], ["대형", "90,000원"]]
TABLE_IN_COLUMN = (
    f"<h1>새터은행 소식</h1><div style='columns:2;column-gap:12mm'>{PROSE}{_html(_FEES)}"
    f"{PROSE.replace('올해부터', '내년부터')}</div>"
)
_CLAUSE = (
    "<p>제{at}조(조항 {at})</p><p>① 은행은 {at}영업일 안에 처리한다. 다만 서류가 모자라면 {late}영업일까지 늘릴 수 있으며 "
    "그 까닭을 고객에게 알린다.</p>"
)
CLAUSES = "<h1>새터은행 약관</h1>" + "".join(_CLAUSE.format(at=at, late=at + 20) for at in range(1, 13))


def turned_upright(printed: Print, body: str) -> bytes:
    """A page drawn sideways with a rotation that shows it upright, as spreadsheets print wide tables."""
    # Drawn with its lines going up the sheet; a quarter to the right makes them level.
    style = "transform:translateY(220mm) rotate(-90deg);transform-origin:0 0;width:220mm"
    return rotated(printed(f"<div style='{style}'>{body}</div>"))


def sections(printed: Print) -> tuple[OfficeFile, ...]:
    """All sections."""
    body = f"<h1>새터은행 수수료</h1>{_html(SECTIONED)}"
    wrapped = f"<h1>새터은행 외환</h1>{_html(WRAPPED)}"
    wrapped_lines: tuple[Line, ...] = (("당발 송금", "8,000원"), ("타발 송금", "10,000원"), ("수표 추심", "15,000원"))
    wrapped_never: tuple[Line, ...] = (("당발 송금", "10,000원"), ("타발 송금", "8,000원"), ("타발 송금", "15,000원"))
    never: tuple[Line, ...] = (("잔액증명서", "3,000"), ("상환 확인서", "1,000"), ("기한 연장", "500"))
    return (
        OfficeFile("구역.xlsx", _sectioned(), SECTIONED_LINES, never),
        OfficeFile("구역.docx", docx([TITLE, ("table", SECTIONED)]), SECTIONED_LINES, never),
        OfficeFile("구역.hwpx", hangul([TITLE, ("table", SECTIONED)]), SECTIONED_LINES, never),
        OfficeFile("구역.html", body.encode(), SECTIONED_LINES, never),
        OfficeFile("구역.pdf", printed(body), SECTIONED_LINES, never),
        OfficeFile("가로줄만.pdf", printed(body, style=RULES), SECTIONED_LINES, never),
        OfficeFile("줄없이.pdf", printed(body, style=BARE), SECTIONED_LINES, never),
        OfficeFile("긴칸.pdf", printed(wrapped), wrapped_lines, wrapped_never),
        OfficeFile(
            "긴칸가로줄.pdf", printed(wrapped, style=RULES + "table{width:120mm} "), wrapped_lines, wrapped_never
        ),
        OfficeFile("긴칸줄없이.pdf", printed(wrapped, style=BARE), wrapped_lines, wrapped_never),
        OfficeFile(
            "세줄머리.xlsx",
            _three_rows(),
            (
                ("신용", "5.1%", "5.5%", "4.7%", "4.9%"),
                ("담보", "3.9%", "4.2%", "3.6%", "3.8%"),
                ("고정", "3년"),
                ("변동", "1년"),
                ("심사에 따라 달라진다",),
            ),
        ),
        OfficeFile(
            "나란히.xlsx",
            _beside(),
            (("달러", "90%"), ("강변", "소형", "30,000원"), ("들판", "대형", "90,000원")),
            (("달러", "30,000원"), ("엔", "90,000원"), ("통화", "금고 크기")),
        ),
        OfficeFile(
            "단속표.pdf",
            printed(TABLE_IN_COLUMN),
            (
                ("소형", "30,000원"),
                ("대형", "90,000원"),
                ("새터은행은 올해부터 창구의 수수료를 고친다.",),
                ("열쇠를 잃으면",),
            ),
            (("올해부터", "내년부터"), ("소형", "90,000원")),
        ),
        OfficeFile(
            "조문.pdf",
            printed(CLAUSES, header="새터은행 약관"),
            tuple((f"① 은행은 {at}영업일 안에 처리한다.", f"{at + 20}영업일까지") for at in range(1, 13)),
            (("제1조", "2영업일"), ("제2조", "3영업일")),
        ),
        OfficeFile("옆으로.pdf", turned_upright(printed, _html(SECTIONED)), SECTIONED_LINES, never),
        OfficeFile("뒤집힘.pdf", rotated(rotated(printed(body))), SECTIONED_LINES, never),
    )
