"""The figures that the READMEs show: kept in docs/quality.json by store and suite, and printed from there between two marks.

`make eval` writes both. What it did not measure this time (the half kept apart, the other store) stays as it was, with its date.
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
OPENED = "## When `test` was opened\n"
"""The log's section that has a line for each time."""
MARKS = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)
SUITES = ("bundled dev", "bundled test", "insurance", "card", "phrasings", "documents dev", "documents test")
HEADINGS = {"bundled dev": "dev", "bundled test": "test"}
Chosen = Callable[[Record], bool]


def _in(*sets: str, label: str = "", apart: str = "") -> Chosen:
    """Records of these sets, of one label, or of all labels but one."""
    return lambda record: (
        record.case.set in sets and label in ("", record.case.label) and (not apart or record.case.label != apart)
    )


def _is_answered(record: Record) -> bool:
    return record.result.status == "answered"


ROWS: Sequence[tuple[str, str, str, Chosen, Callable[[Record], bool]]] = (
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
        "the trade's questions that no row answers: answered",
        "FAQ에 없는 금융 질문에 답한 비율",
        _in("ood", label="near_domain"),
        _is_answered,
    ),
    (
        "other",
        "anything else that no row answers: answered",
        "그 밖의 답이 없는 입력에 답한 비율",
        _in("ood", apart="near_domain"),
        _is_answered,
    ),
    (
        "after",
        "what no row answers, after a question: answered",
        "다른 질문 다음에 물은 것에 답한 비율",
        _in("ood_after"),
        _is_answered,
    ),
    (
        "contrast",
        "another number, product, action or institution than a row holds: answered",
        "행과 다른 숫자·상품·행동·기관을 물었는데 답한 비율",
        _in("contrast"),
        _is_answered,
    ),
    (
        "forms",
        "the same in another form: right row shown",
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
"""Key, English and Korean title, the records that count, and those of them that the share is of."""


def quality_figures(records: Sequence[Record]) -> dict[str, Any]:
    """{key: [share, low, high, n]} of ROWS, each with its 95 % Wilson interval; what was not asked is left out."""
    figures = {}
    for key, _, _, counts, holds in ROWS:
        chosen = [record for record in records if counts(record)]
        if chosen:
            held = sum(map(holds, chosen))
            low, high = metrics.wilson(held, len(chosen))
            figures[key] = [round(held / len(chosen), 4), round(low, 4), round(high, 4), len(chosen)]
    return figures


def are_defaults(settings: Settings) -> bool:
    """Whether figures of these settings are the project's: all but the store is as it comes."""
    default = Settings.model_construct()
    return settings.llm.backend == "none" and all(
        getattr(settings, group) == getattr(default, group) for group in ("embedding", "retrieval", "chat")
    )


def publish(run: Run) -> None:
    """Put the figures where readers see them, as far as those files are here; where `test` was opened, say so in the log."""
    if not QUALITY.parent.is_dir():
        return
    quality = record_quality(run, QUALITY)
    for page in READMES:
        if page.exists():
            text = page.read_text(encoding="utf-8")
            page.write_text(with_table(text, quality, korean=".ko." in page.name), encoding="utf-8")
    if (test := run.suite("bundled test")) and LOG.exists():
        share, _, _, n = quality_figures(test.records)["first"]
        store = run.meta["settings"]["store"]["backend"]
        line = f"- {run.meta['as_of']}, {store}, program {run.meta['code']}: hit@1 {share:.3f} of {n}\n"
        before, heading, after = LOG.read_text(encoding="utf-8").partition(OPENED)
        opened, further, rest = after.partition("\n## ")
        LOG.write_text(before + (heading or f"\n{OPENED}\n") + opened + line + further + rest, encoding="utf-8")


def record_quality(run: Run, path: Path) -> dict[str, Any]:
    """The kept figures with those of the run, written to `path`. Raises InputError where it is no such file."""
    kept = read_quality(path) if path.exists() else {}
    store = run.meta["settings"]["store"]["backend"]
    for suite in run.suites:
        about = {"on": run.meta["as_of"], "code": run.meta["code"], "figures": quality_figures(suite.records)}
        kept.setdefault(store, {})[suite.name] = about
    for name, each in kept.get("opensearch", {}).items():
        other = kept.get("faiss", {}).get(name)
        # Only of one and the same program does a difference say something of the stores.
        if other and other["code"] == each["code"]:
            pairs = [(figure, other["figures"].get(key)) for key, figure in each["figures"].items()]
            each["apart"] = max((abs(one[0] - two[0]) for one, two in pairs if two), default=0.0)
    lines = json.dumps(kept, indent=1, sort_keys=True)
    # A figure a line: else each would take six, and a change could not be read.
    lines = re.sub(r"\[\s+([^\]]*?)\s+\]", lambda figure: f"[{' '.join(figure[1].split())}]", lines)
    path.write_text(lines + "\n", encoding="utf-8")
    return kept


def read_quality(path: Path) -> dict[str, Any]:
    """What `record_quality` wrote. Raises InputError."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as exc:
        raise InputError(f"{path}: not the figures of the READMEs ({exc}); `make eval` writes them") from exc


def with_table(text: str, quality: Mapping[str, Any], *, korean: bool = False) -> str:
    """A README with the table of these figures between its marks."""
    return MARKS.sub(lambda marks: f"{marks[1]}\n{quality_table(quality, korean=korean)}\n\n{marks[2]}", text, count=1)


def quality_table(quality: Mapping[str, Any], *, korean: bool = False) -> str:
    """A Markdown table with a column a suite: FAISS's figures, OpenSearch's where they differ, and when both were measured."""
    faiss, opensearch = quality.get("faiss", {}), quality.get("opensearch", {})
    suites = [name for name in SUITES if name in faiss]
    lines = ["| | " + " | ".join(HEADINGS.get(name, name) for name in suites) + " |", "|---|" + "---|" * len(suites)]
    for key, english, korean_title, _, _ in ROWS:
        cells = [
            _cell(faiss[name]["figures"].get(key), _comparable(faiss[name], opensearch.get(name)).get(key))
            for name in suites
        ]
        lines.append(f"| {korean_title if korean else english} | " + " | ".join(cells) + " |")
    measured = (
        "FAISS로 잰 날; OpenSearch로 잰 날: 가장 많이 다른 비율"
        if korean
        else "measured with FAISS; with OpenSearch: largest difference of any row"
    )
    cells = [f"{faiss[name]['on']}; {_difference(opensearch.get(name))}" for name in suites]
    lines.append(f"| {measured} | " + " | ".join(cells) + " |")
    closing = (
        "실제 언어 모델로는 아무것도 재지 않았습니다." if korean else "Nothing here was tried on a real language model."
    )
    return "\n".join([*lines, "", closing])


def _comparable(measured: Mapping[str, Any], other: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The other store's figures where the same program made them."""
    return other["figures"] if other and other["code"] == measured["code"] else {}


def _difference(measured: Mapping[str, Any] | None) -> str:
    if not measured:
        return "–"
    return f"{measured['on']}" + (f": {_short(measured['apart'])}" if "apart" in measured else "")


def _cell(figure: Sequence[float] | None, other: Sequence[float] | None) -> str:
    if figure is None:
        return ""
    share, low, high, n = figure
    differing = f", OpenSearch {_short(other[0])}" if other and other[0] != share else ""
    return f"{_short(share)}{differing} of {n:.0f}<br>[{_short(low)}, {_short(high)}]"


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")
