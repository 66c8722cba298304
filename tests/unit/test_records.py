"""Answer records: append-only, masked, without an identity; feedback as labels and gaps."""

from __future__ import annotations

import asyncio
import csv
import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rag.errors import InputError, RecordError
from rag.records.answer_log import AnswerLog, content_hash
from rag.records.feedback import evaluation_lines, find_gaps, gaps_csv, similarity
from rag.records.history import ChatHistory
from rag.types import Answer, AnswerCompleted, Filters, SentenceSupport, Source
from rag.ui.conversation import Conversation, Exchange
from rag.ui.conversation_recorder import ConversationRecorder, exchange_from_json, exchange_to_json
from tests.fakes import SOURCES, answer_to

VERSIONS = {"index": "faq", "model": "none"}


@pytest.fixture
def log(tmp_path: Path) -> AnswerLog:
    return AnswerLog(tmp_path / "records.sqlite")


def add(log: AnswerLog, answer: Answer, **more: Any) -> str:
    return log.add(answer, channel="page", versions=VERSIONS, **more)


def test_a_record_says_what_was_answered_from_what(log: AnswerLog) -> None:
    name = add(log, answer_to("질문"), filters=Filters({"bank": "새나래은행"}), follows=["X"])
    kept = log.get(name.lower())
    assert (kept["question"], kept["text"], kept["status"]) == ("질문", answer_to("질문").text, "answered")
    assert [(each["id"], each["hash"]) for each in kept["sources"]] == [
        (each.id, content_hash(each)) for each in SOURCES
    ]
    assert (kept["filters"], kept["follows"], kept["versions"]) == ({"bank": "새나래은행"}, ["X"], VERSIONS)
    with pytest.raises(InputError, match="no answer record 'NONE'"):
        log.get("NONE")


def test_a_record_is_never_changed(log: AnswerLog, tmp_path: Path) -> None:
    add(log, answer_to("질문"))
    with (
        sqlite3.connect(tmp_path / "records.sqlite") as connection,
        pytest.raises(sqlite3.IntegrityError, match="never"),
    ):
        connection.execute("UPDATE answers SET body = '{}'")


def test_old_records_leave_no_byte(log: AnswerLog, tmp_path: Path) -> None:
    add(log, answer_to("지워질 질문 하나"))
    log.close()
    path = tmp_path / "records.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER answers_stay")
        connection.execute("UPDATE answers SET at = '2020-01-01'")
    AnswerLog(path, days=30).close()
    assert "지워질 질문".encode() not in path.read_bytes()


def test_a_file_that_cannot_be_used_is_reported(tmp_path: Path) -> None:
    (tmp_path / "records.sqlite").write_text("no database, but a text that is long enough to be read as one" * 20)
    with pytest.raises(RecordError, match="FSI_RECORD__FILE"):
        AnswerLog(tmp_path / "records.sqlite")


def test_feedback_counts_once_and_only_of_existing_answers(log: AnswerLog) -> None:
    name = add(log, answer_to("질문"))
    assert log.add_feedback(name, "dislike", reason="틀려요") and log.add_feedback(name, "dislike", reason="또")
    assert not log.add_feedback("NONE", "like")
    assert [each["reason"] for each in log.get(name)["feedback"]] == ["틀려요"]


def test_confirmed_answers_are_evaluation_lines(log: AnswerLog) -> None:
    liked = add(log, answer_to("OTP 분실"))
    log.add_feedback(liked, "like")
    clicked = add(log, answer_to("비슷한 OTP 질문"))
    log.add_feedback(clicked, "chosen", row=SOURCES[1].id)
    add(log, answer_to("도담저축은행 앱 OTP"), row=SOURCES[1].id, follows=[clicked])
    both = add(log, answer_to("다른 질문"))
    log.add_feedback(both, "like")
    log.add_feedback(both, "dislike")
    assert list(evaluation_lines(log.all())) == [
        {"id": liked, "query": "OTP 분실", "relevant": [SOURCES[0].id, SOURCES[1].id], "style": "customer"},
        {"id": clicked, "query": "비슷한 OTP 질문", "relevant": [SOURCES[1].id], "style": "customer"},
    ]


def test_gaps_are_grouped_and_propose_phrasings_that_ingest_reads(log: AnswerLog, tmp_path: Path) -> None:
    for question in ("비슷한 공인인증서 갱신 방법", "비슷한 공인인증서 갱신 방법은?"):
        log.add_feedback(add(log, answer_to(question)), "chosen", row=SOURCES[2].id)
    log.add_feedback(add(log, answer_to("토큰 잃어버림")), "dislike")
    add(log, Answer("화성 이주", "없습니다", "declined", reason="not_covered"))
    add(log, Answer("안녕", "안녕하세요", "declined", reason="greeting"))

    def nearest(question: str, _filters: Filters | None) -> list[Source]:
        return [] if "화성" in question else list(SOURCES)

    found = find_gaps(log.all(), nearest)
    assert [(gap.count, dict(gap.kinds), [row.id for row in gap.rows]) for gap in found] == [
        (2, {"chosen": 2}, [SOURCES[2].id]),
        (1, {"disliked": 1}, [SOURCES[2].id]),  # not those of the answer that was disliked
        (1, {"declined": 1}, []),
    ]
    from rag.ingestion.readers import read

    path = tmp_path / "gaps.csv"
    path.write_text(gaps_csv(found), encoding="utf-8")
    faq = tmp_path / "faq.csv"
    rows = "".join(f'{each.id},"{each.question}","{each.text}"\n' for each in SOURCES)
    faq.write_text("id,question,answer\n" + rows, encoding="utf-8")
    read_back = {row.id: row for row in read([faq, path])}
    assert len(read_back) == 3
    assert read_back[SOURCES[2].id].alternatives == (
        "비슷한 공인인증서 갱신 방법",
        "비슷한 공인인증서 갱신 방법은?",
        "토큰 잃어버림",
    )


@pytest.mark.parametrize(
    ("question", "searched", "is_gap"),
    [
        ("그쪽은 얼마예요", "", False),
        ("철회는 못하나요", "", False),
        ("해지도 되나요", "적금 가입하려면 해지도 되나요", False),
        ("보안카드는 얼마예요", "OTP 발급 보안카드는 얼마예요", False),
        ("통장 재발급 되나요", "통장 재발급 되나요", True),
        (
            "아 그리고 체크카드 비밀번호 바꾸려면 어디로 가야 하나요",
            "체크카드 비밀번호 바꾸려면 어디로 가야 하나요",
            True,
        ),
    ],
)
def test_a_message_that_needs_those_before_it_is_no_gap(
    log: AnswerLog, question: str, searched: str, is_gap: bool
) -> None:
    declined = Answer(question, "없습니다", "declined", reason="not_covered", searched=searched)
    add(log, declined, follows=["X"])
    assert bool(find_gaps(log.all(), lambda _question, _filters: SOURCES)) is is_gap
    liked = add(log, replace(answer_to("질문"), question=question, searched=searched), follows=["X"])
    log.add_feedback(liked, "like")
    assert bool(list(evaluation_lines(log.all()))) is is_gap
    # The first message of a conversation follows nothing.
    add(log, declined)
    assert find_gaps(log.all(), lambda _question, _filters: SOURCES)


def test_a_gap_is_searched_as_it_was_asked_and_never_offers_what_was_refused(log: AnswerLog) -> None:
    """The search uses the page's filters, and leaves out rows of disliked answers and rejected suggestions."""
    filters = Filters({"bank": "새나래은행"})
    shown = SOURCES[:2]
    suggested = Answer("월세 이체가 안 됐어요", "비슷한 질문입니다", "suggested", sources=shown)
    log.add_feedback(add(log, suggested, filters=filters), "dislike")
    log.add_feedback(add(log, Answer("출금이 왜 안 되죠", "비슷한 질문입니다", "suggested", sources=shown)), "none")
    asked: list[tuple[str, Filters | None]] = []

    def nearest(question: str, filters: Filters | None) -> list[Source]:
        asked.append((question, filters))
        return list(SOURCES)

    found = find_gaps(log.all(), nearest)
    assert asked == [("월세 이체가 안 됐어요", filters), ("출금이 왜 안 되죠", None)]
    assert [[row.id for row in gap.rows] for gap in found] == [[SOURCES[2].id], [SOURCES[2].id]]


def test_similarity() -> None:
    assert similarity("이체 한도", "이체한도") == 1
    assert similarity("이체한도 올리는 법", "이체한도 올리는 방법") > 0.5 > similarity("이체한도", "카드 분실")
    assert similarity("", "가") == 0


def test_records_that_are_too_old_go_while_the_page_runs(
    log: AnswerLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = add(log, answer_to("오래된 질문"))

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Later:
            return cls.fromtimestamp(time.time(), UTC) + timedelta(days=366)

    monkeypatch.setattr("rag.records.answer_log.datetime", Later)
    new = add(log, answer_to("새 질문"))
    assert [each["id"] for each in log.all()] == [new] != [old]


def test_an_error_of_the_file_holds_no_question(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = AnswerLog(tmp_path / "records.sqlite", max_mb=1)
    recorder = ConversationRecorder(log)
    answer = answer_to("비밀스러운 질문 " + "가" * 100_000)
    for _ in range(9):
        written = asyncio.run(recorder.record_answer(answer, "page", {}, VERSIONS))
    assert written == ""
    said = {record.getMessage() for record in caplog.records if record.levelname == "ERROR"}
    assert said == {"an answer record could not be written: database or disk is full; check FSI_RECORD__FILE"}
    assert "비밀스러운" not in caplog.text


def test_a_table_of_gaps_has_no_spreadsheet_formulas() -> None:
    for text in ("=HYPERLINK(1)", "+1+1", "-2", "@SUM(1)", "＝1", " \t=1"):
        record = {"id": "1", "question": f"{text} 이체 질문", "status": "suggested", "reason": None, "row": None}
        records: list[dict[str, Any]] = [
            {**record, "filters": {}, "follows": [], "feedback": [], "cited": [], "sources": []}
        ]
        table = gaps_csv(find_gaps(records, lambda _question, _filters: SOURCES))
        (line,) = list(csv.reader(table.splitlines()))[1:2]
        assert line[1].endswith("이체 질문") and line[1][0] not in "=+-@＝\t ", text


def test_one_address_gets_only_so_much_into_the_chats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.ui.conversation_recorder.MAX_CHAT_BYTES_PER_ADDRESS", 3000)
    history = ChatHistory(tmp_path / "history.sqlite")
    recorder = ConversationRecorder(history=history)

    def ask(person: str, address: str) -> int:
        conversation = Conversation()
        exchange = conversation.begin("질문").exchange
        exchange.apply(AnswerCompleted(answer_to("질문")))
        chat = recorder.chat_of(conversation, person)
        assert chat
        asyncio.run(recorder.save_chat(chat, address))
        return len(history.chats(person))

    assert sum(ask(f"flood {number}", "203.0.113.1") for number in range(20)) < 5
    assert ask("customer", "203.0.113.2") == 1
    history.close()


def test_a_record_says_which_sentence_of_the_text_its_sources_do_not_quite_state(log: AnswerLog) -> None:
    text = "마감일 16시까지 취소하실 수 있습니다. [1] 느긋하게 하세요. [1]"
    support = (
        SentenceSupport("마감일 16시까지 취소하실 수 있습니다. [1]", (1,), "supported"),
        SentenceSupport("수수료는 500원입니다. [1]", (1,), "withheld", "quantity", "500원"),
        SentenceSupport("느긋하게 하세요. [1]", (1,), "weak", "words", "느긋"),
    )
    answer = Answer("질문", text, "answered", generated=True, sources=SOURCES, cited=(1,), support=support)
    checks = log.get(add(log, answer))["checks"]
    assert [(each["status"], each["span"] and text[slice(*each["span"])]) for each in checks] == [
        ("supported", "마감일 16시까지 취소하실 수 있습니다. [1]"),
        ("withheld", None),
        ("weak", "느긋하게 하세요. [1]"),
    ]
    own = SentenceSupport("수수료는 700원입니다. [1]", (1,), "supported", is_replacement=True)
    exchange = Exchange(1, "질문")
    exchange.apply(AnswerCompleted(replace(answer, support=(*support, own))))
    saved = exchange_from_json(1, exchange_to_json(exchange))
    assert (saved.weak, saved.own) == (("느긋하게 하세요. [1]",), ("수수료는 700원입니다. [1]",))
