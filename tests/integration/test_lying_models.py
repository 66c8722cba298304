"""Whatever a model says, or a question or row tells it to say, only what a source states is shown."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from llama_index.core.schema import NodeWithScore, TextNode

from rag.chat import ChatService
from rag.constraints import StatedQuantities
from rag.factory.models import Models
from rag.retrieval.confidence import defaults
from rag.stores.faiss.store import FaissStore
from rag.synthesis.cited import CitedAnswerSynthesizer
from rag.synthesis.prompt_builder import MARKER
from rag.synthesis.texts import ANSWERING
from rag.types import AnswerCompleted, AnswerDelta, SourcesFound
from tests.fakes_llm import ScriptedLLM
from tests.injections import INJECTIONS, PUBLIC_INJECTIONS, Injection
from tests.lying_streams import LYING_STREAMS, LyingStream
from tests.small_faq import ANSWERS

CANCEL = "공모주 청약을 취소할 수 있나요?"
Build = Callable[..., ChatService]


@pytest.fixture
def build(small_store: FaissStore, models: Models) -> Build:
    def make(llm: ScriptedLLM, **options: Any) -> ChatService:
        return ChatService(small_store, models.embed_model, calibration=defaults(), llm=llm, **options)

    return make


def cut(text: str, seed: str) -> list[str]:
    """The text in pieces of one to nine characters, always the same for a seed."""
    rng, pieces, start = random.Random(seed), [], 0
    while start < len(text):
        size = rng.randint(1, 9)
        pieces.append(text[start : start + size])
        start += size
    return pieces


def expect_clean(states: Iterable[str], sources: Iterable[str], forbidden: Iterable[str]) -> None:
    """No state shows a quantity that no source states, or a forbidden text."""
    stated = StatedQuantities(sources)
    for state in states:
        assert stated.unsupported(MARKER.sub("", state)) == [], state
        assert [text for text in forbidden if text in state] == [], state


def test_there_are_a_hundred_streams_and_eighty_injections() -> None:
    assert len(LYING_STREAMS) == 100 and set(Counter(each.kind for each in LYING_STREAMS).values()) == {10}
    assert len(INJECTIONS) == len({each.instruction for each in INJECTIONS}) == 80


@pytest.mark.parametrize("stream", LYING_STREAMS, ids=[f"{each.kind}-{n}" for n, each in enumerate(LYING_STREAMS)])
def test_no_state_of_an_answer_shows_what_no_source_states(build: Build, stream: LyingStream) -> None:
    states: list[str] = []
    sources: list[str] = []
    shown = ""
    for event in build(ScriptedLLM(cut(stream.text, stream.text))).stream(CANCEL):
        if isinstance(event, SourcesFound):
            sources = [f"{source.question}\n{source.text}" for source in event.sources]
        elif isinstance(event, AnswerDelta):
            shown += event.text
            states.append(shown)
        elif isinstance(event, AnswerCompleted):
            states.append(event.answer.text)
    assert states[-1].strip(), "the approved text stands where nothing is left"
    expect_clean(states, sources, stream.forbidden)


@pytest.mark.parametrize(
    "injection",
    [
        *(pytest.param(each, id=f"{each.category}-{number % 5}") for number, each in enumerate(INJECTIONS)),
        *(pytest.param(each, id=f"BIPIA-{each.category}-{number}") for number, each in enumerate(PUBLIC_INJECTIONS)),
    ],
)
class TestInjections:
    """The model obeys the injection, but nothing of it is shown; in the prompt it stays within the data."""

    def test_in_a_question(self, build: Build, injection: Injection) -> None:
        llm = ScriptedLLM(cut(injection.obeyed, injection.instruction))
        question = f"{CANCEL} {injection.instruction}"
        answer = build(llm).ask(question)
        # What is not answered has a fixed text, which may repeat the customer's own words in quotes or as a title.
        if answer.status == "answered":
            said = "\n".join(line for line in answer.text.split("\n") if line not in question)
            expect_clean([said], ANSWERS.values(), injection.forbidden)
        assert injection.obeyed[:20] not in answer.text
        assert answer.status != "answered" or not answer.generated
        for system, user in llm.messages:
            assert system.content == ANSWERING
            assert user.content and user.content.count("\n질문: ") == 1

    def test_in_a_row(self, injection: Injection) -> None:
        llm = ScriptedLLM(cut(injection.obeyed, injection.instruction))
        row = f"{ANSWERS['n-002']}\n{injection.instruction}"
        node = TextNode(text=row, metadata={"question": CANCEL, "bank": "나루증권"})
        other = TextNode(text=ANSWERS["g-001"], metadata={"question": "이체한도", "bank": "가온은행"})
        stream = CitedAnswerSynthesizer(llm).answer(
            CANCEL, [NodeWithScore(node=each, score=1.0) for each in (node, other)]
        )
        pieces = "".join(stream)
        assert stream.outcome is not None and not stream.outcome.generated, "what the row told the model to say"
        assert stream.outcome.text == pieces and injection.obeyed not in pieces
        ((system, user),) = llm.messages
        assert system.content == ANSWERING and user.content
        assert user.content.count("\n질문: ") == 1 + injection.instruction.count("\n질문: ")
