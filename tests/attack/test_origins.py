"""Pages of other sites cannot read tokens, ask questions or set cookies; nobody can pretend to be a proxy."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import InputError
from rag.ui.security_headers import first_party
from rag.ui.visitors import Visitors
from tests.attack.conftest import USERS, served
from tests.attack.visitors import API, Page, ask

OTHER_ORIGINS = ["http://evil.example", "https://evil.example:443", "null", "http://127.0.0.1:1", "file://"]
SHUT = [
    "token",
    "token/",
    "upload",
    "run/ask",
    "api/ask",
    "proxy=http://evil.example/",
    "file=/etc/passwd",
    "dev/reload",
]
SHUT += ["component_server", "stream/x", "upload_progress", "vibe-edit/", "process_recording", "runs", "deep_link"]
SHUT += ["openapi.json", "call/respond", "call/v2/ask", "mcp/sse"]


@pytest.mark.parametrize("origin", OTHER_ORIGINS)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{API}/call/ask"),
        ("POST", f"{API}/queue/join"),
        ("POST", "/login"),
        ("GET", "/"),
        ("GET", "/config"),
        ("GET", f"{API}/token"),
        ("OPTIONS", f"{API}/call/ask"),
        ("GET", f"{API}/heartbeat/abc"),
    ],
)
def test_foreign_origins_are_refused(page: Page, origin: str, method: str, path: str) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = page.program().request(method, path, headers=headers, json={"data": ["질문", None, None]})
    assert answer.status_code in (403, 404)
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_cross_site_requests_are_refused(page: Page, site: str) -> None:
    client = page.program(headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"})
    assert ask(client, "질문", None, None)[0] == 403
    assert client.get("/assets/x.js").status_code == 403
    assert page.program(headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}).get("/").status_code == 200


def test_another_sites_frame_is_refused_and_its_link_followed(page: Page) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert page.program(headers={**headers, "Sec-Fetch-Dest": "iframe"}).get("/").status_code == 403
    assert page.program(headers={**headers, "Sec-Fetch-Dest": "document"}).get("/").status_code == 200


def test_the_pages_own_origin_is_answered_without_cors_for_others(page: Page) -> None:
    client = page.program(headers={"Origin": page.url})
    status, answer = ask(client, "질문", None, None)
    assert status == 200
    assert "complete" in answer
    answered = client.get("/")
    assert not [name for name in answered.headers if name.startswith("access-control-")]
    for name in ("x-frame-options", "permissions-policy", "cross-origin-resource-policy"):
        assert name in answered.headers


@pytest.mark.parametrize("route", SHUT)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_routes_the_page_does_not_need_are_closed(page: Page, route: str, method: str) -> None:
    assert page.program().request(method, f"{API}/{route}", json={}).status_code == 404


@pytest.mark.parametrize(
    "path", ["/monitoring", "/docs", "/openapi.json", "/redoc", "/logout", "/%2e%2e/etc/passwd", "//gradio_api/token"]
)
def test_other_paths_are_closed(page: Page, path: str) -> None:
    assert page.program().get(path).status_code == 404


def test_other_host_names_of_this_machine_are_not_the_page(page: Page) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "evil.example:7860", "[::2]", ""):
        answer = page.program().get("/", headers={"Host": host})
        assert answer.status_code in (400, 421), host
    assert page.program().get("/", headers={"Host": "localhost:9"}).status_code == 200


@pytest.mark.parametrize("name", ["Host", "Origin"])
@pytest.mark.parametrize("value", ["[::1", "http://[", "http://[bad", "[", "]", "a]b", "http://[::1]:x", "@", ":", "%"])
def test_malformed_names_are_refused_in_one_line(page: Page, name: str, value: str) -> None:
    before = len(page.log.read_text(encoding="utf-8").splitlines())
    for method, path in (("GET", "/"), ("POST", f"{API}/queue/join")):
        assert 400 <= page.program().request(method, path, headers={name: value}, json={}).status_code < 500
    assert len(page.log.read_text(encoding="utf-8").splitlines()) <= before + 2


def test_only_trusted_host_names_are_answered(tmp_path: Path) -> None:
    with served(tmp_path, "trusted_hosts=faq.bank.example, faq2.bank.example") as running:
        statuses = [
            running.program().get("/", headers={"Host": host}).status_code
            for host in ("faq.bank.example", "faq2.bank.example:443", "FAQ.bank.example", "localhost", "evil.example")
        ]
        assert statuses == [200, 200, 200, 421, 421]
        assert running.program().get("/healthz", headers={"Host": "10.0.0.7"}).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Gradio-Server", "Forwarded", "X-Forwarded-Proto"])
def test_forwarded_headers_are_ignored_without_trusted_proxies(page: Page, header: str) -> None:
    value = {"X-Gradio-Server": "http://evil.example", "X-Forwarded-Proto": "https"}.get(header, "evil.example")
    answer = page.program().get("/", headers={header: value})
    assert answer.status_code == 200
    assert "evil.example" not in answer.text
    assert "strict-transport-security" not in answer.headers


def test_behind_a_stated_proxy_with_https(guarded_page: Page) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "faq.bank.example", "X-Forwarded-For": "192.0.2.9"}
    client = guarded_page.program(headers=headers)
    answer = client.post(
        "/login",
        data={"username": "kim", "password": USERS["kim"]},
        headers={"Origin": "https://faq.bank.example"},
    )
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"]
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 3
    assert [cookie for cookie in cookies if cookie.startswith("__Host-fsi-visitor=")], "no other host can set this one"
    for cookie in cookies:
        assert "SameSite=Lax" in cookie
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert "none" not in cookie.lower().partition("samesite")[2].split(";")[0]
    assert client.post("/login", data={}, headers={"Origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        ("a=b; HttpOnly; Path=/; SameSite=none; Secure", "a=b; HttpOnly; Path=/; SameSite=Lax"),
        ("secure=samesite; Path=/", "secure=samesite; Path=/; SameSite=Lax"),
        ("a=b", "a=b; SameSite=Lax"),
    ],
)
def test_cookies_stay_on_their_site(cookie: str, expected: str) -> None:
    assert first_party(cookie, https=False) == expected
    assert first_party(cookie, https=True) == f"{expected}; Secure"


def test_a_cookie_that_another_host_could_set_is_not_believed_over_https() -> None:
    def owner(cookie: str, proto: str) -> tuple[str, str]:
        headers = [(b"host", b"x"), (b"x-forwarded-proto", proto.encode()), (b"cookie", cookie.encode())]
        visitor = visitors.identify({"type": "http", "client": ("10.0.0.1", 1), "headers": headers})
        return visitor.owner, visitor.token

    visitors = Visitors(["10.0.0.1"])
    assert owner("fsi-visitor=given", "https")[1] == ""
    assert owner("__Host-fsi-visitor=own; fsi-visitor=given", "https") == owner("__Host-fsi-visitor=own", "https")
    assert owner("fsi-visitor=own", "http")[1] == "own"


def test_other_cookies_of_the_institutions_sites_hide_none() -> None:
    """A cookie with JSON or Korean before ours made all visitors of an address one visitor."""
    headers = [(b"host", b"x"), (b"cookie", '{"a":1}="b,c"; 이름=값; x; fsi-visitor=own; access-token-1=t'.encode())]
    visitor = Visitors([]).identify({"type": "http", "client": ("10.0.0.1", 1), "headers": headers})
    assert (visitor.token, visitor.new) == ("own", False)


def address(peer: str, forwarded: str | None, proxies: list[str]) -> str:
    headers = [(b"host", b"x")] + ([(b"x-forwarded-for", forwarded.encode())] if forwarded else [])
    return Visitors(proxies).identify({"type": "http", "client": (peer, 1), "headers": headers}).address


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("198.51.100.1", "203.0.113.7", [], "198.51.100.1"),
        ("10.0.0.1", "203.0.113.7", ["10.0.0.0/8"], "203.0.113.7"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.7", ["10.0.0.0/8"], "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.1.1.1", ["10.0.0.0/8"], "203.0.113.7"),
        ("10.0.0.1", "nonsense", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", None, ["10.0.0.0/8"], "10.0.0.1"),
        ("2001:db8:1:2:3::4", None, [], "2001:db8:1:2::"),
        ("::ffff:203.0.113.7", None, [], "203.0.113.7"),
    ],
)
def test_address_of_a_visitor(peer: str, forwarded: str | None, proxies: list[str], expected: str) -> None:
    assert address(peer, forwarded, proxies) == expected


def test_wrong_proxy_addresses_are_reported() -> None:
    with pytest.raises(InputError, match="FSI_UI__TRUSTED_PROXIES"):
        Visitors(["my-proxy"])
