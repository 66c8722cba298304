"""The commands `search` and `ask`."""

from __future__ import annotations

import io
import sys
from argparse import Namespace
from collections import deque
from collections.abc import Iterator

from rag.chat import ChatService
from rag.cli.arguments import read_filters
from rag.cli.opening import open_service
from rag.cli.terminal import print_json, source_line
from rag.errors import InputError
from rag.settings import Settings
from rag.types import MAX_TURNS, Answer, Filters, Turn


def search(options: Namespace, settings: Settings) -> None:
    """Print the nearest rows with their scores in 0..1, whether or not the question would be answered."""
    filters = read_filters(options)
    chat = open_service(options, settings, filters)
    sources = chat.search(options.question, filters, top_k=options.k)
    if options.summarize:
        sources = chat.summarize(options.question, sources)
    if options.json:
        print_json({"question": options.question, "sources": [source.as_json() for source in sources]})
        return
    for source in sources:
        print(source_line(source))
        if source.summary:
            print(f"    {source.summary}{'  (language model, checked)' if source.summary_generated else ''}")
    if options.explain:
        _explain(chat, options.question, filters)


def ask(options: Namespace, settings: Settings) -> int:
    """Print the answer that the page would give. Without a question, the lines of standard input are one conversation."""
    filters = read_filters(options)
    chat = open_service(options, settings, filters)
    if options.question is not None:
        answer = chat.ask(options.question, filters=filters)
        if options.json:
            print_json(answer.as_json())
        else:
            _print_answer(answer)
        return 0
    return _converse(chat, filters, as_json=options.json)


def _converse(chat: ChatService, filters: Filters, *, as_json: bool) -> int:
    """Answer each line of standard input as the message after those before it; returns 1 if one of them was refused.

    A refused message is reported on standard error and is no part of the conversation. Raises InputError if there are none.
    """
    history: deque[Turn] = deque(maxlen=MAX_TURNS)
    refused = False
    number = 0
    for number, message in enumerate(_messages(echo=not as_json), 1):
        try:
            answer = chat.ask(message, history, filters)
        except InputError as exc:
            print(f"error: message {number}: {exc}", file=sys.stderr)
            refused = True
            continue
        history.append(answer.as_turn())
        if as_json:
            print_json(answer.as_json(), indent=False)
        else:
            _print_answer(answer)
            print()
        # A program may wait for this answer before it writes its next message.
        sys.stdout.flush()
    if number == 0:
        raise InputError("expected a question, or messages on standard input, one a line; got none")
    return int(refused)


def _messages(*, echo: bool) -> Iterator[str]:
    """The lines of standard input that are not blank.

    At a terminal each is asked for by a prompt on standard error. Otherwise `echo` prints it after the same prompt, so that
    the output reads as a conversation.
    """
    prompt = "> "
    if isinstance(sys.stdin, io.TextIOWrapper):
        # What is not UTF-8 is refused with the message it is in.
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="surrogateescape")
    at_terminal = sys.stdin.isatty()
    while True:
        if at_terminal:
            print(prompt, end="", file=sys.stderr, flush=True)
        if not (line := sys.stdin.readline()):
            break
        if message := line.strip():
            if echo and not at_terminal:
                print(f"{prompt}{message}")
            yield message


def _print_answer(answer: Answer) -> None:
    if answer.generated:
        print("(written by a language model, checked against its sources)")
    print(answer.text)
    if answer.notice:
        explanation = (
            "unsupported sentences were left out or replaced" if answer.generated else "this is the approved text"
        )
        print(f"(notice: {answer.notice}; {explanation})")
    for source in answer.sources:
        print(source_line(source))


def _explain(chat: ChatService, question: str, filters: Filters) -> None:
    from rag.retrieval.offering import least_chance
    from rag.retrieval.query_analysis import expand

    verdict = chat.rank(question, (), filters)
    print(f"query: {expand(question, without=chat.calibration.unheld)}")
    for number, hit in enumerate(verdict.ranked, 1):
        parts = "  ".join(f"{name} {value:.3f}" for name, value in hit.parts.items())
        print(f"  {number:2}  {parts}")
    print("signals: " + "  ".join(f"{name} {value:.2f}" for name, value in verdict.features.items()))
    for conflict in verdict.conflicts:
        print(f"conflict: asked {conflict.asked}, the row has {conflict.held} ({conflict.kind})")
    limits = chat.calibration
    suggested = least_chance(limits.suggested, limits.off_topic, verdict.bound)
    note = "" if verdict.bound == "suggested" else f", {verdict.bound}"
    print(
        f"outcome: {verdict.status}; confidence {verdict.confidence:.2f} (answered from {limits.answered:.3f}), "
        f"covered {verdict.covered:.3f} (suggested from {suggested:.3f}{note})"
    )
