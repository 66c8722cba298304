"""Rows that name no institution beside rows and passages that name one: a customer who names it finds both."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.chat import ChatService
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import ingest_files, open_index
from rag.settings import ChatSettings, Settings, StoreSettings
from rag.types import Filters
from tests.document_builders import build

Chat = Callable[..., ChatService]
HOUSE = "별솔생명"
ROWS = (
    ("1", "보험금 청구에 필요한 서류는 무엇인가요?", "청구서, 신분증 사본, 진단서를 제출하시면 됩니다."),
    ("2", "수익자를 변경하려면 어떻게 하나요?", "계약자가 신분증을 가지고 고객센터를 방문하시면 됩니다."),
    ("3", "보험료 자동이체 날짜를 바꿀 수 있나요?", "앱의 계약관리에서 5일, 15일, 25일 중 고르실 수 있습니다."),
    ("4", "보험계약대출 이자율은 얼마인가요?", "연 5.2%이며 매월 공시합니다."),
    ("5", "해지환급금은 언제 지급되나요?", "해지 신청 후 3영업일 안에 지급됩니다."),
)
ARTICLES = ("제1조(면책기간) 가입 후 90일 안에 진단받은 암은 보장하지 않는다.", "제2조(갱신) 계약은 10년마다 갱신한다.")


def faq(file: Path, banks: dict[str, str] | None = None, rows: tuple[tuple[str, str, str], ...] = ROWS) -> Path:
    """A CSV file of the rows; `banks`: the institution by row id, a column only if given."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "question", "answer", *(["bank"] if banks is not None else [])])
        writer.writerows([*row, *([banks.get(row[0], "")] if banks is not None else [])] for row in rows)
    return file


def terms(file: Path, title: str) -> Path:
    file.write_bytes(build(file.name, [("h1", title), *(("p", article) for article in ARTICLES)]))
    return file


@pytest.fixture
def chat(tmp_path: Path, models: Models) -> Chat:
    def service(*files: Path, setting: str | None = None) -> ChatService:
        settings = Settings(
            store=StoreSettings(directory=tmp_path / "indexes", index="own"), chat=ChatSettings(institution=setting)
        )
        ingest_files(settings.store.directory, "own", models, list(files))
        return build_service(settings, models, open_index(settings, models))

    return service


def answered(chat: ChatService, question: str, filters: Filters | None = None) -> list[str]:
    """The ids of the rows quoted; none where the question is not answered."""
    verdict = chat.judge(question, (), filters)
    return [hit.node.node_id for hit in verdict.nodes if hit.quoted] if verdict.status == "answered" else []


@pytest.mark.parametrize("setting", [None, HOUSE, f"{HOUSE}=별솔라이프", "별솔"])
def test_a_document_that_names_the_institution_hides_no_row_that_does_not(
    chat: Chat, tmp_path: Path, setting: str | None
) -> None:
    own = chat(faq(tmp_path / "faq.csv"), terms(tmp_path / "암보험.docx", f"{HOUSE} 암보험 약관"), setting=setting)
    only = Filters({"bank": HOUSE})
    for row, question, _ in ROWS:
        assert answered(own, f"{HOUSE} {question}") == [row]
        assert answered(own, f"별솔 {question}") == [row]
        assert answered(own, question, only) == answered(own, question) == [row]
    [passage] = {hit.node.metadata["document"] for hit in own.hits(f"{HOUSE} 암 면책기간")[:1]}
    assert passage == "암보험.docx"


def test_a_document_that_names_none_is_found_beside_rows_that_do(chat: Chat, tmp_path: Path) -> None:
    banks = {row[0]: HOUSE for row in ROWS}
    own = chat(faq(tmp_path / "faq.csv", banks), terms(tmp_path / "암보험.docx", "암보험 약관"))
    for filters in (Filters(), Filters({"bank": HOUSE})):
        first = own.judge(f"{HOUSE} 암보험 면책기간이 며칠인가요", (), filters).nodes[0]
        assert first.node.metadata["document"] == "암보험.docx"


def test_rows_of_none_hold_for_each_of_several_and_those_of_another_do_not(chat: Chat, tmp_path: Path) -> None:
    banks = {"1": HOUSE, "2": HOUSE, "4": "한여울화재", "5": "한여울화재"}
    own = chat(faq(tmp_path / "faq.csv", banks))
    common, theirs = ROWS[2][1], ROWS[3][1]
    for name in (HOUSE, "한여울화재"):
        assert answered(own, f"{name} {common}") == ["3"]
        assert answered(own, common, Filters({"bank": name})) == ["3"]
    assert answered(own, f"{HOUSE} {theirs}") == []
    assert answered(own, f"한여울화재 {theirs}") == ["4"]
    # Compared, it is each one's.
    assert answered(own, f"{HOUSE}이랑 한여울화재 {common}") == ["3"]
    # Nor is it another institution's answer beside its own.
    assert answered(own, common) == ["3"]


def test_a_document_that_names_another_house_does_not_make_the_rows_its_own(chat: Chat, tmp_path: Path) -> None:
    own = chat(faq(tmp_path / "faq.csv"), terms(tmp_path / "암보험.docx", "한여울화재 제휴 암보험 약관"))
    verdict = own.judge(f"{HOUSE} {ROWS[1][1]}")
    assert verdict.nodes[0].node.node_id == "2"
    assert verdict.note and verdict.note.kind == "unnamed_institution", "that these are not its rows is not known"


def test_another_institution_is_told_apart_where_the_setting_names_the_rows_own(chat: Chat, tmp_path: Path) -> None:
    own = chat(faq(tmp_path / "faq.csv"), terms(tmp_path / "암보험.docx", f"{HOUSE} 암보험 약관"), setting=HOUSE)
    verdict = own.judge(f"한여울화재 {ROWS[1][1]}")
    assert verdict.status == "suggested" and verdict.note and verdict.note.kind == "other_institution"
    text = own.ask(f"한여울화재 {ROWS[1][1]}").text
    assert text.index("한여울화재에 직접") < text.index(f"아래는 {HOUSE}의 안내입니다"), "the rows are the own ones"


def test_of_two_compared_the_one_that_is_not_held_is_named_beside_the_answer(chat: Chat, tmp_path: Path) -> None:
    own = chat(faq(tmp_path / "faq.csv"), setting=HOUSE)
    compared = own.ask(f"한여울화재랑 {HOUSE} 보험계약대출 이자율은 얼마인가요? 비교")
    assert compared.status == "answered" and compared.sources[0].id == "4"
    assert compared.text.startswith("한여울화재에 대한 안내는 등록되어 있지 않습니다") and ROWS[3][2] in compared.text
    alone = own.ask(f"{HOUSE} 보험계약대출 이자율은 얼마인가요?")
    assert alone.text == f"{ROWS[3][2]} [1]"


def test_a_product_word_that_ends_like_an_institutions_name_is_none_where_a_row_asks_about_it(
    chat: Chat, tmp_path: Path
) -> None:
    row = ("6", "약속증권 재발급은 어떻게 하나요?", "앱의 증명서 메뉴에서 내려받으시면 됩니다.")
    own = chat(faq(tmp_path / "faq.csv", rows=(*ROWS, row)), setting=HOUSE)
    assert own.judge("약속증권 다시 뽑아주세요").nodes[0].node.node_id == "6"
    assert own.judge("약속증권 다시 뽑아주세요").note is None


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("how do I file an insurance claim", "1"),
        ("I want to change the beneficiary", "2"),
        ("policy loan interest", "4"),
    ],
)
def test_english_customers_of_an_insurer_reach_its_rows(chat: Chat, tmp_path: Path, question: str, row: str) -> None:
    own = chat(faq(tmp_path / "faq.csv"), setting=HOUSE)
    assert own.judge(question).nodes[0].node.node_id == row
