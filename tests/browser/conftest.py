"""Fixtures: a real page over the fake service, and a real Chromium."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, expect, sync_playwright

from rag.settings import HistorySettings, RecordSettings, Settings, UiSettings
from rag.ui.auth import PasswordHash
from rag.ui.loader import Chat, Loader, Progress
from rag.ui.server import Server, start
from tests.chromium import chromium_path
from tests.fakes import PIECES, FakeChat

SHOTS = os.environ.get("TEST_SCREENSHOTS")
"""Folder for screenshots to look at; none are kept without it."""

expect.set_options(timeout=120_000)  # a busy machine is no failure

ANSWER_TEXT = "\n".join(piece.strip().removeprefix("- ") for piece in PIECES)
"""The fake's answer as displayed: list items without their hyphens."""

VIOLATIONS = "axe.run({resultTypes: ['violations']}).then(found => found.violations)"
"""The script that runs axe-core's default rules. It leaves out the rules that hold, whose nodes take half the time."""

TABS = pytest.StashKey["list[Visit]"]()
"""The tabs of a test, whose logs are printed if it fails."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Add each tab's requests to the report of a failed test."""
    report = yield
    if report.when == "call" and report.failed:
        tabs: list[Visit] = item.stash.get(TABS, [])
        for number, each in enumerate(tabs, 1):
            report.sections.append((f"tab {number}", "\n".join(each.log[-200:])))
    return report


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for this folder, not for the session: while it runs, no other test can run an event loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path())
        yield browser
        browser.close()


@dataclass
class Visit:
    """A browser tab on the page, with its requests and errors."""

    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Record requests, console errors, script errors and dialogs."""
        opened = time.monotonic()

        def log(what: str, request: Request, more: object = "") -> None:
            path = request.url.removeprefix(self.url)
            self.log.append(f"{time.monotonic() - opened:8.3f} {what} {request.method} {path} {more}")

        def asked(request: Request) -> None:
            self.requests.append(request.url)
            log("sent", request, (request.post_data or "")[:200])

        def dialog(opened: Dialog) -> None:
            self.complaints.append(f"dialog {opened.message}")
            opened.dismiss()

        def console(message: ConsoleMessage) -> None:
            if message.type == "error":
                # Gradio's script ends each stream itself, and logs that as an error if it was waiting for the next message.
                if not message.text.startswith("AbortError: signal is aborted"):
                    self.complaints.append(message.text)
                self.log.append(f"{time.monotonic() - opened:8.3f} console {message.text}")

        self.page.on("request", asked)
        self.page.on("response", lambda response: log(str(response.status), response.request))
        self.page.on("requestfinished", lambda request: log("read", request))
        self.page.on("requestfailed", lambda request: log("failed", request, request.failure))
        self.page.on("console", console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", dialog)

    def foreign(self) -> list[str]:
        """Requests to other hosts."""
        return [url for url in self.requests if not url.startswith((self.url, "data:", "blob:"))]

    def violations(self) -> list[Any]:
        """The violations that axe-core finds, of any impact, also in Gradio's parts."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(Axe().axe_script)
        found = self.page.evaluate(VIOLATIONS)
        return [(each["id"], each["impact"], node["html"]) for each in found for node in each["nodes"]]

    def ready(self) -> Visit:
        expect(self.page.locator("#starters button").first).to_be_visible()
        return self

    def ask(self, question: str) -> None:
        """Send a question with Enter, without waiting for the answer."""
        expect(self.page.locator("html[data-hears]")).to_have_count(1)  # the script comes after the box
        self.page.fill("#box textarea", question)
        self.page.press("#box textarea", "Enter")

    def answered(self, question: str) -> None:
        """Send a question and wait for the end of its answer."""
        before = self.bubbles("bot").count()
        self.ask(question)
        expect(self.bubbles("bot")).to_have_count(before + 1)
        self.idle()

    def idle(self) -> None:
        """Wait until the running answer and the queued questions are finished."""
        expect(self.page.locator("#composer[data-busy]")).to_have_count(0)
        expect(self.page.locator("#queue p")).to_have_count(0)

    def answer_text(self) -> str:
        """The text of the last answer without labels and remarks; each line stripped."""
        lines = str(self.bubbles("bot").last.locator(".said").inner_text()).split("\n")
        return "\n".join(line.strip() for line in lines if line.strip())

    def bubbles(self, role: str) -> Any:
        return self.page.locator(f'#chat [data-testid="{role}"]')

    def screenshot(self, name: str) -> None:
        if SHOTS:
            self.page.screenshot(path=Path(SHOTS) / f"{name}.png")


class Serve(Protocol):
    def __call__(
        self,
        chat: Chat | None = None,
        *,
        build: Callable[[Progress], Chat] | None = None,
        users: dict[str, PasswordHash] | None = None,
        load: bool = True,
        **ui: Any,
    ) -> tuple[Server, Loader]: ...


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts pages on free ports, with their files in the test's folder; all are closed after the test."""
    servers: list[Server] = []

    def serve(
        chat: Chat | None = None,
        *,
        build: Callable[[Progress], Chat] | None = None,
        users: dict[str, PasswordHash] | None = None,
        load: bool = True,
        **ui: Any,
    ) -> tuple[Server, Loader]:
        service = chat or FakeChat()
        loader = Loader(build or (lambda progress: service))
        servers.append(
            start(
                Settings(
                    ui=UiSettings(**{"port": 7870, **ui}),
                    record=RecordSettings(file=tmp_path / "records.sqlite"),
                    history=HistorySettings(file=tmp_path / "history.sqlite"),
                ),
                loader,
                users,
            )
        )
        if load:
            loader.start()
        return servers[-1], loader

    yield serve
    for server in servers:
        server.close()


@pytest.fixture
def chat() -> FakeChat:
    return FakeChat()


@pytest.fixture(scope="package")
def idle_contexts(chromium: Browser) -> dict[str, BrowserContext]:
    """A browser context by its options, left by a test for the next.

    Only Gradio's files are left in it, in its cache, without which a page takes half as much processor time again to open.
    """
    return {}


@pytest.fixture
def visit(
    chromium: Browser, idle_contexts: dict[str, BrowserContext], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visit]]:
    """Opens tabs, each in its own browser context, whose options are the keyword arguments (viewport, locale ...)."""
    used: list[tuple[str, BrowserContext]] = []

    def visit(url: str, **options: Any) -> Visit:
        options = {"locale": "ko-KR", "viewport": {"width": 1280, "height": 800}, **options}
        context = idle_contexts.pop(repr(options), None) or chromium.new_context(**options)
        used.append((repr(options), context))
        context.set_default_timeout(120_000)
        page = context.new_page()
        storage = context.new_cdp_session(page)
        storage.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": "all"})
        storage.detach()
        made = Visit(page, url)
        request.node.stash.setdefault(TABS, []).append(made)
        made.listen()
        made.page.goto(url)
        return made

    yield visit
    for options, context in used:
        for page in context.pages:
            page.close()
        context.clear_cookies()
        context.clear_permissions()
        if idle_contexts.setdefault(options, context) is not context:
            context.close()


@pytest.fixture
def visitor(serve: Serve, visit: Callable[..., Visit], chat: FakeChat) -> Visit:
    """A tab on a ready page over `chat`."""
    server, _ = serve(chat)
    return visit(server.url).ready()
