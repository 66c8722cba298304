"""Answers of a language model on the page: labels, citations, notices, and Stop down to the endpoint's connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from deploy.local.client import EmulatorClient
from deploy.local.server import running
from deploy.local.spec import EndpointSpec
from rag.chat import ChatService
from rag.constraints import StatedQuantities
from rag.errors import ModelUnavailable
from rag.factory.models import Models
from rag.models.sagemaker.client import Runtime
from rag.models.sagemaker.llm import SageMakerLLM
from rag.retrieval.confidence import defaults
from rag.stores.faiss.store import FaissStore
from rag.synthesis import texts
from rag.types import Notice
from rag.ui.texts import ENGLISH, KOREAN, Texts
from tests.browser.conftest import Serve, Visit
from tests.browser.test_sources import cite, expect_open
from tests.fakes_llm import Said, ScriptedLLM
from tests.lying_streams import LYING_STREAMS
from tests.small_faq import ANSWERS, LIMIT

CANCEL = "공모주 청약을 취소할 수 있나요?"
PASSAGES = f"{ANSWERS['n-002']} [1]"
TWO = (
    "가온은행의 1일 한도는 최고 ",
    "5억 원입니다[1]. ",
    "나루증권은 최고 2억 원입니다 [",
    "2",
    "]. ",
    "감사합니다 [",
    "9",
    "].",
)
SHOWN = "가온은행의 1일 한도는 최고 5억 원입니다[1]. 나루증권은 최고 2억 원입니다 [2]. 감사합니다 ."
GOES_ON = f"{PASSAGES} " + " ".join(f"항목{number}" for number in range(300))

Open = Callable[..., Visit]


@pytest.fixture
def page(small_store: FaissStore, models: Models, serve: Serve, visit: Callable[..., Visit]) -> Open:
    """A tab on the real service over the small index, answering through this model."""

    def open_page(llm: ScriptedLLM | SageMakerLLM, language: str = "ko") -> Visit:
        service = ChatService(small_store, models.embed_model, calibration=defaults(), llm=llm, topics={"": [LIMIT]})
        server, _ = serve(service, language=language)
        return visit(server.url).ready()

    return open_page


def notices(visitor: Visit) -> list[str]:
    return [text.strip() for text in visitor.bubbles("bot").last.locator(".label.model, .remark").all_inner_texts()]


def answer(visitor: Visit) -> str:
    """The last answer's own text, without the page's labels and notices."""
    said = visitor.bubbles("bot").last.locator(".said")
    return " ".join(
        said.evaluate(
            "e => { const copy = e.cloneNode(true); copy.querySelector('.chip')?.remove(); return copy.textContent; }"
        ).split()
    )


def test_citations_open_their_sources_and_unknown_ones_are_gone(page: Open) -> None:
    visitor = page(ScriptedLLM(TWO))
    visitor.answered(LIMIT)
    assert answer(visitor) == " ".join(SHOWN.split())
    assert notices(visitor) == [KOREAN.checked] == ["AI 생성 · 출처 확인"]
    titles = visitor.page.locator("#panel .shown .place").all_inner_texts()
    for number, bank in ((1, "가온은행"), (2, "나루증권")):
        cite(visitor, 1, number).click()
        expect_open(visitor, 1, number)
        assert titles[number - 1].startswith(bank)
    assert visitor.complaints == []
    visitor.screenshot("model-answer")


def test_citations_work_while_the_answer_is_written(page: Open) -> None:
    go_on = threading.Event()
    visitor = page(ScriptedLLM([*TWO[:6], go_on, *TWO[6:]]))
    visitor.ask(LIMIT)
    expect(visitor.bubbles("bot")).to_contain_text("[2]")
    assert KOREAN.checked in notices(visitor)
    cite(visitor, 1, 2).click()
    expect_open(visitor, 1, 2)
    go_on.set()
    visitor.idle()
    assert answer(visitor) == " ".join(SHOWN.split())


WEAK = "마감일에는 느긋하게 취소하실 수 있습니다. [1]"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_sentence_in_other_words_than_its_source_is_marked_alone(page: Open, language: str) -> None:
    go_on = threading.Event()
    visitor = page(
        ScriptedLLM(["마감일 16시까지 취소하실 수 있습니다. [1] ", f"{WEAK} ", go_on, "감사합니다."]), language=language
    )
    words = KOREAN if language == "ko" else ENGLISH
    visitor.ask(CANCEL)
    marks = visitor.bubbles("bot").last.locator("mark.weak")
    # Marked as soon as it is shown, and not only when the answer is complete.
    expect(marks).to_have_text([WEAK])
    go_on.set()
    visitor.idle()
    expect(marks).to_have_text([WEAK])
    expect(visitor.bubbles("bot").last.locator(".weak-note")).to_have_text([words.weak])
    assert notices(visitor) == [words.partly_checked]
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visitor.screenshot(f"weak-sentence-{language}")
    assert visitor.complaints == []


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_sentence_of_the_source_in_place_of_the_models_is_marked(page: Open, language: str) -> None:
    right, wrong = "나루 앱의 설정에서 이체한도를 신청하실 수 있어요. [1] ", "1일 한도는 최고 9억 원이에요. [1] "
    visitor = page(ScriptedLLM([right, wrong, "감사합니다."]), language=language)
    words = KOREAN if language == "ko" else ENGLISH
    visitor.ask(f"나루증권에서 {LIMIT}")
    visitor.idle()
    bubble = visitor.bubbles("bot").last
    expect(bubble.locator(".own")).to_have_text(["1일 한도는 최고 2억 원입니다. [1]"])
    expect(bubble.locator(".own-note")).to_have_text([words.own])
    expect(bubble).not_to_contain_text("9억")
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visitor.screenshot(f"own-sentence-{language}")
    assert visitor.complaints == []


def test_quotes_are_not_labelled(page: Open) -> None:
    visitor = page(ScriptedLLM(TWO, context_window=700))
    visitor.answered(CANCEL)
    assert (answer(visitor), notices(visitor)) == (" ".join(PASSAGES.split()), [])
    visitor.answered("통장 다시 만들고 싶어요")
    assert notices(visitor) == []


def test_a_follow_up_is_condensed(page: Open) -> None:
    llm = ScriptedLLM(
        lambda prompt: (
            [CANCEL] if prompt.startswith(texts.CONDENSING) else ["마감일 16시까지 취소하실 수 있습니다. [1]"]
        )
    )
    visitor = page(llm)
    visitor.answered("공모주 청약 취소 되나요")
    visitor.answered("그럼 언제까지요?")
    condensing, answering = llm.prompts[-2:]
    assert "고객: 공모주 청약 취소 되나요" in condensing and condensing.endswith("마지막 질문: 그럼 언제까지요?")
    assert answering.endswith(f"질문: {CANCEL}")
    cite(visitor, 2, 1).click()
    expect_open(visitor, 2, 1)
    visitor.page.click("#src-2-1 .whole")
    expect(visitor.page.locator("#src-2-1 .passage")).to_have_text(ANSWERS["n-002"])


@pytest.mark.parametrize("texts", [KOREAN, ENGLISH])
@pytest.mark.parametrize(
    ("said", "notice"),
    [
        ([ModelUnavailable("gone")], "model_unavailable"),
        (["다른 데서 들은 이야기입니다 [9]."], "uncited"),
        (["마감일 17시까지 취소하실 수 있습니다. [1]"], "withheld"),
        (["[1]"], "uncited"),
        (["마감일 [1] ", "16시", ModelUnavailable("gone")], "interrupted"),
    ],
)
def test_a_failing_model_ends_in_the_passages_with_a_notice(
    page: Open, texts: Texts, said: list[Said], notice: Notice
) -> None:
    visitor = page(ScriptedLLM(said), language=texts.language)
    visitor.answered(CANCEL)
    assert answer(visitor) == " ".join(PASSAGES.split())
    assert notices(visitor) == [texts.notices[notice]], "the passages are not labelled as a model's"
    cite(visitor, 1, 1).click()
    expect_open(visitor, 1, 1)


def test_a_withheld_number_is_in_no_state_of_the_page(page: Open) -> None:
    go_on = threading.Event()
    lie, right = "마감일 17시까지 취소하실 수 있습니다. [1] ", "마감일 16시까지 취소하실 수 있습니다. [1] "
    visitor = page(ScriptedLLM([*lie, *right, "감사", go_on, "합니다."]))
    visitor.ask(CANCEL)
    expect(visitor.bubbles("bot")).to_contain_text("16시")
    assert "17시" not in visitor.bubbles("bot").last.inner_text()
    assert KOREAN.checked in notices(visitor)
    go_on.set()
    visitor.idle()
    assert notices(visitor) == [KOREAN.checked, KOREAN.notices["withheld"]]
    assert "17시" not in visitor.bubbles("bot").last.inner_text()
    visitor.screenshot("withheld-number")


RECORD_STATES = """
window.states = [];
new MutationObserver(() => document.querySelectorAll('#chat [data-testid="bot"]').forEach(e => window.states.push(e.textContent)))
    .observe(document, {childList: true, subtree: true, characterData: true});
"""


def test_no_state_of_the_page_shows_what_a_model_makes_up(page: Open) -> None:
    """A hundred streams; the text of the bubble is recorded at every change of the page."""
    said = iter(LYING_STREAMS)
    visitor = page(ScriptedLLM(lambda prompt: [*next(said).text]))
    visitor.page.evaluate(RECORD_STATES)
    stated = StatedQuantities([f"{CANCEL}\n{ANSWERS['n-002']}"])
    for stream in LYING_STREAMS:
        visitor.answered(CANCEL)
        states = visitor.page.evaluate("window.states.splice(0)")
        shown = [state for state in states if any(text in state for text in stream.forbidden)]
        assert states and shown == [], stream
        assert stated.unsupported(answer(visitor).replace("[1]", "")) == [], stream
        visitor.page.click("#clear")  # a new chat, whose answer is written without the one before
        expect(visitor.bubbles("bot")).to_have_count(0)
    assert len(LYING_STREAMS) == 100 and visitor.complaints == [] and visitor.foreign() == []


def test_a_masked_number_is_reported_and_not_shown_again(page: Open) -> None:
    visitor = page(ScriptedLLM(["마감일 16시까지 취소하실 수 있습니다. [1]"]))
    visitor.answered(f"{CANCEL} 제 번호는 900101-1234567 입니다")
    assert notices(visitor)[-1] == KOREAN.masked.format(kinds="주민등록번호")
    assert "[주민등록번호]" in visitor.bubbles("user").last.inner_text()
    assert "900101" not in visitor.page.locator("body").inner_text()


class TestStop:
    """The endpoint's connection ends with the answer. The emulator counts the clients that left."""

    @pytest.fixture
    def emulator(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorClient]:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with running([EndpointSpec(name="llm", task="generate", format="lmi", latency_ms=3_600_000)]) as emulator:
            yield emulator

    @pytest.fixture
    def waiting(self, page: Open, emulator: EmulatorClient) -> Iterator[Visit]:
        """A page whose answer waits for its first token."""
        runtime = Runtime("ap-northeast-2", emulator.url)
        visitor = page(SageMakerLLM("llm", format="lmi", runtime=runtime))
        visitor.ask(CANCEL)
        wait_until(lambda: counts(emulator).get("requests", 0) == 1)
        expect(visitor.bubbles("bot")).to_have_text(KOREAN.writing)
        yield visitor
        runtime.close()

    def test_before_the_first_token(self, waiting: Visit, emulator: EmulatorClient) -> None:
        waiting.page.click("#stop")
        wait_until(lambda: counts(emulator).get("disconnects", 0) == 1)  # the first token would come after an hour
        waiting.idle()
        expect(waiting.bubbles("bot").last).to_contain_text(KOREAN.stopped)

    def test_in_the_middle(self, waiting: Visit, emulator: EmulatorClient) -> None:
        waiting.page.click("#stop")
        wait_until(lambda: counts(emulator).get("disconnects", 0) == 1)
        waiting.idle()
        emulator.change("llm", latency_ms=0, answer=GOES_ON, tokens_per_second=10)
        waiting.ask(CANCEL)
        expect(waiting.bubbles("bot").last).to_contain_text("취소하실 수 있습니다")
        before = counts(emulator).get("disconnects", 0)
        waiting.page.click("#stop")
        wait_until(lambda: counts(emulator).get("disconnects", 0) == before + 1)
        waiting.idle()
        text = waiting.bubbles("bot").last.inner_text()
        assert KOREAN.checked in text and KOREAN.stopped in text, "what was written stays, labelled"

    def test_a_visitor_who_leaves(self, waiting: Visit, emulator: EmulatorClient) -> None:
        waiting.page.close()
        wait_until(lambda: counts(emulator).get("disconnects", 0) == 1)


def counts(emulator: EmulatorClient) -> dict[str, int]:
    found: dict[str, int] = emulator.stats("llm")["counts"]
    return found


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it did not happen within 60 s"
        time.sleep(0.01)
