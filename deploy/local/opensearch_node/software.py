"""What a node is made of: fetched with Maven once, kept in the user's cache.

Maven's own settings say where from (a mirror or a proxy belongs in ~/.m2/settings.xml) and `MAVEN_OPTS` reaches it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from rag.errors import StoreError

VERSION: Final = "2.19.1"
_HERE: Final = Path(__file__).parent
_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_INSTALL: Final = f"install it, or run {Path(*_HERE.parts[-3:]) / 'install.sh'}"
_FETCH_SECONDS: Final = 1800.0


def cache() -> Path:
    """The folder of all versions' files."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "korean-financial-faq-chatbot" / "opensearch"


def program(name: str) -> str:
    """The path of `java` or `mvn`. Raises StoreError saying how to get it."""
    home = os.environ.get("JAVA_HOME")
    path = shutil.which(name, path=f"{home}/bin" if home and name == "java" else None) or shutil.which(name)
    if path is None:
        raise StoreError(f"a local OpenSearch node needs {name!r}, which is not on the PATH: {_INSTALL}")
    return path


def fetched(version: str = VERSION) -> Path:
    """The folder with `lib`, `knn` and `security`, fetched (about 100 MB) where it is not there yet. Raises StoreError."""
    folder = cache() / version
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
            _fetch(Path(draft), version)
            try:
                Path(draft).rename(folder)  # whole or not at all
            except OSError:
                if not folder.exists():  # else another process was faster
                    raise
            else:
                Path(draft).mkdir()  # for its own removal
    return folder


def class_path(folder: Path) -> str:
    """Java's class path of the node and its plugins."""
    return os.pathsep.join(str(folder / part / "*") for part in ("lib", "knn", "security"))


def _fetch(folder: Path, version: str) -> None:
    command = [program("mvn"), "-B", "-q", "-f", str(_HERE / "pom.xml"), f"-Dline={version}.0"]
    command += [_COPY, f"-DoutputDirectory={folder / 'lib'}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired as exc:
        raise StoreError("Maven does not get OpenSearch's files: is the network slow, or a mirror missing?") from exc
    if done.returncode:
        output = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
        raise StoreError(f"Maven cannot fetch OpenSearch {version}: {output[0]}")
    for plugin in ("knn", "security"):
        archive = folder / "lib" / f"opensearch-{plugin}-{version}.0.zip"
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder / plugin)
        archive.unlink()
