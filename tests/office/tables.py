"""Tables of FAQ rows as other programs save them."""

from __future__ import annotations

from tests.office.expected import OfficeFile

ROWS = (
    ("이체 한도는 얼마인가요?", "하루 5천만원입니다.\n더 올리려면 지점에 오세요."),
    ('"우대 고객"은 누구인가요?', "잔액이 1억원; 또는 급여 이체 고객입니다."),
    ("수수료가 있나요?", "없습니다."),
)


def _table(delimiter: str, *, line: str = "\r\n", header: str = "번호{0}질문{0}답변{0}구분") -> str:
    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    lines = [header.format(delimiter)]
    lines += [delimiter.join((str(at), quoted(q), quoted(a), "이체")) for at, (q, a) in enumerate(ROWS, 1)]
    return line.join(lines) + line


_TITLED = "고객 문의 모음,,,\r\n2026-03-02 출력,,,\r\n,,,\r\n" + _table(",")
_FEES = "구분,창구,인터넷\r\n타행 이체,700원,면제\r\n당행 이체,면제,면제\r\n"
_SPACED = " 번호 , 질문 , 답변 , 구분 \r\n" + _table(",").split("\r\n", 1)[1]
_MIXED = _table(",").replace("\r\n", "\r", 1)

TABLES = (
    OfficeFile("씨피쉼표.csv", _table(",").encode("cp949"), rows=ROWS),
    OfficeFile("씨피쌍반점.csv", _table(";").encode("cp949"), rows=ROWS),
    OfficeFile("유니코드탭.txt.csv", ("\ufeff" + _table("\t")).encode("utf-16-le"), rows=ROWS),
    OfficeFile("유니코드빅.csv", ("\ufeff" + _table(",")).encode("utf-16-be"), rows=ROWS),
    OfficeFile("탭.tsv", _table("\t", line="\n").encode(), rows=ROWS),
    OfficeFile("제목있음.csv", _TITLED.encode("utf-8-sig"), rows=ROWS),
    OfficeFile("빈칸머리글.csv", _SPACED.encode("cp949"), rows=ROWS),
    OfficeFile("세로줄.csv", _table("|").encode(), rows=ROWS),
    OfficeFile("섞인줄.csv", _MIXED.encode(), rows=ROWS),
    OfficeFile(
        "수수료.csv",
        _FEES.encode("cp949"),
        lines=(("구분", "창구", "인터넷"), ("타행 이체", "700원", "면제"), ("당행 이체", "면제", "면제")),
        notes=("--columns",),
    ),
)
