"""Starts, finds and stops an OpenSearch node. POSIX only.

The node's directory contains `node.json` (URL and passwords, readable by its owner only), `node.log`, and the data, which
survive a stop. Certificate and passwords are generated once per directory.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from deploy.local.opensearch_node.software import VERSION, class_path, fetch, program
from deploy.local.polling import poll
from rag.errors import StoreError

HOST: Final = "127.0.0.1"
USER: Final = "faq"
START_SECONDS: Final = 180.0
STOP_SECONDS: Final = 20.0
MEMORY: Final = "768m"
_HERE: Final = Path(__file__).parent
_children: Final[dict[int, subprocess.Popen[bytes]]] = {}
"""Nodes started by this process, which must be reaped when they end."""
_NODE, _LOG, _CONF = "node.json", "node.log", "conf"


@dataclass(frozen=True, slots=True)
class Node:
    """A running node. `user` has the chatbot's role (security/roles.yml), the user `admin` has all permissions."""

    url: str
    user: str
    password: str
    ca_certs: str
    pid: int
    admin_password: str
    version: str

    @property
    def settings(self) -> dict[str, str]:
        """The chatbot's settings for this node, without the password."""
        return {
            "FSI_STORE__BACKEND": "opensearch",
            "FSI_OPENSEARCH__URL": self.url,
            "FSI_OPENSEARCH__AUTH": "basic",
            "FSI_OPENSEARCH__USER": self.user,
            "FSI_OPENSEARCH__CA_CERTS": self.ca_certs,
        }


def start(directory: Path, *, port: int = 0, version: str = VERSION, owner: int | None = None) -> Node:
    """Start the node of this directory unless it is running, and wait until it answers. `port`: 0 for a free one.

    The node outlives this process; with `owner` it ends with the process of that ID. Raises StoreError with the last error in
    its log.
    """
    if existing := find(directory):
        if _wait_until_ready(directory, existing):
            return existing
        _end(existing.pid, directory)  # it may be a process that is just being killed
    software = fetch(version)
    directory.mkdir(parents=True, exist_ok=True)
    node = _new_node(directory, port or _free_port(), version)
    _prepare(directory, software)
    node = replace(node, pid=_spawn(directory, software, node, owner))
    _write_private(directory / _NODE, json.dumps(asdict(node), indent=1))
    if not _wait_until_ready(directory, node):
        _end(node.pid, directory)
        raise StoreError(f"the OpenSearch node does not start: {_last_error(directory)}; its log is {directory / _LOG}")
    return node


def find(directory: Path) -> Node | None:
    """The node of this directory if its process is running, else None."""
    node = _read(directory)
    return node if node is not None and _alive(node.pid, directory) else None


def stop(directory: Path, *, remove: bool = True) -> bool:
    """Stop the node, and delete its directory if `remove`; returns whether one was running."""
    node = find(directory)
    if node is not None:
        _end(node.pid, directory)
    if remove:
        shutil.rmtree(directory, ignore_errors=True)
    return node is not None


def _new_node(directory: Path, port: int, version: str) -> Node:
    """The node before its start, with the directory's passwords if it has some."""
    url, authority = f"https://{HOST}:{port}", str((directory / _CONF / "node.pem").resolve())
    before = _read(directory)
    if before is not None:
        return replace(before, url=url, ca_certs=authority, version=version)
    return Node(url, USER, _password(), authority, 0, _password(), version)


def _prepare(directory: Path, software: Path) -> None:
    """Write the certificate and the security files, unless they exist."""
    conf = directory / _CONF
    if conf.exists():
        return
    security = conf / "security"
    shutil.copytree(software / "security" / "config", security, ignore=shutil.ignore_patterns("*.example"))
    shutil.copytree(_HERE / "security", security, dirs_exist_ok=True)
    write_certificate(conf)


def write_certificate(folder: Path) -> None:
    """Write node.key and node.pem, a self-signed certificate for localhost. Raises StoreError if openssl fails."""
    command = [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650"]
    command += ["-subj", "/CN=localhost", "-addext", f"subjectAltName=IP:{HOST},DNS:localhost"]
    command += ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
    command += ["-keyout", str(folder / "node.key"), "-out", str(folder / "node.pem")]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise StoreError(f"openssl failed to create a certificate: {done.stderr.strip()[-300:]}")


def _spawn(directory: Path, software: Path, node: Node, owner: int | None) -> int:
    command = [program("java"), "-Xms256m", f"-Xmx{MEMORY}", "-cp", class_path(software)]
    command += ["--add-opens=java.base/java.security=ALL-UNNAMED", "-Djava.awt.headless=true"]
    command += [str(_HERE / "Launcher.java"), str(directory.resolve()), node.url.rpartition(":")[2]]
    passwords = {"ADMIN_PASSWORD": node.admin_password, "USER_PASSWORD": node.password}
    with (directory / _LOG).open("wb") as log:
        child = subprocess.Popen(  # noqa: S603
            command,
            cwd=directory,
            env=os.environ | passwords | ({"OWNER_PID": str(owner)} if owner else {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _children[child.pid] = child
    return child.pid


def _wait_until_ready(directory: Path, node: Node) -> bool:
    """Wait until the user can log in, some seconds after the port opens; False after START_SECONDS or if the process ended."""
    poll(lambda: _answers(node) or not _alive(node.pid, directory), START_SECONDS, pause=0.2)
    return _alive(node.pid, directory) and _answers(node)


def _answers(node: Node) -> bool:
    token = base64.b64encode(f"{node.user}:{node.password}".encode()).decode()
    request = urllib.request.Request(node.url, headers={"Authorization": f"Basic {token}"})  # noqa: S310 - always https
    try:
        context = ssl.create_default_context(cafile=node.ca_certs)
        with urllib.request.urlopen(request, timeout=5, context=context) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def _last_error(directory: Path) -> str:
    lines = (directory / _LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line.strip() for line in lines if "Exception" in line or "Error" in line]
    return (errors or lines or ["its log is empty"])[-1][:300]


def _alive(pid: int, directory: Path) -> bool:
    """Whether this process is running and is the node of this directory, as process IDs are reused."""
    if child := _children.get(pid):
        return child.poll() is None
    shown = subprocess.run(["ps", "-o", "stat=,args=", "-ww", "-p", str(pid)], capture_output=True, text=True)  # noqa: S603, S607
    return str(directory.resolve()) in shown.stdout and not shown.stdout.lstrip().startswith("Z")  # Z: ended


def _end(pid: int, directory: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not _alive(pid, directory):
            return
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        poll(lambda: not _alive(pid, directory), STOP_SECONDS, pause=0.1)


def _read(directory: Path) -> Node | None:
    try:
        return Node(**json.loads((directory / _NODE).read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _password() -> str:
    return f"Aa1-{secrets.token_urlsafe(18)}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
