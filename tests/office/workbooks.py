"""Workbooks as bank staff write them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

from openpyxl import Workbook

from tests.office.expected import OfficeFile
from tests.office.sheets import (
    cached,
    dates,
    error_values,
    errors,
    faq,
    fees,
    filtered,
    formulas,
    hidden,
    money,
    plain,
    rich,
    sheets,
    two_tables,
)

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


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1528

WORKBOOKS = (
    OfficeFile(
        "송금수수료.xlsx",
        _book(fees),
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
        _book(hidden),
        (("직장인대출", "5.12%", "1억원"), ("주택대출", "4.33%", "5억원")),
        (("2.10%",), ("구상품대출",), ("7.77%",), ("9.99%",), ("내부원가",)),
        notes=("작업용", "매크로값"),
    ),
    OfficeFile(
        "금리표.xlsx",
        _book(sheets),
        (
            ("나루정기예금", "6개월", "2.45%", "0.2%", "2026-03-02"),
            ("나루정기예금", "12개월", "2.70%", "0.3%", "2026-03-02"),
            ("나루적금", "12개월", "3.10%", "0.5%p", "2026-04-06"),
        ),
    ),
    OfficeFile(
        "서식모음.xlsx",
        _book(money),
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
            ("분수", "0.5"),
        ),
    ),
    OfficeFile(
        "계산값.xlsx", _book(formulas, patch=cached), (("신용대출", "3.50%", "1.20%", "4.70%"), ("합계표시", "2"))
    ),
    OfficeFile("계산안됨.xlsx", _book(formulas), refused="D2"),
    OfficeFile("걸러진카드.xlsx", _book(filtered), (("나루카드", "1만 2천원"), ("들판카드", "면제")), (("강변카드",),)),
    OfficeFile(
        "일정_맥.xlsx",
        _book(dates),
        (
            ("점검 시작", "2026년 5월 7일"),
            ("점검 끝", "2026.05.07"),
            ("시행일", "2026-05-07 09:30"),
            ("개시 시각", "09:30"),
            ("접수일", "2026/5/7"),
        ),
    ),
    OfficeFile(
        "글자서식.xlsx", _book(rich), (("준비물", "신분증"), ("이자", "3.3%")), (("0.9%p",), ("3.9%",), ("내부 검토",))
    ),
    OfficeFile("오류칸.xlsx", _book(errors, patch=error_values), refused="B3"),
    OfficeFile(
        "여러표.xlsx",
        _book(two_tables),
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
        _book(faq),
        rows=(
            ("이자는 언제 주나요?", "매월 셋째 금요일에 드립니다."),
            ("휴면계좌는 어떻게 찾나요?", "신분증을 가지고\n가까운 지점에 오세요."),
            ("연회비는 얼마인가요?", "1만 2천원입니다."),
            ("연장은 언제 신청하나요?", "만기 한 달 전부터 됩니다."),
        ),
    ),
    OfficeFile("접수처.xlsm", _book(plain), refused=".xlsx"),
    OfficeFile("옛날표.xls", OLE, refused=".xlsx"),
    OfficeFile("암호.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), refused="password"),
)
