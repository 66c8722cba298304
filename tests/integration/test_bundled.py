"""The bundled FAQ: ranking, outcomes, limits and answers."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from rag.chat import ChatService
from rag.evaluation.datasets import read_conversations, read_out_of_domain, read_queries
from rag.evaluation.figures import retrieval_report
from rag.evaluation.metrics import hit, mean
from rag.evaluation.records import predict
from rag.evaluation.runs import Run as GatesRun
from rag.evaluation.suites import labelled_cases
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import open_index
from rag.retrieval.hybrid import DENSE
from rag.retrieval.rows import row_id
from rag.settings import Settings, StoreSettings
from rag.stores.base import JAMO, TOKENS
from rag.types import Filters, Turn
from tests.conftest import ROOT
from tests.integration.conftest import Run
from tests.questions import DATA, questions

BANKS = ("새나래은행", "도담저축은행", "미르누리증권")
REGISTER_OTP = {"mrs-018", "snb-013", "dds-006"}

FLOORS = {"hit@1": 0.85, "hit@3": 0.94, "answered_precision": 0.92, "answered_share": 0.46, "refused": 0.96}
"""Two to four points below what `make eval` printed when they were set: they catch a step back, not noise."""


QUERIES = read_queries(DATA / "queries.dev.jsonl")
"""Of `dev` alone: what `test` shows is only reported, never selected on."""


@dataclass(frozen=True, slots=True)
class Bundled:
    """The service over the bundled index, and two that rank by one kind of list alone."""

    chat: ChatService
    dense: ChatService
    lexical: ChatService


@pytest.fixture(scope="module")
def bundled(bundled_root: Path, cached_models: Models) -> Iterator[Bundled]:
    settings = Settings(store=StoreSettings(directory=bundled_root))
    store = open_index(settings, cached_models)
    chat = build_service(settings, cached_models, store)
    fusion = chat.calibration.fusion

    def ranked_by(*parts: str) -> ChatService:
        weights = {part: weight if part in parts else 0.0 for part, weight in fusion.weights.items()}
        calibration = replace(chat.calibration, fusion=replace(fusion, weights=weights))
        return build_service(settings, cached_models, store, calibration=calibration)

    yield Bundled(chat, ranked_by(DENSE), ranked_by(TOKENS, JAMO))
    store.close()


@pytest.fixture(scope="module")
def report(bundled_dev: GatesRun) -> Mapping[str, Any]:
    """What `python -m rag evaluate retrieval` measures on `dev`, whose questions are among those of the gates."""
    out_of_domain = read_out_of_domain(DATA / "ood.dev.jsonl")
    conversations = read_conversations(DATA / "multiturn.dev.jsonl")
    records = {record.case: record for record in bundled_dev.suites[0].records}
    return retrieval_report([records[case] for case in labelled_cases(QUERIES, out_of_domain, conversations)])


@pytest.mark.parametrize("name", FLOORS)
def test_quality_does_not_step_back(report: Mapping[str, Any], name: str) -> None:
    found = (report["retrieval"]["all"] | report["outcomes"])[name]
    assert found >= FLOORS[name]


def test_what_is_suggested_holds_the_answer(report: Mapping[str, Any]) -> None:
    outcomes = report["outcomes"]
    assert outcomes["suggested_hit@3"] >= 0.88
    assert outcomes["in_domain_declined"] <= 0.19


def test_injections_and_advice_are_always_refused(report: Mapping[str, Any]) -> None:
    kinds = report["outcomes"]["refused_by_kind"]
    assert {kind: share for kind, share in kinds.items() if kind != "near_domain" and share < 1.0} == {}
    assert kinds["near_domain"] >= 0.9


def test_follow_ups_find_their_row(report: Mapping[str, Any]) -> None:
    conversations = report["multi_turn"]
    assert conversations["hit@3"] >= 0.85
    assert conversations["by_kind"]["follow_up"]["hit@3"] >= 0.8


def test_follow_ups_keep_to_their_own_topic(bundled: Bundled) -> None:
    """After an unrelated question, a conversation finds its row as often."""
    talks = [talk for talk in read_conversations(DATA / "multiturn.dev.jsonl") if talk.label == "follow_up"]
    before, found = QUERIES, []
    for index, talk in enumerate(talks):
        history = [Turn(text) for text in (before[index * 13 % len(before)].query, *talk.turns[:-1])]
        found.append(hit(predict(bundled.chat, talk.turns[-1], history).ranked, talk.relevant, 3))
    assert mean(found) >= 0.75


def test_what_is_no_follow_up_is_not_answered_with_what_was_asked_before(report: Mapping[str, Any]) -> None:
    unrelated = report["refusal"]["in_conversation"]
    assert unrelated["refused"] >= 0.92 and unrelated["declined"] >= 0.55


def test_the_fusion_beats_each_kind_of_list_alone(bundled: Bundled, report: Mapping[str, Any]) -> None:
    fused = report["retrieval"]["all"]
    for alone in (bundled.dense, bundled.lexical):
        runs = [[row_id(one) for one in alone.hits(query.query)] for query in QUERIES]
        # Among three rows dense search alone is as good (215 of 224 beside 214 on `dev`): not worse by a hundredth.
        for k, margin in ((1, 0.0), (3, 0.01)):
            share = mean([hit(run, query.relevant, k) for run, query in zip(runs, QUERIES, strict=True)])
            assert fused[f"hit@{k}"] > share - margin


def test_no_expired_row_is_ever_ranked(bundled: Bundled) -> None:
    expired = set()
    for path in sorted((ROOT / "data" / "faq").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            expired |= {row["id"] for row in csv.DictReader(file) if row["effective_until"]}
    assert len(expired) == 14
    ranked = {row_id(one) for question in questions() for one in bundled.chat.hits(question)}
    assert len(ranked) > 200, "nearly every row is found by some question"
    assert ranked & expired == set()


def test_a_bank_filter_never_lets_another_bank_through(bundled: Bundled) -> None:
    """Also if the question names another bank."""
    for number, question in enumerate(questions()):
        bank = BANKS[number % len(BANKS)]
        hits = bundled.chat.hits(question, Filters({"bank": bank}))
        assert hits and {one.node.metadata["bank"] for one in hits} == {bank}, question


@pytest.fixture
def ask(run: Run, bundled_root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    monkeypatch.setenv("FSI_STORE__DIRECTORY", str(bundled_root))
    return lambda question: run("ask", question, "--json").json()


def test_a_customer_registers_an_otp(ask: Callable[[str], dict[str, Any]]) -> None:
    answer = ask("OTP 등록 어떻게 해요?")
    assert list(answer) == ["question", "status", "reason", "notice", "answer", "sources", "timings_ms"]
    assert answer["sources"][0]["id"] in REGISTER_OTP
    assert list(answer["sources"][0]) == ["number", "id", "question", "score", "metadata"]
    assert answer["status"] == "answered" and "[1]" in answer["answer"]


def test_the_weather_is_declined_with_a_reason(ask: Callable[[str], dict[str, Any]]) -> None:
    answer = ask("오늘 날씨 어때")
    assert (answer["status"], answer["reason"], answer["sources"]) == ("declined", "off_topic", [])
    assert "1500-0101" in answer["answer"], "a way to a person"


@pytest.mark.parametrize("bank", BANKS)
def test_each_bank_answers_for_itself(bundled: Bundled, bank: str) -> None:
    answer = bundled.chat.ask(f"{bank} 이체한도를 늘리려면 어떻게 해야 하나요?")
    assert answer.sources and {source.metadata["bank"] for source in answer.sources} == {bank}


def test_starters_are_answered(bundled: Bundled) -> None:
    """The starters are what visitors click first."""
    starters = [questions[0] for questions in bundled.chat.topics().values()][:4]
    assert len(starters) == 4
    assert {
        question: status for question in starters if (status := bundled.chat.ask(question).status) != "answered"
    } == {}
