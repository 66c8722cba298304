"""The commands of `python -m rag`: one function per command, of the same name."""

from __future__ import annotations

import getpass
import json
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from rag.cli.answer_records import feedback as feedback
from rag.cli.answer_records import gaps as gaps
from rag.cli.answer_records import record as record
from rag.cli.arguments import check_index_name, check_writable, read_pairs
from rag.cli.asking import ask as ask
from rag.cli.asking import search as search
from rag.cli.doctor import examine
from rag.cli.evaluation import evaluate as evaluate
from rag.cli.index_list import IndexSummary, list_indexes
from rag.cli.opening import open_store
from rag.cli.terminal import Bar, print_json
from rag.conversation.word_rules import match_decline_rule
from rag.errors import InputError, RagError
from rag.evaluation.calibration import judge_labels, propose
from rag.evaluation.datasets import check_labels, read_out_of_domain, read_queries
from rag.evaluation.gated_ingestion import ingest_gated
from rag.evaluation.gates import read_gates
from rag.factory.bundled_vectors import bundled_name
from rag.factory.chat import build_service
from rag.factory.models import load_models
from rag.factory.stores import ingest_files, open_catalog, open_index
from rag.ingestion.index_notes import note_on_deleted, note_on_unnamed, notes_on_declined
from rag.ingestion.messages import Note
from rag.ingestion.pipeline import IngestReport, count_institutions
from rag.retrieval.score_scales import from_own_rows
from rag.settings import Settings, list_settings
from rag.stores.base import PassageStore, Verifiable

_STEPS_KO = {"added": "추가", "updated": "변경", "deleted": "삭제"}
_MAX_LISTED = 20
"""Most passages that a dry run lists for each kind of change."""


def ingest(options: Namespace, settings: Settings) -> int:
    """Make an index hold exactly the rows of the files; returns the exit code.

    With `--gate` or FSI_STORE__GATES nothing is published if a gate of that file fails. Raises InputError without an index
    name, IndexRejected for a failed gate, and whatever reading the files raises.
    """
    name = options.index or settings.store.index
    if not name:
        raise InputError(
            "missing --index NAME (the bundled FAQ needs no ingestion)",
            korean="--index NAME을 적어 주세요. 함께 제공되는 FAQ의 인덱스는 저절로 만들어집니다.",
        )
    check_index_name(name)
    if options.report:
        check_writable(Path(options.report))  # before minutes of work, not after
    columns = read_pairs(options.columns.split(",") if options.columns else [], "--columns")
    gates_file = options.gate or settings.store.gates
    gates = read_gates(Path(gates_file)) if gates_file else None
    models, catalog = load_models(settings), open_catalog(settings)
    ingest_one = (
        partial(ingest_gated, settings, models, catalog, name, options.paths, gates)
        if gates
        else partial(ingest_files, catalog, name, models, options.paths)
    )
    korean = options.language == "ko"
    with closing(Bar(korean=korean)) as bar:
        report = ingest_one(columns=columns, dry_run=options.dry_run, processes=options.processes, progress=bar)
    _print_report(name, report, settings, korean=korean)
    if options.report:
        Path(options.report).write_text(json.dumps(report.files, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 1 if report.errors else 0


def _print_report(name: str, report: IngestReport, settings: Settings, *, korean: bool) -> None:
    for note in report.notes:
        _print_note(note, "note", korean=korean)
    for error in report.errors:
        print(f"오류: {error.in_korean}" if korean else f"error: {error}", file=sys.stderr)
    print(f"{name}: {report.korean if korean else report}")
    if report.dry_run:
        for step, ids in report.changes.ids.items():
            for node_id in ids[:_MAX_LISTED]:
                print(f"  {_STEPS_KO[step] if korean else step}: {node_id}")
            if len(ids) > _MAX_LISTED:
                left = len(ids) - _MAX_LISTED
                print(f"  {_STEPS_KO[step]}: … 외 {left}건" if korean else f"  {step}: … {left} more")
    warnings = (
        note_on_deleted(name, report.changes, dry_run=report.dry_run),
        note_on_unnamed(name, report.institutions, settings.chat.institution),
        *report.warnings,
    )
    for warning in filter(None, warnings):
        _print_note(warning, "warning", korean=korean)


def _print_note(note: Note, label: str, *, korean: bool) -> None:
    print(f"주의: {note.korean}" if korean else f"{label}: {note}", file=sys.stderr)


def calibrate(options: Namespace, settings: Settings) -> None:
    """Fit an index's thresholds and print them as JSON; `--apply` writes them to its manifest."""
    models = load_models(settings)
    store = open_store(options, settings, models)
    if bool(options.queries) != bool(options.out_of_domain):
        raise InputError(
            "expected both --queries and --out-of-domain, or neither to fit on the index's own rows; got one"
        )
    calibration = from_own_rows(store, models.embed_model)
    if options.queries:
        queries, others = read_queries(Path(options.queries)), read_out_of_domain(Path(options.out_of_domain))
        # The others are declined by a rule, whatever the thresholds.
        undecided = [item for item in others if match_decline_rule(item.query) is None]
        check_labels(store, {item.id: item.relevant for item in queries})
        # Ranked with newly computed score scales: the stored ones may be of deleted rows.
        chat = build_service(settings, models, store, calibration=calibration)
        proposal = propose(judge_labels(queries, undecided, chat.rank), calibration)
        calibration = proposal.calibration
        print(f"before: {proposal.before}", file=sys.stderr)
        print(f"after:  {proposal.after} (cross-validated)", file=sys.stderr)
        if not proposal.has_gain:
            print("no gain on these labels: the thresholds are unchanged, nothing is written", file=sys.stderr)
            print_json(_with_unheld_counted(calibration.as_json()))
            return
    print_json(_with_unheld_counted(calibration.as_json()))
    if options.apply:
        store.replace_manifest(store.manifest.with_calibration(calibration.as_json()))
        print("written to the index's manifest", file=sys.stderr)


def _with_unheld_counted(calibration: Mapping[str, Any]) -> dict[str, Any]:
    """A calibration as JSON with the number of its unheld words: a thousand words would hide the rest."""
    return {**calibration, "unheld": len(calibration["unheld"].split())}


def index(options: Namespace, settings: Settings) -> None:
    """List, show, verify, roll back or delete indexes."""
    if options.action == "list":
        _print_indexes(list_indexes(settings), as_json=options.json)
        return
    catalog = open_catalog(settings)
    if not options.name:
        raise InputError("missing NAME of the index; `index list` shows the names")
    check_index_name(options.name)
    if options.action == "show":
        store = catalog.open(options.name)
        manifest = store.manifest.as_json()
        if not options.json and (calibration := manifest.get("calibration")):
            manifest["calibration"] = _with_unheld_counted(calibration)
        print_json({"name": options.name, "nodes": store.count(), "manifest": manifest})
    elif options.action == "verify":
        _verify(catalog.open(options.name), options.name)
    elif options.action == "rollback":
        catalog.rollback(options.name)
        print(f"{options.name}: the previous version is live again")
    else:
        catalog.delete(options.name)
        print(f"{options.name}: deleted")


def _verify(store: PassageStore, name: str) -> None:
    """Check the passages against their checksums. Raises IndexDamaged, and InputError for an index of a server."""
    if not isinstance(store, Verifiable):
        raise InputError(f"index {name!r} is on a server, which verifies its own files; check the server's health")
    checked, unchecked = store.verify()
    print(f"{name}: {checked} passages match their checksums")
    if unchecked:
        print(
            f"{name}: {unchecked} passages of an earlier version have no checksum; ingest their files again to add one"
        )


def _print_indexes(indexes: Sequence[IndexSummary], *, as_json: bool) -> None:
    if as_json:
        print_json({"indexes": [each.as_json() for each in indexes]})
        return
    width = max((len(each.name) for each in indexes), default=0)
    for each in indexes:
        print(each.line(width))


def config(_options: Namespace, settings: Settings) -> None:
    """Print every setting with its value and description; secrets are masked."""
    for name, _default, description in list_settings():
        group, field = name.removeprefix("FSI_").lower().split("__", 1)
        value = getattr(getattr(settings, group), field)
        print(f"{name}={'' if value is None else value}    # {description}")


def doctor(_options: Namespace, settings: Settings) -> int:
    """Check the models, then the index, then one answer; returns 1 if a model fails, before any index is built."""
    findings = list(examine(settings))
    for finding in findings:
        print(finding)
    if not all(finding.ok for finding in findings):
        return 1
    models = load_models(settings)
    print(f"embedding: {'none, lexical search only' if models.embed_model is None else models.embed_model.model_name}")
    print(f"  dimension {models.manifest.dimension}, fingerprint {models.manifest.fingerprint}")
    name = settings.store.index or bundled_name(models.manifest)
    store = open_index(settings, models)
    print(f"index {name}: {store.count()} passages, matches the settings")
    nodes = store.get_nodes()
    place = f"index {name}"
    rows = {node.ref_doc_id or node.node_id: str(node.metadata.get("question") or "") for node in nodes}
    for note in notes_on_declined((place, row, question) for row, question in rows.items()):
        print(note)
    if unnamed := note_on_unnamed(place, count_institutions(nodes), settings.chat.institution):
        print(unnamed)
    if settings.store.index and not settings.chat.contact:
        print("FSI_CHAT__CONTACT is not set: a customer who is not answered is given no telephone number")
    answer = build_service(settings, models, store).ask(store_question(store))
    print(f"answering: {answer.status} in {answer.timings_ms['total']:.0f} ms")
    print("all checks passed")
    return 0


def store_question(store: PassageStore) -> str:
    """The question of the index's first row, which the index should answer. Raises RagError for an empty index."""
    nodes = store.get_nodes()
    if not nodes:
        raise RagError("the index is empty; ingest files with `python -m rag ingest PATH --index NAME`")
    return str(nodes[0].metadata.get("question", nodes[0].get_content()[:100]))


def user(options: Namespace, settings: Settings) -> None:
    """Add a login to the auth file. The password is asked for twice, or, without a terminal, the first line of standard input."""
    # Imported here: only this command needs it.
    from rag.ui.auth import add_user

    path = options.auth_file or settings.ui.auth_file
    if not path:
        raise InputError("missing --auth-file FILE; set it, or FSI_UI__AUTH_FILE")
    if sys.stdin.isatty():
        try:
            password, again = getpass.getpass("password: "), getpass.getpass("again: ")
        except EOFError:
            password = again = ""
    else:
        password = sys.stdin.readline().rstrip("\r\n")
        # Who answers both prompts in a script sends it twice.
        again = sys.stdin.readline().rstrip("\r\n") or password
    if not password:
        raise InputError("expected a password on standard input; got none, and nothing was written")
    if password != again:
        raise InputError("the two passwords differ; nothing was written")
    add_user(Path(path), options.name, password)
    print(f"{options.name}: login added")
