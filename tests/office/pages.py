"""PDF, HTML, Markdown and archives as bank staff write them. PDFs are printed by Chromium."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.chromium import chromium_path
from tests.office.expected import OfficeFile

_FONT = "body{font:10.5pt/1.5 'Noto Sans CJK KR'} table{border-collapse:collapse} "
_RULED = "td,th{border:.8pt solid #333;padding:2pt 6pt} "


Print = Callable[..., bytes]
"""`printing`'s function."""


@contextmanager
def printing() -> Iterator[Print]:
    """A function of HTML that gives a PDF; `header` is printed on top of each page, the page's number below."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path())

        def printed(body: str, *, style: str = _RULED, header: str = "", landscape: bool = False) -> bytes:
            sheet = browser.new_page()
            sheet.set_content(f"<html lang=ko><style>{_FONT}{style}</style><body>{body}</body></html>")
            small = "font:8pt 'Noto Sans CJK KR';width:100%;text-align:center"
            data = sheet.pdf(
                format="A4",
                landscape=landscape,
                print_background=True,
                margin={"top": "25mm", "bottom": "25mm", "left": "20mm", "right": "20mm"},
                display_header_footer=bool(header),
                header_template=f'<div style="{small}">{header}</div>',
                footer_template=f'<div style="{small}">- <span class="pageNumber"></span> -</div>',
            )
            sheet.close()
            return data

        yield printed
        browser.close()


def _table(rows: list[list[str]]) -> str:
    lines = [f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows[1:]]
    head = "".join(f"<th>{cell}</th>" for cell in rows[0])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


COLUMNS = (
    "<h1>한빛나루은행 소식지</h1><div style='columns:2;column-gap:14mm'>"
    "<p>나루적금을 새로 내놓는다. 기본 금리는 연 3.1%이고 급여를 이체하면 "
    "우대를 더한다. 가입 기간은 열두 달이며 매달 서른만원까지 넣을 수 있다. "
    "만기에 한꺼번에 이자를 준다.</p><p>강변 지점은 이월 첫 주부터 새 건물로 옮긴다. 옮기는 "
    "날에는 오후 두 시까지만 문을 연다. 주차는 한 시간 동안 받지 않는다.</p>"
    "<p>들판카드의 연회비는 내년부터 1만 2천원이다. 이미 쓰는 고객은 기한까지 예전 연회비를 낸다. 가족 카드는 받지 않는다.</p>"
    "<p>해외 송금 수수료를 건당 8,000원으로 내린다. 앱에서 보내면 절반만 받는다. "
    "국가에 따라 중계 은행의 수수료가 더 붙을 수 있다.</p></div>"
)
LONG = "<h1>수수료 일람</h1>" + _table(
    [
        ["번호", "업무", "창구", "인터넷"],
        *([str(at), f"업무 {at:02}", f"{at * 110:,}원", f"{at * 30:,}원"] for at in range(1, 61)),
    ]
)
PLAIN_TABLE = "<h1>증명서 수수료</h1>" + _table(
    [
        ["종류", "창구", "인터넷"],
        ["잔액증명서", "2,200원", "면제"],
        ["거래확인서", "1,100원", "면제"],
        ["영문증명서", "5,500원", "2,750원"],
    ]
)
SPANNED = (
    "<h1>송금 수수료</h1><table><tr><th rowspan=2>구분</th><th rowspan=2>금액</th><th colspan=2>수수료</th></tr>"
    "<tr><th>창구</th><th>자동화기기</th></tr>"
    "<tr><td rowspan=2>타행</td><td>10만원 "
    "이하</td><td>700원</td><td>450원</td></tr><tr><td>10만원 초과</td><td>2,100원</td><td>800원</td></tr>"
    "<tr><td>당행</td><td>전 금액</td><td colspan=2>면제</td></tr></table>"
)
WIDE = "<h1>지점별 시간</h1>" + _table(
    [
        ["지점", "평일", "토요일", "일요일", "전화"],
        ["강변", "09:00~16:00", "10:00~13:00", "휴무", "02-0000-0101"],
        ["들판", "09:30~17:00", "휴무", "휴무", "02-0000-0202"],
    ]
)
SPAN_LINES = (
    ("타행", "10만원 이하", "700원", "450원"),
    ("타행", "10만원 초과", "2,100원", "800원"),
    ("당행", "전 금액", "면제", "면제"),
)


def rotated(data: bytes) -> bytes:
    """The same PDF with pages rotated by 90°, as scanners write it."""
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    for page in document:
        page.set_rotation(90)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


PAGE = f"""<html><head><meta charset="euc-kr"><title>요율 안내</title><style>.off{{display:none}}</style></head><body>
<script>document.write("연 9.9%")</script><!-- 담당자 메모: 8.8% -->
{SPANNED}
<p class="off">숨은 문구 7.7%</p><p style="display:none">또 숨은 문구 6.6%</p>
<p>우대는&nbsp;<del>0.9%p</del> <ins>0.4%p</ins>이다.<br>다음 줄은 500원이다.</p>
<table><tr><td><table><tr><td>상담 시간</td><td>09:00~18:00</td></tr></table></td></tr></table></body></html>"""

NOTES = """---
title: 내부 분류 5.5%
---
들판카드 안내
============

연회비
------

| 카드 | 연회비 | 비고 |
|:-----|------:|------|
| 들판카드 | 12,000원 | 국내\\|해외 |
| 강변카드 | 면제 | |

적립률은 0.7%이다.[^1]

[^1]: 전월 실적 30만원 이상일 때이다.

<!-- 담당자 메모 4.4% -->
"""


def _archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("안내.md", NOTES)
    return out.getvalue()


def pages(printed: Print) -> tuple[OfficeFile, ...]:
    """All pages."""
    texts = (
        OfficeFile(
            "요율.html",
            PAGE.encode("cp949"),
            (*SPAN_LINES, ("우대는", "0.4%p", "이다."), ("다음 줄은 500원이다.",), ("상담 시간", "09:00~18:00")),
            (("9.9%",), ("8.8%",), ("7.7%",), ("6.6%",), ("0.9%p",)),
        ),
        OfficeFile(
            "들판카드.md",
            NOTES.encode(),
            (
                ("들판카드", "12,000원", "국내|해외"),
                ("강변카드", "면제"),
                ("적립률은 0.7%이다.",),
                ("전월 실적 30만원 이상",),
            ),
            (("4.4%",),),
        ),
        OfficeFile("묶음.zip", _archive(), refused="unpack"),
        OfficeFile(
            "안내.txt",
            "1. 수수료\r\n  타행 이체\t700원\r\n  당행 이체\t면제\r\n".encode("cp949"),
            (("타행 이체", "700원"),),
        ),
    )
    papers = (
        OfficeFile(
            "소식지.pdf",
            printed(COLUMNS),
            (("나루적금을 새로 내놓는다.",), ("1만 2천원이다.",), ("8,000원으로",)),
            (("나루적금을", "들판카드의"), ("강변 지점은", "해외 송금")),
        ),
        OfficeFile(
            "일람.pdf",
            printed(LONG, header="한빛나루은행 대외비 2026-01"),
            tuple((f"업무 {at:02}", f"{at * 110:,}원", f"{at * 30:,}원") for at in range(1, 61)),
            (("업무", "대외비"), ("- 2 -",)),
        ),
        OfficeFile(
            "선없는표.pdf",
            printed(PLAIN_TABLE, style="td,th{padding:2pt 22pt;text-align:left} "),
            (
                ("잔액증명서", "2,200원", "면제"),
                ("거래확인서", "1,100원", "면제"),
                ("영문증명서", "5,500원", "2,750원"),
            ),
        ),
        OfficeFile("병합.pdf", printed(SPANNED), SPAN_LINES, (("당행", "700원"), ("10만원 초과", "450원"))),
        OfficeFile(
            "가로.pdf",
            printed(WIDE, landscape=True),
            (("강변", "09:00~16:00", "10:00~13:00", "휴무"), ("들판", "09:30~17:00", "휴무", "휴무")),
        ),
        OfficeFile(
            "돌아간쪽.pdf",
            rotated(printed(SPANNED)),
            SPAN_LINES,
            (("당행", "700원"),),
        ),
        OfficeFile(
            "빈쪽.pdf",
            printed("<svg width=300 height=300><rect width=300 height=300 fill=red /></svg>"),
            refused="recognise its text",
        ),
    )
    return texts + papers
