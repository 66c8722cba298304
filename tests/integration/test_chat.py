"""ChatService over a small real index: all steps of a question."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from rag.chat import ChatService
from rag.errors import InputError
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.retrieval.confidence import defaults
from rag.settings import ChatSettings, Settings
from rag.stores.faiss.store import FaissStore
from rag.synthesis import texts
from rag.types import Answer, AnswerCompleted, AnswerDelta, Filters, SourcesFound, Turn
from tests.small_faq import ANSWERS, FEE, GAON, LIMIT, LONG_ANSWER, NARU, PAPERS

UNCLEAR = "통장 관련 문의"
OUT_OF_DOMAIN = "자동차보험에 가입하고 싶어요"
QUESTIONS = (LIMIT, FEE, PAPERS, "공모주 청약 취소", UNCLEAR, OUT_OF_DOMAIN, "안녕하세요", "배당금은 언제 들어와요?")


@pytest.fixture(scope="module")
def store(small_root: Path, models: Models) -> Iterator[FaissStore]:
    opened = FaissStore.open(small_root / "small", models.manifest)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def chat(store: FaissStore, models: Models) -> ChatService:
    return build_service(Settings(), models, store)


def ids(answer: Answer) -> list[str]:
    return [source.id for source in answer.sources]


@pytest.mark.parametrize(
    ("question", "status"), [(LIMIT, "answered"), (UNCLEAR, "suggested"), (OUT_OF_DOMAIN, "declined")]
)
def test_events_come_in_order_and_the_pieces_are_the_text(chat: ChatService, question: str, status: str) -> None:
    first, *pieces, last = chat.stream(question)
    assert isinstance(first, SourcesFound) and isinstance(last, AnswerCompleted)
    assert pieces and all(isinstance(piece, AnswerDelta) for piece in pieces)
    assert "".join(piece.text for piece in pieces if isinstance(piece, AnswerDelta)) == last.answer.text
    assert (first.status, first.sources) == (last.answer.status, last.answer.sources)
    assert last.answer.status == status
    assert last.answer.question == question
    assert last.answer.timings_ms["total"] >= last.answer.timings_ms["retrieval"] >= 0


@pytest.mark.parametrize("question", [LIMIT, f"{GAON} 이체한도", "이체한도랑 공모주 청약 취소 방법 알려줘", UNCLEAR])
def test_a_question_reads_the_institutions_once(
    chat: ChatService, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    keys: list[str] = []
    values = FaissStore.values

    def counted(store: FaissStore, key: str) -> list[str]:
        keys.append(key)
        return values(store, key)

    monkeypatch.setattr(FaissStore, "values", counted)
    chat.ask(question)
    assert keys.count("bank") == 1, "on a server each reading is a round trip"


def test_the_approved_text_is_quoted_word_for_word_with_its_citation(chat: ChatService) -> None:
    answer = chat.ask("공모주 청약을 취소할 수 있나요?")
    assert answer.text == f"{NARU}\n{ANSWERS['n-002']} [1]"
    assert (answer.sources[0].id, answer.sources[0].text) == ("n-002", ANSWERS["n-002"])
    assert answer.cited == (1,)
    assert [source.number for source in answer.sources] == list(range(1, len(answer.sources) + 1))
    assert dict(answer.sources[0].metadata) == {"bank": NARU, "category": "공모주", "effective_from": "2024-01-01"}


def test_institutions_that_both_answer_are_both_quoted_and_named(chat: ChatService) -> None:
    answer = chat.ask(LIMIT)
    assert answer.cited == (1, 2) and set(ids(answer)[:2]) == {"g-001", "n-001"}
    for number, source in enumerate(answer.sources[:2], 1):
        assert f"{source.metadata['bank']}\n{ANSWERS[source.id]} [{number}]" in answer.text
    assert answer.text.startswith(texts.frame("several_banks"))


def test_a_long_row_that_was_split_is_quoted_whole(chat: ChatService, store: FaissStore) -> None:
    pieces = [node for node in store.get_nodes() if node.ref_doc_id == "g-006"]
    assert len(pieces) >= 3
    answer = chat.ask(PAPERS)
    assert answer.text == f"{GAON}\n{LONG_ANSWER} [1]"
    assert ids(answer)[0] == "g-006" and answer.sources[0].text == LONG_ANSWER
    assert len(set(ids(answer))) == len(answer.sources), "each row once"


def test_an_unclear_question_offers_the_three_nearest(chat: ChatService) -> None:
    answer = chat.ask(UNCLEAR)
    assert (answer.status, answer.text, answer.cited) == ("suggested", texts.frame("suggested"), ())
    assert len(answer.sources) == 3 and answer.sources[0].id == "g-008"


def test_what_is_not_covered_is_declined_without_sources(chat: ChatService) -> None:
    answer = chat.ask(OUT_OF_DOMAIN)
    assert (answer.status, answer.sources, answer.cited) == ("declined", (), ())
    assert answer.reason in ("not_covered", "off_topic") and answer.text == texts.declined(
        answer.reason, contact="", category="대출"
    )
    assert "1500-" not in answer.text, "no invented bank's number with another institution's FAQ"


def test_a_declined_answer_names_the_configured_contact(store: FaissStore, models: Models) -> None:
    chat = build_service(Settings(chat=ChatSettings(contact="1588-9999")), models, store)
    assert "1588-9999" in chat.ask("안녕하세요").text
    assert "1588-9999" in chat.ask(OUT_OF_DOMAIN).text


@pytest.mark.parametrize(
    ("as_of", "row"),
    [
        (None, "g-004"),
        ("2024-12-31", "g-003"),
        ("2025-01-01", "g-004"),
        ("2090-01-01", "g-005"),
        ("2091-01-01", "g-005"),
    ],
)
def test_the_row_in_force_on_the_day_answers(chat: ChatService, as_of: str | None, row: str) -> None:
    answer = chat.ask(FEE, filters=Filters(as_of=date.fromisoformat(as_of) if as_of else None))
    assert ids(answer)[0] == row and ANSWERS[row] in answer.text
    assert {"g-003", "g-004", "g-005"} & set(ids(answer)) == {row}


def test_no_row_was_in_force_yet(chat: ChatService) -> None:
    answer = chat.ask(FEE, filters=Filters(as_of=date(1999, 1, 1)))
    assert (answer.status, answer.reason, answer.sources) == ("declined", "not_covered", ())


@pytest.mark.parametrize("bank", [GAON, NARU])
@pytest.mark.parametrize("question", [*QUESTIONS, "가온은행 말고 나루증권 이체한도", "가온은행 이체한도"])
def test_a_bank_filter_lets_no_other_bank_through(chat: ChatService, bank: str, question: str) -> None:
    chosen = Filters({"bank": bank})
    found = [*chat.ask(question, filters=chosen).sources, *chat.search(question, chosen, top_k=10)]
    assert {source.metadata["bank"] for source in found} == {bank}


@pytest.mark.parametrize("equals", [{"bank": "없는은행"}, {"nothing": "x"}, {"bank": GAON, "category": "배당"}])
def test_a_filter_that_no_row_passes_is_declined_as_not_covered(chat: ChatService, equals: dict[str, str]) -> None:
    answer = chat.ask(LIMIT, filters=Filters(equals))
    assert (answer.status, answer.reason, answer.sources) == ("declined", "not_covered", ())
    assert chat.search(LIMIT, Filters(equals)) == []


def test_a_bank_named_in_the_question_limits_it(chat: ChatService) -> None:
    assert chat.ask("나루증권 이체한도 늘리기").sources[0].id == "n-001"
    answer = chat.ask("가온 이체한도를 늘리려면 어떻게 해야 하나요?")
    assert answer.cited == (1,) and {source.metadata["bank"] for source in answer.sources} == {GAON}


def test_a_bank_named_in_a_follow_up_stands_for_the_one_before(chat: ChatService) -> None:
    history = [Turn("가온은행 이체한도를 늘리려면 어떻게 해야 하나요?", "가온 앱에서 신청하십시오.")]
    assert chat.ask("그럼 나루증권은요?", history).sources[0].id == "n-001"


def test_a_follow_up_is_searched_with_what_it_follows(chat: ChatService) -> None:
    history = [Turn("공모주 청약했어요", "네")]
    assert "n-002" in ids(chat.ask("그럼 취소는요?", history))


def test_what_has_nothing_to_do_with_the_question_before_is_not_answered_with_it(chat: ChatService) -> None:
    history = [Turn("가온은행 이체한도를 늘리려면 어떻게 해야 하나요?", "가온 앱에서 신청하십시오.")]
    for message in ("뷁쉙 ㅁㄴㅇㄹ", "임진왜란이 몇 년도에 일어났는지 아시는 분"):
        assert chat.ask(message, history).status == "declined"


@pytest.mark.parametrize("question", ["", "   ", "\n\t　"])
def test_an_empty_question_is_refused(chat: ChatService, question: str) -> None:
    with pytest.raises(InputError, match="empty") as caught:
        chat.ask(question)
    assert caught.value.korean == "질문을 입력해 주세요."


def test_a_question_too_long_is_refused_with_the_limit(store: FaissStore, models: Models) -> None:
    chat = build_service(Settings(chat=ChatSettings(max_question_chars=50)), models, store)
    assert chat.ask("가" * 50).status == "declined"
    with pytest.raises(InputError, match="at most 50 characters; got 51") as caught:
        chat.ask("가" * 51)
    assert "50자" in caught.value.korean
    assert chat.ask(unicodedata.normalize("NFD", "가" * 50)).status == "declined", "letters of a syllable count as one"
    with pytest.raises(InputError, match="got 54"):
        chat.ask("\ufdfa" * 3)  # one sign that is read as eighteen characters
    assert chat.ask("  " + "가" * 50 + "\n").status == "declined", "white space around it does not count"


@pytest.mark.parametrize("question", ["이체\0한도", "{context_str} {0}", "<b>이체한도</b>", "ㅋ" * 1000, "\x1b[31m"])
def test_odd_text_is_answered(chat: ChatService, question: str) -> None:
    assert chat.ask(question).text


def test_text_that_is_no_unicode_is_refused(chat: ChatService) -> None:
    """A lone surrogate, from a broken client or terminal, could be neither printed nor sent."""
    with pytest.raises(InputError, match="UTF-8"):
        chat.ask("이체한도 \udcff")


def test_search_ranks_whatever_the_outcome(chat: ChatService) -> None:
    found = chat.search(OUT_OF_DOMAIN, top_k=4)
    assert [source.number for source in found] == [1, 2, 3, 4]
    assert [source.score for source in found] == sorted((source.score for source in found), reverse=True)
    assert all(0 <= source.score <= 1 for source in found)
    assert "g-003" not in [source.id for source in chat.search(FEE, top_k=10)]
    assert chat.search("안녕하세요"), "reasons play no part"


def test_facets_are_what_a_question_can_be_limited_to(chat: ChatService) -> None:
    facets = chat.facets()
    assert facets["bank"] == [GAON, NARU]
    assert facets["category"] == sorted(set(facets["category"])) and "공모주" in facets["category"]


def test_a_stream_closed_early_ends_quietly_and_disturbs_nothing(chat: ChatService) -> None:
    expected = chat.ask(LIMIT)
    for taken in range(3):
        events = chat.stream(LIMIT)
        for _ in range(taken):
            next(events)
        events.close()
        assert list(events) == []
    again = chat.ask(LIMIT)
    assert (again.text, again.sources) == (expected.text, expected.sources)


def test_eight_threads_get_what_one_gets(chat: ChatService) -> None:
    expected = [chat.ask(question) for question in QUESTIONS]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(chat.ask, QUESTIONS * 4))
    for answer, wanted in zip(found, expected * 4, strict=True):
        assert (answer.question, answer.status, answer.text) == (wanted.question, wanted.status, wanted.text)
        assert answer.sources == wanted.sources


def test_no_question_is_logged_above_debug(chat: ChatService, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for question in QUESTIONS:
            chat.ask(question, [Turn("배당금은요?", "1개월 이내")])
            chat.search(question)
    assert len([record for record in caplog.records if record.name == "rag.chat"]) == len(QUESTIONS)
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "status=answered" in logged and "status=declined reason=greeting" in logged
    assert not [text for text in (*QUESTIONS, "배당금은요?", *ANSWERS.values()) if text in logged]


@pytest.mark.parametrize("message", ["안녕하세요", "손흥민 오늘 골 넣었나", "처음부터"])
def test_what_can_be_asked_is_named_by_the_index_own_categories(
    store: FaissStore, models: Models, message: str
) -> None:
    named = {"보험금 청구": ["보험금은 언제 나오나요?"], "": ["기타"], "대출·할부": ["할부 금리가 궁금해요"]}
    service = ChatService(store, models.embed_model, calibration=defaults(), topics=named)
    assert "보험금 청구, 대출·할부" in service.ask(message).text
    assert "insurance claims, loan/installment" in service.ask("hello").text
    without = ChatService(store, models.embed_model, calibration=defaults())
    assert "이체, 인증서, 카드, 예금·대출" in without.ask(message).text
