"""Opens a public link through Gradio's tunnel, with time limits and one-line errors.

Not with `launch(share=True)`, whose page loads a script from another host and whose messages blame antivirus software.
"""

from __future__ import annotations

import secrets
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from subprocess import Popen

import httpx
from gradio import networking, tunneling

from rag.errors import RagError
from rag.ui.auth import PasswordHash, hash_password

PROBE_SECONDS = 4.0
"""Time limit of the first request to each host."""
TUNNEL_SECONDS = 45.0
"""Time limit of opening the tunnel."""


def one_time_login() -> tuple[str, str, PasswordHash]:
    """A user name, a password of 96 random bits, and the password's hash."""
    user, password = f"guest-{secrets.token_hex(2)}", secrets.token_urlsafe(12)
    return user, password, PasswordHash.parse(hash_password(password))


def open_tunnel(port: int) -> str:
    """Open a tunnel to this machine's `port` and return its public https address. Raises RagError with the reason."""
    _probe(networking.GRADIO_API_SERVER)
    if not Path(tunneling.BINARY_PATH).exists():  # Gradio downloads the tunnel program on first use
        _probe(tunneling.BINARY_URL)
    address: Future[str] = Future()
    threading.Thread(target=_set_up, args=(port, address), name="tunnel", daemon=True).start()
    try:
        # Gradio returns an http address and replaces the scheme itself in `launch`.
        return address.result(timeout=TUNNEL_SECONDS).replace("http://", "https://", 1)
    except FutureTimeout as exc:
        close_tunnels()
        raise RagError(f"the tunnel was not ready within {TUNNEL_SECONDS:.0f} s") from exc


def close_tunnels() -> None:
    """End the tunnel programs. Their pipes are closed to end Gradio's threads that read from them."""
    for tunnel in tunneling.CURRENT_TUNNELS:
        process: Popen[bytes] | None = tunnel.proc
        tunnel.kill()  # type: ignore[no-untyped-call]
        if process and process.stdout and process.stderr:
            process.wait()
            process.stdout.close()
            process.stderr.close()


def _probe(url: str) -> None:
    host = httpx.URL(url).host
    try:
        with httpx.stream("GET", url, timeout=PROBE_SECONDS) as response:
            response.raise_for_status()
    except httpx.TimeoutException as exc:
        raise RagError(f"{host} did not answer within {PROBE_SECONDS:.0f} s") from exc
    except httpx.HTTPStatusError as exc:
        raise RagError(f"{host} answered {exc.response.status_code}") from exc
    except (httpx.HTTPError, OSError) as exc:
        raise RagError(f"{host} cannot be reached ({exc})") from exc


def _set_up(port: int, address: Future[str]) -> None:
    log: list[str] = []
    # Gradio prints the tunnel program's log when it fails; collected here, because the error shows its last line only.
    vars(tunneling)["print"] = lambda *parts, **_: log.append(" ".join(map(str, parts)))
    try:
        address.set_result(networking.setup_tunnel("127.0.0.1", port, secrets.token_urlsafe(32), None, None))
    except Exception as exc:  # noqa: BLE001 - after any error the page is served without the link
        lines = [line for text in (str(exc), *log) for line in text.splitlines() if line.strip()]
        address.set_exception(RagError(f"the tunnel could not be opened ({lines[-1].strip()})"))
