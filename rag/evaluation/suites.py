"""Suites of evaluation cases, one suite per index, read from the evaluation files.

Every case belongs to a set. `queries` and `contrast_queries`: questions that a row answers. `ood` and `contrast`: inputs that
no row answers. `ood_after`: the inputs of `ood`, each as a follow-up to a question. `multiturn` and `afterquestion`:
conversations, whose `relevant` may be empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from rag.errors import InputError
from rag.evaluation.datasets import Case, read_conversations, read_out_of_domain, read_queries

CORPORA = ("insurance", "card")
"""FAQs of other industries, which no parameter is fitted on."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Files that an index is built from. `phrasings`: a CSV with the columns `id` and `alternatives`, added to the rows."""

    name: str
    files: tuple[Path, ...]
    phrasings: Path | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one index. `corpus`: the files to build the index from; None for an index that exists."""

    name: str
    cases: tuple[Case, ...]
    corpus: Corpus | None = None

    def digest(self) -> str:
        """Hash of all cases with their labels and of the corpus files; 12 hex digits."""
        # `repr` escapes line breaks, so that two different suites never give the same text.
        text = "\n".join(repr((case.key, case.label, case.turns, case.relevant)) for case in self.cases)
        digest = hashlib.sha256(text.encode())
        if self.corpus:
            for file in filter(None, (*self.corpus.files, self.corpus.phrasings)):
                digest.update(file.read_bytes())
        return digest.hexdigest()[:12]


FILES = {
    "queries": "queries",
    "out_of_domain": "ood",
    "multi_turn": "multiturn",
    "contrast": "contrast",
    "contrast_queries": "contrast_queries",
    "afterquestion": "afterquestion",
}
"""Kinds of evaluation files, as options and gates files call them, and the names of their sets and of the bundled files."""
_READERS: Mapping[str, Callable[[Path, str], list[Case]]] = {
    "queries": read_queries,
    "out_of_domain": read_out_of_domain,
    "multi_turn": read_conversations,
    "contrast": read_out_of_domain,
    "contrast_queries": read_queries,
    "afterquestion": read_conversations,
}


def bundled_suite(folder: Path, half: str) -> Suite:
    """All sets of the bundled FAQ. `half`: "dev" or "test". Raises InputError if a file is missing."""
    return files_suite(f"bundled {half}", {key: folder / f"{name}.{half}.jsonl" for key, name in FILES.items()})


def files_suite(name: str, files: Mapping[str, Path]) -> Suite:
    """A suite of the cases in `files`, which maps some of the keys of FILES to paths. Raises InputError as `read_lines`."""
    read: dict[str, list[Case]] = {
        kind: _READERS[kind](files[kind], set_) for kind, set_ in FILES.items() if kind in files
    }
    cases = labelled_cases(*(read.pop(kind, []) for kind in ("queries", "out_of_domain", "multi_turn")))
    return Suite(name, (*cases, *chain.from_iterable(read.values())))


def corpus_suite(folder: Path) -> Suite:
    """A FAQ of another industry with its questions. Raises InputError if a file is missing."""
    names = (("queries", "queries"), ("out_of_domain", "ood"), ("multi_turn", "multiturn"))
    suite = files_suite(folder.name, {key: folder / f"{name}.jsonl" for key, name in names})
    return replace(suite, corpus=Corpus(folder.name, (folder / "faq.csv",)))


def phrasings_suite(folder: Path, faq: Path) -> Suite:
    """The bundled FAQ with two alternative phrasings for 100 of its rows, and questions about these rows."""
    suite = files_suite("phrasings", {"queries": folder / "queries.jsonl"})
    files = tuple(sorted(faq.glob("*.csv")))
    return replace(suite, corpus=Corpus("phrasings", files, folder / "alternatives.csv"))


def documents_suite(folder: Path, documents: Path, half: str) -> Suite:
    """Questions about the bundled documents. `half`: "dev" or "test"."""
    names = (("queries", "documents"), ("out_of_domain", "documents_ood"))
    suite = files_suite(f"documents {half}", {key: folder / f"{name}.{half}.jsonl" for key, name in names})
    return replace(suite, corpus=Corpus("documents", tuple(sorted(documents.glob("*.*")))))


def bundled_suites(folder: Path, halves: Sequence[str]) -> list[Suite]:
    """The suites of the bundled FAQ, the other industries, the FAQ with more phrasings, and the documents.

    `folder`: data/evaluation; `halves`: of "dev" and "test". Raises InputError if the folder lacks the bundled files.
    """
    if not (folder / "queries.dev.jsonl").is_file():
        raise InputError(
            f"{folder}: no bundled questions here; run this in the project's folder, or set --queries FILE"
        )
    return [
        *(bundled_suite(folder, half) for half in halves),
        *(corpus_suite(folder / "corpora" / name) for name in CORPORA),
        phrasings_suite(folder / "corpora" / "bank_alternatives", folder.parent / "faq"),
        *(documents_suite(folder, folder.parent / "documents", half) for half in halves),
    ]


def labelled_cases(queries: Sequence[Case], out_of_domain: Sequence[Case], conversations: Sequence[Case]) -> list[Case]:
    """All cases, and each out-of-domain input again as a follow-up to a question (set `ood_after`), if there are questions."""
    # The step of 7 spreads them over the file, whose neighbouring questions are about the same rows.
    after = [
        Case("ood_after", item.id, item.label, (queries[index * 7 % len(queries)].query, item.query))
        for index, item in enumerate(out_of_domain if queries else ())
    ]
    return [*queries, *out_of_domain, *after, *conversations]
