"""What the answers themselves are worth: their citations against the labels, their sentences, their words against a reference.

Every question is asked as a customer asks it, with the language model of the settings or without one. The reference of an
answer is a text of one's own, else the rows that answer; of several the nearest counts.
"""

from __future__ import annotations

import importlib.util
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.chat import ChatService
from rag.evaluation import metrics
from rag.evaluation.datasets import Query, read_lines
from rag.stores.base import PassageStore
from rag.synthesis.prompt_builder import MARKER
from rag.types import Answer

Progress = Callable[[str, int, int], None]
Units = Callable[[str], Sequence[str]]
_WORDS = ("SL", "SN", "SH")


@dataclass(frozen=True, slots=True)
class Written:
    """An answer as far as it is measured: `cited` rows, and status and reason of each sentence of a model."""

    question: str
    text: str
    status: str
    cited: tuple[str, ...]
    generated: bool
    notice: str
    sentences: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, question: str, answer: Answer) -> Written:
        """The answer to this question."""
        cited = tuple(answer.sources[number - 1].id for number in answer.cited)
        sentences = tuple((each.status, each.reason or "") for each in answer.support)
        return cls(question, answer.text, answer.status, cited, answer.generated, answer.notice or "", sentences)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Written:
        """What `dataclasses.asdict` made of one."""
        sentences = tuple((status, reason) for status, reason in data["sentences"])
        return cls(**{**data, "cited": tuple(data["cited"]), "sentences": sentences})


def evaluate_written(
    chat: ChatService,
    queries: Sequence[Query],
    references: Mapping[str, Sequence[str]],
    *,
    model: str = "none",
    units: Units | None = None,
    kept: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """{"n", "answered", "generated", "model", "citations": {…}, "sentences": {…}, "reference": {…}, "units"}; shares in 0..1.

    Of the answered questions: `citations.precision` is the mean share of cited rows that are relevant, `recall` of relevant
    rows that are cited. `sentences` counts a model's by what became of them, and the withheld by the check that failed;
    `unsupported` is the share that is withheld, `unsupported_numbers` for a quantity.
    `references`: the texts to compare with, by the question's id. `kept`: a file of the answers so far, by the same program
    and settings; it grows, and what it holds is not asked.
    """
    units = units or korean_units()
    answers = [(query, answer) for query, answer in zip(queries, _ask(chat, queries, kept, progress), strict=True)]
    answered = [(query, answer) for query, answer in answers if answer.status == "answered"]
    cited = [(set(answer.cited), set(query.relevant)) for query, answer in answered]
    precision = [len(ids & relevant) / len(ids) if ids else 0.0 for ids, relevant in cited]
    recall = [len(ids & relevant) / len(relevant) for ids, relevant in cited]
    sentences = [sentence for _, answer in answered for sentence in answer.sentences]
    compared = [
        (MARKER.sub("", answer.text), references[query.id]) for query, answer in answered if references.get(query.id)
    ]
    f1 = [max(token_f1(units(text), units(each)) for each in texts) for text, texts in compared]
    rouge = [max(rouge_l(units(text), units(each)) for each in texts) for text, texts in compared]
    withheld = Counter(reason for status, reason in sentences if status == "withheld")
    total = len(sentences)
    return {
        "n": len(answers),
        "answered": len(answered),
        "generated": sum(answer.generated for _, answer in answered),
        "model": model,
        "citations": {
            "precision": metrics.mean(precision),
            "precision_ci95": metrics.bootstrap(precision),
            "recall": metrics.mean(recall),
            "recall_ci95": metrics.bootstrap(recall),
        },
        "sentences": {
            "n": total,
            "unsupported": withheld.total() / total if total else math.nan,
            "unsupported_ci95": metrics.wilson(withheld.total(), total),
            "unsupported_numbers": withheld["quantity"] / total if total else math.nan,
            "unsupported_numbers_ci95": metrics.wilson(withheld["quantity"], total),
            "by_status": dict(Counter(status for status, _ in sentences)),
            "withheld_by_reason": dict(withheld),
            "notices": dict(Counter(answer.notice for _, answer in answered if answer.notice)),
        },
        "reference": {
            "n": len(compared),
            "token_f1": metrics.mean(f1),
            "token_f1_ci95": metrics.bootstrap(f1),
            "rouge_l": metrics.mean(rouge),
            "rouge_l_ci95": metrics.bootstrap(rouge),
        },
        "units": "morphemes" if units is not syllables else "syllables",
    }


def _ask(
    chat: ChatService, queries: Sequence[Query], kept: Path | None, progress: Progress | None
) -> Iterator[Written]:
    """The answer to each question, in order; those that `kept` does not hold are asked and added to it."""
    known: dict[str, Written] = {}
    for line in kept.read_text(encoding="utf-8").split("\n") if kept and kept.exists() else ():
        try:
            answer = Written.from_json(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue  # a line that was being written when the run was ended is asked again
        known[answer.question] = answer
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") if kept else nullcontext() as file:
        for number, query in enumerate(queries, 1):
            if query.query not in known:
                known[query.query] = Written.of(query.query, chat.ask(query.query))
                if file:
                    file.write(json.dumps(asdict(known[query.query]), ensure_ascii=False) + "\n")
                    file.flush()
            if progress:
                progress("answers", number, len(queries))
            yield known[query.query]


def read_references(path: Path) -> dict[str, list[str]]:
    """Lines of `id`, the question's, and `answer`. Raises InputError."""
    references: dict[str, list[str]] = {}
    for line in read_lines(path, ("id", "answer")):
        references.setdefault(str(line["id"]), []).append(str(line["answer"]))
    return references


def texts_of_rows(store: PassageStore, queries: Sequence[Query]) -> dict[str, list[str]]:
    """As references: the texts of the rows that answer, by the question's id."""
    rows: dict[str, str] = {}
    for node in store.get_nodes():
        name = node.ref_doc_id or node.node_id
        rows[name] = f"{rows.get(name, '')}\n{node.get_content()}".strip()
    return {query.id: [rows[row] for row in query.relevant] for query in queries}


def token_f1(answer: Sequence[str], reference: Sequence[str]) -> float:
    """Harmonic mean of the shares of units in common, as of SQuAD (Rajpurkar et al. 2016); 0 for an empty text."""
    common = sum((Counter(answer) & Counter(reference)).values())
    return 2 * common / (len(answer) + len(reference)) if common else 0.0


def rouge_l(answer: Sequence[str], reference: Sequence[str]) -> float:
    """F-measure of the longest common subsequence (Lin 2004); 0 for an empty text."""
    # One row of the table, not all of it: an answer may have a thousand units.
    row = [0] * (len(reference) + 1)
    for unit in answer:
        before = 0
        for place, other in enumerate(reference, 1):
            kept = row[place]
            row[place] = before + 1 if unit == other else max(row[place], row[place - 1])
            before = kept
    return 2 * row[-1] / (len(answer) + len(reference)) if row[-1] else 0.0


def korean_units() -> Units:
    """Morphemes without punctuation where kiwipiepy is installed (requirements-dev.txt), else syllables."""
    if importlib.util.find_spec("kiwipiepy") is None:
        return syllables
    # Not a dependency: loading it takes 1.3 s and 260 MB, and nothing but this comparison needs it.
    kiwi = importlib.import_module("kiwipiepy").Kiwi()
    # Of the tags of symbols, those of Latin letters, numbers and Chinese characters are words.
    return lambda text: [each.form for each in kiwi.tokenize(text) if each.tag[0] != "S" or each.tag in _WORDS]


def syllables(text: str) -> Sequence[str]:
    """The letters and digits of a text."""
    return [character for character in text if character.isalnum()]


def written_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The report for a terminal."""
    yield f"answered           {report['answered']} of {report['n']}, {report['generated']} by a language model"
    for group, names in (("citations", ("precision", "recall")), ("reference", ("token_f1", "rouge_l"))):
        for name in names:
            low, high = report[group][f"{name}_ci95"]
            yield f"{group + ' ' + name:18} {report[group][name]:.3f} [{low:.3f}, {high:.3f}]"
    yield f"compared           {report['reference']['n']} answers, by {report['units']}"
    yield f"sentences          {json.dumps(report['sentences'], ensure_ascii=False)}"
