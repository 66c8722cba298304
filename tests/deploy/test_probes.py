"""`deploy test`: its requests and the errors it detects, with a fake search server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from botocore.credentials import Credentials

from deploy import probes, search_probe
from deploy.local.commands import variables
from deploy.local.errors import REGION
from deploy.local.server import running
from deploy.local.spec import EndpointSpec, Fault
from deploy.search_probe import Server
from deploy.stack import Stack
from rag.errors import DeployError, ModelRefused


def probe_output(
    monkeypatch: pytest.MonkeyPatch, stack: dict[str, Any], *specs: EndpointSpec, **options: bool
) -> list[str]:
    with running(specs) as emulator:
        for name, value in variables(emulator.url, {}).items():
            monkeypatch.setenv(name, value)
        return list(probes.probe(Stack.model_validate(stack), REGION, **options))


def test_both_endpoints_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint uses the chatbot's local model, whose prefixes are in the stack file."""
    stack = {
        "embedding": {"endpoint_name": "e", "format": "tei", "query_prefix": "query: "},
        "llm": {
            "endpoint_name": "l",
            "format": "lmi",
            "context_window": 2048,
            "max_new_tokens": 512,
            "do_sample": False,
        },
    }
    lines = probe_output(
        monkeypatch, stack,
        EndpointSpec(name="e", task="embed", format="tei"),
        EndpointSpec(name="l", task="generate", format="lmi", context_window=2048),
    )  # fmt: skip
    assert lines[0].startswith("e: dimension 384, ")
    assert len(lines) == 6 and all(" / " in line for line in lines[1:4])
    assert lines[4].startswith("l: first text after ")


def test_an_nli_model_must_tell_a_sentence_from_its_opposite(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = {"nli": {"endpoint_name": "n", "format": "hf"}}
    spec = EndpointSpec(name="n", task="classify", format="hf")
    (line,) = probe_output(monkeypatch, stack, spec)
    assert line.startswith("n: entailment 1.00, of the opposite 0.00, ")
    # A model whose labels are in another order than its id2label says.
    turned = spec.model_copy(update={"labels": ("contradiction", "neutral", "entailment")})
    with pytest.raises(DeployError, match="n: the opposite of a premise is entailed"):
        probe_output(monkeypatch, stack, turned)


def test_a_container_that_loads_its_model_with_the_first_request_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = {"embedding": {"endpoint_name": "e", "format": "tei", "dimension": 8}}
    loading = Fault(kind="hang", count=1, seconds=5.5)
    slow = EndpointSpec(name="e", task="embed", format="tei", model="hashed", dimension=8, faults=(loading,))
    (line,) = probe_output(monkeypatch, stack, slow, first=True)
    assert line.startswith("e: dimension 8")


def test_kosimcse_is_held_against_the_workshops_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = {"embedding": {"endpoint_name": "e", "format": "tei", "model": probes.KOSIMCSE}}
    spec = EndpointSpec(name="e", task="embed", format="tei")
    with pytest.raises(DeployError, match="differ from KoSimCSE's by more than 1; set `pooling` to cls"):
        probe_output(monkeypatch, stack, spec)
    assert "(KoSimCSE: 94.39)" in probe_output(monkeypatch, stack, spec, emulated=True)[1]


def test_wrong_results_are_detected() -> None:
    printed = [known for _, _, known in probes.PAIRS]
    assert probes.check_similarities(printed, kosimcse=True) is None
    assert probes.check_similarities([value + 0.9 for value in printed], kosimcse=True) is None
    assert "set `pooling` to cls" in str(probes.check_similarities([94.39, 74.79, 20.0], kosimcse=True))
    assert "no more similar than a greeting" in str(probes.check_similarities([50.0, 40.0, 60.0], kosimcse=False))


def test_similarities_are_cosines_times_a_hundred() -> None:
    one, other = [3.0, 4.0], [4.0, 3.0]
    assert probes.similarities([one, other, one, one, one, [-4.0, 3.0]]) == pytest.approx([96.0, 100.0, 0.0])


def test_a_wrong_name_reaches_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelRefused, match="not found"):
        probe_output(monkeypatch, {"llm": {"endpoint_name": "other", "format": "lmi"}})


def test_an_empty_answer_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeployError, match="the answer is empty"):
        probe_output(
            monkeypatch, {"llm": {"endpoint_name": "l", "format": "lmi"}},
            EndpointSpec(name="l", task="generate", format="lmi", answer=" "),
        )  # fmt: skip


def test_the_text_to_summarise_fits_the_window() -> None:
    assert len(probes.text_to_summarise(8192)) == probes.SUMMARY_CHARACTERS
    assert len(probes.text_to_summarise(1024)) == 512


class Search(BaseHTTPRequestHandler):
    """The part of OpenSearch that the probe calls. `lost`: documents are not found again."""

    requests: list[tuple[str, str, str | None]] = []  # noqa: RUF012 - set by each `serving`
    lost = False

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        self.requests.append((self.command, self.path.partition("?")[0], self.headers.get("authorization")))
        hits = [] if self.lost else [{"_source": {"text": search_probe.TEXT}}]
        status, found = 200, {"version": {"number": "2.19.1"}, "hits": {"hits": hits}}
        if "Basic d3Jvbmc" in str(self.headers.get("authorization")):
            status, found = 401, {"error": "Unauthorized"}
        if self.command == "PUT" and "mappings" in body and body["mappings"]["properties"]["vector"]["dimension"] != 3:
            status = 400
        data = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - names that http.server looks for

    def log_message(self, *_: object) -> None: ...


@contextmanager
def serving(*, lost: bool = False) -> Iterator[str]:
    Search.requests, Search.lost = [], lost
    server = HTTPServer(("127.0.0.1", 0), Search)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_passage_is_written_found_and_removed() -> None:
    with serving() as url:
        lines = list(search_probe.probe(Server(url, "faq", "pass")))
    assert lines == [f"OpenSearch 2.19.1 at {url}: written, found by text and by vector, deleted"]
    methods = [method for method, _, _ in Search.requests]
    assert methods == ["GET", "PUT", "PUT", "POST", "POST", "DELETE"]
    assert {authorization for _, _, authorization in Search.requests} == {"Basic ZmFxOnBhc3M="}


def test_requests_without_a_user_are_signed() -> None:
    with serving() as url:
        list(search_probe.probe(Server(url, region=REGION, credentials=Credentials("key", "secret"))))
    assert all(f"/{REGION}/es/aws4_request" in str(authorization) for _, _, authorization in Search.requests)


def test_what_is_lost_is_reported_and_the_index_is_removed_all_the_same() -> None:
    with serving(lost=True) as url, pytest.raises(DeployError, match="did not find the passage just written"):
        list(search_probe.probe(Server(url, "faq", "pass")))
    assert Search.requests[-1][0] == "DELETE"


def test_a_refusal_does_not_show_the_password() -> None:
    server = Server("", "wrong", "s3cret")
    assert "s3cret" not in repr(server)
    with serving() as url, pytest.raises(DeployError, match=r"refused GET / \(401\)") as caught:
        list(search_probe.probe(Server(url, "wrong", "s3cret")))
    assert "s3cret" not in str(caught.value)
    with pytest.raises(DeployError, match="cannot be reached"):
        list(search_probe.probe(Server(url, "faq", "pass")))
