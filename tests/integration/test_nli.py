"""The NLI endpoint over HTTP: its two formats, and what it may change in the rules' verdict on a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from deploy.local.client import EmulatorClient
from deploy.local.commands import variables
from deploy.local.errors import REGION
from deploy.local.server import running
from deploy.local.spec import EndpointSpec
from rag.chat import ChatService
from rag.errors import ModelFormatError, ModelUnavailable, SettingsError
from rag.factory.models import Models, sentence_verifier
from rag.models.cancellation import CancelScope
from rag.models.sagemaker import client
from rag.models.sagemaker.client import Endpoint, Runtime
from rag.models.sagemaker.nli import BATCH, NliFormatName, SageMakerNli
from rag.retrieval.confidence import defaults
from rag.settings import load_settings
from rag.stores.faiss.store import FaissStore
from rag.synthesis.verification import PREMISE_CHARACTERS, NliVerifier, RuleVerifier, premises
from tests.fake_endpoint import Reply, Request, error, whole
from tests.fakes_llm import ScriptedLLM
from tests.integration.conftest import Reach, Run

PASSAGE = (
    "도담저축은행\n통장을 잃어버리면 어떻게 하나요?\n"
    "통장을 분실하시면 가까운 영업점에서 재발급받으실 수 있습니다. 재발급 수수료는 2,000원입니다."
)
REWORDED = "잃어버린 통장은 집 근처 창구에 들러 새것으로 교환하세요."
"""The rules lack its words."""
SUPPORTED = "통장을 분실하시면 영업점에서 재발급받으실 수 있습니다."
WRONG_NUMBER = "통장 재발급 수수료는 3,000원입니다."


def scored(entailment: float, contradiction: float, labels: Mapping[str, str] | None = None) -> Any:
    """A container that gives every pair the same probabilities."""
    named = {"entailment": entailment, "contradiction": contradiction, "neutral": 1 - entailment - contradiction}
    row = [{"label": (labels or {}).get(label, label), "score": score} for label, score in named.items()]

    def reply(request: Request) -> Reply:
        return whole([row for _ in request.body["inputs"]])

    return reply


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorClient]:
    monkeypatch.setattr(client, "_SHARED", {})
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.001)
    with running([EndpointSpec(name="faq-nli", task="classify", format="tei")]) as emulated:
        settings = {"FSI_NLI__BACKEND": "sagemaker", "FSI_NLI__ENDPOINT_NAME": "faq-nli", "FSI_NLI__FORMAT": "tei"}
        for name, value in {**variables(emulated.url, {}), **settings}.items():
            monkeypatch.setenv(name, value)
        yield emulated
        for runtime in client._SHARED.values():
            runtime.close()


@pytest.mark.parametrize("spelled", ["hf", "tei"])
def test_each_format_scores_pairs_in_order_and_in_batches(emulator: EmulatorClient, spelled: NliFormatName) -> None:
    emulator.change("faq-nli", format=spelled, max_batch=BATCH, labels=["ENTAILMENT", "NEUTRAL", "CONTRADICTION"])
    model = SageMakerNli("faq-nli", format=spelled, runtime=Runtime(REGION, emulator.url))
    pairs = [("수수료는 없습니다.", "수수료는 없습니다."), ("수수료는 없습니다.", "수수료는 있습니다.")] * BATCH
    scores = model.scores(pairs)
    assert [max(each, key=lambda label: each[label]) for each in scores] == ["entailment", "contradiction"] * BATCH
    assert emulator.stats("faq-nli")["counts"] == {"requests": 2, "texts": 2 * BATCH}


def test_all_requests_for_a_sentence_share_its_deadline(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    scopes, invoke = [], Runtime.invoke

    def recorded(self: Runtime, endpoint: Endpoint, body: bytes, scope: CancelScope) -> bytes:
        scopes.append(scope)
        return invoke(self, endpoint, body, scope)

    monkeypatch.setattr(Runtime, "invoke", recorded)
    _, runtime = reach(scored(0.7, 0.1))
    SageMakerNli("nli", runtime=runtime).scores([("전제", "가설")] * (BATCH + 1))
    assert len(scopes) == 2 and len(set(map(id, scopes))) == 1


def test_the_requests_are_those_of_the_containers(reach: Reach) -> None:
    sent = {}
    for spelled in ("hf", "tei"):
        fake, runtime = reach(scored(0.7, 0.1))
        (scores,) = SageMakerNli("nli", format=spelled, runtime=runtime).scores([("전제", "가설")])
        assert scores["entailment"] == 0.7
        sent[spelled] = fake.requests[0].body
    assert sent == {
        "hf": {"inputs": [{"text": "전제", "text_pair": "가설"}], "parameters": {"top_k": None, "truncation": True}},
        "tei": {"inputs": [["전제", "가설"]], "truncate": True},
    }


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (scored(0.5, 0.5, {"entailment": "LABEL_0"}), "deploy an NLI model whose id2label has 'entailment'"),
        (lambda request: whole([[0.1, 0.2]]), "set FORMAT to the container's format"),
        (lambda request: whole([]), "expected the labels of 1 pairs"),
    ],
)
def test_an_answer_that_is_no_nli_model_s_is_refused(reach: Reach, reply: Any, words: str) -> None:
    _, runtime = reach(reply)
    with pytest.raises(ModelFormatError, match=words):
        SageMakerNli("nli", runtime=runtime).scores([("전제", "가설")])


def test_an_entailed_sentence_that_is_worded_otherwise_is_shown_marked(reach: Reach) -> None:
    rules = RuleVerifier().verify(REWORDED, [PASSAGE])
    assert (rules.status, rules.reason) == ("withheld", "words")
    for entailment, status in ((0.95, "weak"), (0.6, "withheld")):
        _, runtime = reach(scored(entailment, 0.0))
        finding = NliVerifier(SageMakerNli("nli", runtime=runtime)).verify(REWORDED, [PASSAGE])
        assert (finding.status, finding.reason) == (status, "words")


def test_a_number_that_no_passage_states_is_withheld_whatever_the_model_says(reach: Reach) -> None:
    fake, runtime = reach(scored(1.0, 0.0))
    finding = NliVerifier(SageMakerNli("nli", runtime=runtime)).verify(WRONG_NUMBER, [PASSAGE])
    assert (finding.status, finding.reason) == ("withheld", "quantity")
    assert fake.requests == [], "the model is not asked"


def test_what_a_passage_contradicts_is_withheld_although_the_rules_support_it(reach: Reach) -> None:
    assert RuleVerifier().verify(SUPPORTED, [PASSAGE]).status == "supported"
    for entailment, contradiction, status in ((0.1, 0.8, "withheld"), (0.9, 0.8, "supported"), (0.1, 0.3, "supported")):
        # Two replies: a part of the passage entails what another seems to contradict.
        _, runtime = reach(scored(entailment, contradiction))
        finding = NliVerifier(SageMakerNli("nli", runtime=runtime)).verify(f"{SUPPORTED} [1]", [PASSAGE])
        assert finding.status == status
        assert finding.reason == ("contradicted" if status == "withheld" else None)


def test_while_the_endpoint_fails_the_rules_decide(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ATTEMPTS", 1)
    fake, runtime = reach(lambda request: error(503, "ServiceUnavailable"))
    model = SageMakerNli("nli", runtime=runtime)
    with pytest.raises(ModelUnavailable):
        model.scores([("전제", "가설")])
    verifier = NliVerifier(model)
    for sentence in (SUPPORTED, REWORDED, SUPPORTED, SUPPORTED):
        assert verifier.verify(sentence, [PASSAGE]) == RuleVerifier().verify(sentence, [PASSAGE])
    assert len(fake.requests) == 3, "the circuit opens after two failures in a row"


def test_a_long_passage_is_read_in_parts_below_its_title() -> None:
    lines = [f"{number}번째 줄은 이체 한도와 수수료를 설명합니다." for number in range(40)]
    parts = list(premises("\n".join(["새벽은행", "이체 안내", *lines])))
    assert len(parts) > 1 and all(part.startswith("새벽은행\n이체 안내\n") for part in parts)
    assert [line for part in parts for line in part.split("\n")[2:]] == lines
    assert max(map(len, parts)) <= PREMISE_CHARACTERS + 40


def test_the_chat_shows_what_the_configured_endpoint_entails(
    emulator: EmulatorClient, small_store: FaissStore, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSI_NLI__ENTAILED", "0.5")
    said = "공모주 청약은 마감일 16시까지 취소하실 수 있습니다만 낙타 다람쥐 너구리. [1]"
    shown = {}
    for name, verifier in (("rules", RuleVerifier()), ("nli", sentence_verifier(load_settings().nli))):
        chat = ChatService(
            small_store, models.embed_model, calibration=defaults(), llm=ScriptedLLM([said]), verifier=verifier
        )
        answer = chat.ask("공모주 청약을 취소할 수 있나요?")
        shown[name] = [(each.status, each.reason) for each in answer.support]
    assert shown == {"rules": [("withheld", "words")], "nli": [("weak", "words")]}
    assert emulator.stats("faq-nli")["counts"]["requests"] == 1


def test_claims_are_evaluated_with_the_configured_endpoint(emulator: EmulatorClient, run: Run, tmp_path: Any) -> None:
    claims = tmp_path / "claims.jsonl"
    claims.write_text(
        '{"id": "1", "passages": ["은행\\n수수료\\n수수료는 없습니다."], "sentence": "수수료는 없습니다.", '
        '"supported": true, "type": "supported"}\n',
        encoding="utf-8",
    )
    out = tmp_path / "out.json"
    assert run("evaluate", "answers", "--claims", str(claims), "--json", str(out)).code == 0
    assert '"verifier": "NliVerifier"' in out.read_text(encoding="utf-8")


def test_an_endpoint_needs_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FSI_NLI__BACKEND", "sagemaker")
    with pytest.raises(SettingsError, match="needs FSI_NLI__ENDPOINT_NAME"):
        load_settings()
