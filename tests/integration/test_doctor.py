"""`python -m rag doctor` against the emulator and a fake server: a line for each wrong setting."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.local.client import EmulatorClient
from deploy.local.server import running
from deploy.local.spec import EndpointSpec
from rag.cli import doctor
from rag.cli.doctor import examine
from rag.cli.main import main
from rag.models.sagemaker import client
from rag.settings import load_settings
from tests.containers import embedding_answer
from tests.fake_endpoint import Reply, Request, error, whole
from tests.integration.conftest import Reach

Lines = Callable[..., list[str]]
FORMATS = {"emb": ("hf", "tei", "embeddings", "openai"), "llm": ("kullm", "tgi", "lmi", "openai")}


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorClient]:
    monkeypatch.setattr(client, "_SHARED", {})
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.001)
    specs = [
        EndpointSpec(name="faq-emb", task="embed", format="tei", model="hashed"),
        EndpointSpec(name="faq-llm", task="generate", format="lmi"),
    ]
    with running(specs) as emulated:
        variables = {
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": emulated.url,
            "AWS_ENDPOINT_URL_SAGEMAKER": emulated.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "ap-northeast-2",
            "FSI_EMBEDDING__BACKEND": "sagemaker",
            "FSI_EMBEDDING__ENDPOINT_NAME": "faq-emb",
            "FSI_LLM__BACKEND": "sagemaker",
            "FSI_LLM__ENDPOINT_NAME": "faq-llm",
            "FSI_LLM__FORMAT": "lmi",
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield emulated
        for runtime in client._SHARED.values():
            runtime.close()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Lines:
    """The doctor's output with these settings: the embedding's line, then the model's."""
    monkeypatch.chdir(tmp_path)

    def ask(**variables: str) -> list[str]:
        for name, value in variables.items():
            monkeypatch.setenv(f"FSI_{name}", value)
        found = [str(finding) for finding in examine(load_settings())]
        assert all("\n" not in line for line in found)
        return found

    return ask


def test_all_is_well(emulator: EmulatorClient, lines: Lines) -> None:
    embedding, llm = lines()
    assert embedding.startswith("embedding: faq-emb answers with vectors of dimension 768 (")
    assert llm.startswith("language model: faq-llm streams (")


@pytest.mark.parametrize("real", FORMATS["emb"])
@pytest.mark.parametrize("configured", FORMATS["emb"])
def test_the_format_of_vectors(emulator: EmulatorClient, lines: Lines, real: str, configured: str) -> None:
    emulator.change("faq-emb", format=real)
    line = lines(EMBEDDING__FORMAT=configured)[0]
    if real == configured:
        assert "failed:" not in line
    else:
        assert line.endswith(f"; set FSI_EMBEDDING__FORMAT={real}")


@pytest.mark.parametrize("real", FORMATS["llm"])
@pytest.mark.parametrize("configured", FORMATS["llm"])
def test_the_format_of_answers(emulator: EmulatorClient, lines: Lines, real: str, configured: str) -> None:
    """Several formats fit the same container: LMI also accepts messages, and complete answers of TGI and KULLM are alike."""
    emulator.change("faq-llm", format=real)
    line = lines(LLM__FORMAT=configured)[1]
    assert real != configured or "failed:" not in line
    if "failed:" in line:
        advice = line.rpartition("; set FSI_LLM__FORMAT=")[2]
        assert "failed:" not in lines(LLM__FORMAT=advice)[1]


def test_the_dimension(emulator: EmulatorClient, lines: Lines) -> None:
    line = lines(EMBEDDING__DIMENSION="1024")[0]
    assert line == "embedding: failed: expected vectors of dimension 1024; got 768; set FSI_EMBEDDING__DIMENSION=768"


@pytest.mark.parametrize("configured", ["hf", "tei"])
def test_the_nli_endpoint(emulator: EmulatorClient, lines: Lines, configured: str) -> None:
    emulator.put(EndpointSpec(name="faq-nli", task="classify", format="tei"))
    line = lines(NLI__BACKEND="sagemaker", NLI__ENDPOINT_NAME="faq-nli", NLI__FORMAT=configured)[2]
    if configured == "tei":
        assert line.startswith("NLI model: faq-nli answers with the labels contradiction, entailment, neutral (")
    else:
        assert line == "NLI model: failed: it refuses 'hf'; set FSI_NLI__FORMAT=tei"


def test_a_missing_endpoint(emulator: EmulatorClient, lines: Lines) -> None:
    embedding, llm = lines(EMBEDDING__ENDPOINT_NAME="faq-embed", LLM__ENDPOINT_NAME="faq-lm")
    assert "there is no endpoint 'faq-embed' in ap-northeast-2" in embedding
    assert embedding.endswith("set FSI_EMBEDDING__ENDPOINT_NAME=faq-emb")
    assert llm.endswith("set FSI_LLM__ENDPOINT_NAME=faq-llm")


def test_an_endpoint_of_the_other_kind(emulator: EmulatorClient, lines: Lines) -> None:
    embedding, llm = lines(EMBEDDING__ENDPOINT_NAME="faq-llm", LLM__ENDPOINT_NAME="faq-emb")
    assert "failed:" in embedding and "faq-llm" in embedding
    assert "'faq-emb' answers an embedding" in llm


def test_an_endpoint_that_is_still_created(emulator: EmulatorClient, lines: Lines) -> None:
    emulator.put(EndpointSpec(name="slow", task="embed", format="tei", ready_seconds=3600))
    emulator.put(EndpointSpec(name="broken", task="generate", format="lmi", failure="no capacity"))
    embedding, llm = lines(EMBEDDING__ENDPOINT_NAME="slow", LLM__ENDPOINT_NAME="broken")
    assert embedding == "embedding: failed: the endpoint 'slow' is Creating; wait until it is InService"
    assert llm == "language model: failed: the endpoint 'broken' is Failed; no capacity"


def test_an_endpoint_with_inference_components(emulator: EmulatorClient, lines: Lines) -> None:
    emulator.change("faq-llm", inference_components=["kullm-a"])
    assert lines()[1].endswith("set FSI_LLM__INFERENCE_COMPONENT=NAME")
    assert "streams" in lines(LLM__INFERENCE_COMPONENT="kullm-a")[1]


def test_an_inference_component_of_an_endpoint_without_any(emulator: EmulatorClient, lines: Lines) -> None:
    line = lines(LLM__INFERENCE_COMPONENT="kullm-a")[1]
    assert line.endswith("no inference component 'kullm-a'; leave FSI_LLM__INFERENCE_COMPONENT empty")


@pytest.mark.parametrize(
    ("window", "answer", "advice"),
    [
        ("8192", "99999", "MAX_NEW_TOKENS=2048"),
        ("300", "512", "CONTEXT_WINDOW=2048"),
        ("1024", "512", "MAX_NEW_TOKENS=256"),
    ],
)
def test_a_window_without_room_for_a_source(
    emulator: EmulatorClient, lines: Lines, window: str, answer: str, advice: str
) -> None:
    line = lines(LLM__CONTEXT_WINDOW=window, LLM__MAX_NEW_TOKENS=answer)[1]
    assert "would never be used" in line and line.endswith(f"; set FSI_LLM__{advice}")
    name, value = advice.split("=")
    assert "failed:" not in lines(**{f"LLM__{name}": value})[1]


def test_an_invalid_address(emulator: EmulatorClient, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "localhost:8790")
    assert all("Invalid endpoint: localhost:8790; set AWS_ENDPOINT_URL" in line for line in lines())
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", emulator.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", "localhost:8790")
    assert "check its name" in lines(LLM__ENDPOINT_NAME="none")[1]


@pytest.mark.parametrize("fault", ["throttle", "not_ready", "unavailable", "internal", "reset", "hang", "model_error"])
def test_an_endpoint_that_fails(
    emulator: EmulatorClient, lines: Lines, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "TIMEOUT_SECONDS", 0.5)
    for name in ("faq-emb", "faq-llm"):
        emulator.change(name, faults=[{"kind": fault}])
    embedding, llm = lines()
    assert embedding.startswith("embedding: failed: ") and llm.startswith("language model: failed: ")


def test_no_region_and_no_credentials(
    emulator: EmulatorClient, lines: Lines, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert all("failed:" in line and "credentials" in line for line in lines())
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    while client._SHARED:
        client._SHARED.popitem()[1].close()
    assert all("AWS_DEFAULT_REGION=ap-northeast-2" in line for line in lines())


def test_no_permission(reach: Reach, emulator: EmulatorClient, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    fake, _ = reach(lambda request: error(403, "AccessDeniedException", "not authorized"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", fake.url)
    assert all("permission sagemaker:InvokeEndpoint" in line for line in lines())


def test_it_ends_with_one_and_without_a_traceback(
    emulator: EmulatorClient,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    loggers_as_before: None,
) -> None:
    monkeypatch.setenv("FSI_EMBEDDING__FORMAT", "hf")
    assert main(["doctor"]) == 1
    shown = capsys.readouterr()
    assert "set FSI_EMBEDDING__FORMAT=tei" in shown.out and "Traceback" not in shown.err


def test_an_openai_like_server(reach: Reach, lines: Lines) -> None:
    def reply(request: Request) -> Reply:
        if request.body is None:
            return whole({"object": "list", "data": [{"id": "bge-m3", "object": "model"}]})
        if request.body["model"] != "bge-m3":
            return error(404, "NotFound", error={"message": "The model does not exist."})
        return whole(embedding_answer("openai", request.body["input"]))

    fake, _ = reach(reply)
    given = {"EMBEDDING__BACKEND": "openai_like", "EMBEDDING__BASE_URL": f"{fake.url}/v1"}
    (line,) = lines(**given, EMBEDDING__MODEL="bge-m3-ko")
    assert "does not exist" in line and line.endswith("set FSI_EMBEDDING__MODEL=bge-m3")
    (line,) = lines(EMBEDDING__MODEL="bge-m3")
    assert line.startswith("embedding: bge-m3 answers with vectors of dimension 4")
    fake.close()
    (line,) = lines()
    assert "check FSI_EMBEDDING__BASE_URL" in line


@pytest.mark.parametrize(("read", "written"), [(10_000, None), (150, "128"), (2, "32")])
def test_a_server_that_cuts_texts_silently(reach: Reach, lines: Lines, read: int, written: str | None) -> None:
    """As Text Embeddings Inference does since 1.9: status 200 and a vector of the text's beginning."""

    def reply(request: Request) -> Reply:
        assert request.body
        vectors = [[float(zlib.crc32(text[:read].encode())), 1.0] for text in request.body["input"]]
        data = [{"index": number, "embedding": vector} for number, vector in enumerate(vectors)]
        return whole({"object": "list", "data": data, "model": "m", "usage": {}})

    fake, _ = reach(reply)
    (line,) = lines(
        EMBEDDING__BACKEND="openai_like",
        EMBEDDING__BASE_URL=f"{fake.url}/v1",
        EMBEDDING__MODEL="m",
        EMBEDDING__MAX_TOKENS="512",
    )
    assert ("truncates texts silently before 512 tokens" in line) == (written is not None)
    assert line.endswith(f"set FSI_EMBEDDING__MAX_TOKENS={written}" if written else ")")


def test_nothing_on_a_network(lines: Lines) -> None:
    assert lines() == []
