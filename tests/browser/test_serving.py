"""Behind a proxy, behind a login, and as an API."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from rag.types import Filters
from rag.ui.auth import PasswordHash, hash_password
from rag.ui.connections import free_port
from tests.browser.conftest import ANSWER_TEXT, Serve, Visit
from tests.browser.proxy import prefix_proxy
from tests.browser.test_loading import Loading
from tests.fakes import FakeChat, answer_to

PREFIX = "/jupyterlab/default/proxy/7860"


@pytest.mark.parametrize("keep_host", [True, False])
def test_page_works_behind_a_prefix_stripping_proxy(
    serve: Serve, visit: Callable[..., Visit], chat: FakeChat, keep_host: bool
) -> None:
    server, _ = serve(chat, root_path=PREFIX)
    with prefix_proxy(server.url, PREFIX, free_port("127.0.0.1", 7960), keep_host=keep_host) as url:
        visitor = visit(url).ready()
        visitor.ask("기다리는 질문")
        expect(visitor.bubbles("bot")).to_contain_text("먼저 사고신고를")
        expect(visitor.bubbles("bot")).not_to_contain_text("재발급은")
        chat.released.set()
        visitor.idle()
        visitor.page.click('#chat a[href="#src-1-1"]')
        expect(visitor.page.locator("#src-1-1 summary")).to_be_focused()
        ground = visitor.page.locator("#talk").evaluate("e => getComputedStyle(e).borderRadius")
        assert ground == "16px", "the style sheet came through"
        assert visitor.foreign() == []
        visitor.page.close()


def test_direct_access_works_with_a_root_path(serve: Serve, visit: Callable[..., Visit]) -> None:
    server, _ = serve(root_path=PREFIX)
    visitor = visit(server.url).ready()
    visitor.answered("질문")


def test_page_comes_back_when_the_server_is_restarted_while_an_answer_is_written(
    serve: Serve, visit: Callable[..., Visit]
) -> None:
    ended, _ = serve(port=free_port("127.0.0.1", 7970))
    visitor = visit(ended.url).ready()
    visitor.ask("끝없는 질문")
    expect(visitor.bubbles("bot")).to_contain_text("계속 계속")
    ended.close()
    again, _ = serve(port=ended.port)
    assert again.port == ended.port
    visitor.ready()


def test_only_a_correct_login_is_accepted(serve: Serve, visit: Callable[..., Visit]) -> None:
    users = {"kim": PasswordHash.parse(hash_password("옳은 비밀번호"))}
    server, _ = serve(users=users)
    visitor = visit(server.url)
    expect(visitor.page.locator("#chat")).to_have_count(0)
    name, password = visitor.page.locator("input").nth(0), visitor.page.locator("input").nth(1)
    for tried in ("틀린 비밀번호", "옳은 비밀번호"):
        name.fill("kim")
        password.fill(tried)
        visitor.screenshot(f"login-{tried == '옳은 비밀번호'}")
        visitor.page.get_by_role("button").last.click()
        if tried.startswith("틀린"):
            expect(visitor.page.locator("body")).to_contain_text("아이디 또는 비밀번호가 맞지 않습니다")
    visitor.ready()
    visitor.answered("질문")


def test_an_ended_login_is_reported(serve: Serve, visit: Callable[..., Visit]) -> None:
    users = {"kim": PasswordHash.parse(hash_password("옳은 비밀번호"))}
    ended, _ = serve(users=users, port=free_port("127.0.0.1", 7980))
    visitor = visit(ended.url)
    visitor.page.fill("input[name=username]", "kim")
    visitor.page.fill("input[name=password]", "옳은 비밀번호")
    visitor.page.click("button")
    visitor.ready()
    ended.page.app.tokens.clear()  # as a restart does
    visitor.ask("질문")
    expect(visitor.page.locator("#hint")).to_contain_text("로그인이 끝났습니다")


def test_another_sites_page_reads_no_token_starts_no_question_and_sets_no_cookie(
    serve: Serve, visit: Callable[..., Visit], chat: FakeChat
) -> None:
    users = {"kim": PasswordHash.parse(hash_password("옳은 비밀번호"))}
    server, _ = serve(chat, users=users)
    visitor = visit(server.url)
    visitor.page.fill("input[name=username]", "kim")
    visitor.page.fill("input[name=password]", "옳은 비밀번호")
    visitor.page.click("button")
    visitor.ready()
    cookies = visitor.page.context.cookies()
    assert {cookie.get("sameSite") for cookie in cookies} == {"Lax"}
    foreign = Visit(visitor.page.context.new_page(), "http://localhost")
    # The same machine by another name: another origin to the browser, which has the visitor's cookies.
    foreign.page.route("**/evil", lambda route: route.fulfill(body="<p>evil</p>", content_type="text/html"))
    foreign.page.goto(f"http://evil.localhost:{server.port}/evil")
    attempts = foreign.page.evaluate(
        """async (url) => {
          const results = [];
          const json = { method: "POST", credentials: "include", mode: "no-cors" };
          const tries = [
            [url + "/gradio_api/token", { credentials: "include" }],
            [url + "/config", { credentials: "include" }],
            [url + "/gradio_api/call/ask", { method: "POST", credentials: "include",
              headers: { "Content-Type": "application/json" }, body: '{"data":["남의 질문",null,null]}' }],
            [url + "/gradio_api/call/ask", { ...json, body: '{"data":["남의 질문",null,null]}' }],
            [url + "/login", { ...json, body: new URLSearchParams({ username: "kim", password: "옳은 비밀번호" }) }],
          ];
          for (const [address, options] of tries) {
            try { results.push(await (await fetch(address, options)).text()); } catch { results.push(""); }
          }
          return results;
        }""",
        server.url,
    )
    assert attempts == [""] * len(attempts)
    assert chat.asked == []
    assert visitor.page.context.cookies() == cookies


def test_asking_without_the_login_is_refused(serve: Serve) -> None:
    users = {"guest": PasswordHash.parse(hash_password("secret word"))}
    chat = FakeChat()
    server, _ = serve(chat, users=users)
    join = {"data": ["질문", None, None], "fn_index": 0, "session_hash": "a"}
    with httpx.Client(base_url=server.url) as client:
        assert client.post("/gradio_api/call/ask", json={"data": ["질문", None, None]}).status_code == 401
        assert client.post("/gradio_api/queue/join", json=join).status_code == 401
        assert client.post("/gradio_api/run/ask", json={"data": ["질문", None, None]}).status_code == 404
        assert client.get("/config").status_code == 401
        assert client.get("/healthz").json() == {"status": "ready"}
    assert chat.asked == []
    with pytest.raises(Exception, match="Could not login"):
        Client(server.url, auth=("guest", "wrong"), verbose=False)
    allowed = Client(server.url, auth=("guest", "secret word"), verbose=False)
    assert allowed.submit("질문", api_name="/ask").result(timeout=240)["status"] == "answered"


def test_one_call_for_programs(serve: Serve, chat: FakeChat) -> None:
    server, _ = serve(chat)
    client = Client(server.url, verbose=False)
    api: dict[str, Any] = client.view_api(return_format="dict", print_info=False)
    assert list(api["named_endpoints"]) == ["/ask"]
    assert api["unnamed_endpoints"] == {}
    answer = client.submit(" OTP 등록은 어떻게 하나요? ", api_name="/ask").result(timeout=240)
    assert answer == answer_to("OTP 등록은 어떻게 하나요?").as_json()
    declined = client.submit("오늘 점심 뭐 먹지", "새나래은행", "이체", api_name="/ask").result(timeout=240)
    assert (declined["status"], declined["reason"], declined["sources"]) == ("declined", "off_topic", [])
    assert chat.asked[-1][2] == Filters(equals={"bank": "새나래은행", "category": "이체"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("오류가 나는 질문",), "답변 모델을 지금 사용할 수 없습니다."),
        (("가" * 1001,), "질문이 너무 깁니다"),
        (
            ("질문", "없는은행"),
            "고를 수 없는 값입니다: 없는은행. 다음 중에서 고르세요: 새나래은행, 도담저축은행, 미르누리증권",
        ),
        (("  ",), "질문을 입력해 주세요."),
    ],
)
def test_errors_of_the_call_say_what_is_wrong(serve: Serve, arguments: tuple[str, ...], message: str) -> None:
    server, _ = serve()
    client = Client(server.url, verbose=False)
    with pytest.raises(AppError, match=message):
        client.submit(*arguments, api_name="/ask").result(timeout=240)


def test_call_waits_for_the_loading(serve: Serve, chat: FakeChat) -> None:
    build = Loading(chat)
    server, _ = serve(build=build)
    assert httpx.get(f"{server.url}/healthz").json() == {"status": "loading"}
    job = Client(server.url, verbose=False).submit("질문", api_name="/ask")
    assert not job.done()
    build.go_on.set()
    assert job.result(timeout=240)["status"] == "answered"
    assert httpx.get(f"{server.url}/healthz").json() == {"status": "ready"}


def test_readiness_and_figures(serve: Serve, chat: FakeChat) -> None:
    build = Loading(chat)
    server, loader = serve(build=build)
    assert httpx.get(f"{server.url}/readyz").status_code == 503
    build.go_on.set()
    loader.service()
    assert httpx.get(f"{server.url}/readyz", headers={"Host": "balancer"}).json() == {"status": "ready"}
    Client(server.url, verbose=False).submit("질문", api_name="/ask").result(timeout=240)
    httpx.get(f"{server.url}/nothing")
    figures = httpx.get(f"{server.url}/metrics")
    assert figures.headers["content-type"].startswith("text/plain")
    wanted = 'faq_answers_total{channel="api",generated="false",notice="",reason="",status="answered"} 1.0'
    assert wanted in figures.text
    assert 'faq_refusals_total{status="404"}' in figures.text
    assert "faq_answers_running 0.0" in figures.text
    assert "질문" not in figures.text
    server.drain(0)
    assert httpx.get(f"{server.url}/readyz").json() == {"status": "draining"}


def test_answers_being_written_end_before_the_server(serve: Serve, visit: Callable[..., Visit], chat: FakeChat) -> None:
    server, _ = serve(chat)
    visitor = visit(server.url).ready()
    visitor.ask("기다리는 질문")
    expect(visitor.bubbles("bot")).to_contain_text("먼저 사고신고를")
    drained = threading.Thread(target=server.drain, args=(60,))
    drained.start()
    chat.released.set()
    drained.join()
    visitor.idle()
    assert visitor.answer_text() == ANSWER_TEXT


def test_failed_loading_is_seen_by_health_and_call(serve: Serve, chat: FakeChat) -> None:
    build = Loading(chat, RuntimeError("a secret detail"))
    build.go_on.set()
    server, _ = serve(build=build)
    client = Client(server.url, verbose=False)
    with pytest.raises(AppError, match="예상하지 못한 문제가 생겼습니다"):
        client.submit("질문", api_name="/ask").result(timeout=240)
    health = httpx.get(f"{server.url}/healthz")
    assert (health.status_code, health.json()) == (503, {"status": "failed"})


def test_server_takes_no_files_and_forbids_other_hosts(serve: Serve, tmp_path: Path) -> None:
    server, _ = serve()
    upload = httpx.post(f"{server.url}/gradio_api/upload", files={"files": b"x"})
    assert upload.status_code == 404
    page = httpx.get(server.url)
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert httpx.get(f"{server.url}/gradio_api/file=/etc/passwd").status_code in (403, 404)
