"""A program that kills writers of a FAISS store with SIGKILL at every step, and prints what remains.

    python -m tests.contract.killed_writer FOLDER OPERATION

A step is the start of an SQL statement or a change to a file. Each writer is a fork of this process, so that the imports
are paid once. Prints a JSON list, one entry per kill point: "old", "new", or what was found instead.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.stores.base import Manifest
from rag.stores.faiss.database import Connection, Database
from rag.stores.faiss.store import FaissStore
from tests.contract.reference import DIMENSION, passage

MANIFEST = Manifest(dimension=DIMENSION, fingerprint="old")
OLD = [passage(f"n{i}", f"옛 글 {i}", (1, i, 0, 0), f"doc-{i % 2}") for i in range(5)]
NEW = [passage(f"n{i}", f"새 글 {i}", (1, 0, i, 0), f"doc-{i % 2}") for i in range(2, 8)]


def operations(folder: Path) -> dict[str, Callable[[], object]]:
    live = folder / "live"
    return {
        "add": lambda: FaissStore.open(live).add(NEW),
        "delete": lambda: FaissStore.open(live).delete("doc-1"),
        "delete_nodes": lambda: FaissStore.open(live).delete_nodes(["n1", "n2", "n4"]),
        "clear": lambda: FaissStore.open(live).clear(),
        "replace_manifest": lambda: FaissStore.open(live).replace_manifest(MANIFEST.with_calibration({"a": 1})),
        "replace": lambda: FaissStore.create(live, MANIFEST, replace=True),
        "swap_in": lambda: FaissStore.swap_in(folder / "built", live),
        "rollback": lambda: FaissStore.rollback(live),
    }


def prepare(folder: Path) -> None:
    """A live index that has another one before it, and a built one to swap in."""
    for name, nodes in (("live", NEW[:1]), ("rebuilt", OLD), ("built", NEW)):
        store = FaissStore.create(folder / name, MANIFEST)
        store.add(nodes)
        store.close()
    FaissStore.swap_in(folder / "rebuilt", folder / "live")


def state(live: Path) -> Any:
    """All content of an index. Raises if it is damaged or cannot be written any more."""
    store = FaissStore.open(live)
    seen = [(node.node_id, node.get_content(), node.ref_doc_id) for node in store.get_nodes()]
    found = store.candidates(query_embedding=[1, 1, 1, 1], query_str="글", size=50)
    assert sorted(found.dense) == [node_id for node_id, _, _ in seen], "vectors and rows differ"
    assert sorted(found.lexical["tokens"]) == [node_id for node_id, _, _ in seen], "tokens and rows differ"
    manifest = store.manifest.as_json()
    store.add([passage("after")])
    store.delete_nodes(["after"])
    store.close()
    (name, *_) = (live / "CURRENT").read_text().split()
    assert sqlite3.connect(live / f"{name}.sqlite").execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return seen, manifest


def die_at(step: int) -> None:
    """From now on, kill this process at its `step`-th step."""
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 1
        if taken == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def connect(database: Database, *, create: bool) -> Connection:
        connection = plain(database, create=create)
        connection.set_trace_callback(lambda _: count())
        return connection

    plain = Database._connect
    Database._connect = connect  # type: ignore[method-assign, assignment]
    sys.addaudithook(lambda event, _: count() if event in {"os.rename", "os.link", "os.remove", "os.mkdir"} else None)


def run(work: Path, operation: str, step: int) -> bool:
    """Whether the operation ended before its `step`-th step."""
    child = os.fork()
    if child == 0:
        die_at(step)
        operations(work)[operation]()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"{operation} failed at step {step}")
    return os.WIFEXITED(status)


def main(folder: Path, operation: str) -> list[Any]:
    prepare(folder / "first")
    shutil.copytree(folder / "first", folder / "whole")
    operations(folder / "whole")[operation]()
    names = {json.dumps(state(folder / name / "live")): label for name, label in (("first", "old"), ("whole", "new"))}
    assert len(names) == 2, "the operation changes nothing that can be seen"
    shutil.rmtree(folder / "first")
    prepare(folder / "first")
    outcomes = []
    for step in range(1, 500):
        work = folder / f"step-{step}"
        shutil.copytree(folder / "first", work)
        ended = run(work, operation, step)
        try:
            seen = json.dumps(state(work / "live"))
            outcomes.append(names.get(seen, seen))
        except (RagError, AssertionError, sqlite3.Error) as exc:
            outcomes.append(repr(exc))
        shutil.rmtree(work)
        if ended:
            break
    return outcomes


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2]), ensure_ascii=False))
