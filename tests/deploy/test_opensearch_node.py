"""The local OpenSearch node: found again, stopped, and errors when it cannot start."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from deploy.local import opensearch_node
from deploy.local.opensearch_node import __main__ as command
from deploy.local.opensearch_node import software
from deploy.local.opensearch_node.process import write_certificate
from deploy.policy import search_role
from rag.errors import StoreError
from tests.opensearch import Server

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(opensearch: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the running node, or of one started here if the tests use another server."""
    found = opensearch.folder or tmp_path_factory.getbasetemp() / "node"
    opensearch_node.start(found, owner=os.getpid())
    return found


def test_a_running_node_is_found_and_not_started_twice(folder: Path) -> None:
    found = opensearch_node.find(folder)
    assert found is not None and found == opensearch_node.start(folder)
    assert found.version == opensearch_node.VERSION


def test_another_process_finds_it(folder: Path) -> None:
    code = f"from pathlib import Path; from deploy.local.opensearch_node import find; print(find(Path({str(folder)!r})).pid)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    found = opensearch_node.find(folder)
    assert found is not None and run.stdout.split() == [str(found.pid)]


def test_its_passwords_are_its_owners_alone(folder: Path) -> None:
    assert stat.S_IMODE((folder / "node.json").stat().st_mode) == 0o600
    found = opensearch_node.find(folder)
    assert found is not None and found.password != found.admin_password
    assert found.password not in (folder / "node.log").read_text(encoding="utf-8", errors="replace")


def test_a_folder_without_a_node(tmp_path: Path) -> None:
    assert opensearch_node.find(tmp_path) is None
    assert not opensearch_node.stop(tmp_path / "none")


def test_a_process_that_took_over_the_id_is_not_taken_for_it(tmp_path: Path, folder: Path) -> None:
    text = (folder / "node.json").read_text(encoding="utf-8")
    found = opensearch_node.find(folder)
    assert found is not None
    (tmp_path / "node.json").write_text(text.replace(f'"pid": {found.pid}', f'"pid": {os.getpid()}'), encoding="utf-8")
    assert opensearch_node.find(tmp_path) is None
    assert not opensearch_node.stop(tmp_path), "and this process lives on"


def test_a_node_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "node").write_text("a file where its data should be", encoding="utf-8")
    with pytest.raises(StoreError, match=r"does not start: .*(Exists|Exception).*node\.log"):
        opensearch_node.start(tmp_path, owner=os.getpid())
    assert opensearch_node.find(tmp_path) is None


def test_a_node_that_is_just_ending_is_not_taken_for_a_running_one(tmp_path: Path, folder: Path) -> None:
    found = opensearch_node.find(folder)
    assert found is not None
    ending = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)", str(tmp_path)])
    description = asdict(replace(found, url="https://127.0.0.1:9", pid=ending.pid))
    (tmp_path / "node.json").write_text(json.dumps(description), encoding="utf-8")
    (tmp_path / "node").write_text("a file where its data should be", encoding="utf-8")
    assert opensearch_node.find(tmp_path) is not None
    with pytest.raises(StoreError, match="does not start"):
        opensearch_node.start(tmp_path, owner=os.getpid())
    assert ending.wait() == 0, "it was waited for"


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(StoreError, match=r"'java'.*install\.sh"):
        software.program("java")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(StoreError, match="'mvn'"):
        software.fetch()
    assert not software.cache().joinpath(software.VERSION).exists()


def test_a_failed_download_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "bin" / "mvn"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho '[ERROR] no network'\nexit 1\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(StoreError, match=r"failed to download.*no network"):
        software.fetch()
    assert list(software.cache().iterdir()) == [], "nothing half is left"


def test_a_certificate_is_for_this_machine(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", str(tmp_path / "node.pem")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "127.0.0.1" in shown.stdout and "localhost" in shown.stdout


def test_the_command_prints_the_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "FOLDER", folder)
    assert command.main(["env"]) == 0
    found = opensearch_node.find(folder)
    assert found is not None
    assert f"export FSI_OPENSEARCH__URL={found.url}\n" in capsys.readouterr().out
    monkeypatch.setattr(command, "FOLDER", folder / "none")
    assert command.main(["env"]) == 1
    assert "make opensearch" in capsys.readouterr().err
    assert command.main(["stop"]) == 0


def test_its_user_has_the_ingesters_role() -> None:
    """The local node's user has the same role as on AWS."""
    roles = Path(opensearch_node.__file__).with_name("security") / "roles.yml"
    role = yaml.safe_load(roles.read_text(encoding="utf-8"))["faq"]
    assert role == {
        "reserved": False,
        **{name: value for name, value in search_role("ingest-role").items() if name != "description"},
    }
