"""Programs as forks of a process that has imported the page, the store and `deploy`: processes without seconds of imports.

`command(code, *arguments)` is run by `subprocess` in place of `python -c code arguments`. It is a small process that passes its
files, folder and environment to the fork, signals too, and ends as the fork ends; if it is killed, so is the fork.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
IMPORTS = (
    "import tests.gradio_import, tests.fakes, rag.cli.logging_setup, rag.stores.faiss.store, rag.ui.server; "
    "import deploy.local.commands"
)
SERVER = f"import sys; {IMPORTS}; from tests.forks import serve; serve(sys.argv[1])"


def command(code: str, *arguments: str) -> list[str]:
    """The command; the process to fork from is started by the first call and ends with this process."""
    return [sys.executable, "-S", "-E", __file__, _server(), code, *arguments]


@functools.cache
def _server() -> str:
    folder = tempfile.mkdtemp(prefix="forks-")
    path = str(Path(folder) / "socket")
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, path], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin and process.stdout

    def end() -> None:
        process.communicate()  # it ends with its standard input
        Path(path).unlink(missing_ok=True)
        Path(folder).rmdir()

    atexit.register(end)
    assert process.stdout.readline() == b"ready\n"
    return path


def serve(path: str) -> None:
    """Fork for each connection, until standard input ends."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                with suppress(OSError):  # of a connection that nobody reads any more
                    _keep(connection)
                os._exit(0)
            connection.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    pass


def _keep(connection: socket.socket) -> None:
    """Start the program, report its process and then its status, and kill it if nobody waits for the status."""
    message, files, *_ = socket.recv_fds(connection, 2**20, 3)
    pid = os.fork()
    if pid == 0:
        connection.close()
        os._exit(_run(json.loads(message), files))
    connection.sendall(f"{pid}\n".encode())

    def watch() -> None:
        with suppress(ConnectionError):
            connection.recv(1)
        os.kill(pid, signal.SIGKILL)

    for file in (0, 1, 2, *files):
        os.close(file)
    threading.Thread(target=watch, daemon=True).start()
    _, status = os.waitpid(pid, 0)
    connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _run(asked: dict[str, Any], files: list[int]) -> int:
    """Run the code as `python -c` does; returns the exit code."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["-c", *asked["arguments"]]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    code = 0
    try:
        exec(asked["code"], {"__name__": "__main__"})
    except SystemExit as exc:
        if exc.code is not None and not isinstance(exc.code, int):
            print(exc.code, file=sys.stderr)
        code = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    return code


def _wait(path: str, code: str, arguments: list[str]) -> int:
    """The process that stands for the fork."""
    signals = (signal.SIGINT, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # until it is known where they go
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        asked = {"code": code, "arguments": arguments, "folder": str(Path.cwd()), "environment": dict(os.environ)}
        socket.send_fds(connection, [json.dumps(asked).encode()], [0, 1, 2])
        with connection.makefile() as answers:
            pid = int(answers.readline())
            for number in signals:
                signal.signal(number, lambda received, _frame: os.kill(pid, received))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
            status = int(answers.readline())
    if status < 0:
        for number in signals:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


if __name__ == "__main__":
    sys.exit(_wait(sys.argv[1], sys.argv[2], sys.argv[3:]))
