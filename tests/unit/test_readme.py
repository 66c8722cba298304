"""The READMEs and CONTRIBUTING name existing files, make targets, commands, settings and links."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
from deploy.__main__ import _parser as deploying
from rag.cli.main import _parser
from rag.settings import list_settings
from tests import module_list

ROOT = Path(__file__).parents[2]
README, KOREAN, CONTRIBUTING = "README.md", "README.ko.md", "CONTRIBUTING.md"
PAGES = (README, KOREAN, CONTRIBUTING)
TREE_LINE = re.compile(r"( *)(\S+) {2,}\S.*")


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[str]:
    return re.findall(r"^```[^\n]*\n(.*?)^```", text(page), re.MULTILINE | re.DOTALL)


def code(page: str) -> list[str]:
    """Every line of a code block and every code span."""
    outside = re.sub(r"^```.*?^```", "", text(page), flags=re.MULTILINE | re.DOTALL)
    return [*re.findall(r"`([^`\n]+)`", outside), *(line for block in blocks(page) for line in block.splitlines())]


def calls(page: str, program: str) -> list[list[str]]:
    """The arguments of each call of `program` in the page's code, without what follows in comments or after `&&`."""
    found = [line.split(f"{program} ", 1)[1] for line in code(page) if f"{program} " in line]
    return [shlex.split(line.split("&&")[0], comments=True) for line in found]


def parses(parser: argparse.ArgumentParser, arguments: list[str]) -> bool:
    try:
        parser.parse_args(arguments)
    except SystemExit as end:
        return end.code == 0
    return True


def targets(page: str) -> set[str]:
    return {match[1] for line in code(page) if (match := re.search(r"(?:^| )make ([a-z]+)\b", line))}


def tree() -> Iterator[Path]:
    """The paths of the annotated tree; two spaces a level, every line with its word of explanation."""
    block = next(block for block in blocks(README) if "\nrag/ " in block)
    folders: list[Path] = []
    for line in block.splitlines():
        match = TREE_LINE.fullmatch(line)
        assert match, f"not a line of the tree: {line!r}"
        depth = len(match[1]) // 2
        assert depth <= len(folders), f"{line!r} lies in no folder"
        path = folders[depth - 1] / match[2] if depth else ROOT / match[2]
        assert path.is_dir() == match[2].endswith("/"), f"{match[2]} is missing, or not what the tree shows"
        assert path.exists(), f"{path} does not exist"
        folders = [*folders[:depth], path] if path.is_dir() else folders[:depth]
        yield path


def test_tree_names_what_exists_once() -> None:
    paths = list(tree())
    assert len(paths) == len(set(paths))


def test_tree_names_every_package() -> None:
    packages = {path.parent for path in [*ROOT.glob("*/__init__.py"), *(ROOT / "rag").glob("*/__init__.py")]}
    assert len(packages) > 10
    assert packages - set(tree()) == set()


def test_list_of_modules_is_current() -> None:
    assert module_list.PAGE.read_text(encoding="utf-8") == module_list.page(), "run python -m tests.module_list"


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_exist(page: str) -> None:
    existing = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    assert {"test"} <= targets(page) <= existing


def test_readme_names_every_documented_target() -> None:
    assert set(re.findall(r"^([a-z]+):.*## ", text("Makefile"), re.MULTILINE)) == targets(README)


def test_korean_readme_names_the_same_targets() -> None:
    assert targets(KOREAN) == targets(README)


@pytest.mark.parametrize("page", PAGES)
def test_commands_parse(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = calls(page, "python -m rag")
    assert found
    for arguments in found:
        assert parses(_parser(), arguments), f"python -m rag {shlex.join(arguments)}: {capsys.readouterr().err}"


@pytest.mark.parametrize("page", [README, KOREAN, "docs/aws.md"])
def test_deploy_commands_parse(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = [given.split() for line in code(page) for given in re.findall(r"python -m deploy ([a-z][^\"')#&`]*)", line)]
    assert {"plan", "up", "env"} <= {arguments[0] for arguments in found}
    for arguments in found:
        assert parses(deploying(), arguments), f"python -m deploy {shlex.join(arguments)}: {capsys.readouterr().err}"


@pytest.mark.parametrize("page", [README, KOREAN])
def test_options_of_the_page_parse(page: str) -> None:
    given = [shlex.split(options) for line in code(page) for options in re.findall(r'ARGS="([^"]*)"', line)]
    assert given
    for options in [*given, *calls(page, "python app.py")]:
        assert parses(app._parser(), options), options


def test_readme_shows_every_command() -> None:
    subcommands = next(action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    assert set(subcommands.choices) == {arguments[0] for arguments in calls(README, "python -m rag")}


@pytest.mark.parametrize("page", PAGES)
def test_settings_exist(page: str) -> None:
    assert set(re.findall(r"FSI_[A-Z]+__[A-Z_]+", text(page))) <= {name for name, _, _ in list_settings()}


@pytest.mark.parametrize(
    "page", [*PAGES, "CHANGELOG.md", *(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))]
)
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text(page))
    missing = [link for link in links if "://" not in link and not ((ROOT / page).parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("program", [("-m", "rag", "config"), ("app.py",), ("-m", "deploy", "plan")])
def test_outside_the_virtual_environment_one_line_says_so(program: tuple[str, ...]) -> None:
    ran = subprocess.run([sys.executable, "-S", *program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1 and ran.stderr.startswith("error: the package ")
    assert "source .venv/bin/activate" in ran.stderr and ran.stderr.count("\n") == 1
