"""Visitors' actions without a browser: frames, history, stop, clear, errors."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from rag.errors import InputError, ModelUnavailable
from rag.records.answer_log import AnswerLog
from rag.types import MAX_TURNS, Answer, AnswerCompleted, AnswerDelta, SentenceSupport
from rag.ui.conversation import Conversation, Exchange
from rag.ui.conversation_recorder import ConversationRecorder
from rag.ui.loader import Chat, Loader, Progress
from rag.ui.session import Dialogue, Frame
from rag.ui.texts import KOREAN
from tests.fakes import SOURCES, FakeChat

NONE: dict[str, str | None] = {"bank": "", "category": None}


def loaded(build: Callable[[Progress], Chat]) -> Loader:
    loader = Loader(build)
    loader.start()
    return loader


def dialogue(chat: Chat) -> Dialogue:
    return Dialogue(loaded(lambda progress: chat), KOREAN, max_question_chars=100)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


async def frames(source: Any) -> list[Frame]:
    return [frame async for frame in source]


def last_answer(frame: Frame) -> str:
    return unescape(unescape(frame.html))


def turns(frame: Frame) -> list[int]:
    """The numbers of all turns in the frame."""
    listed = re.search(r'data-turns="([^"]*)"', frame.html)
    assert listed
    return [int(number) for number in listed[1].split()]


def brought(frame: Frame) -> list[int]:
    """The turns whose HTML the frame has."""
    return [int(number) for number in re.findall(r'<article class="turn" data-turn="(\d+)"', frame.html)]


def test_frames_of_one_answer() -> None:
    chat, conversation = FakeChat(), Conversation()
    seen = run(frames(dialogue(chat).respond(conversation, " 질문 ", NONE)))
    assert [frame.busy for frame in seen] == [True] * (len(seen) - 1) + [False]
    assert "자료를 찾는 중" in last_answer(seen[0])
    assert 'href="#src-1-1"' in last_answer(seen[-1])
    assert conversation.running is None
    assert conversation.exchanges[0].sources == SOURCES
    assert chat.asked == [("질문", (), None)]


@pytest.mark.parametrize("question", ["질문", "비슷한 질문", "오류가 나는 질문"])
def test_every_frame_of_an_answer_brings_its_whole_turn_and_no_other(question: str) -> None:
    """If two frames reach the browser together, the first is lost except for what the second repeats."""
    talk, conversation = dialogue(FakeChat()), Conversation()
    run(frames(talk.respond(conversation, "앞선 질문", NONE)))
    seen = run(frames(talk.respond(conversation, question, NONE)))
    assert len(seen) > 1
    assert [(brought(frame), turns(frame)) for frame in seen] == [([2], [1, 2])] * len(seen)


def test_approved_text_comes_in_two_frames() -> None:
    chat = FakeChat()
    chat.writes = False
    seen = run(frames(dialogue(chat).respond(Conversation(), "질문", NONE)))
    assert len(seen) == 2
    assert "재발급은" not in last_answer(seen[0]) and "재발급은" in last_answer(seen[1])


def test_a_suggestion_that_is_chosen_is_asked_by_its_row() -> None:
    chat, conversation = FakeChat(), Conversation()
    talk = dialogue(chat)
    run(frames(talk.respond(conversation, "비슷한 질문", NONE)))
    run(frames(talk.choose(conversation, SOURCES[1].id, NONE)))
    assert (chat.asked[-1][0], chat.chosen[-1]) == (f"도담저축은행 {SOURCES[1].question}", SOURCES[1].id)
    run(frames(talk.choose(conversation, "never-shown", NONE)))
    assert len(chat.asked) == 2


def test_an_edit_cuts_and_an_undo_brings_back() -> None:
    chat, conversation = FakeChat(), Conversation()
    talk = dialogue(chat)
    for question in ("하나", "둘", "셋"):
        run(frames(talk.respond(conversation, question, NONE)))
    seen = run(frames(talk.respond(conversation, "고친 둘", NONE, replaces_turn=2)))
    assert turns(seen[-1]) == [1, 4]
    assert "data-undo" in seen[0].html
    assert [turn.question for turn in chat.asked[-1][1]] == ["하나"]
    back = talk.undo(conversation)
    assert turns(back) == brought(back) == [1, 2, 3]
    assert talk.undo(conversation).html.count("data-said") == 0, "once"
    talk.clear(conversation)
    assert turns(talk.undo(conversation)) == [1, 2, 3]


def test_second_question_meanwhile_does_nothing() -> None:
    chat, conversation = FakeChat(), Conversation()
    talk = dialogue(chat)

    async def both() -> list[Frame]:
        answering = talk.respond(conversation, "질문", NONE)
        await anext(answering)
        second = await frames(talk.respond(conversation, "또", NONE)) + await frames(talk.retry(conversation, NONE))
        await frames(answering)
        return second

    assert run(both()) == [Frame(), Frame()], "an event without a frame would empty the page"
    assert len(chat.asked) == 1


def test_stopped_answer_keeps_what_was_written_and_is_no_history() -> None:
    chat, conversation = FakeChat(), Conversation()
    talk = dialogue(chat)

    async def stopped() -> Frame:
        frame = Frame()
        async for frame in talk.respond(conversation, "끝없는 질문", NONE):
            if "계속" in last_answer(frame):
                conversation.stop()
        return frame

    final = run(stopped())
    assert "계속" in last_answer(final)
    assert "답변을 멈췄습니다" in last_answer(final)
    assert final.busy is False
    assert chat.ended.wait(60)
    assert conversation.history() == ()


@pytest.mark.parametrize("asked_anew", [False, True])
def test_answer_ended_by_a_new_chat_changes_nothing_any_more(asked_anew: bool) -> None:
    chat, conversation = FakeChat(), Conversation()
    talk = dialogue(chat)

    async def cleared() -> list[Frame]:
        answering, later = talk.respond(conversation, "끝없는 질문", NONE), talk.respond(conversation, "질문", NONE)
        while "계속" not in last_answer(await anext(answering)):
            pass
        by_then = talk.clear(conversation)
        assert (turns(by_then), by_then.busy) == ([], False)
        if asked_anew:
            await anext(later)
        rest = await frames(answering)
        await later.aclose()
        return rest

    assert run(cleared()) == [Frame()]
    assert chat.ended.wait(60)


@pytest.mark.parametrize("fault", [ModelUnavailable("x", korean="모델이 쉽니다"), ZeroDivisionError("secret")])
def test_errors_are_shown_in_the_bubble_and_the_page_continues(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(FakeChat):
        def stream(self, *arguments: Any, **options: Any) -> Any:
            raise fault

    conversation = Conversation()
    final = run(frames(dialogue(Broken()).respond(conversation, "질문", NONE)))[-1]
    said = last_answer(final)
    assert ("모델이 쉽니다" in said) == isinstance(fault, ModelUnavailable)
    assert "secret" not in said
    assert final.busy is False
    assert "not answered" in caplog.text


def test_history_is_capped_and_turns_never_repeat() -> None:
    talk, conversation = dialogue(FakeChat()), Conversation()
    for number in range(MAX_TURNS + 2):
        run(frames(talk.respond(conversation, f"질문 {number}", NONE)))
    assert len(conversation.exchanges) == MAX_TURNS
    assert [each.turn for each in conversation.exchanges] == list(range(3, MAX_TURNS + 3))


def test_longest_question_is_answered_and_an_empty_one_gets_its_hint() -> None:
    chat, conversation = FakeChat(), Conversation()
    talk = dialogue(chat)
    (empty,) = run(frames(talk.respond(conversation, " \n ", NONE)))
    assert f'data-hint="{KOREAN.empty}"' in empty.html
    assert run(frames(talk.respond(conversation, "가" * 100, NONE)))[-1].busy is False
    assert len(chat.asked) == 1


def test_retry_of_a_conversation_that_a_restart_has_ended_says_so() -> None:
    (frame,) = run(frames(dialogue(FakeChat()).retry(Conversation(), NONE)))
    assert (turns(frame), frame.busy) == ([], False)


def test_too_long() -> None:
    chat = FakeChat()
    talk = dialogue(chat)
    (frame,) = run(frames(talk.respond(Conversation(), "가" * 101, NONE)))
    assert 'data-hint="질문이 너무 깁니다(101자). 100자 이내로 줄여 주세요."' in frame.html
    with pytest.raises(InputError, match="162 characters"):
        run(talk.ask("\ufdfa" * 9, NONE))  # one sign that is read as eighteen characters
    with pytest.raises(InputError, match="101 characters"):
        run(talk.ask("가" * 101, NONE))
    with pytest.raises(InputError, match="type a question"):
        run(talk.ask(" ", NONE))
    assert chat.asked == []


def test_unknown_filter_is_refused_before_the_service() -> None:
    chat = FakeChat()
    with pytest.raises(InputError, match="새나래은행") as caught:
        run(dialogue(chat).ask("질문", {"bank": "없는은행"}))
    assert "없는은행" in caught.value.korean
    assert chat.asked == []


def test_loader_reports_and_fails() -> None:
    go_on = threading.Event()

    def build(progress: Progress) -> Chat:
        progress("준비", 1, 2)
        go_on.wait()
        raise ModelUnavailable("no model")

    loader = Loader(build)
    assert (loader.status, loader.step.total) == ("loading", 0)
    loader.start()
    go_on.set()
    with pytest.raises(ModelUnavailable, match="no model"):
        loader.service()
    assert loader.status == "failed"
    assert loader.step == ("준비", 1, 2)


def test_the_label_says_how_far_the_sources_state_a_models_text() -> None:
    exchange = Exchange(1, "질문")
    exchange.apply(AnswerDelta("한도는 5억원입니다. [1]", generated=True))
    assert exchange.label(KOREAN) == KOREAN.generated, "as tokens, unchecked"
    exchange.apply(AnswerDelta(" 끝", generated=True, checked=True))
    assert exchange.label(KOREAN) == KOREAN.checked
    for status, label in (("supported", KOREAN.checked), ("weak", KOREAN.partly_checked)):
        support = (SentenceSupport("한도는 5억원입니다.", (1,), status),)  # type: ignore[arg-type]
        exchange.apply(
            AnswerCompleted(Answer("질문", "한도는 5억원입니다. [1]", "answered", generated=True, support=support))
        )
        assert exchange.label(KOREAN) == label
        assert exchange.may_differ


def test_approved_text_is_labelled_and_not_asked_again() -> None:
    exchange = Exchange(1, "질문")
    exchange.apply(AnswerCompleted(Answer("질문", "답", "answered")))
    assert (exchange.label(KOREAN), exchange.may_differ) == (KOREAN.approved, False)
    exchange.apply(AnswerCompleted(Answer("질문", "답", "declined")))
    assert exchange.label(KOREAN) == KOREAN.guidance


def test_each_answer_has_its_record_and_a_click_is_a_label(tmp_path: Path) -> None:
    chat, conversation, log = FakeChat(), Conversation(), AnswerLog(tmp_path / "records.sqlite")
    talk = Dialogue(loaded(lambda progress: chat), KOREAN, max_question_chars=100, recorder=ConversationRecorder(log))
    run(frames(talk.respond(conversation, "비슷한 질문", NONE)))
    final = run(frames(talk.choose(conversation, SOURCES[1].id, NONE)))[-1]
    first, second = (log.get(each.record) for each in conversation.exchanges)
    assert f"답변 번호 {second['id']}" in final.html
    assert [(each["kind"], each["row"]) for each in first["feedback"]] == [("chosen", SOURCES[1].id)]
    assert (second["row"], second["follows"]) == (SOURCES[1].id, [first["id"]])
    run(talk.ask("질문", NONE))
    assert [each["channel"] for each in log.all()] == ["page", "page", "api"]
    log.close()
