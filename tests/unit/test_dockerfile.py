"""The Dockerfile against the project's files; it was never built."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from rag.settings import list_settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINES = re.sub(r"\\\n\s*", " ", TEXT).splitlines()


def of(instruction: str) -> list[str]:
    return [line.partition(" ")[2] for line in LINES if line.startswith(instruction + " ")]


def test_it_does_not_run_as_root() -> None:
    assert of("USER") == ["10001"]
    assert LINES.index("USER 10001") < next(place for place, line in enumerate(LINES) if line.startswith("CMD"))


def test_its_base_is_one_version() -> None:
    """A new release of Python or Debian needs a change of this line."""
    assert all(re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+-slim-[a-z]+", base) for base in of("FROM"))
    assert of("FROM")


def test_it_copies_what_exists_and_what_the_context_lets_through() -> None:
    copied = [source for line in of("COPY") for source in line.split()[:-1]]
    let_through = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"
    }
    assert set(copied) == let_through
    assert all((ROOT / source).exists() for source in copied)


def test_what_the_page_reads_is_copied() -> None:
    """Nothing under rag or app.py imports or opens a folder that is left out."""
    assert not re.search(r"\bdeploy\b.*import|import.*\bdeploy\b", (ROOT / "app.py").read_text(encoding="utf-8"))
    files = [path for path in (ROOT / "rag").rglob("*.py") if "from deploy" in path.read_text(encoding="utf-8")]
    assert files == []


def test_its_settings_exist() -> None:
    known = {name for name, _, _ in list_settings()}
    assert set(re.findall(r"FSI_[A-Z]+__[A-Z_]+", TEXT)) <= known


def test_its_health_check_tells_a_page_that_answers_from_one_that_does_not() -> None:
    program = json.loads(of("HEALTHCHECK")[0].partition("CMD ")[2])
    assert program[:2] == ["python", "-c"]
    server = (
        "import http.server, sys, threading, subprocess, os\n"
        "class Page(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(int(sys.argv[2]) if self.path == '/healthz' else 404); self.end_headers()\n"
        "    def log_message(self, *_): pass\n"
        "found = http.server.HTTPServer(('127.0.0.1', 0), Page)\n"
        "threading.Thread(target=found.serve_forever, daemon=True).start()\n"
        "environment = {**os.environ, 'FSI_UI__PORT': str(found.server_port)}\n"
        "sys.exit(subprocess.run([sys.executable, '-c', sys.argv[1]], env=environment, stderr=-3).returncode)"
    )

    def checked(status: str) -> int:
        return subprocess.run([sys.executable, "-c", server, program[2], status], timeout=240, check=False).returncode

    assert checked("200") == 0
    assert checked("503") == 1
