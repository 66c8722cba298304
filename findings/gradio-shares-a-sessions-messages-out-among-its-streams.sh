#!/usr/bin/env bash
# What surprises: two event streams of one session that are open at the same time share its messages out. Each piece of an answer reaches one of
#   the two, and only one of them is ever told that the answer is complete; the other waits on.
# Seen with: gradio 6.31.0, Python 3.11.
# Why it matters: a browser or a proxy that sends the request for the stream a second time takes half of a customer's answer, or the message
#   that empties her page for a new conversation, to a reader that nobody listens to.
# Expected: all messages in each stream, or an error for the second one: nothing in the guide to the API says that a session may have one stream
#   only (https://www.gradio.app/guides/querying-gradio-apps-with-curl).
# Reason: one queue for each session, from which every open stream takes what it gets.
# Output:
#   gradio 6.31.0
#   1 open: pieces [12], completed [True]
#   2 open: pieces [6, 6], completed [True, False]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(gradio==6.31.0)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

GRADIO_ANALYTICS_ENABLED=False "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import asyncio
import json
from importlib.metadata import version

import gradio as gr
import httpx

PIECES = 12


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


async def answer(question: str):
    for piece in range(1, PIECES + 1):
        await asyncio.sleep(0.1)
        yield "가" * piece


async def read(client: httpx.AsyncClient, session: str) -> list[str]:
    """The kinds of the messages of one stream of the session, until it ends or 4 seconds pass without one that tells anything."""
    kinds = []
    try:
        async with client.stream("GET", "queue/data", params={"session_hash": session}) as response:
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    kind = json.loads(line[5:])["msg"]
                    if kind == "heartbeat":
                        break
                    kinds.append(kind)
                    if kind == "close_stream":
                        break
    except httpx.ReadTimeout:
        pass
    return kinds


async def ask(url: str, session: str, streams: int) -> list[list[str]]:
    async with httpx.AsyncClient(base_url=f"{url}gradio_api/", timeout=4) as client:
        await client.post("queue/join", json={"data": ["이자 언제 나와요"], "fn_index": 0, "session_hash": session})
        readers = [asyncio.create_task(read(client, session)) for _ in range(streams)]
        return await asyncio.gather(*readers)


print("gradio", version("gradio"))
with gr.Blocks() as page:
    question, reply = gr.Textbox(), gr.Textbox()
    question.submit(answer, question, reply)
_, url, _ = page.launch(prevent_thread_lock=True, quiet=True)
for streams in (1, 2):
    found = asyncio.run(ask(url, f"session{streams}", streams))
    pieces, completed = [kinds.count("process_generating") for kinds in found], ["process_completed" in kinds for kinds in found]
    print(f"{streams} open: pieces {pieces}, completed {completed}")
    check(sum(pieces) == PIECES and sum(completed) == 1, f"{streams} streams together have {pieces} pieces, completed {completed}")
    check(streams == 1 or max(pieces) < PIECES, f"a stream of {streams} has all pieces")
page.close(verbose=False)
PYTHON
