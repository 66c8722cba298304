"""The table of figures in the READMEs, generated from docs/quality.json.

`make eval` updates both. Figures that a run did not measure (the test half, the other store) are kept with their date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.evaluation import metrics
from rag.evaluation.records import Record
from rag.evaluation.runs import Run
from rag.settings import Settings

QUALITY, LOG = Path("docs") / "quality.json", Path("docs") / "evaluation-log.md"
READMES = (Path("README.md"), Path("README.ko.md"))
TEST_RUNS_HEADING = "## Measurements of `test`\n"
"""Heading of the log's section with a line for every run on the test half."""
TABLE_BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)
SUITES = ("bundled dev", "bundled test", "insurance", "card", "phrasings", "documents dev", "documents test")
HEADINGS = {"bundled dev": "dev", "bundled test": "test"}
RecordFilter = Callable[[Record], bool]


def _in(*sets: str, label: str = "", not_label: str = "") -> RecordFilter:
    """Select the records of these sets, optionally of one label, or of all labels but one."""
    return lambda record: (
        record.case.set in sets
        and label in ("", record.case.label)
        and (not not_label or record.case.label != not_label)
    )


def _is_answered(record: Record) -> bool:
    return record.result.status == "answered"


ROWS: Sequence[tuple[str, str, str, RecordFilter, RecordFilter]] = (
    ("first", "right row first (hit@1)", "맞는 행이 첫째 (hit@1)", _in("queries"), lambda r: r.rank == 1),
    ("three", "right row among the first three", "맞는 행이 셋 안에", _in("queries"), lambda r: 1 <= r.rank <= 3),
    ("answered", "questions answered outright", "바로 답한 질문의 비율", _in("queries"), _is_answered),
    (
        "precise",
        "… of all outright answers, right",
        "바로 답한 것 가운데 맞은 비율",
        lambda r: r.case.set in ("queries", "ood") and _is_answered(r),
        lambda r: r.outcome == "right",
    ),
    (
        "suggested",
        "suggestions that hold the right row",
        "제안에 맞는 행이 있는 비율",
        lambda r: r.case.set == "queries" and r.result.status == "suggested",
        lambda r: r.outcome == "offered",
    ),
    (
        "declined",
        "questions wrongly declined",
        "답이 있는데 답하지 않은 비율",
        _in("queries"),
        lambda r: r.outcome == "declined",
    ),
    (
        "near",
        "near-domain questions that no row answers: answered",
        "FAQ에 없는 금융 질문에 답한 비율",
        _in("ood", label="near_domain"),
        _is_answered,
    ),
    (
        "other",
        "other inputs that no row answers: answered",
        "그 밖의 답이 없는 입력에 답한 비율",
        _in("ood", not_label="near_domain"),
        _is_answered,
    ),
    (
        "after",
        "inputs that no row answers, after a question: answered",
        "다른 질문 다음에 물은 것에 답한 비율",
        _in("ood_after"),
        _is_answered,
    ),
    (
        "contrast",
        "another number, product, action or institution than a row's: answered",
        "행과 다른 숫자·상품·행동·기관을 물었는데 답한 비율",
        _in("contrast"),
        _is_answered,
    ),
    (
        "forms",
        "the same value in another form: right row shown",
        "같은 것을 다른 꼴로 물을 때 맞는 행을 보여 준 비율",
        _in("contrast_queries"),
        lambda r: r.outcome in ("right", "offered"),
    ),
    (
        "talks",
        "in a conversation: right row shown",
        "대화에서 맞는 행을 보여 준 비율",
        lambda r: r.case.set == "multiturn" and bool(r.case.relevant),
        lambda r: r.outcome in ("right", "offered"),
    ),
)
"""Each row of the table: key, English title, Korean title, filter of the denominator, filter of the numerator."""


def quality_figures(records: Sequence[Record]) -> dict[str, Any]:
    """{key: [share, low, high, n]} for ROWS, with 95 % Wilson intervals; rows without records are left out."""
    figures = {}
    for key, _, _, is_counted, is_hit in ROWS:
        counted = [record for record in records if is_counted(record)]
        if counted:
            hits = sum(map(is_hit, counted))
            low, high = metrics.wilson(hits, len(counted))
            figures[key] = [round(hits / len(counted), 4), round(low, 4), round(high, 4), len(counted)]
    return figures


def are_defaults(settings: Settings) -> bool:
    """Whether the settings that figures depend on, other than the store, have their default values."""
    default = Settings.model_construct()
    return settings.llm.backend == "none" and all(
        getattr(settings, group) == getattr(default, group) for group in ("embedding", "retrieval", "chat")
    )


def publish(run: Run) -> None:
    """Update docs/quality.json and the READMEs, if they exist here; log the run if it measured the test half."""
    if not QUALITY.parent.is_dir():
        return
    quality = record_quality(run, QUALITY)
    for page in READMES:
        if page.exists():
            text = page.read_text(encoding="utf-8")
            page.write_text(with_table(text, quality, korean=".ko." in page.name), encoding="utf-8")
    # Each run on the test half is logged, because figures of a half that is measured often become optimistic.
    if (test := run.suite("bundled test")) and LOG.exists():
        share, _, _, n = quality_figures(test.records)["first"]
        store = run.meta["settings"]["store"]["backend"]
        line = f"- {run.meta['as_of']}, {store}, program {run.meta['code']}: hit@1 {share:.3f} of {n}\n"
        before, heading, after = LOG.read_text(encoding="utf-8").partition(TEST_RUNS_HEADING)
        entries, separator, rest = after.partition("\n## ")
        heading = heading or f"\n{TEST_RUNS_HEADING}\n"
        LOG.write_text(before + heading + entries + line + separator + rest, encoding="utf-8")


def record_quality(run: Run, path: Path) -> dict[str, Any]:
    """Merge the run's figures into the file at `path` and return all. Raises InputError if the file is invalid."""
    kept = read_quality(path) if path.exists() else {}
    store = run.meta["settings"]["store"]["backend"]
    for suite in run.suites:
        about = {"on": run.meta["as_of"], "code": run.meta["code"], "figures": quality_figures(suite.records)}
        kept.setdefault(store, {})[suite.name] = about
    for name, each in kept.get("opensearch", {}).items():
        other = kept.get("faiss", {}).get(name)
        # The stores are compared only where the same version of the program measured both.
        if other and other["code"] == each["code"]:
            pairs = [(figure, other["figures"].get(key)) for key, figure in each["figures"].items()]
            each["apart"] = max((abs(one[0] - two[0]) for one, two in pairs if two), default=0.0)
    lines = json.dumps(kept, indent=1, sort_keys=True)
    # One figure per line instead of six lines, so that a diff is readable.
    lines = re.sub(r"\[\s+([^\]]*?)\s+\]", lambda figure: f"[{' '.join(figure[1].split())}]", lines)
    path.write_text(lines + "\n", encoding="utf-8")
    return kept


def read_quality(path: Path) -> dict[str, Any]:
    """Read what `record_quality` wrote. Raises InputError."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as exc:
        raise InputError(f"{path}: cannot be read as JSON figures ({exc}); `make eval` writes them") from exc


def with_table(text: str, quality: Mapping[str, Any], *, korean: bool = False) -> str:
    """The README's text with the table between its two `figures` comments replaced."""
    return TABLE_BLOCK.sub(
        lambda block: f"{block[1]}\n{quality_table(quality, korean=korean)}\n\n{block[2]}", text, count=1
    )


def quality_table(quality: Mapping[str, Any], *, korean: bool = False) -> str:
    """A Markdown table with one column per suite: figures with FAISS, those with OpenSearch where they differ, and dates."""
    faiss, opensearch = quality.get("faiss", {}), quality.get("opensearch", {})
    suites = [name for name in SUITES if name in faiss]
    lines = ["| | " + " | ".join(HEADINGS.get(name, name) for name in suites) + " |", "|---|" + "---|" * len(suites)]
    # Figures of OpenSearch are shown only where the same version of the program measured both.
    others = {
        name: opensearch[name]["figures"]
        for name in suites
        if name in opensearch and opensearch[name]["code"] == faiss[name]["code"]
    }
    for key, english, korean_title, _, _ in ROWS:
        cells = [_cell(faiss[name]["figures"].get(key), others.get(name, {}).get(key)) for name in suites]
        lines.append(f"| {korean_title if korean else english} | " + " | ".join(cells) + " |")
    measured = (
        "FAISS로 잰 날; OpenSearch로 잰 날: 가장 많이 다른 비율"
        if korean
        else "measured with FAISS; with OpenSearch: largest difference of any figure"
    )
    cells = []
    for name in suites:
        other = opensearch.get(name)
        difference = f": {_short(other['apart'])}" if other and "apart" in other else ""
        cells.append(f"{faiss[name]['on']}; {other['on'] if other else '–'}{difference}")
    lines.append(f"| {measured} | " + " | ".join(cells) + " |")
    closing = (
        "실제 언어 모델로는 아무것도 재지 않았습니다."
        if korean
        else "No figure was measured with a real language model."
    )
    return "\n".join([*lines, "", closing])


def _cell(figure: Sequence[float] | None, other: Sequence[float] | None) -> str:
    if figure is None:
        return ""
    share, low, high, n = figure
    differing = f", OpenSearch {_short(other[0])}" if other and other[0] != share else ""
    return f"{_short(share)}{differing} of {n:.0f}<br>[{_short(low)}, {_short(high)}]"


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")
