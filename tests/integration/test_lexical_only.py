"""The embedding endpoint fails during a question: only lexical search is used, and the answer has a notice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy.local import vectors
from deploy.local.client import EmulatorClient
from deploy.local.server import running
from deploy.local.spec import EndpointSpec
from rag.chat import ChatService
from rag.errors import ModelError, ModelUnavailable
from rag.evaluation.records import predict
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.models.sagemaker import client
from rag.models.sagemaker.client import Runtime
from rag.models.sagemaker.embedding import SageMakerEmbedding
from rag.retrieval.confidence import lexical_only_calibration
from rag.settings import Settings
from rag.stores.faiss.store import FaissStore
from tests.small_faq import LIMIT, PAPERS

OUT_OF_DOMAIN = "자동차보험에 가입하고 싶어요"
FAULTS = ("throttle", "not_ready", "unavailable", "model_error", "reset", "hang", "not_json", "not_finite")


@pytest.fixture
def emulator(models: Models, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorClient]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(vectors, "_local_model", lambda: models.embed_model)
    with running([EndpointSpec(name="emb", task="embed", format="tei")]) as emulated:
        yield emulated


HOUR = 3600.0


@pytest.fixture
def embed(emulator: EmulatorClient) -> Iterator[SageMakerEmbedding]:
    runtime = Runtime("ap-northeast-2", emulator.url)
    yield SageMakerEmbedding(
        "emb", query_prefix="query: ", passage_prefix="passage: ", query_deadline=HOUR, deadline=HOUR, runtime=runtime
    )
    runtime.close()


@pytest.fixture
def chat(embed: SageMakerEmbedding, small_root: Path, models: Models) -> Iterator[ChatService]:
    """Over an index of the same model in process, so that the endpoint's vectors fit it."""
    store = FaissStore.open(small_root / "small", models.manifest)
    yield build_service(Settings(), Models(embed, models.manifest), store)
    store.close()


def test_an_endpoint_that_answers_is_used(chat: ChatService) -> None:
    answer = chat.ask(LIMIT)
    assert (answer.status, answer.notice) == ("answered", None)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_question_is_answered_by_lexical_search_with_a_notice(
    chat: ChatService, emulator: EmulatorClient, embed: SageMakerEmbedding, fault: str
) -> None:
    well = chat.ask(LIMIT)
    emulator.change("emb", faults=[{"kind": fault}])
    embed.query_deadline = 1.0 if fault == "hang" else HOUR
    answer = chat.ask(LIMIT)
    embed.query_deadline = HOUR
    assert (answer.notice, answer.sources[0].id) == ("model_unavailable", well.sources[0].id)
    assert answer.status in ("answered", "suggested")
    emulator.change("emb", faults=[])
    assert (again := chat.ask(LIMIT)).notice is None and again.text == well.text


def test_the_same_as_a_service_without_vectors(
    chat: ChatService, emulator: EmulatorClient, models: Models, small_root: Path
) -> None:
    """The thresholds are those for lexical search, not those fitted with vectors."""
    store = FaissStore.open(small_root / "small", models.manifest)
    without = build_service(
        Settings(), Models(None, models.manifest), store, calibration=lexical_only_calibration(chat.calibration)
    )
    emulator.change("emb", faults=[{"kind": "throttle"}])
    for question in (LIMIT, PAPERS, OUT_OF_DOMAIN, "비번"):
        failing, lexical = chat.rank(question), without.rank(question)
        assert failing.lexical_only and not lexical.lexical_only
        assert (failing.status, failing.confidence) == (lexical.status, lexical.confidence)
        assert [hit.score for hit in failing.ranked] == [hit.score for hit in lexical.ranked]
    store.close()


def test_a_declined_question_says_that_only_lexical_search_was_used(
    chat: ChatService, emulator: EmulatorClient
) -> None:
    emulator.change("emb", faults=[{"kind": "throttle"}])
    answer = chat.ask(OUT_OF_DOMAIN)
    assert (answer.status, answer.notice) == ("declined", "model_unavailable")


def test_nothing_is_measured_or_fitted_on_lexical_search_alone(chat: ChatService, emulator: EmulatorClient) -> None:
    emulator.change("emb", faults=[{"kind": "throttle"}])
    with pytest.raises(ModelUnavailable, match="during the evaluation"):
        predict(chat, LIMIT)
    with pytest.raises(ModelError):
        chat.hits(LIMIT)


class Clocked(NamedTuple):
    """A chat over the failing endpoint, whose time is `now`."""

    chat: ChatService
    now: list[float]


@pytest.fixture
def clocked(
    chat: ChatService, emulator: EmulatorClient, small_root: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Clocked]:
    monkeypatch.setattr(client, "ATTEMPTS", 1)
    runtime, now = Runtime("ap-northeast-2", emulator.url), [0.0]
    embed = SageMakerEmbedding("emb", query_prefix="query: ", passage_prefix="passage: ", runtime=runtime)
    store = FaissStore.open(small_root / "small", models.manifest)
    yield Clocked(ChatService(store, embed, calibration=chat.calibration, clock=lambda: now[0]), now)
    store.close()
    runtime.close()


def test_an_endpoint_that_keeps_failing_is_not_asked_by_each_question(
    clocked: Clocked, emulator: EmulatorClient, caplog: pytest.LogCaptureFixture
) -> None:
    chat, now = clocked

    def asked() -> int:
        return int(emulator.stats("emb")["counts"].get("requests", 0))

    emulator.change("emb", faults=[{"kind": "unavailable"}])
    for _ in range(5):
        answer = chat.ask(PAPERS)
        assert (answer.notice, answer.sources[0].id) == ("model_unavailable", "g-006")
    assert chat.query_engine().query(PAPERS).source_nodes
    assert asked() == 2
    assert len(caplog.records) == 3, "two questions that waited, and the rest they begin"
    assert not any(PAPERS in record.getMessage() for record in caplog.records)
    with pytest.raises(ModelUnavailable, match="emb"):
        chat.hits(PAPERS)
    assert asked() == 3, "who cannot go on without it asks it"
    now[0] += 30
    chat.ask(PAPERS)
    assert asked() == 4

    emulator.change("emb", faults=[])
    assert chat.ask(PAPERS).notice == "model_unavailable"
    now[0] += 30
    assert chat.ask(PAPERS).notice is None
    assert chat.ask(PAPERS).notice is None


def test_an_endpoint_that_answers_wrongly_is_asked_by_each_question(clocked: Clocked, emulator: EmulatorClient) -> None:
    """Other questions do not wait for it."""
    emulator.change("emb", faults=[{"kind": "not_json"}])
    for _ in range(4):
        assert clocked.chat.ask(PAPERS).notice == "model_unavailable"
    assert emulator.stats("emb")["counts"]["requests"] == 4


def test_the_query_engine_falls_back_as_well(chat: ChatService, emulator: EmulatorClient) -> None:
    emulator.change("emb", faults=[{"kind": "unavailable"}])
    assert chat.query_engine().query(LIMIT).source_nodes
