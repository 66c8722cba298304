"""Models behind an HTTP proxy: calls are cancelled as without one."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from llama_index.core.base.llms.types import ChatMessage

from deploy.local.opensearch_node.process import write_certificate
from rag.errors import ModelInterrupted
from rag.models.openai_like import OpenAiLikeLLM


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that does this with each connection, in a thread."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError), source, target:
        while part := source.recv(65536):
            target.sendall(part)


def test_a_call_through_a_proxy_is_cancelled_from_another_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "node.pem", tmp_path / "node.key")
    asked, over = threading.Event(), threading.Event()

    def silent(connection: socket.socket) -> None:
        with tls.wrap_socket(connection, server_side=True) as secure:
            secure.recv(65536)
            asked.set()
            over.wait(60)

    with listening(silent) as port:

        def tunnel(connection: socket.socket) -> None:
            assert connection.recv(65536).startswith(b"CONNECT ")
            behind = socket.create_connection(("127.0.0.1", port))
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=pass_on, args=(behind, connection), daemon=True).start()
            pass_on(connection, behind)

        with listening(tunnel) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy}")
            monkeypatch.setenv("NO_PROXY", "")
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "node.pem"))
            llm = OpenAiLikeLLM("m", f"https://127.0.0.1:{port}/v1", stall=50.0, deadline=50.0)
            stream = llm.open_stream([ChatMessage(content="안녕")])

            def cancel() -> None:
                asked.wait(40)
                time.sleep(0.2)
                stream.cancel()

            threading.Thread(target=cancel, daemon=True).start()
            with pytest.raises(ModelInterrupted, match="cancelled"):
                next(stream)
            over.set()
            llm.close()
