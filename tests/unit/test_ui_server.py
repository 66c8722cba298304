"""Ports, and the public link with local substitutes for its hosts."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from gradio import networking, tunneling

from rag.errors import InputError, RagError
from rag.ui import share
from rag.ui.auth import verify
from rag.ui.connections import free_port
from rag.ui.server import root_path


def listening() -> socket.socket:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    return taken


def test_free_port_is_taken_and_a_used_one_skipped() -> None:
    with listening() as taken:
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1", port) > port
        assert free_port("0.0.0.0", port) > port
    assert free_port("127.0.0.1", port) == port


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_wrong_address_is_reported(host: str) -> None:
    with pytest.raises(InputError, match=f"cannot listen on {host}"):
        free_port(host, 7860)


def test_no_port_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.ui.connections.MAX_PORTS_TRIED", 1)
    with listening() as taken, pytest.raises(InputError, match="no free port"):
        free_port("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(
    ("given", "used"),
    [("", ""), ("/", ""), ("/a/b", "/a/b"), ("a/b/", "/a/b"), ("https://faq.example/a/", "https://faq.example/a")],
)
def test_root_path(given: str, used: str) -> None:
    assert root_path(given) == used


def test_importing_the_page_sets_no_environment_variable() -> None:
    """A program that imports the page keeps its own settings for Gradio and proxies."""
    code = (
        "import os, gradio; before = dict(os.environ); import rag.ui.server, rag.ui.page; "
        "print(sorted(name for name, value in os.environ.items() if before.get(name) != value))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"


def test_one_time_login() -> None:
    user, password, stored = share.one_time_login()
    assert verify(password, stored)
    assert len(password) >= 16
    assert (user, password) != share.one_time_login()[:2]


class ShareHost(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps([{"host": "127.0.0.1", "port": 1, "root_ca": "certificate"}]).encode()
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def share_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A local share host; the certificate goes to a folder of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tunneling, "CURRENT_TUNNELS", [])
    server = ThreadingHTTPServer(("127.0.0.1", 0), ShareHost)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(networking, "GRADIO_API_SERVER", url)
    yield url
    share.close_tunnels()
    server.shutdown()
    server.server_close()


def tunnel_program(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    path = folder / "frpc"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(tunneling, "BINARY_PATH", str(path))


def test_public_link(share_host: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tunnel_program(monkeypatch, tmp_path, "echo start proxy success: http://abc.share.example; sleep 60")
    assert share.open_tunnel(7860) == "https://abc.share.example"
    process: Any = tunneling.CURRENT_TUNNELS[0].proc
    assert process.poll() is None
    share.close_tunnels()
    assert process.poll() is not None, "it ends with the page"


def test_tunnel_that_fails_gives_its_reason_in_one_line(
    share_host: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tunnel_program(monkeypatch, tmp_path, "echo connecting; echo login to server failed: certificate expired; sleep 60")
    with pytest.raises(RagError, match=r"login to server failed: certificate expired\)$") as caught:
        share.open_tunnel(7860)
    assert "\n" not in str(caught.value)
    share.close_tunnels()
    assert capfd.readouterr() == ("", "")


def test_tunnel_that_never_answers_is_not_waited_for(
    share_host: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(share, "TUNNEL_SECONDS", 0.2)
    monkeypatch.setattr(tunneling, "TUNNEL_TIMEOUT_SECONDS", 60)
    tunnel_program(monkeypatch, tmp_path, "exec sleep 60")
    with pytest.raises(RagError, match="not ready within"):
        share.open_tunnel(7860)


def test_unreachable_hosts_are_reported(share_host: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tunneling, "BINARY_PATH", str(tmp_path / "none"))
    monkeypatch.setattr(tunneling, "BINARY_URL", "http://127.0.0.1:1/frpc")
    with pytest.raises(RagError, match=r"127\.0\.0\.1 cannot be reached"):
        share.open_tunnel(7860)
    monkeypatch.setattr(networking, "GRADIO_API_SERVER", f"{share_host}/broken")
    with pytest.raises(RagError, match="answered 500"):
        share.open_tunnel(7860)
    monkeypatch.setattr(networking, "GRADIO_API_SERVER", "http://share.invalid/")
    with pytest.raises(RagError, match=r"share\.invalid cannot be reached"):
        share.open_tunnel(7860)


def test_silent_host_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "PROBE_SECONDS", 0.2)
    with listening() as silent:
        monkeypatch.setattr(networking, "GRADIO_API_SERVER", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        with pytest.raises(RagError, match="did not answer"):
            share.open_tunnel(7860)
