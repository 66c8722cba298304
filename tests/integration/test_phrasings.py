"""Several phrasings per row, from the file to the answer: each is searched, the row is cited once."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.chat import ChatService
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import ingest_files, open_catalog, open_index
from rag.ingestion.sync import SyncReport
from rag.retrieval.score_scales import from_own_rows
from rag.settings import Settings, StoreSettings
from rag.stores.base import Verifiable

ROWS = (
    ("분실한 체크카드를 다시 쓰려면 어떻게 하나요?", "앱의 카드 관리에서 분실 해제를 신청하십시오."),
    ("공과금 자동납부를 신청하려면?", "앱의 공과금 메뉴에서 고지서를 찍어 등록하십시오."),
    ("외화 현찰은 어디서 받나요?", "환전을 신청하신 영업점에서 신분증을 보이고 받으십시오."),
    ("대출 이자 납부일을 바꿀 수 있나요?", "대출 관리에서 일 년에 두 번까지 바꾸실 수 있습니다."),
    ("거래내역서를 팩스로 받을 수 있나요?", "상담원에게 팩스 번호를 알려 주시면 보내 드립니다."),
    ("이체 예약을 취소하려면?", "실행되기 전날까지 예약 이체 내역에서 취소하십시오."),
)
PHRASINGS: dict[int, tuple[str, ...]] = {2: ("여행 갈 돈 바꾼 거 찾는 곳", "달러 지폐 수령 장소")}


def write(file: Path, phrasings: dict[int, tuple[str, ...]]) -> Path:
    lines = [f"r{n},{q},{a},{'|'.join(phrasings.get(n, ()))}" for n, (q, a) in enumerate(ROWS)]
    file.write_text("\n".join(["id,question,answer,alternatives", *lines]), encoding="utf-8")
    return file


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store=StoreSettings(directory=tmp_path / "indexes", index="mine"))


def run(settings: Settings, models: Models, file: Path) -> SyncReport:
    return ingest_files(open_catalog(settings), "mine", models, [file]).changes


def opened(settings: Settings, models: Models) -> ChatService:
    return build_service(settings, models, open_index(settings, models))


@pytest.mark.parametrize("question", [*PHRASINGS[2], "여행갈 돈 바꾼거 찾는곳?"])
def test_a_row_is_answered_by_each_phrasing_and_cited_once_under_its_own_question(
    settings: Settings, models: Models, tmp_path: Path, question: str
) -> None:
    run(settings, models, write(tmp_path / "faq.csv", PHRASINGS))
    chat = opened(settings, models)
    answer = chat.ask(question)
    assert answer.status == "answered" and [answer.sources[number - 1].id for number in answer.cited] == ["r2"]
    source = answer.sources[0]
    assert (source.question, source.text) == ROWS[2]
    assert not {"phrasing", "alternatives"} & set(source.metadata)
    ids = [found.id for found in chat.search(question, top_k=10)]
    assert ids[0] == "r2" and len(ids) == len(set(ids)) == len(ROWS)


def test_a_sync_embeds_what_is_new_and_deletes_what_is_gone(settings: Settings, models: Models, tmp_path: Path) -> None:
    file = write(tmp_path / "faq.csv", {})
    run(settings, models, file)
    plain = from_own_rows(open_index(settings, models), models.embed_model).fusion
    changes = run(settings, models, write(file, PHRASINGS))
    assert (changes.added, changes.updated, changes.unchanged, changes.deleted) == (2, 0, 6, 0)
    store = open_index(settings, models)
    assert store.count() == 8 and isinstance(store, Verifiable) and store.verify() == (8, 0)
    # The rows' own questions and vectors are as before; only how rare a word is has changed.
    scales = from_own_rows(store, models.embed_model).fusion.scales
    assert scales["dense"].mean == pytest.approx(plain.scales["dense"].mean)
    changes = run(settings, models, write(file, {2: (PHRASINGS[2][1],)}))
    assert (changes.updated, changes.unchanged, changes.deleted) == (1, 6, 1)
    store.delete("r2")
    assert store.count() == 5


def test_a_long_row_found_by_a_phrasing_is_quoted_whole(settings: Settings, models: Models, tmp_path: Path) -> None:
    text = " ".join(f"{n}. 환전하신 금액과 신분증을 영업점 창구에서 확인해 드립니다." for n in range(60))
    file = tmp_path / "faq.csv"
    file.write_text(
        f"id,question,answer,alternatives\nlong,외화 현찰은 어디서 받나요?,{text},여행 갈 돈 바꾼 거 찾는 곳\n", "utf-8"
    )
    run(settings, models, file)
    store = open_index(settings, models)
    assert {"long#0", "long?1#0"} <= set(store.states())
    [source] = opened(settings, models).search("여행 갈 돈 바꾼 거 찾는 곳")
    assert (source.id, source.text) == ("long", text)


def test_what_a_phrasing_names_is_nothing_that_its_row_lacks(
    settings: Settings, models: Models, tmp_path: Path
) -> None:
    phrasings: dict[int, tuple[str, ...]] = {0: ("부러진 카드 교체", "녹은 플라스틱 되살리기")}
    run(settings, models, write(tmp_path / "faq.csv", phrasings))
    chat = opened(settings, models)
    for question in phrasings[0]:
        answer = chat.ask(question)
        assert (answer.status, answer.text) == ("answered", f"{ROWS[0][1]} [1]")
