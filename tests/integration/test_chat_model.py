"""ChatService with a language model: its text is shown only with citations; otherwise the passages are the answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from rag.chat import ChatService
from rag.errors import ModelInterrupted, ModelRefused, ModelTimeout, ModelUnavailable
from rag.factory.models import Models
from rag.retrieval.confidence import defaults
from rag.stores.faiss.store import FaissStore
from rag.synthesis import texts
from rag.synthesis.prompt_builder import MARKER
from rag.types import Answer, AnswerCompleted, AnswerDelta, AnswerEvent, Notice, SourcesFound, Turn
from tests.fakes_llm import Said, ScriptedLLM
from tests.small_faq import ANSWERS, GAON, LIMIT, NARU

CANCEL = "공모주 청약을 취소할 수 있나요?"
UNCLEAR = "한도 관련 문의"
OUT_OF_DOMAIN = "자동차보험에 가입하고 싶어요"
WORDS = ("마감일 ", "16시까지 ", "취소하실 수 있습니다. ", "[", "1]", " 감사합니다.")
WRITTEN = f"{NARU}\n{''.join(WORDS)}"
PASSAGES = f"{NARU}\n{ANSWERS['n-002']} [1]"
HISTORY = (Turn("공모주 청약했어요", "네"),)
FOLLOW_UP = "그럼 취소는요?"


@dataclass
class Reply:
    """The results of one question."""

    answer: Answer
    pieces: list[AnswerDelta]


Ask = Callable[..., Reply]
Build = Callable[..., ChatService]


@pytest.fixture
def build(small_store: FaissStore, models: Models) -> Build:
    def make(llm: ScriptedLLM | None, **options: Any) -> ChatService:
        return ChatService(small_store, models.embed_model, calibration=defaults(), llm=llm, **options)

    return make


@pytest.fixture
def ask(build: Build) -> Ask:
    def run(llm: ScriptedLLM, question: str = CANCEL, history: tuple[Turn, ...] = (), **options: Any) -> Reply:
        events = list(build(llm, **options).stream(question, history))
        *deltas, last = events[1:]
        assert isinstance(events[0], SourcesFound) and isinstance(last, AnswerCompleted)
        assert events[0].sources == last.answer.sources
        return Reply(last.answer, [event for event in deltas if isinstance(event, AnswerDelta)])

    return run


def test_the_model_answers_from_numbered_sources(ask: Ask) -> None:
    llm = ScriptedLLM(WORDS)
    heard = ask(llm)
    assert (heard.answer.text, heard.answer.cited) == (WRITTEN, (1,))
    assert (heard.answer.status, heard.answer.notice, heard.answer.generated) == ("answered", None, True)
    assert "".join(piece.text for piece in heard.pieces) == heard.answer.text
    assert len(heard.pieces) > 1 and all(piece.generated for piece in heard.pieces)
    assert heard.answer.usage["completion_tokens"] == len(WORDS)
    (prompt,) = llm.prompts
    assert prompt.startswith(texts.ANSWERING) and prompt.endswith(f"질문: {CANCEL}")
    assert f"[1] 금융회사: 나루증권\n제목: {CANCEL}\n{ANSWERS['n-002']}" in prompt


def test_nothing_is_shown_before_the_first_citation(ask: Ask) -> None:
    first, *rest = ask(ScriptedLLM(WORDS)).pieces
    assert first.text == f"{NARU}\n마감일 16시까지 취소하실 수 있습니다. [1]"
    assert [piece.text for piece in rest] == [" 감사합니다."]


def test_unknown_numbers_are_dropped(ask: Ask) -> None:
    answer = ask(ScriptedLLM(["마감일 [9]. ", "16시 [1, 7] ", "취소 [", "8", "]"])).answer
    assert (answer.text, answer.cited) == (f"{NARU}\n마감일 . 16시 [1] 취소 ", (1,))


@pytest.mark.parametrize(
    ("said", "notice"),
    [
        (["자료에서 답을 찾을 수 없습니다."], "uncited"),
        (["16시까지 취소하실 수 있습니다. [9]"], "uncited"),
        (["[1]"], "uncited"),
        (["네, 취소하실 수 있습니다.\n", "[", "1]"], "uncited"),
        ([""], "model_unavailable"),
        ([], "model_unavailable"),
    ],
)
def test_an_answer_that_cites_nothing_is_never_shown(ask: Ask, said: list[Said], notice: Notice) -> None:
    heard = ask(ScriptedLLM(said))
    assert (heard.answer.text, heard.answer.notice) == (PASSAGES, notice)
    assert (heard.answer.cited, heard.answer.generated) == ((1,), False)
    assert "".join(piece.text for piece in heard.pieces) == PASSAGES
    assert not any(piece.generated for piece in heard.pieces)


@pytest.mark.parametrize("error", [ModelUnavailable("gone"), ModelRefused("no"), ZeroDivisionError("a package's own")])
def test_a_failure_before_the_first_word_ends_in_the_passages(ask: Ask, error: Exception) -> None:
    heard = ask(ScriptedLLM([error]))
    assert (heard.answer.text, heard.answer.notice) == (PASSAGES, "model_unavailable")
    assert "".join(piece.text for piece in heard.pieces) == PASSAGES


def test_a_model_that_keeps_failing_is_not_asked_by_each_question(
    build: Build, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[Said] = [ModelTimeout("late")]
    llm, now = ScriptedLLM(lambda prompt: said), [0.0]
    chat = build(llm, clock=lambda: now[0])
    for history in ((), HISTORY, ()):
        answer = chat.ask(CANCEL, history)
        assert (answer.text, answer.notice) in ((PASSAGES, "too_slow"), (PASSAGES, "model_unavailable"))
    assert answer.notice == "model_unavailable", "it was not asked the third time"
    assert str(chat.query_engine().query(CANCEL)) == PASSAGES
    assert len(llm.prompts) == 2, "an answer, and the rewrite of a follow-up"
    assert len(caplog.records) == 3, "two failures, and the rest they begin"
    now[0] += 30
    said[:] = WORDS
    assert chat.ask(CANCEL).text == WRITTEN
    assert chat.ask(CANCEL).text == WRITTEN


@pytest.mark.parametrize(
    "said", [["자료에서 답을 찾을 수 없습니다."], [ModelRefused("no")], ["[1] ", ModelTimeout("late")]]
)
def test_a_model_that_is_there_is_asked_by_each_question(build: Build, said: list[Said]) -> None:
    llm = ScriptedLLM(said)
    chat = build(llm)
    for _ in range(4):
        assert chat.ask(CANCEL).text == PASSAGES
    assert len(llm.prompts) == 4


@pytest.mark.parametrize("error", [ModelUnavailable("gone"), ModelInterrupted("cut"), ZeroDivisionError("x")])
@pytest.mark.parametrize("after", [1, len(WORDS)])
def test_a_failure_in_the_middle_ends_in_the_passages(ask: Ask, error: Exception, after: int) -> None:
    heard = ask(ScriptedLLM([*WORDS[:after], error]))
    assert (heard.answer.text, heard.answer.notice) == (PASSAGES, "interrupted")
    assert (heard.answer.cited, heard.answer.generated) == ((1,), False)


@pytest.mark.parametrize(
    "reason", ["length", "model_context_window_exceeded", "content_filter", "content_filtered", "guardrail_intervened"]
)
def test_an_answer_cut_at_its_longest_size_or_by_a_filter_is_no_answer(ask: Ask, reason: str) -> None:
    answer = ask(ScriptedLLM(WORDS, finish_reason=reason)).answer
    assert (answer.text, answer.notice) == (PASSAGES, "interrupted")


@pytest.mark.parametrize("after", [0, 5])
def test_past_the_deadline_the_passages_are_the_answer(ask: Ask, after: int) -> None:
    never = threading.Event()
    answer = ask(ScriptedLLM([*WORDS[:after], never]), answer_seconds=0.5).answer
    assert (answer.text, answer.notice) == (PASSAGES, "too_slow")
    never.set()


@pytest.mark.parametrize(
    ("question", "status"), [(UNCLEAR, "suggested"), (OUT_OF_DOMAIN, "declined"), ("안녕하세요", "declined")]
)
def test_only_what_is_answered_reaches_the_model(ask: Ask, build: Build, question: str, status: str) -> None:
    llm = ScriptedLLM(WORDS)
    answer = ask(llm, question).answer
    assert (answer.status, answer.generated, answer.notice) == (status, False, None)
    assert answer.text == build(None).ask(question).text
    assert llm.prompts == []


def test_a_part_without_an_answer_is_named_and_not_left_to_the_model(ask: Ask, build: Build) -> None:
    llm = ScriptedLLM(WORDS)
    question = f"{CANCEL} 그리고 자동차보험은 어떻게 가입하나요?"
    answer = ask(llm, question).answer
    assert (answer.status, answer.text, llm.prompts) == ("answered", build(None).ask(question).text, [])
    assert PASSAGES in answer.text and texts.frame("section_declined") in answer.text


def test_sources_that_do_not_fit_are_quoted_without_a_call(ask: Ask) -> None:
    llm = ScriptedLLM(WORDS, context_window=700)
    answer = ask(llm).answer
    assert (answer.text, answer.notice, llm.prompts) == (PASSAGES, None, [])


def test_institutions_that_both_answer_are_both_shown_to_the_model(ask: Ask) -> None:
    llm = ScriptedLLM(["가온은 5억 [1], 나루는 2억 [2]"])
    assert ask(llm, LIMIT).answer.cited == (1, 2)
    assert ANSWERS["g-001"] in llm.prompts[0] and ANSWERS["n-001"] in llm.prompts[0]


def test_each_statement_is_named_by_its_institution(ask: Ask) -> None:
    limits = ("1일 한도는 최고 5억 원입니다. [1]", "1일 한도는 최고 2억 원입니다. [2]")
    heard = ask(ScriptedLLM([*" ".join(limits)]), LIMIT)
    assert heard.answer.text == f"{GAON}\n{limits[0]}\n\n{NARU}\n{limits[1]}"
    assert "".join(piece.text for piece in heard.pieces) == heard.answer.text and len(heard.pieces) > 1
    spans = heard.answer.sentence_spans()
    assert tuple(heard.answer.text[span[0] : span[1]] for span in spans if span) == limits
    one = ask(ScriptedLLM([limits[0]]), LIMIT).answer
    assert one.text == f"{GAON}\n{limits[0]}", "the index holds another"
    # Where the model fails, the quoted rows are named, too.
    assert ask(ScriptedLLM([ModelUnavailable("no")]), LIMIT).answer.text.count(NARU) == 1


RIGHT = "마감일 16시까지 취소하실 수 있습니다. [1]"
LIES = (
    "마감일 17시까지 취소하실 수 있습니다. [1]",
    "마감일 16시까지 취소하실 수 없습니다. [1]",
    "취소 수수료는 5,000원입니다. [1]",
    "취소하시면 상품권을 보내 드립니다. [1]",
    "가온은행 앱에서 마감일 16시까지 취소하실 수 있습니다. [1]",
)


class TestChecks:
    """Unsupported text is in no piece, and the answer has the result of each sentence's check."""

    @pytest.mark.parametrize("lie", LIES)
    def test_an_unsupported_sentence_is_left_out_and_the_others_stay(self, ask: Ask, lie: str) -> None:
        heard = ask(ScriptedLLM([*f"{lie} {RIGHT} 감사합니다."]))
        assert "".join(piece.text for piece in heard.pieces) == heard.answer.text == f"{NARU}\n{RIGHT} 감사합니다."
        assert all(piece.checked for piece in heard.pieces)
        assert (heard.answer.notice, heard.answer.generated, heard.answer.cited) == ("withheld", True, (1,))
        assert [each.status for each in heard.answer.support] == ["withheld", "supported"]

    @pytest.mark.parametrize("lie", LIES)
    def test_where_nothing_is_left_the_passage_is_the_answer(self, ask: Ask, lie: str) -> None:
        heard = ask(ScriptedLLM([lie]))
        assert (heard.answer.text, heard.answer.notice, heard.answer.generated) == (PASSAGES, "withheld", False)
        assert "".join(piece.text for piece in heard.pieces) == PASSAGES
        (support,) = heard.answer.support
        assert (support.text, support.status) == (lie, "withheld")

    def test_another_value_is_replaced_by_the_approved_sentence(self, ask: Ask) -> None:
        right, lie = "나루 앱의 설정에서 이체한도를 신청하실 수 있어요. [1]", "1일 한도는 최고 9억 원이에요. [1]"
        approved = "1일 한도는 최고 2억 원입니다. [1]"
        heard = ask(ScriptedLLM([*f"{lie} {right} 감사합니다."]), f"나루증권에서 {LIMIT}")
        pieces = [piece.text for piece in heard.pieces]
        assert "".join(pieces) == heard.answer.text == f"{NARU}\n{approved} {right} 감사합니다."
        assert approved in ANSWERS["n-001"] + " [1]" and heard.answer.sources[0].text == ANSWERS["n-001"]
        assert (heard.answer.notice, heard.answer.generated, heard.answer.cited) == ("withheld", True, (1,))
        support = [(each.text, each.status, each.is_replacement) for each in heard.answer.support]
        assert support == [(lie, "withheld", False), (approved, "supported", True), (right, "supported", False)]

    @pytest.mark.parametrize(
        ("said", "notice"),
        [
            (texts.ANSWERING, "withheld"),
            (f"<think>[1]을 봐야 한다. 16시까지다.</think>{RIGHT}", "withheld"),
            (f"<b>{RIGHT}</b>", "withheld"),
            ("[여기](https://evil.example) 16시까지 취소하실 수 있습니다. [1]", "withheld"),
            ("취소는 1599-9999로 마감일 16시까지 하실 수 있습니다. [1]", "withheld"),
            (f"{RIGHT} " * 50, "interrupted"),
            ("취소 " * 5000, "interrupted"),
            (" ".join(f"마감일 16시까지 취소하실 수 있습니다 {'가' * n}. [1]" for n in range(1, 90)), "interrupted"),
        ],
        ids=("prompt", "thinking", "html", "link", "telephone", "repeated", "endless", "growing"),
    )
    @pytest.mark.parametrize("release", ["sentence", "token"])
    def test_what_no_answer_may_hold_ends_it_in_the_approved_text(
        self, build: Build, said: str, notice: Notice, release: str
    ) -> None:
        answer = build(ScriptedLLM([*said]), release=release).ask(CANCEL)
        assert (answer.text, answer.notice, answer.generated) == (PASSAGES, notice, False)

    def test_a_text_that_never_ends_is_left(self, build: Build) -> None:
        llm = ScriptedLLM(["취소하실 수 있고 "] * 10**6)
        assert build(llm).ask(CANCEL).notice == "interrupted"
        assert llm.closed.wait(60)

    def test_released_as_tokens_it_is_marked_as_unchecked_and_then_settled(self, build: Build) -> None:
        events = list(build(ScriptedLLM([*f"{LIES[0]} {RIGHT}"]), release="token").stream(CANCEL))
        deltas = [event for event in events if isinstance(event, AnswerDelta)]
        assert "".join(delta.text for delta in deltas) == f"{LIES[0]} {RIGHT}"
        assert not any(delta.checked for delta in deltas) and all(delta.generated for delta in deltas)
        assert isinstance(events[-1], AnswerCompleted)
        assert (events[-1].answer.text, events[-1].answer.notice) == (f"{NARU}\n{RIGHT}", "withheld")

    def test_the_instruction_holds_no_valid_marker(self) -> None:
        assert MARKER.search(texts.ANSWERING) is None


class TestFollowUps:
    def test_the_model_condenses_and_answers_what_it_condensed(self, ask: Ask) -> None:
        llm = ScriptedLLM(lambda prompt: [CANCEL] if prompt.startswith(texts.CONDENSING) else WORDS)
        answer = ask(llm, FOLLOW_UP, HISTORY).answer
        assert (answer.question, answer.sources[0].id, answer.text) == (FOLLOW_UP, "n-002", WRITTEN)
        assert answer.searched == CANCEL
        condensing, answering = llm.prompts
        assert "고객: 공모주 청약했어요\n상담원: 네\n\n마지막 질문: 그럼 취소는요?" in condensing
        assert answering.endswith(f"질문: {CANCEL}")

    @pytest.mark.parametrize("said", [[""], ["가" * 300], [ModelUnavailable("no")], ["자동차보험에 가입하고 싶어요"]])
    def test_without_a_rewrite_that_finds_something_both_readings_are_searched(
        self, ask: Ask, build: Build, said: list[Said]
    ) -> None:
        llm = ScriptedLLM(lambda prompt: said if prompt.startswith(texts.CONDENSING) else WORDS)
        answer = ask(llm, FOLLOW_UP, HISTORY).answer
        expected = build(None).ask(FOLLOW_UP, HISTORY)
        assert [source.id for source in answer.sources] == [source.id for source in expected.sources]

    @pytest.mark.parametrize(
        ("question", "history"),
        [
            (CANCEL, ()),
            (FOLLOW_UP, ()),
            (CANCEL + " 알려 주시면 좋겠습니다", HISTORY),
            pytest.param(f"{CANCEL} {FOLLOW_UP}", (), id="two questions in one message"),
        ],
    )
    def test_what_stands_alone_is_not_condensed(self, ask: Ask, question: str, history: tuple[Turn, ...]) -> None:
        llm = ScriptedLLM(WORDS)
        ask(llm, question, history)
        assert not [prompt for prompt in llm.prompts if prompt.startswith(texts.CONDENSING)]


class TestClosing:
    """`close()` from another thread while the reader waits for the model."""

    @pytest.mark.parametrize("said", [[], ["16시까지 취소하실 수 있습니다. [1] "]])
    def test_it_ends_the_wait(self, build: Build, said: list[Said]) -> None:
        never = threading.Event()
        llm = ScriptedLLM([*said, never, "둘"])
        stream = build(llm).stream(CANCEL)
        seen: list[AnswerEvent] = []
        reader = threading.Thread(target=lambda: seen.extend(stream))
        reader.start()
        while not llm.prompts or len(seen) < 1 + len(said):
            time.sleep(0.01)
        stream.close()
        reader.join(60)
        assert not reader.is_alive()
        assert [type(event) for event in seen] == [SourcesFound, *[AnswerDelta] * len(said)], "no answer was completed"
        never.set()
        assert llm.closed.wait(60), "its thread leaves the model at the next piece"

    def test_it_ends_while_condensing(self, build: Build) -> None:
        never = threading.Event()
        llm = ScriptedLLM([never])
        stream = build(llm).stream(FOLLOW_UP, HISTORY)
        got: list[AnswerEvent] = []
        reader = threading.Thread(target=lambda: got.extend(stream))
        reader.start()
        while not llm.prompts:
            time.sleep(0.01)
        stream.close()
        reader.join(60)
        assert not reader.is_alive() and got == []
        assert len(llm.prompts) == 1
        never.set()

    def test_a_closed_stream_asks_nothing(self, build: Build) -> None:
        llm = ScriptedLLM(WORDS)
        stream = build(llm).stream(CANCEL)
        stream.close()
        stream.close()
        assert list(stream) == []
        assert llm.prompts == []

    def test_between_two_pieces(self, build: Build) -> None:
        llm = ScriptedLLM(["하나 [1] ", "둘 ", "셋"])
        stream = build(llm).stream(CANCEL)
        assert [type(next(stream)) for _ in range(2)] == [SourcesFound, AnswerDelta]
        stream.close()
        assert list(stream) == []
