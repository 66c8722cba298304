"""`python app.py` as a process: options, output, exit codes, signals. The service is fake."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from playwright.sync_api import expect

from rag.ui.connections import free_port
from tests.browser.conftest import Visit
from tests.forks import command

ROOT = Path(__file__).parents[2]

LAUNCHER = """
import sys, types
build = types.ModuleType("rag.factory.chat")
def build_chat(settings, *, progress=None):
    from tests.fakes import FakeChat
    progress("준비", 1, 2)
    return FakeChat()
build.build_chat = build_chat
sys.modules["rag.factory.chat"] = build
sys.argv[0] = "app.py"
import runpy
runpy.run_path("app.py", run_name="__main__")
"""
"""Runs app.py with the fake instead of the real service."""

INTERRUPTED = """
import signal, sys
left = 20
def at_line(frame, event, argument):
    global left
    if event == "line" and left:
        left -= 1
        signal.raise_signal(signal.SIGTERM)
    return at_line
install = signal.signal
def install_interrupted(number, handler):
    def interrupted(*arguments):
        sys.settrace(at_line)  # from here on: the handlers that interrupt this one must not end it
        handler(*arguments)
    return install(number, interrupted)
signal.signal = install_interrupted
"""
"""At each line that a signal's handler runs, the signal comes again."""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    processes: list[subprocess.Popen[str]] = []

    def start(*options: str, launcher: str = LAUNCHER, **environment: str) -> subprocess.Popen[str]:
        processes.append(
            subprocess.Popen(
                command(launcher, *options),
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str], start: str) -> str:
    """The next line that starts with this text."""
    assert process.stdout
    for found in process.stdout:
        if found.startswith(start):
            return found.strip()
    pytest.fail(f"no line {start!r}; {process.stderr.read() if process.stderr else ''}")


def url_of(process: subprocess.Popen[str]) -> str:
    return line(process, "Chat page: ").removeprefix("Chat page: ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_page_until_a_signal_even_with_an_answer_being_written(
    start: Start, visit: Callable[..., Visit], number: signal.Signals
) -> None:
    process = start("--port", "7980", "--language", "en")
    visitor = visit(url_of(process)).ready()
    assert visitor.page.title() == "Financial FAQ"
    visitor.ask("끝없는 질문")
    expect(visitor.bubbles("bot")).to_contain_text("계속")
    process.send_signal(number)
    assert process.wait(timeout=240) == 0
    assert process.stderr
    assert all(" INFO rag." in line for line in process.stderr.read().splitlines())


def test_the_page_ends_though_a_signal_interrupts_the_handler_of_another(start: Start) -> None:
    # `make` passes a terminal's signal on to a page that got it, too.
    process = start("--port", "7981", launcher=INTERRUPTED + LAUNCHER)
    url_of(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0


def test_used_port_is_skipped_and_reported(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start("--port", str(port))
        said = line(process, "Port")
        assert re.fullmatch(rf"Port {port} is in use; taking (\d+) instead\.", said)
        url = url_of(process)
    assert url != f"http://127.0.0.1:{port}"
    assert httpx.get(url).status_code == 200


def test_settings_are_the_defaults_of_the_options(start: Start) -> None:
    port = free_port("127.0.0.1", 7985)
    process = start(FSI_UI__PORT=str(port), FSI_UI__LANGUAGE="en")
    url = url_of(process)
    assert url == f"http://127.0.0.1:{port}"
    assert "Financial FAQ" in httpx.get(url).text


def test_company_proxy_is_not_asked_for_our_own_page(start: Start) -> None:
    port = free_port("127.0.0.1", 7986)
    process = start("--port", str(port), HTTP_PROXY="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9")
    assert url_of(process) == f"http://127.0.0.1:{port}"


def test_share_without_network_serves_locally_with_the_printed_login(start: Start) -> None:
    """The proxy refuses all connections, as in a closed network."""
    process = start("--share", "--port", "7987", HTTPS_PROXY="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9")
    url = url_of(process)
    login = re.fullmatch(r"Login: user (\S+)  password (\S+)", line(process, "Login"))
    assert login
    said = line(process, "No public link")
    assert re.fullmatch(
        r"No public link: api\.gradio\.app cannot be reached \(.*\)\. The page is still served at .*, with the same login\.",
        said,
    )
    ask = f"{url}/gradio_api/call/ask"
    assert httpx.post(ask, json={"data": ["질문", None, None]}).status_code == 401
    client = Client(url, auth=(login[1], login[2]), verbose=False)
    assert client.submit("질문", api_name="/ask").result(timeout=240)["status"] == "answered"


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--port", "70000"), 2, "'70000' is not a port"),
        (("--language", "fr"), 2, "invalid choice"),
        (("--what",), 2, "unrecognized arguments"),
        (("--auth-file", "/no/such/file"), 1, "error: auth file /no/such/file: No such file or directory"),
        (("--host", "203.0.113.7", "--open-to-all"), 1, "error: cannot listen on 203.0.113.7"),
        (("--host", "0.0.0.0"), 1, "error: 0.0.0.0 can be reached from the network, and the page has no login"),
        (("--host", "::"), 1, "set FSI_UI__AUTH_FILE"),
    ],
)
def test_what_is_wrong_is_one_line(start: Start, options: tuple[str, ...], code: int, message: str) -> None:
    process = start(*options)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == code
    assert message in errors.splitlines()[-1]
    assert "Traceback" not in errors


def test_a_page_for_the_network_without_a_login_is_typed_out(start: Start) -> None:
    """As the container starts it: FSI_UI__HOST is set in the image."""
    refused = start(FSI_UI__HOST="0.0.0.0", FSI_UI__PORT="7988")
    _, errors = refused.communicate(timeout=240)
    assert refused.returncode == 1
    assert "FSI_UI__OPEN_TO_ALL" in errors
    meant = start(FSI_UI__HOST="0.0.0.0", FSI_UI__PORT="7988", FSI_UI__OPEN_TO_ALL="true")
    assert httpx.get(url_of(meant)).status_code == 200


def test_pages_started_at_once_take_two_ports(start: Start) -> None:
    urls = {url_of(process) for process in [start("--port", "7989") for _ in range(3)]}
    assert len(urls) == 3
    assert [httpx.get(url).status_code for url in urls] == [200] * 3


def test_log_lines_are_json_where_it_is_set(start: Start) -> None:
    process = start("--port", "7993", FSI_LOG__FORMAT="json")
    url = url_of(process)
    httpx.post(f"{url}/gradio_api/call/ask", content=b"{")
    httpx.get(f"{url}/nothing")
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=240)
    assert process.stderr
    records = [json.loads(line) for line in process.stderr]
    assert [record["message"].split()[1] for record in records if "refused" in record["message"]] == [
        "status=400",
        "status=404",
    ]


def test_wrong_setting_is_one_line(start: Start) -> None:
    process = start(FSI_UI__PORT="many")
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 1
    assert errors.startswith("error: invalid setting: FSI_UI__PORT")
    assert len(errors.splitlines()) == 1


def test_page_imports_nothing_heavy() -> None:
    code = "import sys, app, rag.ui.server; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "gradio" in found
    assert not {"llama_index", "faiss", "onnxruntime", "torch", "boto3"} & set(found)
