"""Evaluates answer texts: citations against the labels, checks of sentences, and overlap with reference texts.

Every question is asked through the chat service, with the configured language model if there is one. References are given
texts or the texts of the relevant rows; of several references the best match counts.
"""

from __future__ import annotations

import importlib.util
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rag.chat import ChatService
from rag.evaluation import metrics
from rag.evaluation.datasets import Case, read_lines
from rag.evaluation.records import read_checkpoint
from rag.ingestion.sync import Progress
from rag.stores.base import PassageStore
from rag.synthesis.prompt_builder import MARKER
from rag.types import Answer

Units = Callable[[str], Sequence[str]]
_WORD_TAGS = ("SL", "SN", "SH")
"""Tags of Kiwi that begin with S, as those of symbols do, but mark Latin letters, numbers and Chinese characters."""


@dataclass(frozen=True, slots=True)
class EvaluatedAnswer:
    """The measured parts of an answer. `cited`: ids of cited rows; `sentences`: status and reason of each model sentence."""

    question: str
    text: str
    status: str
    cited: tuple[str, ...]
    generated: bool
    notice: str
    sentences: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, question: str, answer: Answer) -> EvaluatedAnswer:
        """Extract the measured parts of an answer."""
        cited = tuple(answer.sources[number - 1].id for number in answer.cited)
        # A replacement is the source's own sentence.
        sentences = tuple((each.status, each.reason or "") for each in answer.support if not each.is_replacement)
        return cls(question, answer.text, answer.status, cited, answer.generated, answer.notice or "", sentences)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EvaluatedAnswer:
        """Inverse of `dataclasses.asdict`."""
        sentences = tuple((status, reason) for status, reason in data["sentences"])
        return cls(**{**data, "cited": tuple(data["cited"]), "sentences": sentences})


def evaluate_answer_texts(
    chat: ChatService,
    queries: Sequence[Case],
    references: Mapping[str, Sequence[str]],
    *,
    model: str = "none",
    units: Units | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Ask every question and evaluate the answers; figures are over the answered questions, shares in 0..1.

    Returns {"n", "answered", "generated", "model", "citations": {…}, "sentences": {…}, "reference": {…}, "units"}.
    `citations`: mean share of cited rows that are relevant (precision), and of relevant rows that are cited (recall).
    `sentences`: counts of model sentences by status, and of withheld ones by the failed check; `unsupported` is the share
    withheld, `unsupported_numbers` the share withheld because of a quantity. `reference`: token F1 and ROUGE-L.

    `references`: texts to compare with, by question id. `units`: splits a text into the units of overlap, `korean_units()`
    if None. `checkpoint`: a JSON Lines file of answers by the same program and settings, which are not asked for again; new
    answers are appended.
    """
    units = units or korean_units()
    answers = [
        (query, answer) for query, answer in zip(queries, _ask(chat, queries, checkpoint, progress), strict=True)
    ]
    answered = [(query, answer) for query, answer in answers if answer.status == "answered"]
    return {
        "n": len(answers),
        "answered": len(answered),
        "generated": sum(answer.generated for _, answer in answered),
        "model": model,
        "citations": _citations(answered),
        "sentences": _sentences(answered),
        "reference": _overlap(answered, references, units),
        "units": "morphemes" if units is not syllables else "syllables",
    }


def _citations(answered: Sequence[tuple[Case, EvaluatedAnswer]]) -> dict[str, Any]:
    cited = [(set(answer.cited), set(query.relevant)) for query, answer in answered]
    # An answer without citations has precision 0, because every answer should name its source.
    precision = [len(ids & relevant) / len(ids) if ids else 0.0 for ids, relevant in cited]
    recall = [len(ids & relevant) / len(relevant) for ids, relevant in cited]
    return {
        "precision": metrics.mean(precision),
        "precision_ci95": metrics.bootstrap(precision),
        "recall": metrics.mean(recall),
        "recall_ci95": metrics.bootstrap(recall),
    }


def _sentences(answered: Sequence[tuple[Case, EvaluatedAnswer]]) -> dict[str, Any]:
    sentences = [sentence for _, answer in answered for sentence in answer.sentences]
    withheld = Counter(reason for status, reason in sentences if status == "withheld")
    total = len(sentences)
    return {
        "n": total,
        "unsupported": withheld.total() / total if total else math.nan,
        "unsupported_ci95": metrics.wilson(withheld.total(), total),
        "unsupported_numbers": withheld["quantity"] / total if total else math.nan,
        "unsupported_numbers_ci95": metrics.wilson(withheld["quantity"], total),
        "by_status": dict(Counter(status for status, _ in sentences)),
        "withheld_by_reason": dict(withheld),
        "notices": dict(Counter(answer.notice for _, answer in answered if answer.notice)),
    }


def _overlap(
    answered: Sequence[tuple[Case, EvaluatedAnswer]], references: Mapping[str, Sequence[str]], units: Units
) -> dict[str, Any]:
    compared = [
        (MARKER.sub("", answer.text), references[query.id]) for query, answer in answered if references.get(query.id)
    ]
    f1 = [max(token_f1(units(text), units(each)) for each in texts) for text, texts in compared]
    rouge = [max(rouge_l(units(text), units(each)) for each in texts) for text, texts in compared]
    return {
        "n": len(compared),
        "token_f1": metrics.mean(f1),
        "token_f1_ci95": metrics.bootstrap(f1),
        "rouge_l": metrics.mean(rouge),
        "rouge_l_ci95": metrics.bootstrap(rouge),
    }


def _ask(
    chat: ChatService, queries: Sequence[Case], checkpoint: Path | None, progress: Progress | None
) -> Iterator[EvaluatedAnswer]:
    """Yield the answer to each question in order; answers missing from `checkpoint` are asked for and appended to it."""
    known = {answer.question: answer for answer in read_checkpoint(checkpoint, EvaluatedAnswer.from_json)}
    if checkpoint:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
    with checkpoint.open("a", encoding="utf-8") if checkpoint else nullcontext() as file:
        for number, query in enumerate(queries, 1):
            if query.query not in known:
                known[query.query] = EvaluatedAnswer.of(query.query, chat.ask(query.query))
                if file:
                    file.write(json.dumps(asdict(known[query.query]), ensure_ascii=False) + "\n")
                    file.flush()
            if progress:
                progress("answers", number, len(queries))
            yield known[query.query]


def read_references(path: Path) -> dict[str, list[str]]:
    """Read lines of `id` (the question's) and `answer`, as {id: [answer, …]}. Raises InputError as `read_lines`."""
    references: dict[str, list[str]] = {}
    for line in read_lines(path, ("id", "answer")):
        references.setdefault(str(line["id"]), []).append(str(line["answer"]))
    return references


def row_texts(store: PassageStore, queries: Sequence[Case]) -> dict[str, list[str]]:
    """The texts of the relevant rows by question id, for use as references."""
    rows: dict[str, str] = {}
    for node in store.get_nodes():
        name = node.ref_doc_id or node.node_id
        rows[name] = f"{rows.get(name, '')}\n{node.get_content()}".strip()
    return {query.id: [rows[row] for row in query.relevant] for query in queries}


def token_f1(answer: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of the units in common, as in SQuAD (Rajpurkar et al. 2016), in 0..1; 0 for an empty text."""
    common = sum((Counter(answer) & Counter(reference)).values())
    return 2 * common / (len(answer) + len(reference)) if common else 0.0


def rouge_l(answer: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of the longest common subsequence (ROUGE-L, Lin 2004), in 0..1; 0 for an empty text."""
    # Only one row of the dynamic programming table is kept: an answer may have a thousand units.
    row = [0] * (len(reference) + 1)
    for unit in answer:
        before = 0
        for place, other in enumerate(reference, 1):
            previous = row[place]
            row[place] = before + 1 if unit == other else max(row[place], row[place - 1])
            before = previous
    return 2 * row[-1] / (len(answer) + len(reference)) if row[-1] else 0.0


def korean_units() -> Units:
    """A splitter into morphemes without punctuation if kiwipiepy is installed (requirements-dev.txt), else `syllables`."""
    if importlib.util.find_spec("kiwipiepy") is None:
        return syllables
    kiwi = _kiwi()
    return lambda text: [each.form for each in kiwi.tokenize(text) if each.tag[0] != "S" or each.tag in _WORD_TAGS]


@cache
def _kiwi() -> Any:
    # Not a dependency of the package: loading it takes 1.3 s and 260 MB, and only this comparison uses it.
    return importlib.import_module("kiwipiepy").Kiwi()


def syllables(text: str) -> Sequence[str]:
    """The letters and digits of a text, one by one."""
    return [character for character in text if character.isalnum()]


def answer_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The report as lines for a terminal."""
    yield f"answered           {report['answered']} of {report['n']}, {report['generated']} by a language model"
    for group, names in (("citations", ("precision", "recall")), ("reference", ("token_f1", "rouge_l"))):
        for name in names:
            low, high = report[group][f"{name}_ci95"]
            yield f"{group + ' ' + name:18} {report[group][name]:.3f} [{low:.3f}, {high:.3f}]"
    yield f"compared           {report['reference']['n']} answers, by {report['units']}"
    yield f"sentences          {json.dumps(report['sentences'], ensure_ascii=False)}"
