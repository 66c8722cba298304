"""Workbooks as bank staff have them."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from tests.office.expected import OfficeFile

Fill = Callable[[Any], None]


def _book(fill: Fill, *, patch: Callable[[str, str], str] | None = None) -> bytes:
    """The workbook that `fill` fills; `patch` changes the XML of its parts by their names."""
    book = Workbook()
    fill(book)
    out = io.BytesIO()
    book.save(out)
    if patch is None:
        return out.getvalue()
    patched = io.BytesIO()
    with zipfile.ZipFile(out) as source, zipfile.ZipFile(patched, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith(".xml"):
                data = patch(name, data.decode()).encode()
            target.writestr(name, data)
    return patched.getvalue()


def _rows(sheet: Any, rows: list[list[Any]], *, top: int = 1, left: int = 1) -> None:
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            if value is not None:
                sheet.cell(top + y, left + x, value)


def _fees(book: Any) -> None:
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


def _hidden(book: Any) -> None:
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


def _sheets(book: Any) -> None:
    first = book.active
    first.title = "예금"
    _rows(
        first,
        [
            ["상품명", "기간", "기본금리", "우대금리", "적용일"],
            ["나루정기예금", "6개월", 0.0245, 0.002, datetime.date(2026, 3, 2)],
            ["나루정기예금", "12개월", 0.027, 0.003, datetime.date(2026, 3, 2)],
        ],
    )
    second = book.create_sheet("적금")
    _rows(
        second,
        [
            ["상품명", "기간", "기본금리", "우대금리", "적용일"],
            ["나루적금", "12개월", 0.031, 0.005, datetime.datetime(2026, 4, 6)],
        ],
    )
    for sheet in book:
        for row in sheet.iter_rows(min_row=2):
            row[2].number_format = "0.00%"
            row[3].number_format = '0.0%"p"' if sheet is second else "0.0%"
            row[4].number_format = "yyyy-mm-dd"


def _money(book: Any) -> None:
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


def _formulas(book: Any) -> None:
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


def _cached(name: str, xml: str) -> str:
    if "worksheets/sheet" not in name:
        return xml
    for cell, value in (("D2", "<v>0.047</v>"), ("B3", "<v>2</v>")):
        xml = re.sub(rf'(<c r="{cell}"[^>]*>)<f>(.*?)</f><v ?/?>(?:</v>)?', rf"\1<f>\2</f>{value}", xml)
    return re.sub(r'<c r="D3"([^>]*)><f>(.*?)</f><v ?/?>(?:</v>)?', r'<c r="D3"\1 t="str"><f>\2</f><v>0.035</v>', xml)


def _filtered(book: Any) -> None:
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


def _dates(book: Any) -> None:
    book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    sheet.title = "일정"
    day = datetime.datetime(2026, 5, 7, 9, 30)
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


def _rich(book: Any) -> None:
    sheet = book.active
    sheet.title = "안내"
    _rows(sheet, [["항목", "내용"], ["준비물", "신분증\n도장"], ["폐지된 우대", "0.9%p 우대"], ["이자", None]])
    sheet["A3"].font = sheet["B3"].font = Font(strike=True)
    sheet["B4"] = CellRichText(
        "연 ", TextBlock(InlineFont(strike=True), "3.9%"), TextBlock(InlineFont(b=True), "3.3%"), " 적용"
    )
    sheet["B2"].comment = Comment("내부 검토 의견: 인감 불필요", "담당자")


def _errors(book: Any) -> None:
    sheet = book.active
    sheet.title = "오류"
    _rows(sheet, [["항목", "수수료"], ["증명서", 2000], ["재발급", "=NA()"]])


def _error_values(name: str, xml: str) -> str:
    if "worksheets/sheet" not in name:
        return xml
    return re.sub(r'<c r="B3"([^>]*)><f>(.*?)</f><v ?/?>(?:</v>)?', r'<c r="B3"\1 t="e"><f>\2</f><v>#N/A</v>', xml)


def _two_tables(book: Any) -> None:
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


def _faq(book: Any) -> None:
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


def _plain(book: Any) -> None:
    sheet = book.active
    sheet.title = "접수"
    _rows(sheet, [["지점", "전화"], ["강변", "02-0000-0101"]])


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1528

WORKBOOKS = (
    OfficeFile(
        "송금수수료.xlsx",
        _book(_fees),
        (
            ("한빛나루은행 송금 수수료 (2026. 3. 2. 시행)",),
            ("단위: 원, 건당",),
            ("타행 송금", "10만원 이하", "700원", "900원", "450원", "650원", "면제"),
            ("타행 송금", "10만원 초과", "2,100원", "2,300원", "800원", "1,050원", "면제"),
            ("당행 송금", "전 금액", "면제", "면제", "면제", "250원", "면제"),
            ("자동화기기", "영업시간 밖"),
        ),
    ),
    OfficeFile(
        "대출금리.xlsx",
        _book(_hidden),
        (("직장인대출", "5.12%", "1억원"), ("주택대출", "4.33%", "5억원")),
        (("2.10%",), ("구상품대출",), ("7.77%",), ("9.99%",), ("내부원가",)),
        notes=("작업용", "매크로값"),
    ),
    OfficeFile(
        "금리표.xlsx",
        _book(_sheets),
        (
            ("나루정기예금", "6개월", "2.45%", "0.2%", "2026-03-02"),
            ("나루정기예금", "12개월", "2.70%", "0.3%", "2026-03-02"),
            ("나루적금", "12개월", "3.10%", "0.5%p", "2026-04-06"),
        ),
    ),
    OfficeFile(
        "서식모음.xlsx",
        _book(_money),
        (
            ("원 붙임", "5,000원"),
            ("원화 기호", "₩12,000"),
            ("로캘 원화", "₩13,000"),
            ("회계 서식", "14,000"),
            ("천원 단위", "50,000천원"),
            ("영은 면제", "면제"),
            ("달러", "$1,500.00"),
            ("만 단위 글자", "300만원"),
            ("퍼센트 소수", "0.125%"),
            ("지점 번호", "007"),
            ("조건 서식", "250,000원 이상"),
            ("음수 괄호", "(3,500원)"),
            ("일반 소수", "3.5"),
            ("분수", "1/2"),
        ),
    ),
    OfficeFile(
        "계산값.xlsx", _book(_formulas, patch=_cached), (("신용대출", "3.50%", "1.20%", "4.70%"), ("합계표시", "2"))
    ),
    OfficeFile("계산안됨.xlsx", _book(_formulas), refused="D2"),
    OfficeFile(
        "걸러진카드.xlsx", _book(_filtered), (("나루카드", "1만 2천원"), ("들판카드", "면제")), (("강변카드",),)
    ),
    OfficeFile(
        "일정_맥.xlsx",
        _book(_dates),
        (
            ("점검 시작", "2026년 5월 7일"),
            ("점검 끝", "2026.05.07"),
            ("시행일", "2026-05-07 09:30"),
            ("개시 시각", "09:30"),
            ("접수일", "2026/5/7"),
        ),
    ),
    OfficeFile(
        "글자서식.xlsx", _book(_rich), (("준비물", "신분증"), ("이자", "3.3%")), (("0.9%p",), ("3.9%",), ("내부 검토",))
    ),
    OfficeFile("오류칸.xlsx", _book(_errors, patch=_error_values), refused="B3"),
    OfficeFile(
        "여러표.xlsx",
        _book(_two_tables),
        (
            ("잔액증명서", "2,200원"),
            ("소형", "33,000원"),
            ("중형", "55,000원"),
            ("질권 설정", "10,000원"),
            ("장애인은 절반만",),
        ),
        (("종류", "소형"), ("질권 설정", "수수료", "연 사용료")),
    ),
    OfficeFile(
        "문의모음.xlsx",
        _book(_faq),
        rows=(
            ("이자는 언제 주나요?", "매월 셋째 금요일에 드립니다."),
            ("휴면계좌는 어떻게 찾나요?", "신분증을 가지고\n가까운 지점에 오세요."),
            ("연회비는 얼마인가요?", "1만 2천원입니다."),
            ("연장은 언제 신청하나요?", "만기 한 달 전부터 됩니다."),
        ),
    ),
    OfficeFile("접수처.xlsm", _book(_plain), (("강변", "02-0000-0101"),)),
    OfficeFile("옛날표.xls", OLE, refused=".xlsx"),
    OfficeFile("암호.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), refused="password"),
)
