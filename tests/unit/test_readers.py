"""Readers: every encoding and layout of a file gives the same rows; all defects of all files are reported at once."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.errors import InputError, RowError, RowErrors
from rag.ingestion.cell_text import iso_date
from rag.ingestion.columns import match_columns
from rag.ingestion.faq_row import FaqRow
from rag.ingestion.files import decode
from rag.ingestion.readers import read

HEADER = "id,question,answer,category,bank,source_url,effective_from,effective_until"
FULL = f'{HEADER}\r\nsnb-001, 통장을 잃어버렸어요 ,"첫째 줄\n둘째 줄, ""인용"" 😀",분실,새나래은행,https://a.example/1,2024.01.05,2024/12/31\r\n'
WORKSHOP = "no,Category,Information,type,Source\n7,한도를 늘리려면?,영업점에 오시면 됩니다.,이체,도담저축은행\n"


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def defects(*paths: Path, columns: dict[str, str] | None = None) -> set[tuple[str, int | None, str | None, str]]:
    with pytest.raises(RowErrors) as caught:
        read(paths, columns=columns)
    return {(Path(error.file).name, error.row, error.column, error.problem) for error in caught.value.errors}


def places(*paths: Path, columns: dict[str, str] | None = None) -> set[tuple[str, int | None, str | None]]:
    return {found[:3] for found in defects(*paths, columns=columns)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_every_encoding_gives_the_same_row(tmp_path: Path, encoding: str) -> None:
    file = write(tmp_path / "faq.csv", FULL.replace("😀", "").encode(encoding))
    assert read([file]) == [
        FaqRow(
            id="snb-001",
            question="통장을 잃어버렸어요",
            answer='첫째 줄\n둘째 줄, "인용"',
            category="분실",
            bank="새나래은행",
            source_url="https://a.example/1",
            effective_from="2024-01-05",
            effective_until="2024-12-31",
            file=str(file),
            row=2,
        )
    ]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_header_decides_the_delimiter(tmp_path: Path, delimiter: str) -> None:
    rows = [["question", "answer"], ["수수료는, 얼마; 인가요?", "1,000원; 면제\t가능"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    [row] = read([write(tmp_path / "faq.csv", text.getvalue())])
    assert [row.question, row.answer] == rows[1]


def test_workshop_columns(tmp_path: Path) -> None:
    [row] = read([write(tmp_path / "faq.csv", WORKSHOP)])
    assert (row.id, row.question, row.answer) == ("7", "한도를 늘리려면?", "영업점에 오시면 됩니다.")
    assert (row.category, row.bank, row.extra) == ("이체", "도담저축은행", {})


def test_mapped_columns_and_the_rest_by_name(tmp_path: Path) -> None:
    file = write(tmp_path / "faq.csv", "번호,제목,내용,Bank,담당\n3,질문,답변,은행,홍보팀\n")
    [row] = read([file], columns={"id": "번호", "question": "제목", "answer": "내용"})
    assert (row.id, row.question, row.answer, row.bank, row.extra) == ("3", "질문", "답변", "은행", {"담당": "홍보팀"})


def test_mapped_column_is_not_used_twice(tmp_path: Path) -> None:
    """The mapping uses `category` as the question, so no row has a category."""
    [row] = read([write(tmp_path / "faq.csv", "category,answer\n질문,답변\n")], columns={"question": "category"})
    assert (row.question, row.category) == ("질문", "")


def test_json_lines(tmp_path: Path) -> None:
    objects: list[dict[str, Any]] = [
        {"id": 12, "question": " 질문 ", "answer": "답\n변", "bank": None, "priority": 2.5, "vip": True},
        {"id": "b", "question": "질문", "answer": "답변", "effective_from": "2025/3/1"},
    ]
    text = "\n\n".join(json.dumps(value) for value in objects)
    first, second = read([write(tmp_path / "faq.jsonl", text)])
    assert (first.id, first.question, first.answer, first.bank) == ("12", "질문", "답\n변", "")
    assert first.extra == {"priority": 2.5, "vip": True}
    assert (second.row, second.effective_from, second.extra) == (3, "2025-03-01", {})


def test_directories_in_sorted_order_without_hidden_files_and_each_file_once(tmp_path: Path) -> None:
    for name in ("b.csv", "a/z.csv", "a/b/c.jsonl"):
        line = (
            '{"id": "%s", "question": "q", "answer": "a"}' if name.endswith("jsonl") else "id,question,answer\n%s,q,a"
        )
        write(tmp_path / "faq" / name, line % name)
    write(tmp_path / "faq" / ".git" / "x.csv", "")
    write(tmp_path / "faq" / "~$b.csv", "")
    rows = read([tmp_path / "faq" / "b.csv", tmp_path / "faq"])
    assert [row.id for row in rows] == ["b.csv", "a/b/c.jsonl", "a/z.csv"]


def test_row_numbers_count_blank_and_multi_line_rows_as_a_spreadsheet_does(tmp_path: Path) -> None:
    file = write(tmp_path / "faq.csv", 'question,answer\nq,"1\n2\n3"\n\n,\nr,a\n')
    assert [row.row for row in read([file])] == [2, 5]


def test_defects_of_all_files_are_raised_at_once(tmp_path: Path) -> None:
    bad = write(
        tmp_path / "bad.csv",
        f"{HEADER}\n"
        "a,,답변,,,,,\n"  # 2 no question
        "b,질문,  ,,,,,\n"  # 3 no answer
        "c,질문,답변,,,,2025-02-30,\n"  # 4 no such day
        "d,질문,답변,,,,2025-02-03,2025-02-02\n"  # 5 until before from
        "e,질문\n"  # 6 too few fields
        "f,질문,답변,,,,,,더\n"  # 7 too many fields
        'g,질문,"닫히지 않은 답변,,,,,\n'  # 8 broken quoting
        'h,질문,"두 줄\n답변",,,,,2025-13-01\n'  # 9 a date of no kind, after the broken row
        "i,질문\0,답변,,,,,\n"  # 10 NUL
        "c,,답변,,,,,\n"  # 11 duplicate id and no question
        ",질문,답변,,,,,\n"  # 12 no id
        'j,질문,"인용"뒤,,,,,\n'  # 13 broken quoting within one line
        'k,질문,"답변"뒤,,,,,\n'  # 14 another right after it
        "l,질문,답변,,,,1.1.25,\n"  # 15 a date of no kind
        "m,질문,답변\n",  # 16 without its optional fields: none
    )
    lines = write(
        tmp_path / "bad.jsonl",
        '{"id": "m", "question": "q", "answer": "a"}\n'  # 1 duplicate across files
        '{"id": "x", "question": \n'  # 2 no JSON
        "[1]\n"  # 3 no object
        '{"id": "y", "question": ["q"], "answer": "a"}\n'  # 4 no text
        '{"id": "z", "question": 5, "answer": "a"}\n'  # 5 no text
        '{"id": "z", "id": "y", "question": "q", "answer": "a"}\n'  # 6 a key twice
        '{"id": "v", "question": "q", "answer": "a", "n": NaN, "m": 1}\n'  # 7 not JSON
        '{"id": "w", "question": "\\ud800", "answer": "a", "n": 1e999}\n',  # 8 half a character, infinite
    )
    assert places(
        bad,
        lines,
        write(tmp_path / "columns.csv", "id,question,text,indexed_at\n1,q,a,now\n"),
        write(tmp_path / "twice.csv", "id,question,answer,answer\n1,q,a,a\n"),
        write(tmp_path / "header.csv", "question,answer\n"),
        write(tmp_path / "quotes.csv", '"question,answer\n'),
        write(tmp_path / "nothing.csv", b"\xef\xbb\xbf \n"),
        write(tmp_path / "faq.xlsx", b"PK"),
        tmp_path / "gone.csv",
    ) == {
        ("bad.csv", 2, "question"),
        ("bad.csv", 3, "answer"),
        ("bad.csv", 4, "effective_from"),
        ("bad.csv", 5, "effective_until"),
        ("bad.csv", 6, None),
        ("bad.csv", 7, None),
        ("bad.csv", 8, None),
        ("bad.csv", 9, "effective_until"),
        ("bad.csv", 10, "question"),
        ("bad.csv", 11, "id"),
        ("bad.csv", 11, "question"),
        ("bad.csv", 12, "id"),
        ("bad.csv", 13, None),
        ("bad.csv", 14, None),
        ("bad.csv", 15, "effective_from"),
        ("bad.jsonl", 1, "id"),
        ("bad.jsonl", 2, None),
        ("bad.jsonl", 3, None),
        ("bad.jsonl", 4, "question"),
        ("bad.jsonl", 5, "question"),
        ("bad.jsonl", 6, None),
        ("bad.jsonl", 7, None),
        ("bad.jsonl", 8, "question"),
        ("bad.jsonl", 8, "n"),
        ("columns.csv", 1, "answer"),
        ("columns.csv", 1, "indexed_at"),
        ("twice.csv", 1, "answer"),
        ("header.csv", None, None),
        ("quotes.csv", 1, None),
        ("nothing.csv", None, None),
        ("faq.xlsx", None, None),
        ("gone.csv", None, None),
    }


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        *[
            (f"faq{kind}", b"PK\x03\x04", "unsupported kind of file: ")
            for kind in (".XLS", ".hwp", ".hwpx", ".docx", ".pdf", ".pptx", ".txt", "")
        ],
        ("renamed.csv", b"PK\x03\x04\x14\0\0\0\x08\0\xef\xff\n\x80,,\n", "is not text but another program's file"),
        ("renamed.tsv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is not text but another program's file"),
        ("renamed.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "is not text but another program's file"),
    ],
)
def test_a_file_of_another_program_is_refused_with_what_to_do(
    tmp_path: Path, name: str, data: bytes, expected: str
) -> None:
    [(_, row, column, problem)] = defects(write(tmp_path / name, data))
    assert (row, column) == (None, None)
    assert problem.startswith(expected) and "\n" not in problem
    assert problem.endswith(
        'save its table of questions and answers as CSV (in Excel: "CSV UTF-8") or .xlsx; '
        "supported: .csv, .tsv, .json, .jsonl, .xlsx"
    )


def test_defects_are_named_by_the_columns_of_the_file(tmp_path: Path) -> None:
    file = write(tmp_path / "faq.csv", "no,Category,Information,type,Source\n1,,답변,,\n1,질문,답변,,\n")
    assert places(file) == {("faq.csv", 2, "Category"), ("faq.csv", 3, "no")}


def test_mapping_to_a_missing_column(tmp_path: Path) -> None:
    file = write(tmp_path / "faq.csv", "제목,answer\n질문,답변\n")
    assert places(file, columns={"question": "재목"}) == {("faq.csv", 1, "재목")}


@pytest.mark.parametrize("columns", [{"qestion": "제목"}, {"question": "제목", "answer": "제목"}])
def test_mapping_that_cannot_be_meant(tmp_path: Path, columns: dict[str, str]) -> None:
    with pytest.raises(InputError, match="--columns"):
        read([write(tmp_path / "faq.csv", "제목,answer\n질문,답변\n")], columns=columns)


def test_a_folder_without_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hold no file"):
        read([tmp_path])


def test_a_folder_that_cannot_be_read_is_not_taken_for_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(folder: str) -> None:
        raise PermissionError(13, "Permission denied", folder)

    write(tmp_path / "faq" / "a.csv", "question,answer\nq,a\n")
    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(InputError, match="Permission denied"):
        read([tmp_path / "faq"])


def test_a_mistyped_path(tmp_path: Path) -> None:
    assert defects(tmp_path / "fqa") == {("fqa", None, None, "no such file or folder")}


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_a_damaged_byte_is_named_by_row_column_and_line(tmp_path: Path, encoding: str) -> None:
    text = (
        'question,answer\n"이체 한도는\n얼마인가요?",하루 오천만 원입니다.\n질문입니다,"답변입니다\n둘째 줄@입니다"\n'
    )
    file = write(tmp_path / "faq.csv", text.encode(encoding).replace(b"@", b"\xff"))
    assert defects(file) == {("faq.csv", 3, "answer", "byte 0xFF on line 5 is neither UTF-8 nor CP949")}


def test_damaged_utf8_that_happens_to_be_cp949_is_not_read_as_cp949() -> None:
    whole = "부채증명원".encode()
    data = whole[:2] + whole[3:]
    assert len(data.decode("cp949")) == 7  # valid, and nonsense
    assert decode(data).endswith("채증명원")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29", "2024-02-29"),
        ("2024.2.9", "2024-02-09"),
        ("2024/12/31", "2024-12-31"),
        ("2023-02-29", ""),
        ("2024-02.29", ""),
        ("24-02-29", ""),
        ("1/31/2026", ""),
        ("2024-02-29T00:00", "2024-02-29"),
        ("2024-02-28T15:00:00.000Z", "2024-02-29"),
        ("2024-02-29 00:00:00", "2024-02-29"),
        ("2024. 2. 29. 오전 12:00:00", "2024-02-29"),
        ("2024. 2. 29.", "2024-02-29"),
        ("2024.02.29.(목)", "2024-02-29"),
        ("2024년 2월 29일", "2024-02-29"),
        ("2024년 2월 29일 목요일", "2024-02-29"),
        ("20240229", "2024-02-29"),
        ("2024022", ""),
        ("202402290", ""),
        ("2024. 2. 29. ~ 2024. 3. 1.", ""),
        ("9999-12-31", "9999-12-31"),
        ("２０２４-01-01", ""),
    ],
)
def test_dates(text: str, expected: str) -> None:
    assert iso_date(text) == expected


CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs"), exclude_characters="<&\\"), max_size=40
)


@given(st.lists(st.tuples(CELL.filter(str.strip), CELL.filter(str.strip)), min_size=1, max_size=8))
def test_what_a_spreadsheet_writes_comes_back(tmp_path_factory: pytest.TempPathFactory, cells: Any) -> None:
    text = io.StringIO(newline="")
    # Their numbers keep rows apart that say the same, and the end an answer from its question.
    table = [(str(number), q, f"{a}끝") for number, (q, a) in enumerate(cells)]
    csv.writer(text).writerows([("id", "question", "answer"), *table])
    rows = read([write(tmp_path_factory.mktemp("faq") / "faq.csv", text.getvalue())])
    composed = [tuple(unicodedata.normalize("NFC", cell).strip() for cell in row) for row in table]
    assert [(row.id, row.question, row.answer) for row in rows] == composed


@given(st.sampled_from(["csv", "jsonl"]), st.binary(max_size=200), st.booleans())
@example("jsonl", b'{"question": ' + b"9" * 5000 + b"}", False)
@example("jsonl", b"[" * 100_000, False)
@example("jsonl", b"{}", False)
@example("csv", b'"' + b"a" * 200_000, True)
def test_no_bytes_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, data: bytes, with_header: bool
) -> None:
    file = write(tmp_path_factory.mktemp("faq") / f"faq.{suffix}", b"question,answer\n" * with_header + data)
    with contextlib.suppress(RowErrors):
        assert read([file])


def test_of_a_thousand_broken_rows_the_first_are_named_and_the_rest_counted() -> None:
    errors = [RowError("faq.csv", row, "question", "is empty" * 1000) for row in range(2, 1002)]
    message = str(RowErrors(errors))
    assert message.startswith("1000 problem(s) found")
    assert message.endswith("and 950 more")
    assert len(message) < 20_000
    assert "row 51," in message and "row 52," not in message
    assert "more" not in str(RowErrors(errors[:50]))


def test_a_header_of_many_columns_is_read_in_one_pass() -> None:
    """Counted and not timed: each name is compared a bounded number of times."""
    compared = 0

    class Name(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    names = [Name(f"column {number}") for number in range(2000)]
    assert match_columns(names, {}) == {}
    assert compared < 20 * len(names)
