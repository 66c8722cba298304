"""Word, Hangul and PowerPoint files as bank staff write them."""

from __future__ import annotations

from tests.document_builders import docx, hangul, slides, word_run
from tests.office.expected import OfficeFile


def _p(*runs: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{''.join(runs)}</w:p>"


def _t(text: str) -> str:
    return _p(word_run(text))


def _cell(content: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{content}</w:tc>"


def _row(*cells: str, properties: str = "") -> str:
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(cells)}</w:tr>"


def _table(*rows: str) -> str:
    return f"<w:tbl><w:tblPr/>{''.join(rows)}</w:tbl>"


def _texts(*texts: str) -> tuple[str, ...]:
    return tuple(_cell(_t(text)) for text in texts)


_BY = 'w:id="9" w:author="홍길동" w:date="2026-01-02T00:00:00Z"'


def _deleted(text: str) -> str:
    return f'<w:del {_BY}><w:r><w:delText xml:space="preserve">{text}</w:delText></w:r></w:del>'


def _inserted(text: str) -> str:
    return f"<w:ins {_BY}>{word_run(text)}</w:ins>"


NESTED = _table(
    _row(*_texts("서비스", "수수료")),
    _row(
        _cell(_t("외화 송금")),
        _cell(
            _t("금액에 따라")
            + _table(
                _row(*_texts("금액", "요금")),
                _row(*_texts("5천달러 이하", "8,000원")),
                _row(*_texts("5천달러 초과", "12,000원")),
            )
            + "<w:p/>"
        ),
    ),
    _row(*_texts("외화 수표 매입", "6,500원")),
)

TRACKED = (
    _p(word_run("보통예금 금리는 "), _deleted("연 0.1%"), _inserted("연 0.3%"), word_run("입니다."))
    + _table(
        _row(*_texts("항목", "수수료")),
        _row(_cell(_t("잔액증명서")), _cell(_p(_deleted("2,000원"), _inserted("2,500원")))),
        _row(*(_cell(_p(_deleted(text))) for text in ("통장 사본", "900원")), properties=f"<w:del {_BY}/>"),
        _row(*(_cell(_p(_inserted(text))) for text in ("질권 설정", "11,000원")), properties=f"<w:ins {_BY}/>"),
    )
    + f'<w:p><w:moveFromRangeStart {_BY} w:name="m1"/><w:moveFrom {_BY}>{word_run("옛 자리의 문장 77원.")}</w:moveFrom>'
    '<w:moveFromRangeEnd w:id="9"/></w:p>'
    + f"<w:p><w:moveTo {_BY}>{word_run('옮긴 자리의 문장 88원.')}</w:moveTo></w:p>"
)

_BOX = f"<w:txbxContent>{_t('상자 안: 비대면 가입 우대 0.4%p')}</w:txbxContent>"
BOXED = (
    '<w:p><w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
    '<mc:Choice Requires="wps" xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape">'
    f"<w:drawing><wps:txbx>{_BOX}</wps:txbx></w:drawing></mc:Choice>"
    '<mc:Fallback><w:pict><v:textbox xmlns:v="urn:schemas-microsoft-com:vml">'
    f"{_BOX}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
)

MERGED = _table(
    _row(
        _cell(_t("대출 종류"), '<w:vMerge w:val="restart"/>'),
        _cell(_t("금리"), '<w:gridSpan w:val="2"/>'),
        _cell(_t("한도"), '<w:vMerge w:val="restart"/>'),
    ),
    _row(_cell("<w:p/>", "<w:vMerge/>"), _cell(_t("고정")), _cell(_t("변동")), _cell("<w:p/>", "<w:vMerge/>")),
    _row(*_texts("신용", "연 5.1%", "연 4.8%", "1억원")),
    _row(_cell(_t("담보"), '<w:vMerge w:val="restart"/>'), *_texts("연 4.2%", "연 3.9%", "5억원")),
    _row(_cell("<w:p/>", "<w:vMerge/>"), _cell(_t("별도 협의"), '<w:gridSpan w:val="2"/>'), _cell(_t("10억원"))),
)

ODD = (
    _p(
        word_run("공개 "),
        word_run("숨긴 글 3.33%", "<w:vanish/>"),
        "<w:r><w:t>연 3</w:t><w:noBreakHyphen/><w:t>5%</w:t></w:r>",
    )
    + _p("<w:r><w:t>수수료:</w:t><w:tab/><w:t>500원</w:t><w:br/><w:t>면제 없음</w:t></w:r>")
    + _p(
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> '
        'HYPERLINK "https://x.example/secret99" </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>',
        word_run("이용 안내 바로가기"),
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>',
    )
    + f"<w:sdt><w:sdtPr/><w:sdtContent>{_t('계약 기간은 24개월이다.')}</w:sdtContent></w:sdt>"
    + _p(word_run("폐지된 우대 0.7%p", "<w:strike/>"), word_run(" 남은 우대 0.2%p"))
)

UNEVEN = _table(
    _row(*_texts("등급", "연회비", "적립률")),
    _row(_cell(_t("골드")), _cell(_t("2만원")), _cell(_t("0.8%"))),
    _row(_cell(_t("1.2%")), properties='<w:gridBefore w:val="2"/>'),
    _row(_cell(_t("실버")), _cell(_t("1만원")), properties='<w:gridAfter w:val="1"/>'),
)

FEES = [
    ["구분", "채널", "수수료", "<"],
    ["^", "^", "평일", "휴일"],
    ["계좌 이체", "창구", "800원", "1,100원"],
    ["^", "자동화기기", "300원", "550원"],
    ["현금 인출", "자동화기기", "면제", "450원"],
]


def _nested_hangul() -> bytes:
    import tempfile
    from pathlib import Path

    from hwpx import HwpxDocument

    document = HwpxDocument.new()
    outer = document.add_table(3, 2)
    for row, texts in enumerate([["서비스", "수수료"], ["외화 송금", "금액에 따라"], ["외화 수표 매입", "6,500원"]]):
        for column, text in enumerate(texts):
            outer.set_cell_text(row, column, text)
    inner = outer.cell(1, 1).add_table(3, 2)
    for row, texts in enumerate([["금액", "요금"], ["5천달러 이하", "8,000원"], ["5천달러 초과", "12,000원"]]):
        for column, text in enumerate(texts):
            inner.set_cell_text(row, column, text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "document.hwpx")
        document.save_to_path(path)
        return path.read_bytes()


def _with_comment() -> bytes:
    return docx(
        [("h1", "한빛나루은행 상담 안내")],
        body='<w:p><w:commentRangeStart w:id="1"/>'
        + word_run("상담은 평일 10시부터 한다.")
        + '<w:commentRangeEnd w:id="1"/><w:r><w:commentReference w:id="1"/></w:r></w:p>',
    )


FEE_LINES = (
    ("계좌 이체", "창구", "800원", "1,100원"),
    ("계좌 이체", "자동화기기", "300원", "550원"),
    ("현금 인출", "자동화기기", "면제", "450원"),
)
TITLE = ("h1", "한빛나루은행 안내")
NESTED_LINES = (
    ("외화 송금", "5천달러 이하", "8,000원"),
    ("외화 송금", "5천달러 초과", "12,000원"),
    ("외화 수표 매입", "6,500원"),
)
NEVER_NESTED = (("외화 수표 매입", "8,000원"), ("외화 수표 매입", "12,000원"), ("5천달러 이하", "12,000원"))

WORD_FILES = (
    OfficeFile(
        "겹친표.docx",
        docx([TITLE], body=NESTED),
        NESTED_LINES,
        NEVER_NESTED,
    ),
    OfficeFile("겹친표.hwpx", _nested_hangul(), NESTED_LINES, NEVER_NESTED),
    OfficeFile(
        "고친흔적.docx",
        docx([TITLE], body=TRACKED),
        (
            ("보통예금 금리는 연 0.3%입니다.",),
            ("잔액증명서", "2,500원"),
            ("질권 설정", "11,000원"),
            ("옮긴 자리의 문장 88원.",),
        ),
        (("0.1%",), ("2,000원",), ("통장 사본",), ("900원",), ("77원",)),
    ),
    OfficeFile("글상자.docx", docx([TITLE], body=BOXED), (("상자 안: 비대면 가입 우대 0.4%p",),)),
    OfficeFile(
        "두줄머리.docx",
        docx([TITLE], body=MERGED),
        (
            ("신용", "연 5.1%", "연 4.8%", "1억원"),
            ("담보", "연 4.2%", "연 3.9%", "5억원"),
            ("담보", "별도 협의", "10억원"),
        ),
        (("신용", "5억원"),),
    ),
    OfficeFile(
        "이것저것.docx",
        docx([TITLE], body=ODD),
        (("공개", "연 3", "5%"), ("수수료:", "500원"), ("이용 안내 바로가기",), ("24개월",), ("남은 우대 0.2%p",)),
        (("3.33%",), ("secret99",), ("0.7%p",), ("35%",)),
        doubted=("3-5%",),
    ),
    OfficeFile(
        "들쭉날쭉.docx",
        docx([TITLE], body=UNEVEN),
        (("등급", "연회비", "적립률"), ("골드", "2만원", "0.8%"), ("실버", "1만원")),
        (("실버", "0.8%"), ("실버", "1.2%")),
    ),
    OfficeFile("의견.docx", _with_comment(), (("상담은 평일 10시부터 한다.",),)),
    OfficeFile(
        "각주.docx",
        docx(
            [
                TITLE,
                ("note", "우대 금리는 최고 0.6%p이다.", "급여 이체 고객에게 적용한다."),
                ("p", "그 밖의 조건은 없다."),
            ]
        ),
        (("우대 금리는 최고 0.6%p이다.",), ("급여 이체 고객에게 적용한다.",)),
    ),
    OfficeFile(
        "병합.hwpx", hangul([TITLE, ("table", FEES)]), FEE_LINES, (("현금 인출", "300원"), ("현금 인출", "창구"))
    ),
    OfficeFile(
        "한글각주.hwpx",
        hangul(
            [
                TITLE,
                ("article", "수수료"),
                ("item", "이체 수수료는 500원이다."),
                ("note", "다만 감면한다.", "만 65세 이상은 절반이다."),
            ]
        ),
        (("제1조", "수수료"), ("이체 수수료는 500원이다.",), ("만 65세 이상은 절반이다.",)),
    ),
    OfficeFile("병합.hwp", hangul([TITLE, ("table", FEES)], ".hwp"), FEE_LINES, (("현금 인출", "300원"),)),
    OfficeFile("발표.pptx", slides([("h1", "수수료"), ("table", FEES)]), FEE_LINES, (("현금 인출", "300원"),)),
    OfficeFile("옛문서.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1528, refused=".docx"),
)
