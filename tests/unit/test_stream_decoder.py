"""Streams split anywhere give the same answer; truncated streams are never a complete one."""

from __future__ import annotations

import json

import pytest

from rag.errors import ModelError, ModelFormatError, ModelInterrupted
from rag.models.sagemaker.llm_payloads import LLM_FORMATS
from rag.models.sagemaker.stream_decoder import StopWords, StreamDecoder, decode_answer, detect_format
from tests.containers import ANSWER, STREAMS, TOKENS, USAGE, WHOLES

CASES = pytest.mark.parametrize("case", STREAMS)


def decoded(case: str, *parts: bytes, stops: tuple[str, ...] = ()) -> str:
    """The joined texts; ModelInterrupted carries those before it, as a reader would have seen them."""
    decoder = StreamDecoder(LLM_FORMATS[STREAMS[case][0]], stops)
    text = ""
    try:
        for part in parts:
            text += decoder.feed(part)
        return text + decoder.end()
    except ModelInterrupted as exc:
        raise ModelInterrupted(str(exc), partial=text) from exc


def body(case: str) -> bytes:
    return b"".join(STREAMS[case][1]())


@CASES
def test_cut_at_every_byte_into_two_parts(case: str) -> None:
    stream = body(case)
    for at in range(len(stream) + 1):
        assert decoded(case, stream[:at], stream[at:]) == ANSWER, at


@CASES
def test_cut_into_single_bytes(case: str) -> None:
    stream = body(case)
    assert decoded(case, *(stream[at : at + 1] for at in range(len(stream)))) == ANSWER


@CASES
def test_last_newline_missing(case: str) -> None:
    assert decoded(case, body(case).rstrip()) == ANSWER


@CASES
def test_cut_short_at_every_byte(case: str) -> None:
    """Either the answer is whole already, or it is interrupted with what came before; nothing between."""
    stream = body(case)
    broken = []
    for at in range(len(stream)):
        try:
            assert decoded(case, stream[:at]) == ANSWER, at
        except ModelInterrupted as exc:
            broken.append(exc.partial)
    assert len(broken) > len(stream) / 3
    assert all(ANSWER.startswith(partial) for partial in broken)
    assert set(broken) == {"".join(TOKENS[:count]) for count in range(len(set(broken)))}


def test_text_comes_as_soon_as_its_line_is_whole() -> None:
    decoder = StreamDecoder(LLM_FORMATS["tgi"])
    assert [decoder.feed(part) for part in STREAMS["tgi"][1]()] == list(TOKENS)


@pytest.mark.parametrize("case", ["tgi", "lmi", "openai", "openai from LMI", "openai that cannot stream"])
def test_usage_and_finish_reason(case: str) -> None:
    piece = decode_answer(LLM_FORMATS[STREAMS[case][0]], body(case))
    assert piece.usage == USAGE
    assert piece.finish_reason in ("stop", "eos_token")


@CASES
@pytest.mark.parametrize("stop", ["5천만원", " [1", "]", "👍🏽", "한", "원 [1]이"])
def test_stop_words_wherever_they_are_cut(case: str, stop: str) -> None:
    stream = body(case)
    expected = ANSWER.split(stop)[0]
    for size in (1, 7, len(stream)):
        parts = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert decoded(case, *parts, stops=("없는 말", stop)) == expected


def test_the_beginning_of_a_stop_word_is_given_back_at_the_end() -> None:
    words = StopWords(("###", "<|end|>"))
    assert [words.feed("답 #"), words.feed("# <|en"), words.flush()] == ["답 ", "## ", "<|en"]
    assert not words.matched


def test_a_special_token_is_no_text() -> None:
    line = {"token": {"id": 2, "text": "</s>", "special": True}, "generated_text": "네."}
    first = {"token": {"id": 1, "text": "네.", "special": False}, "generated_text": None}
    stream = b"".join(b"data:" + json.dumps(event).encode() + b"\n\n" for event in (first, line))
    assert decoded("tgi", stream) == "네."


@pytest.mark.parametrize(
    ("case", "line"),
    [
        ("tgi", b'data:{"error":"CUDA out of memory","error_type":"generation"}\n\n'),
        ("lmi", b'{"error":"CUDA out of memory","code":424}\n'),
        ("lmi", b'{"token":{"id":-1,"text":""},"details":{"finish_reason":"error"},"error":"CUDA out of memory"}\n'),
        ("openai", b'data: {"error":{"message":"CUDA out of memory","code":500}}\n\n'),
        ("openai", b'data: {"choices":[{"delta":{},"finish_reason":"error"}],"message":"CUDA out of memory"}\n\n'),
        ("openai", b'{"choices":[{"message":{},"finish_reason":"abort"}],"message":"CUDA out of memory"}'),
        ("openai from LMI", b'{"object":"error","message":"CUDA out of memory"}\n'),
        ("kullm", b'{"error":"CUDA out of memory"}'),
    ],
)
def test_an_error_after_200(case: str, line: bytes) -> None:
    with pytest.raises(ModelError, match="CUDA out of memory"):
        decoded(case, line)
    if case != "kullm":
        with pytest.raises(ModelError, match="CUDA out of memory"):
            decoded(case, *STREAMS[case][1]()[:3], line)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("tgi", b"data: " + json.dumps({"choices": [{"delta": {"content": "a"}}]}).encode() + b"\n\n"),
        ("openai", b'{"generated_text":"a"}'),
        ("lmi", b"<html>502 Bad Gateway</html>"),
        ("kullm", b'[[{"label":"POSITIVE"}]]'),
        ("openai", b'{"choices":[]}'),
        ("tgi", b"\xff\xfe"),
    ],
)
def test_another_format_is_named(name: str, answer: bytes) -> None:
    with pytest.raises(ModelFormatError, match=f"'{name}'"):
        decode_answer(LLM_FORMATS[name], answer)


@pytest.mark.parametrize(
    "answer",
    [
        b'{"token":{"text":"a"},"details":"x"}',
        b'[{"generated_text":"a","details":["x"]}]',
        b'{"choices":[null]}',
        b'{"choices":[{"delta":{"content":"a"}}],"usage":[1]}',
        b'{"choices":[{"delta":{"content":"a"},"finish_reason":{"x":1}}]}',
        b'{"choices":[{"message":{"content":"a"}}],"usage":"x"}',
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("name", LLM_FORMATS)
def test_an_answer_of_another_shape_raises_errors_of_ours_alone(name: str, answer: bytes) -> None:
    for body in (answer, answer + b"\n", b"data: " + answer + b"\n\n"):
        try:
            piece = decode_answer(LLM_FORMATS[name], body)
        except ModelError:
            continue
        assert piece.text == "a"
        assert isinstance(piece.finish_reason, str | None)
    detect_format(answer)


@CASES
def test_detects_the_format_of_a_stream(case: str) -> None:
    name = STREAMS[case][0]
    found = detect_format(body(case))
    assert name in found
    assert found[0] == name or case == "kullm"


@pytest.mark.parametrize("name", WHOLES)
def test_detects_the_format_of_a_whole_answer(name: str) -> None:
    assert detect_format(WHOLES[name]())[0] == name


@pytest.mark.parametrize("answer", [b"", b"ok", b"{}", b"[]", b"null", b'{"error":"x"}', b"\xff", b"[[]]"])
def test_detects_nothing_in_nothing(answer: bytes) -> None:
    assert detect_format(answer) == ()
