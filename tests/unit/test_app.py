"""app.py: options and imports."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import app

ROOT = Path(__file__).parents[2]


def test_it_knows_the_page_alone() -> None:
    imported = set()
    for node in ast.walk(ast.parse((ROOT / "app.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))
    ours = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert ours == {"rag.cli.logging_setup", "rag.errors", "rag.settings", "rag.ui.server"}


def test_options_stand_in_for_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FSI_UI__PORT", "7000")
    monkeypatch.setenv("FSI_UI__HOST", "0.0.0.0")
    served = []
    monkeypatch.setattr("rag.ui.server.serve", lambda settings, public, echo: served.append((settings.ui, public)))
    assert app.main(["--port", "7001", "--language", "en", "--root-path", "/a", "--auth-file", "users", "--share"]) == 0
    assert app.main([]) == 0
    (changed, public), (unchanged, private) = served
    assert (changed.host, changed.port, changed.language, changed.root_path) == ("0.0.0.0", 7001, "en", "/a")
    assert changed.auth_file == Path("users")
    assert (unchanged.port, unchanged.language) == (7000, "ko")
    assert (public, private) == (True, False)


@pytest.mark.parametrize(
    "arguments", [["--port", "0"], ["--port", "65536"], ["--port", "-1"], ["--language", "jp"], ["x"]]
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app.main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
