"""The contents of the workbooks of `tests.office.workbooks`: each function fills one, or changes its XML."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904


def _rows(sheet: Any, rows: list[list[Any]], *, top: int = 1, left: int = 1) -> None:
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            if value is not None:
                sheet.cell(top + y, left + x, value)


def fees(book: Any) -> None:
    """Two header rows, titles and a remark above, merged labels."""
    sheet = book.active
    sheet.title = "송금수수료"
    _rows(
        sheet,
        [
            ["한빛나루은행 송금 수수료 (2026. 3. 2. 시행)"],
            ["※ 단위: 원, 건당"],
            [],
            ["구분", "금액", "창구", None, "자동화기기", None, "인터넷"],
            [None, None, "영업시간 안", "영업시간 밖", "영업시간 안", "영업시간 밖"],
            ["타행 송금", "10만원 이하", 700, 900, 450, 650, "면제"],
            [None, "10만원 초과", 2100, 2300, 800, 1050, "면제"],
            ["당행 송금", "전 금액", "면제", "면제", "면제", 250, "면제"],
        ],
    )
    for merged in ("A1:G1", "A2:G2", "A4:A5", "B4:B5", "C4:D4", "E4:F4", "G4:G5", "A6:A7"):
        sheet.merge_cells(merged)
    for row in sheet.iter_rows(min_row=6, max_row=8, min_col=3, max_col=6):
        for cell in row:
            cell.number_format = '#,##0"원"'


def hidden(book: Any) -> None:
    """Hidden rows, columns and sheets."""
    sheet = book.active
    sheet.title = "대출금리"
    _rows(
        sheet,
        [
            ["상품", "내부원가", "고객금리", "한도"],
            ["직장인대출", 0.021, 0.0512, "1억원"],
            ["구상품대출", 0.025, 0.0777, "3천만원"],
            ["주택대출", 0.019, 0.0433, "5억원"],
        ],
    )
    for row in range(2, 5):
        for column in "BC":
            sheet[f"{column}{row}"].number_format = "0.00%"
    sheet.column_dimensions["B"].hidden = True
    sheet.row_dimensions[3].hidden = True
    for name, state in (("작업용", "hidden"), ("매크로값", "veryHidden")):
        other = book.create_sheet(name)
        _rows(other, [["상품", "고객금리"], [f"{name}상품", 0.0999]])
        other["B2"].number_format = "0.00%"
        other.sheet_state = state


def sheets(book: Any) -> None:
    """Two sheets of rates and dates."""
    first = book.active
    first.title = "예금"
    _rows(
        first,
        [
            ["상품명", "기간", "기본금리", "우대금리", "적용일"],
            ["나루정기예금", "6개월", 0.0245, 0.002, dt.date(2026, 3, 2)],
            ["나루정기예금", "12개월", 0.027, 0.003, dt.date(2026, 3, 2)],
        ],
    )
    second = book.create_sheet("적금")
    _rows(
        second,
        [
            ["상품명", "기간", "기본금리", "우대금리", "적용일"],
            ["나루적금", "12개월", 0.031, 0.005, dt.datetime(2026, 4, 6)],
        ],
    )
    for sheet in book:
        for row in sheet.iter_rows(min_row=2):
            row[2].number_format = "0.00%"
            row[3].number_format = '0.0%"p"' if sheet is second else "0.0%"
            row[4].number_format = "yyyy-mm-dd"


def money(book: Any) -> None:
    """Amounts in the formats of banks."""
    sheet = book.active
    sheet.title = "한도"
    formats: list[tuple[str, Any, str]] = [
        ("원 붙임", 5000, '#,##0"원"'),
        ("원화 기호", 12000, '"₩"#,##0'),
        ("로캘 원화", 13000, "[$₩-412]#,##0"),
        ("회계 서식", 14000, '_-"₩"* #,##0_-;\\-"₩"* #,##0_-;_-"₩"* "-"_-;_-@_-'),
        ("천원 단위", 50000000, '#,##0,"천원"'),
        ("영은 면제", 0, '#,##0"원";-#,##0"원";"면제"'),
        ("달러", 1500, "[$$-409]#,##0.00"),
        ("만 단위 글자", 300, '#,##0"만원"'),
        ("퍼센트 소수", 0.00125, "0.000%"),
        ("지점 번호", 7, "000"),
        ("조건 서식", 250000, '[>=100000]#,##0"원 이상";#,##0"원"'),
        ("음수 괄호", -3500, '#,##0"원";(#,##0"원")'),
        ("분수", 0.5, "# ?/?"),
        ("일반 소수", 3.5, "General"),
    ]
    _rows(sheet, [["항목", "값"]])
    for at, (label, value, form) in enumerate(formats, 2):
        _rows(sheet, [[label, value]], top=at)
        sheet.cell(at, 2).number_format = form


def formulas(book: Any) -> None:
    """Formulas; never calculated, as saved here."""
    sheet = book.active
    sheet.title = "계산"
    _rows(
        sheet,
        [
            ["상품", "기본", "가산", "적용금리"],
            ["신용대출", 0.035, 0.012, "=B2+C2"],
            ["합계표시", "=1+1", None, '=B2&""'],
        ],
    )
    for cell in ("B2", "C2", "D2"):
        sheet[cell].number_format = "0.00%"


def cached(name: str, xml: str) -> str:
    """Put values as Excel calculates them into `formulas`."""
    if "worksheets/sheet" not in name:
        return xml
    for cell, value in (("D2", "<v>0.047</v>"), ("B3", "<v>2</v>")):
        xml = re.sub(rf'(<c r="{cell}"[^>]*>)<f>(.*?)</f><v ?/?>(?:</v>)?', rf"\1<f>\2</f>{value}", xml)
    return re.sub(r'<c r="D3"([^>]*)><f>(.*?)</f><v ?/?>(?:</v>)?', r'<c r="D3"\1 t="str"><f>\2</f><v>0.035</v>', xml)


def filtered(book: Any) -> None:
    """A row hidden by a filter."""
    sheet = book.active
    sheet.title = "카드"
    _rows(
        sheet,
        [
            ["카드", "연회비", "상태"],
            ["나루카드", "1만 2천원", "판매"],
            ["강변카드", "8천원", "중단"],
            ["들판카드", "면제", "판매"],
        ],
    )
    sheet.auto_filter.ref = "A1:C4"
    sheet.auto_filter.add_filter_column(2, ["판매"])
    sheet.row_dimensions[3].hidden = True


def dates(book: Any) -> None:
    """Dates that count from 1904, as on old Macs."""
    book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    sheet.title = "일정"
    day = dt.datetime(2026, 5, 7, 9, 30)
    _rows(sheet, [["행사", "날짜"]])
    for at, (label, form) in enumerate(
        (
            ("점검 시작", 'yyyy"년" m"월" d"일"'),
            ("점검 끝", "yyyy.mm.dd"),
            ("시행일", "yyyy-mm-dd hh:mm"),
            ("개시 시각", "hh:mm"),
            ("접수일", "yyyy/m/d"),
        ),
        2,
    ):
        _rows(sheet, [[label, day]], top=at)
        sheet.cell(at, 2).number_format = form


def rich(book: Any) -> None:
    """Line breaks, struck-through text and a comment."""
    sheet = book.active
    sheet.title = "안내"
    _rows(sheet, [["항목", "내용"], ["준비물", "신분증\n도장"], ["폐지된 우대", "0.9%p 우대"], ["이자", None]])
    sheet["A3"].font = sheet["B3"].font = Font(strike=True)
    sheet["B4"] = CellRichText(
        "연 ", TextBlock(InlineFont(strike=True), "3.9%"), TextBlock(InlineFont(b=True), "3.3%"), " 적용"
    )
    sheet["B2"].comment = Comment("내부 검토 의견: 인감 불필요", "담당자")


def errors(book: Any) -> None:
    """A formula that shows an error."""
    sheet = book.active
    sheet.title = "오류"
    _rows(sheet, [["항목", "수수료"], ["증명서", 2000], ["재발급", "=NA()"]])


def error_values(name: str, xml: str) -> str:
    """Put the error that Excel shows into `errors`."""
    if "worksheets/sheet" not in name:
        return xml
    return re.sub(r'<c r="B3"([^>]*)><f>(.*?)</f><v ?/?>(?:</v>)?', r'<c r="B3"\1 t="e"><f>\2</f><v>#N/A</v>', xml)


def two_tables(book: Any) -> None:
    """Tables above and beside each other."""
    sheet = book.active
    sheet.title = "요율"
    _rows(
        sheet,
        [
            ["1. 증명서"],
            ["종류", "수수료"],
            ["잔액증명서", "2,200원"],
            [],
            ["2. 대여금고"],
            ["크기", "연 사용료"],
            ["소형", "33,000원"],
            ["중형", "55,000원"],
            [],
            ["※ 장애인은 절반만 받습니다."],
        ],
    )
    _rows(sheet, [["3. 기타"], ["항목", "금액"], ["질권 설정", "10,000원"]], left=5)


def faq(book: Any) -> None:
    """An FAQ under titles, on two sheets."""
    sheet = book.active
    sheet.title = "예금 FAQ"
    _rows(
        sheet,
        [
            ["고객 문의 모음 (2026년 상반기)"],
            ["작성: 고객지원부"],
            [],
            ["연번", "업무 구분", "질문", "답변"],
            [1, "예금", "이자는 언제 주나요?", "매월 셋째 금요일에 드립니다."],
            [2, None, "휴면계좌는 어떻게 찾나요?", "신분증을 가지고\n가까운 지점에 오세요."],
            [],
            [3, "카드", "연회비는 얼마인가요?", "1만 2천원입니다."],
        ],
    )
    sheet.merge_cells("A1:D1")
    sheet.merge_cells("B5:B6")
    other = book.create_sheet("대출 FAQ")
    _rows(
        other,
        [["연번", "업무 구분", "질문", "답변"], [4, "대출", "연장은 언제 신청하나요?", "만기 한 달 전부터 됩니다."]],
    )


def plain(book: Any) -> None:
    """A small table."""
    sheet = book.active
    sheet.title = "접수"
    _rows(sheet, [["지점", "전화"], ["강변", "02-0000-0101"]])
