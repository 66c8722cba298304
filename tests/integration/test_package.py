"""Installing the package: its wheel in an empty environment, each extra, and the README's programs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from uv import find_uv_bin

import rag
from deploy.local.commands import variables
from deploy.local.server import running
from deploy.local.spec import EndpointSpec

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {
    "documents": "import dochan, hwp2md, openpyxl, pdfplumber, pypdfium2",
    "opensearch": "from rag import OpenSearchStore",
    "sagemaker": "from rag import SageMakerEmbedding, SageMakerLLM",
    "openai": "from rag.models.openai_like import OpenAiLikeEmbedding, OpenAiLikeLLM",
    "bedrock": "from rag.models.bedrock import BedrockLLM",
    "page": "import rag.ui.page",
}
"""Each extra, and what it makes importable."""
CLIENTS = ("boto3", "botocore", "gradio", "openai", "opensearchpy")
ENDPOINTS = [
    EndpointSpec(name="faq-embedding", task="embed", format="tei", model="hashed"),
    EndpointSpec(name="faq-llm", task="generate", format="lmi"),
]


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and an empty folder to run in."""

    environment: Path
    wheel: Path
    folder: Path
    indexes: Path

    def add(self, extra: str) -> None:
        """Install the wheel with that extra, from the registry that pip is set up for."""
        uv("pip", "install", "--quiet", "--python", str(self.environment), f"{self.wheel}[{extra}]")

    def python(self, program: str, **more: str) -> str:
        """What the program prints; the bundled index is the tests' own, for building it takes a minute."""
        return self._call("-c", program, **more)

    def faq(self, *arguments: str) -> str:
        return self._run([str(self.environment / "bin" / "faq"), *arguments])

    def refused(self, *arguments: str, **more: str) -> str:
        """The single line of an error message."""
        return self._run([str(self.environment / "bin" / "faq"), *arguments], 1, **more)

    def _call(self, *arguments: str, **more: str) -> str:
        return self._run([str(self.environment / "bin" / "python"), *arguments], 0, **more)

    def _run(self, command: list[str], code: int = 0, **more: str) -> str:
        # With PYTHONDONTWRITEBYTECODE each program would compile all packages again.
        other = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
        variables = {name: value for name, value in os.environ.items() if name not in other}
        variables |= {"FSI_STORE__DIRECTORY": str(self.indexes), **more}
        ran = subprocess.run(
            command, cwd=self.folder, env=variables, capture_output=True, text=True, check=False, timeout=600
        )
        assert ran.returncode == code, f"{command}\n{ran.stdout}\n{ran.stderr}"
        return ran.stderr if code else ran.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, bundled_root: Path) -> Installed:
    base = tmp_path_factory.mktemp("package")
    uv("build", "--quiet", "--wheel", "--out-dir", str(base), str(ROOT))
    (wheel,) = base.glob("*.whl")
    (base / "empty").mkdir()
    uv("venv", "--quiet", "--python", sys.executable, str(base / "venv"))
    uv("pip", "install", "--quiet", "--python", str(base / "venv"), str(wheel))
    return Installed(base / "venv", wheel, base / "empty", bundled_root)


def uv(*arguments: str) -> None:
    """Run uv, which takes seconds instead of pip's minutes because it links unpacked packages."""
    ran = subprocess.run([find_uv_bin(), *arguments], capture_output=True, text=True, check=False, timeout=600)
    assert ran.returncode == 0, ran.stderr


def readme_program(mark: str) -> str:
    blocks = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return next(str(block) for block in blocks if mark in block)


def test_the_wheel_alone_answers(installed: Installed) -> None:
    """From the bundled FAQ, with the command and the README's program, without clients of AWS or OpenSearch."""
    assert "OTP" in installed.faq("ask", "OTP 등록 어떻게 해요?")
    assert "OTP" in installed.python(readme_program("query_engine()"))
    assert "[opensearch]" in installed.refused(
        "ask",
        "이체한도",
        FSI_STORE__BACKEND="opensearch",
        FSI_OPENSEARCH__URL="http://127.0.0.1:9",
        FSI_OPENSEARCH__AUTH="none",
    )
    missing = installed.python(f"import importlib.util as u; print([n for n in {CLIENTS} if u.find_spec(n)])")
    assert missing.strip() == "[]"


def test_each_extra_installs_its_packages(installed: Installed) -> None:
    assert set(EXTRAS) == set(PROJECT["optional-dependencies"])
    for extra, statement in EXTRAS.items():
        installed.add(extra)
        installed.python(statement)
    with running(ENDPOINTS) as emulator:
        printed = installed.python(readme_program("VectorStoreIndex.from_documents("), **variables(emulator.url, {}))
    assert "1500-0101" in printed


def test_the_exported_names() -> None:
    assert rag.__all__ == sorted(rag.__all__, key=lambda name: (not name[0].isupper(), name)) == list(rag._MODULES)
    for name in rag.__all__:
        assert getattr(rag, name).__module__ == rag._MODULES[name]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        rag.no_such_name  # noqa: B018


def test_ranges_of_the_package_hold_the_versions_that_are_tested() -> None:
    """requirements.txt pins; the package takes ranges around the same versions."""
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([^;\s]+)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE))
    pinned |= dict(
        re.findall(r"^([a-z0-9-]+)==([^;\s]+)", (ROOT / "requirements-models.txt").read_text("utf-8"), re.MULTILINE)
    )
    extras = PROJECT["optional-dependencies"].values()
    named = [Requirement(text) for text in (*PROJECT["dependencies"], *(text for extra in extras for text in extra))]
    assert len(named) > 10
    for requirement in named:
        assert requirement.specifier.contains(pinned[requirement.name]), f"{requirement} excludes the tested version"
