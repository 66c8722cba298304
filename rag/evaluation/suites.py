"""What is asked of an index: cases from the evaluation files, in named sets, one suite an index.

Sets: `queries` and `contrast_queries` have a row that answers; `ood` and `contrast` have none; `ood_after` is `ood` once
more, each after a question; `multiturn` and `afterquestion` are conversations, whose `relevant` may be empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rag.errors import InputError
from rag.evaluation.datasets import (
    Conversation,
    OutOfDomain,
    Query,
    read_conversations,
    read_out_of_domain,
    read_queries,
)

CORPORA = ("insurance", "card")
"""FAQs of other trades, on which nothing is ever fitted."""


@dataclass(frozen=True, slots=True)
class Case:
    """One input and the rows that answer it, none where no row does.

    `turns`: the customer's messages, the last of which is judged; `label`: its style or kind.
    """

    set: str
    id: str
    label: str
    turns: tuple[str, ...]
    relevant: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names the case within its suite."""
        return f"{self.set}/{self.id}"


@dataclass(frozen=True, slots=True)
class Corpus:
    """The files that an index is built from. `phrasings`: a CSV of `id,alternatives`, other ways to put the rows' questions."""

    name: str
    files: tuple[Path, ...]
    phrasings: Path | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one index. `corpus`: what the index is built from; None: the index is there."""

    name: str
    cases: tuple[Case, ...]
    corpus: Corpus | None = None

    def digest(self) -> str:
        """A hash of all that is asked, of the labels and of the corpus; 12 hex digits."""
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
"""What each file of a suite is called as an option or in a gates file, and its name among the bundled ones."""


def bundled_suite(folder: Path, half: str) -> Suite:
    """Every set of the bundled FAQ's questions; `half`: dev or test. Raises InputError where a file is missing."""
    return files_suite(f"bundled {half}", {key: folder / f"{name}.{half}.jsonl" for key, name in FILES.items()})


def files_suite(name: str, files: Mapping[str, Path]) -> Suite:
    """The cases of the files by the keys of FILES, whichever there are. Raises InputError as their readers do."""
    queries = read_queries(files["queries"]) if "queries" in files else []
    out_of_domain = read_out_of_domain(files["out_of_domain"]) if "out_of_domain" in files else []
    conversations = read_conversations(files["multi_turn"]) if "multi_turn" in files else []
    cases = [*labelled_cases(queries, out_of_domain, conversations)]
    if "contrast" in files:
        cases += _single("contrast", read_out_of_domain(files["contrast"]))
    if "contrast_queries" in files:
        cases += _single("contrast_queries", read_queries(files["contrast_queries"]))
    if "afterquestion" in files:
        cases += _conversations("afterquestion", read_conversations(files["afterquestion"]))
    return Suite(name, tuple(cases))


def corpus_suite(folder: Path) -> Suite:
    """The FAQ of another trade with its questions. Raises InputError where a file is missing."""
    names = (("queries", "queries"), ("out_of_domain", "ood"), ("multi_turn", "multiturn"))
    suite = files_suite(folder.name, {key: folder / f"{name}.jsonl" for key, name in names})
    return replace(suite, corpus=Corpus(folder.name, (folder / "faq.csv",)))


def phrasings_suite(folder: Path, faq: Path) -> Suite:
    """The bundled FAQ with two more phrasings of 100 of its rows, and questions about these rows."""
    suite = files_suite("phrasings", {"queries": folder / "queries.jsonl"})
    files = tuple(sorted(faq.glob("*.csv")))
    return replace(suite, corpus=Corpus("phrasings", files, folder / "alternatives.csv"))


def documents_suite(folder: Path, documents: Path, half: str) -> Suite:
    """Questions about the bundled documents; `half`: dev or test."""
    names = (("queries", "documents"), ("out_of_domain", "documents_ood"))
    suite = files_suite(f"documents {half}", {key: folder / f"{name}.{half}.jsonl" for key, name in names})
    return replace(suite, corpus=Corpus("documents", tuple(sorted(documents.glob("*.*")))))


def bundled_suites(folder: Path, halves: Sequence[str]) -> list[Suite]:
    """The bundled FAQ's halves, the other trades, the FAQ with more phrasings, and the documents' halves.

    `folder`: data/evaluation. Raises InputError where the files do not come with the program.
    """
    if not (folder / "queries.dev.jsonl").is_file():
        raise InputError(
            f"{folder}: the bundled questions are not here; run this in the project's folder, or set --queries FILE"
        )
    return [
        *(bundled_suite(folder, half) for half in halves),
        *(corpus_suite(folder / "corpora" / name) for name in CORPORA),
        phrasings_suite(folder / "corpora" / "bank_alternatives", folder.parent / "faq"),
        *(documents_suite(folder, folder.parent / "documents", half) for half in halves),
    ]


def labelled_cases(
    queries: Sequence[Query], out_of_domain: Sequence[OutOfDomain], conversations: Sequence[Conversation]
) -> Iterator[Case]:
    """The cases of any FAQ: its questions, what no row answers, alone and after a question, and its conversations."""
    yield from _single("queries", queries)
    yield from _single("ood", out_of_domain)
    for index, item in enumerate(out_of_domain if queries else ()):
        # A few lines apart in the file, so that they do not all follow questions about the same rows.
        before = queries[index * 7 % len(queries)].query
        yield Case("ood_after", item.id, item.kind, (before, item.query))
    yield from _conversations("multiturn", conversations)


def _single(name: str, items: Sequence[Query | OutOfDomain]) -> Iterator[Case]:
    for item in items:
        if isinstance(item, Query):
            yield Case(name, item.id, item.style, (item.query,), item.relevant)
        else:
            yield Case(name, item.id, item.kind, (item.query,))


def _conversations(name: str, conversations: Sequence[Conversation]) -> Iterator[Case]:
    for item in conversations:
        yield Case(name, item.id, item.kind, item.turns, item.relevant)
