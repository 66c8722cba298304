"""Limits of one visitor: sizes of bodies, events, streams, turns."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import httpx
import pytest

from rag.ui.answer_streams import AnswerSlots
from rag.ui.request_bodies import MAX_BODY
from rag.ui.sessions import EVENTS_PER_OWNER
from tests.attack.conftest import served
from tests.attack.visitors import API, Page, ask

BIG = [MAX_BODY + 1, 5 * MAX_BODY]


@pytest.mark.parametrize("size", BIG)
@pytest.mark.parametrize("route", [f"{API}/call/ask", f"{API}/queue/join", f"{API}/cancel", f"{API}/reset", "/login"])
def test_large_bodies_are_refused(page: Page, route: str, size: int) -> None:
    assert page.program().post(route, content=b"x" * size).status_code == 413


def test_large_bodies_without_a_length_are_refused(page: Page) -> None:
    answer = page.program().post(f"{API}/call/ask", content=(b"[" * 10_000 for _ in range(100)))
    assert answer.status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e9", "99999999999999999999", "x", "0x10"])
def test_wrong_lengths_are_refused(page: Page, length: str) -> None:
    host, port = page.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=240) as connection:
        connection.sendall(f"POST {API}/call/ask HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n".encode())
        assert connection.recv(100).split()[1] in (b"400", b"413")
    assert page.alive()


def test_unread_events_do_not_delay_others(page: Page) -> None:
    flood = page.browser()
    statuses = [
        flood.join(flood.event("send"), ["안 읽는 질문", None, "", ""], f"flood{number}").status_code
        for number in range(60)
    ]
    assert statuses.count(200) <= EVENTS_PER_OWNER
    assert statuses[-1] == 429
    customer = page.browser()
    assert "보통 질문" in customer.say("보통 질문", "tab")
    assert ask(customer.client, "질문", None, None)[0] == 200


def test_turns_are_fair() -> None:
    async def run() -> list[str]:
        slots, order = AnswerSlots(4), []

        async def question(owner: str, address: str) -> None:
            async with slots.request(owner, address) as turn:
                await turn.ready.wait()
                order.append(owner)
                await asyncio.sleep(0)

        flood = [asyncio.create_task(question("flood", "a")) for _ in range(20)]
        await asyncio.sleep(0)
        customer = asyncio.create_task(question("customer", "b"))
        await asyncio.gather(customer, *flood)
        return order

    assert "customer" in asyncio.run(run())[:4]


def test_one_owner_has_half_of_the_slots_and_leaving_gives_them_back() -> None:
    async def run() -> None:
        slots = AnswerSlots(4)
        async with slots.request("a", "x") as first, slots.request("a", "x") as second:
            async with slots.request("a", "x") as third, slots.request("b", "x") as other:
                assert (first.ready.is_set(), second.ready.is_set()) == (True, True)
                assert (third.ready.is_set(), other.ready.is_set()) == (False, True)
            async with slots.request("b", "x") as other, slots.request("b", "x") as another:
                await other.ready.wait()
                await another.ready.wait()
        async with slots.request("a", "x") as again:
            await again.ready.wait()

    asyncio.run(run())


def test_a_visitor_who_asks_continuously_pauses_while_others_ask() -> None:
    async def run() -> list[str]:
        slots, order = AnswerSlots(1), []

        async def question(owner: str) -> None:
            async with slots.request(owner, "a") as turn:
                await turn.ready.wait()
                order.append(owner)
                await asyncio.sleep(0.02)

        tasks = []
        for owner in ("flood", "flood", "customer", "flood", "customer"):
            tasks.append(asyncio.create_task(question(owner)))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        return order

    order = asyncio.run(run())
    assert order[:2] == ["flood", "customer"], "though the flood's second question was there first"
    assert sorted(order) == ["customer", "customer", "flood", "flood", "flood"], "and all are answered"


def test_a_slow_reader_delays_no_other(page: Page) -> None:
    """Forty connections that send half a request each."""
    host, port = page.url.removeprefix("http://").split(":")
    held = [socket.create_connection((host, int(port)), timeout=240) for _ in range(40)]
    try:
        for connection in held:
            connection.sendall(
                f"POST {API}/call/ask HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\n{{".encode()
            )
        assert httpx.get(f"{page.url}/healthz").status_code == 200
        assert ask(page.program(), "질문", None, None)[0] == 200
    finally:
        for connection in held:
            connection.close()


def is_closed(connection: socket.socket) -> bool:
    """Whether the server closes the connection within a minute."""
    connection.settimeout(60)
    try:
        return connection.recv(1000) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HTTP/1.1\r\nHost: x", b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na"],
)
def test_an_incomplete_request_ends_its_connection(tmp_path: Path, sent: bytes) -> None:
    with served(tmp_path, "request_seconds=3") as running:
        host, port = running.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=240) as connection:
            connection.sendall(sent)
            assert is_closed(connection)
        browser = running.browser()
        assert "보통 질문" in browser.say("보통 질문", "tab"), "one that is whole may take its time"


def test_one_address_holds_only_so_many_connections(tmp_path: Path) -> None:
    """Without this limit one address could take all connections of the process."""
    with served(tmp_path, "connections_per_address=20") as running:
        host, port = running.url.removeprefix("http://").split(":")
        held = [socket.create_connection((host, int(port)), timeout=240) for _ in range(21)]
        assert is_closed(held[20])
        held[0].close()
        while True:  # until the server has seen that
            try:
                assert running.program().get("/healthz").status_code == 200
                break
            except httpx.TransportError:
                continue
        for connection in held:
            connection.close()
    with served(tmp_path, "connections_per_address=20", "trusted_proxies=127.0.0.1") as behind:
        held = [socket.create_connection((host, int(behind.url.rpartition(":")[2])), timeout=240) for _ in range(40)]
        assert behind.program().get("/healthz").status_code == 200, "a stated proxy carries everybody's"
        for connection in held:
            connection.close()
