"""Questions and answers without a known header: marked rows, other names of columns, nested JSON, rows that are switched off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from rag.ingestion.columns import match_columns
from rag.ingestion.readers import ReadResult, read_rows
from rag.ingestion.sources import read_sources


def saved(tmp_path: Path, *sheets: list[list[Any]]) -> Path:
    book = Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if not number else book.create_sheet()
        assert sheet
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "list.xlsx")
    return tmp_path / "list.xlsx"


def read(tmp_path: Path, text: str, name: str) -> ReadResult:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return read_rows([tmp_path / name])


@pytest.mark.parametrize(
    "rows",
    [
        [["문의 모음"], [], ["Q1", "환불은 언제 되나요?"], ["A1", "사흘 안에 됩니다."], ["Q2", "영수증은요?"],
         ["A2", "앱에 있습니다."]],
        [["질문", "환불은 언제 되나요?"], ["답변", "사흘 안에 됩니다."], ["질문", "영수증은요?"], ["답변", "앱에 있습니다."]],
        [["Q. 환불은 언제 되나요?"], ["A. 사흘 안에 됩니다."], [], ["Q. 영수증은요?"], ["A. 앱에 있습니다."]],
        [["문 1) 환불은 언제 되나요?"], ["답) 사흘 안에 됩니다."], ["문 2) 영수증은요?"], ["답) 앱에 있습니다."]],
        [["Q.", "A."], ["Q. 환불은 언제 되나요?", "A. 사흘 안에 됩니다."], ["Q. 영수증은요?", "A. 앱에 있습니다."]],
    ],
)  # fmt: skip
def test_marked_rows_are_an_faq(tmp_path: Path, rows: list[list[Any]]) -> None:
    sources = read_sources([saved(tmp_path, rows)])
    assert not sources.documents
    assert [(row.question, row.answer) for row in sources.rows] == [
        ("환불은 언제 되나요?", "사흘 안에 됩니다."),
        ("영수증은요?", "앱에 있습니다."),
    ]


def test_answers_go_on_in_further_rows_and_titles_are_categories(tmp_path: Path) -> None:
    texts = [
        "[송금]",
        "Q. 얼마까지요?",
        "A. 하루 백만원입니다.",
        "   법인은 다릅니다.",
        "■ 카드",
        "Q. 한도는",
        "얼마예요?",
        "A. 다릅니다.",
    ]
    found = read_sources([saved(tmp_path, [[text] for text in texts])]).rows
    assert [(row.category, row.question, row.answer) for row in found] == [
        ("송금", "얼마까지요?", "하루 백만원입니다.\n법인은 다릅니다."),
        ("카드", "한도는 얼마예요?", "다릅니다."),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [["Q1", "답이 없는 물음"], ["Q2", "또 하나"], ["A2", "답"]],
        [["A", "우대"], ["B", "일반"], ["Q1", "분기"], ["Q2", "분기"]],
        [["상품", "금리"], ["Q적금", "3%"], ["A적금", "4%"]],
        [["Q1", "하나뿐인 물음"], ["A1", "답"]],
    ],
)
def test_other_rows_are_no_faq(tmp_path: Path, rows: list[list[Any]]) -> None:
    sources = read_sources([saved(tmp_path, rows)])
    assert not sources.rows
    assert len(sources.documents) == 1


def test_each_sheet_has_its_own_header(tmp_path: Path) -> None:
    marked = [["Q1", "마?"], ["A1", "바"], ["Q2", "사?"], ["A2", "아"]]
    path = saved(tmp_path, [["질문", "답변"], ["가?", "나"]], [["예상질문", "표준답변"], ["다?", "라"]], marked)
    assert [row.question for row in read_rows([path]).rows] == ["가?", "다?", "마?", "사?"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["고객 문의사항", "답변내용", "처리부서"], ("고객 문의사항", "답변내용")),
        (["질문 유형", "질문(Q)", "답변(A)"], ("질문(Q)", "답변(A)")),
        (["SEQ", "TITLE", "CONTENTS"], ("TITLE", "CONTENTS")),
        (["유사질문", "대표질문", "표준 답변(안)"], ("대표질문", "표준 답변(안)")),
        (["1차 답변", "최종 답변", "질문"], ("질문", None)),
        (["추가질문", "예상질문", "답변"], (None, "답변")),
    ],
)
def test_names_that_end_like_a_question_or_an_answer(names: list[str], expected: tuple[str | None, str | None]) -> None:
    located = match_columns(names, {})
    assert (located.get("question"), located.get("answer")) == expected


@pytest.mark.parametrize(
    ("column", "off", "on"),
    [("사용여부", "N", "Y"), ("노출 여부", "미노출", "노출"), ("DEL_YN", "Y", "N"), ("use_yn", "0", "1")],
)
def test_rows_that_are_switched_off_are_left_out_and_named(tmp_path: Path, column: str, off: str, on: str) -> None:
    found = read(
        tmp_path, f"질문,답변,{column}\n옛 한도는?,백만원,{off}\n한도는?,이백만원,{on}\n조회수는?,없음,\n", "faq.csv"
    )
    assert [row.question for row in found.rows] == ["한도는?", "조회수는?"]
    assert [(note.kind, note.values["rows"]) for note in found.notes] == [("switched_off", "2")]


ROW = {"question": "언제요?", "answer": "내일요."}
OTHER = {"question": "어디서요?", "answer": "앱에서요."}


@pytest.mark.parametrize(
    ("document", "categories"),
    [
        ({"code": 0, "data": {"total": 2, "items": [ROW, OTHER]}}, ["", ""]),
        ({"카드": [ROW], "대출": [OTHER]}, ["카드", "대출"]),
        ({"categories": [{"name": "카드", "faqs": [ROW]}, {"name": "대출", "faqs": [OTHER]}]}, ["카드", "대출"]),
        ([{"title": "카드", "list": [ROW, OTHER]}], ["카드", "카드"]),
        ({"menu": [{"label": "홈"}], "faq": [ROW, OTHER]}, ["", ""]),
        ({"items": [{"body": ROW, "meta": {"category": "카드", "tags": ["가", "나"]}}, {"body": OTHER}]}, ["카드", ""]),
        ({"@type": "FAQPage", "mainEntity": [
            {"@type": "Question", "name": each["question"], "acceptedAnswer": {"text": f"<p>{each['answer']}</p>"}}
            for each in (ROW, OTHER)]}, ["", ""]),
    ],
)  # fmt: skip
def test_json_of_programs(tmp_path: Path, document: object, categories: list[str]) -> None:
    found = read(tmp_path, json.dumps(document), "faq.json")
    assert not found.errors
    assert [(row.question, row.answer) for row in found.rows] == [
        (ROW["question"], ROW["answer"]),
        (OTHER["question"], OTHER["answer"]),
    ]
    assert [row.category for row in found.rows] == categories


def test_a_table_that_is_no_faq_is_refused_in_one_line(tmp_path: Path) -> None:
    [error] = read(tmp_path, '"이체 수수료",,\n구분,개인,법인\n타행이체,500원,700원\n', "fees.csv").errors
    assert (error.row, error.kind) == (2, "no_required")
    assert "--columns question=…,answer=…" in str(error)


def test_a_row_without_an_answer_is_named_beside_complete_ones(tmp_path: Path) -> None:
    document = {"카드": [ROW, {"question": "답이 없는 물음"}], "대출": [OTHER]}
    [error] = read(tmp_path, json.dumps(document), "faq.json").errors
    assert (error.row, error.kind) == (2, "no_value")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("faq.csv", "분류,번호,질문,답변\n예금,1,가?,나\n예금,2,다?,라\n카드,1,마?,바\n카드,2,사?,아\n"),
        ("faq.tsv", "분류\t번호\t질문\t답변\n예금\t1\t가?\t나\n예금\t2\t다?\t라\n카드\t1\t마?\t바\n카드\t2\t사?\t아\n"),
    ],
)
def test_numbers_that_start_again_in_each_category(tmp_path: Path, name: str, text: str) -> None:
    found = read(tmp_path, text, name)
    assert [row.id for row in found.rows] == ["예금:1", "예금:2", "카드:1", "카드:2"]
    assert [note.kind for note in found.notes] == ["restarted"]


def test_numbers_that_start_again_in_each_sheet(tmp_path: Path) -> None:
    header = ["번호", "질문", "답변"]
    path = saved(tmp_path, [header, [1, "가?", "나"], [2, "다?", "라"]], [header, [1, "마?", "바"]])
    assert [row.id for row in read_rows([path]).rows] == ["Sheet:1", "Sheet:2", "Sheet1:1"]


def test_two_files_whose_numbers_start_again_in_the_same_categories(tmp_path: Path) -> None:
    text = "분류,번호,질문,답변\n예금,1,{0}가?,나\n카드,1,{0}마?,바\n"
    for name in ("앱", "창구"):
        (tmp_path / f"{name}.csv").write_text(text.format(name), encoding="utf-8")
    found = read_rows(sorted(tmp_path.glob("*.csv")))
    assert not found.errors
    assert [row.id for row in found.rows] == ["앱:예금:1", "앱:카드:1", "창구:예금:1", "창구:카드:1"]


def test_numbers_repeated_within_a_category_stay_an_error(tmp_path: Path) -> None:
    found = read(tmp_path, "분류,번호,질문,답변\n예금,1,가?,나\n예금,1,다?,라\n카드,1,마?,바\n", "faq.csv")
    assert {error.kind for error in found.errors} == {"id_used"}


def test_quotes_between_tabs_are_text(tmp_path: Path) -> None:
    found = read(tmp_path, '질문\t답변\n"OTP"란?\t"일회용" 번호\n"두 줄\n물음?"\t답\n', "faq.tsv")
    assert [(row.question, row.answer) for row in found.rows] == [('"OTP"란?', '"일회용" 번호'), ("두 줄\n물음?", "답")]


def test_a_repeated_id_is_reported_once_and_its_place_in_the_language_of_the_message(tmp_path: Path) -> None:
    [error] = read(tmp_path, "번호,질문,답변\nA,가?,나\nA,다?,라\n", "faq.csv").errors
    assert "faq.csv, row 2" in str(error) and "faq.csv 2행에서" in error.in_korean


def test_columns_that_are_not_known_are_listed_from_the_header_and_not_from_a_title_above_it(tmp_path: Path) -> None:
    rows = [
        ["별솔생명 고객 응대 자료(대외비)"],
        ["순서", "고객이 묻는 말", "응대문의"],
        ["1", "가", "나"],
        ["2", "다", "라"],
    ]
    (tmp_path / "faq.csv").write_text("\n".join(map(",".join, rows)) + "\n", encoding="utf-8")
    found = read_rows([tmp_path / "faq.csv"])
    assert [(error.row, "순서, 고객이 묻는 말, 응대문의" in str(error)) for error in found.errors] == [(2, True)]
    book = read_rows([saved(tmp_path, rows)])
    assert [(error.row, "순서, 고객이 묻는 말, 응대문의" in str(error)) for error in book.errors] == [(2, True)]


def test_categories_left_blank_by_merged_cells_are_noted(tmp_path: Path) -> None:
    text = "분류,질문,답변\n예금,가?,나\n,다?,라\n,마?,바\n카드,사?,아\n"
    notes = read(tmp_path, text, "faq.csv").notes
    assert [note.values["count"] for note in notes if note.kind == "blank_categories"] == [2]
    filled = read(tmp_path, text.replace("\n,", "\n예금,"), "other.csv").notes
    assert not [note for note in filled if note.kind == "blank_categories"]


def test_a_workbook_without_known_columns_is_noted_as_a_document(tmp_path: Path) -> None:
    rows = [["별솔생명 응대 자료"], ["순서", "고객이 묻는 말", "우리 대답"], ["1", "가", "나"], ["2", "다", "라"]]
    sources = read_sources([saved(tmp_path, rows)])
    [note] = [note for note in sources.notes if note.kind == "as_document"]
    assert "순서, 고객이 묻는 말, 우리 대답" in str(note) and "--columns" in note.korean
