"""Downloads the files of an OpenSearch node with Maven into the user's cache.

Mirrors and proxies are configured in Maven's ~/.m2/settings.xml; `MAVEN_OPTS` is passed on.
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
    """The cache folder, which contains a folder for each version."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "korean-financial-faq-chatbot" / "opensearch"


def program(name: str) -> str:
    """The path of a required program, such as `java`. Raises StoreError with how to install it."""
    home = os.environ.get("JAVA_HOME")
    path = shutil.which(name, path=f"{home}/bin" if home and name == "java" else None) or shutil.which(name)
    if path is None:
        raise StoreError(f"a local OpenSearch node needs {name!r}, which is not on the PATH; {_INSTALL}")
    return path


def fetch(version: str = VERSION) -> Path:
    """Download a version (about 100 MB) unless it is in the cache. Raises StoreError.

    Returns the folder, which contains `lib`, `knn` and `security`.
    """
    folder = cache() / version
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
            _download(Path(draft), version)
            try:
                Path(draft).rename(folder)  # atomic, so that the folder is always complete
            except OSError:
                if not folder.exists():  # if it exists, another process was faster
                    raise
            else:
                Path(draft).mkdir()  # TemporaryDirectory deletes it
    return folder


def class_path(folder: Path) -> str:
    """The Java class path of the node and its plugins."""
    return os.pathsep.join(str(folder / part / "*") for part in ("lib", "knn", "security"))


def _download(folder: Path, version: str) -> None:
    command = [program("mvn"), "-B", "-q", "-f", str(_HERE / "pom.xml"), f"-Dline={version}.0"]
    command += [_COPY, f"-DoutputDirectory={folder / 'lib'}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired as exc:
        raise StoreError(
            f"Maven timed out downloading OpenSearch after {_FETCH_SECONDS:.0f} s; check the network, or set a mirror in "
            "~/.m2/settings.xml"
        ) from exc
    if done.returncode:
        output = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
        raise StoreError(f"Maven failed to download OpenSearch {version}: {output[0]}")
    for plugin in ("knn", "security"):
        archive = folder / "lib" / f"opensearch-{plugin}-{version}.0.zip"
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder / plugin)
        archive.unlink()
