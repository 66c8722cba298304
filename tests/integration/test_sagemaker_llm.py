"""SageMakerLLM over HTTP: all methods give the same answer, in every format."""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest
from llama_index.core import Document, SummaryIndex
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.base.response.schema import StreamingResponse

from rag.errors import InputError, ModelError, ModelInputTooLong, ModelInterrupted
from rag.models.cancellation import CancelScope
from rag.models.sagemaker.llm import SageMakerLLM
from tests.containers import ANSWER, STREAMS, TOKENS, USAGE, WHOLES
from tests.fake_endpoint import FakeEndpoint, Reply, Request, cancelled_while_waiting, times_out
from tests.integration.conftest import Reach
from tests.integration.overlap import Gate

QUESTION = "OTP 한도가 얼마예요?"
MESSAGES = [ChatMessage(role=MessageRole.SYSTEM, content="짧게 답하세요."), ChatMessage(content=QUESTION)]
CASES = pytest.mark.parametrize("case", STREAMS)


def answering(case: str, tokens: Sequence[str] = TOKENS, **more: Any) -> Callable[[Request], Reply]:
    """A container that streams if requested, and otherwise returns a complete answer."""
    name, stream = STREAMS[case]

    def reply(request: Request) -> Reply:
        return Reply(stream(tokens) if request.streaming else [WHOLES[name](tokens)], **more)

    return reply


def model(
    reach: Reach, reply: Callable[[Request], Reply], case: str = "openai", **more: Any
) -> tuple[FakeEndpoint, SageMakerLLM]:
    fake, runtime = reach(reply)
    return fake, SageMakerLLM("faq-llm", format=STREAMS[case][0], runtime=runtime, **more)


def joined(responses: Iterator[Any]) -> tuple[str, str]:
    """The pieces joined, and the last response's text."""
    found = list(responses)
    return "".join(response.delta for response in found), _text(found[-1])


async def ajoined(responses: AsyncIterator[Any]) -> tuple[str, str]:
    found = [response async for response in responses]
    return "".join(response.delta for response in found), _text(found[-1])


def _text(response: Any) -> str:
    return str(response.message.content if hasattr(response, "message") else response.text)


@CASES
class TestEveryWayGivesTheSameAnswer:
    def test_complete(self, reach: Reach, case: str) -> None:
        _, llm = model(reach, answering(case), case)
        assert llm.complete(QUESTION).text == ANSWER
        assert asyncio.run(llm.acomplete(QUESTION)).text == ANSWER

    def test_chat(self, reach: Reach, case: str) -> None:
        _, llm = model(reach, answering(case), case)
        assert llm.chat(MESSAGES).message.content == ANSWER
        assert asyncio.run(llm.achat(MESSAGES)).message.content == ANSWER
        assert llm.chat(MESSAGES).message.role is MessageRole.ASSISTANT

    def test_stream_complete(self, reach: Reach, case: str) -> None:
        _, llm = model(reach, answering(case), case)
        assert joined(llm.stream_complete(QUESTION)) == (ANSWER, ANSWER)

        async def ask() -> tuple[str, str]:
            return await ajoined(await llm.astream_complete(QUESTION))

        assert asyncio.run(ask()) == (ANSWER, ANSWER)

    def test_stream_chat(self, reach: Reach, case: str) -> None:
        _, llm = model(reach, answering(case), case)
        assert joined(llm.stream_chat(MESSAGES)) == (ANSWER, ANSWER)

        async def ask() -> tuple[str, str]:
            return await ajoined(await llm.astream_chat(MESSAGES))

        assert asyncio.run(ask()) == (ANSWER, ANSWER)

    def test_the_same_request(self, reach: Reach, case: str) -> None:
        """Complete or streamed, sync or async: the requests to the container differ only in `stream`."""
        fake, llm = model(reach, answering(case), case, temperature=0.4)
        llm.chat(MESSAGES)
        list(llm.stream_chat(MESSAGES))
        asyncio.run(llm.achat(MESSAGES))
        whole, streamed, again = (request.body for request in fake.requests)
        assert streamed == {**whole, **{key: value for key, value in streamed.items() if key.startswith("stream")}}
        assert again == whole

    def test_stop_words(self, reach: Reach, case: str) -> None:
        _, llm = model(reach, answering(case), case)
        assert llm.complete(QUESTION, stop=["5천만원"]).text == "한도는 1일 "
        assert joined(llm.stream_complete(QUESTION, stop="5천만원"))[0] == "한도는 1일 "


def test_pieces_come_as_the_container_sends_them(reach: Reach) -> None:
    fake, llm = model(reach, answering("lmi", pause=0.01), "lmi")
    assert [response.delta for response in llm.stream_complete(QUESTION)] == [*TOKENS, ""]
    assert fake.requests[0].body["stream"] is True


@pytest.mark.parametrize("case", ["kullm", "tgi that cannot stream"])
def test_a_container_that_cannot_stream_gives_one_piece(reach: Reach, case: str) -> None:
    fake, llm = model(reach, answering(case), case)
    assert [response.delta for response in llm.stream_complete(QUESTION)] == [ANSWER, ""]
    assert fake.requests[0].streaming is (case != "kullm")


@pytest.mark.parametrize("case", ["tgi", "lmi", "openai"])
def test_usage_is_in_raw(reach: Reach, case: str) -> None:
    _, llm = model(reach, answering(case), case)
    whole = llm.complete(QUESTION)
    assert whole.raw and whole.raw["usage"] == USAGE
    *_, last = llm.stream_chat(MESSAGES)
    assert last.raw and last.raw["usage"] == USAGE
    assert last.raw["finish_reason"] in ("stop", "eos_token")


def test_metadata_is_what_was_set(reach: Reach) -> None:
    _, llm = model(reach, answering("openai"), context_window=8192, max_new_tokens=700)
    assert (llm.metadata.context_window, llm.metadata.num_output) == (8192, 700)
    assert llm.metadata.is_chat_model


def test_parameters_are_sent_and_can_be_overridden(reach: Reach) -> None:
    fake, llm = model(reach, answering("tgi"), "tgi", max_new_tokens=300, top_p=0.9)
    llm.complete(QUESTION, temperature=0.2, max_new_tokens=50)
    sent = fake.requests[0].body["parameters"]
    assert (sent["max_new_tokens"], sent["top_p"], sent["temperature"]) == (50, 0.9, 0.2)
    assert "top_k" not in sent
    with pytest.raises(InputError, match="max_new_tokens"):
        llm.complete(QUESTION, max_length=3)


@pytest.mark.parametrize("case", ["kullm", "openai"])
@pytest.mark.parametrize("ask", ["complete", "stream_complete", "chat", "stream_chat"])
def test_a_prompt_over_the_window_is_refused_before_the_call(reach: Reach, case: str, ask: str) -> None:
    fake, llm = model(reach, answering(case), case, context_window=1000, max_new_tokens=400)
    text = "가" * 700
    with pytest.raises(ModelInputTooLong, match="600 fit"):
        getattr(llm, ask)(text if "complete" in ask else [ChatMessage(content=text)])
    assert fake.requests == []


def test_the_models_own_tokenizer_decides(reach: Reach) -> None:
    _, llm = model(reach, answering("openai"), context_window=1000, max_new_tokens=400, token_counter=lambda text: 1)
    assert llm.complete("가" * 700).text == ANSWER


@CASES
def test_a_stream_cut_short_is_interrupted(reach: Reach, case: str) -> None:
    def reply(request: Request) -> Reply:
        whole = b"".join(STREAMS[case][1]())
        return Reply([whole[: len(whole) // 2]])

    _, llm = model(reach, reply, case)
    with pytest.raises(ModelInterrupted) as caught:
        list(llm.stream_complete(QUESTION))
    assert ANSWER.startswith(caught.value.partial)
    assert caught.value.partial or case not in ("tgi", "lmi", "openai")


@pytest.mark.parametrize("fault", ["drop", "stall", "ModelStreamError"])
def test_a_broken_stream_is_interrupted_with_what_came(reach: Reach, fault: str) -> None:
    parts = STREAMS["openai"][1]()
    fake, llm = model(reach, lambda request: Reply(parts[:4], fault=fault), stall=0.2)
    with pytest.raises(ModelInterrupted) as caught:
        list(llm.stream_chat(MESSAGES))
    assert caught.value.partial == "".join(TOKENS[:3])
    assert len(fake.requests) == 1


def test_an_error_after_200_is_an_error_before_the_first_piece_and_an_interruption_after_it(reach: Reach) -> None:
    line = b'{"error": "CUDA out of memory", "code": 424}\n'
    parts = STREAMS["lmi"][1]()
    replies = iter([Reply([line]), Reply([*parts[:2], line])])
    _, llm = model(reach, lambda request: next(replies), "lmi")
    with pytest.raises(ModelError, match="CUDA") as caught:
        list(llm.stream_complete(QUESTION))
    assert not isinstance(caught.value, ModelInterrupted)
    with pytest.raises(ModelInterrupted, match="CUDA") as interrupted:
        list(llm.stream_complete(QUESTION))
    assert interrupted.value.partial == "".join(TOKENS[:2])


@pytest.mark.parametrize(
    "ask",
    [
        lambda llm: llm.chat(MESSAGES),
        lambda llm: list(llm.stream_chat(MESSAGES)),
        lambda llm: asyncio.run(llm.achat(MESSAGES)),
    ],
    ids=["chat", "stream_chat", "achat"],
)
def test_a_stalled_server_costs_no_more_than_the_deadline(reach: Reach, ask: Callable[[SageMakerLLM], Any]) -> None:
    def start(seconds: float) -> tuple[FakeEndpoint, Callable[[], Any]]:
        fake, llm = model(reach, lambda request: Reply(wait=3600), deadline=seconds)
        return fake, lambda: ask(llm)

    times_out(start)


def test_closing_a_stream_closes_the_connection(reach: Reach) -> None:
    fake, llm = model(reach, answering("lmi", pause=3600), "lmi")
    stream = llm.stream_chat(MESSAGES)
    next(stream)
    stream.close()
    del stream
    assert fake.hung_up.wait(60)


def test_closing_an_async_stream_closes_the_connection(reach: Reach) -> None:
    fake, llm = model(reach, answering("lmi", pause=3600), "lmi")

    async def ask() -> None:
        stream = await llm.astream_chat(MESSAGES)
        async for _ in stream:
            break
        await stream.aclose()

    asyncio.run(ask())
    assert fake.hung_up.wait(60)


def test_a_cancelled_task_closes_the_connection_while_it_waits_for_the_first_piece(reach: Reach) -> None:
    fake, llm = model(reach, lambda request: Reply(wait=3600), deadline=3600)

    async def ask() -> None:
        await cancelled_while_waiting(fake, anext(aiter(await llm.astream_chat(MESSAGES))))

    asyncio.run(ask())


@pytest.mark.parametrize("ask", ["acomplete", "achat"])
def test_a_cancelled_task_ends_its_call(reach: Reach, ask: str) -> None:
    """As `asyncio.wait_for` does: else the call would hold a thread, and the program's end, until its deadline."""
    fake, llm = model(reach, lambda request: Reply(wait=3600), deadline=3600)

    work = llm.acomplete(QUESTION) if ask == "acomplete" else llm.achat(MESSAGES)
    asyncio.run(cancelled_while_waiting(fake, work))


@pytest.mark.parametrize(
    "reply", [Reply(wait=3600), Reply(STREAMS["openai"][1]()[:4], fault="stall")], ids=["first", "later"]
)
def test_a_stream_can_be_cancelled_from_another_thread(reach: Reach, reply: Reply) -> None:
    fake, llm = model(reach, lambda request: reply, deadline=3600, stall=3600)
    scope = CancelScope(3600)

    def cancel() -> None:
        fake.arrived.wait()
        scope.cancel()

    threading.Thread(target=cancel).start()
    with pytest.raises(ModelInterrupted, match="cancelled"):
        list(llm.stream_chat(MESSAGES, scope=scope))
    assert fake.hung_up.wait(60)


def test_a_copy_works_as_well(reach: Reach) -> None:
    _, llm = model(reach, answering("openai"))
    assert copy.deepcopy(llm).complete(QUESTION).text == ANSWER


@pytest.mark.parametrize("seconds", [1e12, float("inf")])
def test_no_deadline_to_speak_of(reach: Reach, seconds: float) -> None:
    _, llm = model(reach, answering("openai"), deadline=seconds, stall=seconds)
    assert llm.complete(QUESTION).text == joined(llm.stream_complete(QUESTION))[0] == ANSWER


def test_64_concurrent_calls_overlap_and_do_not_block_the_loop(reach: Reach) -> None:
    gate = Gate(64)

    def reply(request: Request) -> Reply:
        gate.hold()
        return answering("openai")(request)

    _, llm = model(reach, reply)

    async def complete() -> str:
        return _text(await llm.acomplete(QUESTION))

    async def stream() -> str:
        return (await ajoined(await llm.astream_chat(MESSAGES)))[0]

    assert set(asyncio.run(gate.gather([complete, stream] * 32))) == {ANSWER}


def test_in_a_query_engine_of_llama_index(reach: Reach) -> None:
    fake, llm = model(reach, answering("kullm"), "kullm")
    index = SummaryIndex.from_documents([Document(text="OTP 한도는 1일 5천만원입니다.")])
    response = index.as_query_engine(llm=llm, streaming=True).query(QUESTION)
    assert isinstance(response, StreamingResponse)
    assert "".join(response.response_gen) == ANSWER
    prompt = fake.requests[0].body["inputs"]
    assert prompt.endswith("### 응답:\n")
    assert "5천만원" in prompt
    assert QUESTION in prompt
