"""Generates docs/modules.md from the modules' docstrings: `python -m tests.module_list`."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "modules.md"
PACKAGES = ("rag", "deploy")


def page() -> str:
    """The page: one heading per package, one line per module with its name and the first line of its docstring."""
    lines = ["# Modules", "", "Made by `python -m tests.module_list` from the modules' docstrings; imports point down."]
    folders = [folder for name in PACKAGES for folder in [ROOT / name, *sorted((ROOT / name).rglob("*/"))]]
    for folder in folders:
        modules = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
        if modules:
            lines += ["", f"## {folder.relative_to(ROOT).as_posix()}/", ""]
            lines += [f"- `{path.name}`: {first_sentence(path)}" for path in modules]
    return "\n".join(lines) + "\n"


def first_sentence(path: Path) -> str:
    """The first line of a module's docstring. Raises AssertionError without a docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert text, f"{path} has no docstring"
    return text.splitlines()[0]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
