"""Generating endpoints through boto3: bodies and streams of each container, split in every way."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.deploy.conftest import Run, Service, generator

ANSWER = 'OTP는 "앱"에서 <b>재발급</b> 가능해요 😀 [1]\n\n두 번째 줄 [2]'
CHAT = {"messages": [{"role": "user", "content": "질문"}], "max_tokens": 500}
PLAIN = {"inputs": "질문", "parameters": {"max_new_tokens": 500}}
SHAPES = [
    ("kullm", PLAIN),
    ("kullm", {**PLAIN, "inputs": ["질문"]}),
    ("tgi", PLAIN),
    ("lmi", PLAIN),
    ("lmi", CHAT),
    ("openai", CHAT),
]
CUTS: list[dict[str, Any]] = [
    {},
    {"split_syllables": True},
    {"part_bytes": 5},
    {"coalesce": 3},
    {"last_newline": False},
    {"coalesce": 4, "part_bytes": 11, "last_newline": False},
]


def text_of(body: Any) -> str:
    """The text of a whole answer in any format."""
    while isinstance(body, list):
        body = body[0]
    text = body["generated_text"] if "generated_text" in body else body["choices"][0]["message"]["content"]
    return str(text)


def values(data: bytes) -> list[Any]:
    """The JSON values of a streamed body, server-sent events or lines."""
    lines = [line.removeprefix(b"data:").strip() for line in data.split(b"\n")]
    return [orjson.loads(line) for line in lines if line and line != b"[DONE]"]


def streamed_text(data: bytes) -> str:
    pieces = []
    for value in values(data):
        if isinstance(value, list):
            return text_of(value)
        if "token" in value:
            pieces.append("" if value["token"].get("special") else value["token"]["text"])
        elif value["choices"]:
            pieces.append(value["choices"][0]["delta"].get("content", ""))
    return "".join(pieces)


def streamed(service: Service, body: dict[str, Any]) -> list[bytes]:
    return list(service.stream("llm", {**body, "stream": True}))


@pytest.mark.parametrize(("format", "body"), SHAPES)
def test_whole_and_streamed_are_the_same_text_however_it_is_cut(run: Run, format: str, body: dict[str, Any]) -> None:
    service = run(generator(format=format, answer=ANSWER, streams=True))
    whole = text_of(service.invoke("llm", body))
    assert whole.startswith(ANSWER)
    for fields in CUTS:
        service.emulator.put(generator(format=format, answer=ANSWER, streams=True, **fields))
        parts = streamed(service, body)
        assert streamed_text(b"".join(parts)) == whole
        assert len(parts) > 1


@pytest.mark.parametrize(("format", "body"), SHAPES)
def test_cuts_are_seen_on_the_wire(run: Run, format: str, body: dict[str, Any]) -> None:
    service = run(generator(format=format, answer=ANSWER, streams=True, split_syllables=True))
    parts = streamed(service, body)
    assert any(part.decode(errors="replace") != part.decode(errors="ignore") for part in parts)
    service.emulator.change("llm", split_syllables=False)
    plain = streamed(service, body)
    service.emulator.change("llm", coalesce=3)
    assert len(streamed(service, body)) < len(plain)
    if format != "kullm":
        assert b"".join(plain).endswith(b"\n")
        service.emulator.change("llm", last_newline=False)
        assert not b"".join(streamed(service, body)).endswith(b"\n")


def test_types_are_those_of_the_containers(run: Run) -> None:
    service = run(*(generator(name=name, format=name) for name in ("tgi", "lmi", "openai")))
    expected = {"tgi": "text/event-stream", "lmi": "application/jsonlines", "openai": "text/event-stream"}
    for name, content_type in expected.items():
        body = CHAT if name == "openai" else PLAIN
        response = service.runtime.invoke_endpoint_with_response_stream(
            EndpointName=name, Body=orjson.dumps({**body, "stream": True})
        )
        assert response["ContentType"] == content_type
        assert response["InvokedProductionVariant"] == "AllTraffic"
        list(response["Body"])


def test_end_markers(run: Run) -> None:
    service = run(*(generator(name=name, format=name, answer="끝") for name in ("tgi", "lmi", "openai")))
    tgi = b"".join(service.stream("tgi", {**PLAIN, "stream": True}))
    assert values(tgi)[-1]["generated_text"] == "끝" and values(tgi)[-1]["details"]["finish_reason"] == "eos_token"
    lmi = b"".join(service.stream("lmi", {**PLAIN, "stream": True}))
    assert values(lmi)[-1]["generated_text"] == "끝" and lmi.endswith(b"\n\n\n") and b"data:" not in lmi
    bare = b"".join(service.stream("lmi", {**CHAT, "stream": True}))
    assert b"data:" not in bare and b"[DONE]" not in bare and values(bare)[-1]["choices"][0]["finish_reason"] == "stop"
    usage = {"stream_options": {"include_usage": True}}
    openai = b"".join(service.stream("openai", {**CHAT, "stream": True, **usage}))
    assert openai.endswith(b"data: [DONE]\n\n") and values(openai)[-1]["usage"]["completion_tokens"] == 1


@pytest.mark.parametrize(("format", "body"), SHAPES)
def test_without_the_request_or_the_ability_to_stream_the_whole_answer_is_one_part(
    run: Run, format: str, body: dict[str, Any]
) -> None:
    service = run(generator(format=format, answer=ANSWER, streams=False))
    for asked in ({**body, "stream": True}, body):
        parts = list(service.stream("llm", asked))
        assert [text_of(orjson.loads(part)) for part in parts] == [text_of(service.invoke("llm", body))]
    service.emulator.put(generator(format=format, answer=ANSWER))
    assert len(list(service.stream("llm", body))) == 1, "kullm never streams, the others only when asked to"


def test_defaults_that_end_answers_early(run: Run) -> None:
    long = "가나 " * 300
    service = run(*(generator(name=name, format=name, answer=long) for name in ("kullm", "tgi", "lmi")))
    lengths = {name: len(text_of(service.invoke(name, {"inputs": "질문"})).split()) for name in ("kullm", "tgi", "lmi")}
    assert lengths == {"kullm": 50, "tgi": 100, "lmi": 30}
    details = service.invoke("tgi", {"inputs": "질문", "parameters": {"details": True}})[0]["details"]
    assert details["finish_reason"] == "length"


def test_kullm_generates_beyond_its_answer(run: Run) -> None:
    service = run(generator(format="kullm", answer="답입니다."))
    assert text_of(service.invoke("llm", PLAIN)) == "답입니다.\n\n### 명령어:\n다음 질문에 답하세요."
    assert service.invoke("llm", {**PLAIN, "inputs": ["질문"]}) == [
        [{"generated_text": text_of(service.invoke("llm", PLAIN))}]
    ]


def test_stop_words_and_the_repeated_prompt(run: Run) -> None:
    service = run(generator(format="tgi", answer="하나 둘 셋"))
    parameters = {"max_new_tokens": 50, "stop": ["둘"], "return_full_text": True}
    assert text_of(service.invoke("llm", {"inputs": "질문", "parameters": parameters})) == "질문하나 "


@pytest.mark.parametrize(
    ("fields", "body", "status", "words"),
    [
        ({}, {"inputs": "가", "parameters": {"presence_penalty": None}}, 422, "invalid type: null"),
        ({}, {"parameters": {}}, 422, "missing field `inputs`"),
        ({"format": "openai"}, PLAIN, 422, "missing field `messages`"),
        ({"format": "tgi"}, CHAT, 422, "missing field `inputs`"),
        ({"context_window": 5}, {"inputs": "가나다라 " * 10}, 422, "must be fewer than 5"),
        ({}, {"inputs": "가", "parameters": {"max_new_tokens": 0}}, 422, "whole number"),
        ({"format": "openai"}, {"messages": ["가"]}, 422, "role and a content"),
    ],
)
def test_what_the_container_refuses_is_a_model_error(
    run: Run, fields: dict[str, Any], body: Any, status: int, words: str
) -> None:
    service = run(generator(**fields))
    with pytest.raises(service.runtime.exceptions.ModelError, match=words) as caught:
        service.invoke("llm", body)
    assert caught.value.response["OriginalStatusCode"] == status
    with pytest.raises(service.runtime.exceptions.ModelError):
        streamed(service, body)


def test_the_workshop_s_container_took_null(run: Run) -> None:
    service = run(generator(format="kullm", answer="답"))
    body = {"inputs": ["질문"], "parameters": {"presence_penalty": None}}
    assert text_of(service.invoke("llm", body)).startswith("답")


def test_the_same_prompt_has_the_same_answer(run: Run) -> None:
    service = run(generator())
    prompt = {"inputs": "[1] 수수료는 무료입니다.\n\n질문: 수수료", "parameters": {"max_new_tokens": 100}}
    assert service.invoke("llm", prompt) == {"generated_text": "수수료는 무료입니다. [1]"}
    assert streamed(service, prompt) == streamed(service, prompt)
