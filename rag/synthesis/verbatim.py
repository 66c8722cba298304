"""Answers without a language model: the approved texts word for word, each with its citation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from llama_index.core.schema import NodeWithScore

from rag.korean import is_only_yes_or_no, sentences, without_yes_or_no
from rag.models.cancellation import CancelScope
from rag.retrieval.confidence import JudgedNode, Verdict
from rag.retrieval.rows import bank_of, phrasings_of, question_of, row_id
from rag.stores.base import DOCUMENT, QUESTION
from rag.synthesis import texts
from rag.synthesis.answer import AnswerStream, Outcome, PassageSynthesizer
from rag.synthesis.excluded_cases import sentence_on_case
from rag.synthesis.yes_or_no import asks_the_same
from rag.types import Notice, place_in_document


class VerbatimSynthesizer(PassageSynthesizer):
    """Quotes the row that the confidence step chose, or one row of each institution if they match equally.

    `[n]` is the n-th node. For suggested nodes the text is one sentence that asks which of them is meant. Added text is in
    Korean, or in English for English questions and if `english`. `contact`: as for `texts.declined`; empty: it is not given.
    """

    def __init__(self, *, contact: str | None = "", english: bool = False) -> None:
        super().__init__()
        self._contact = contact
        self._english = english

    def answer(self, question: str, nodes: Sequence[NodeWithScore], scope: CancelScope | None = None) -> AnswerStream:
        """The approved texts, sentence by sentence. `scope` is not used, because nothing takes time."""
        return self._stream(question, nodes, None)

    def answer_verdict(
        self, nodes: Sequence[NodeWithScore], verdict: Verdict | None, scope: CancelScope | None = None
    ) -> AnswerStream:
        """As `answer`, with the note, sections and institution names of the verdict."""
        return self._stream("", nodes, verdict)

    def _stream(self, question: str, nodes: Sequence[NodeWithScore], verdict: Verdict | None) -> AnswerStream:
        def generate(stream: AnswerStream) -> Generator[str, None, None]:
            outcome = passages(nodes, verdict=verdict, question=question, contact=self._contact, english=self._english)
            yield from pieces(outcome.text)
            stream.outcome = outcome

        return AnswerStream(generate)

    def get_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        """The first chunk as it is, for callers with texts instead of nodes."""
        return super().get_response(query_str, text_chunks[:1], **response_kwargs)


def passages(
    nodes: Sequence[NodeWithScore],
    notice: Notice | None = None,
    verdict: Verdict | None = None,
    *,
    question: str = "",
    contact: str | None = "",
    english: bool = False,
) -> Outcome:
    """The approved texts as the answer; `verdict`, `question`, `contact` and `english` as in `verbatim`."""
    cited = quoted(nodes) or ((1,) if _shows_passage(nodes, verdict) else ())
    return Outcome(verbatim(nodes, verdict, question=question, contact=contact, english=english), cited, notice)


def verbatim(
    nodes: Sequence[NodeWithScore],
    verdict: Verdict | None = None,
    *,
    question: str = "",
    contact: str | None = "",
    english: bool = False,
) -> str:
    """The text of an answer from judged nodes: the quoted ones, each followed by its citation.

    A quote begins after a yes or no that answers another question than the customer's. `verdict`: for its question, its note,
    its sections, and whether an answer begins with the name of its institution. `question`: where there is no verdict.
    `contact`: given where the question names another institution, or with a warning of fraud. `english`: frames are in English
    for any question.
    """
    chosen, named = quoted(nodes), bool(verdict and verdict.names_banks)
    if verdict:
        question = question_of(nodes[0]) if verdict.is_chosen else verdict.query
    stands_alone = not (verdict and (verdict.note or verdict.sections))
    # Most answers are the approved text of one row without any addition.
    if len(chosen) == 1 and stands_alone and not nodes[chosen[0] - 1].node.metadata.get(DOCUMENT):
        return _quote(nodes, chosen[0], question, named=named)
    english = english or (verdict is not None and texts.is_english(verdict.query))
    if isinstance(nodes[0], JudgedNode) and nodes[0].status == "suggested":
        offered = dict.fromkeys(bank_of(hit) for hit in nodes if bank_of(hit))
        note = verdict.note if verdict else None
        asked = texts.suggested(note=note, names=tuple(offered), contact=contact, english=english)
        return (
            f"{asked}\n\n{_quote(nodes, 1, question, named=False, english=english)}"
            if _shows_passage(nodes, verdict)
            else asked
        )
    if verdict and verdict.note and verdict.note.kind == "other_institution":
        banks = dict.fromkeys(bank_of(nodes[number - 1]) for number in chosen)
        beside = texts.suggested(note=verdict.note, names=tuple(filter(None, banks)), contact=contact, english=english)
        return f"{beside}\n\n{verbatim(nodes, replace(verdict, note=None), english=english)}"
    if verdict and verdict.sections:
        return _in_sections(nodes, verdict, english=english)
    if len(chosen) == 1:
        note = verdict.note if verdict else None
        # What a note is beside answers another question than the row's.
        text = _quote(nodes, chosen[0], "" if note else question, named=named, english=english)
        return f"{texts.noted(note, english=english)}\n\n{text}" if note else text
    several = texts.frame("several_banks", english=english)
    return "\n\n".join([several, *(_quote(nodes, number, question, named=True) for number in chosen)])


def _shows_passage(nodes: Sequence[NodeWithScore], verdict: Verdict | None) -> bool:
    """Whether the first suggested node is shown in full: a passage of a document, whose heading says little.

    Not if it has another value, product or action than the question.
    """
    first = nodes[0]
    is_suggested = isinstance(first, JudgedNode) and first.status == "suggested"
    conflicts = verdict.conflicts if verdict else ()
    return is_suggested and bool(first.node.metadata.get(DOCUMENT)) and not any(each.held for each in conflicts)


def _in_sections(nodes: Sequence[NodeWithScore], verdict: Verdict, *, english: bool) -> str:
    """Each section below its title: its quoted rows, the nearest questions, or that there are none."""
    numbers = {row_id(hit): number for number, hit in enumerate(nodes, 1)}
    titles = {section.title for section in verdict.sections}
    by_bank = any(bank_of(hit) in titles for hit in nodes)
    by_case = titles <= {
        str(hit.node.metadata.get(QUESTION))
        for hit in nodes
        if str(hit.node.metadata.get(QUESTION)) not in verdict.query
    }
    frame = "several_banks" if by_bank else "several_cases" if by_case else "several_questions"
    parts = [texts.frame(frame, english=english)]
    for section in verdict.sections:
        shown = [numbers[row] for row in section.rows if row in numbers]
        lines = [section.title]
        if not shown:
            lines.append(texts.frame("section_declined", english=english))
        elif section.status != "answered":
            lines.append(texts.frame("section_suggested", english=english))
            lines += [f"- {question} [{number}]" for number, question in _offered(nodes, shown).items()]
        else:
            named = verdict.names_banks and not by_bank
            # The title of a part is what was asked of its rows; an institution's is its name.
            asked = verdict.query if by_bank else section.title
            lines += [_quote(nodes, number, asked, named=named) for number in shown]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _offered(nodes: Sequence[NodeWithScore], numbers: Sequence[int]) -> dict[int, str]:
    """The questions of these nodes by number, with the institution if several nodes have the same question."""
    questions = {number: str(nodes[number - 1].node.metadata.get(QUESTION, "")) for number in numbers}
    counts = Counter(questions.values())
    banks = {number: bank_of(nodes[number - 1]) for number in numbers}
    return {
        number: f"{question} ({banks[number]})" if counts[question] > 1 and banks[number] else question
        for number, question in questions.items()
    }


def _quote(nodes: Sequence[NodeWithScore], number: int, asked: str, *, named: bool, english: bool = False) -> str:
    """A row's text with its citation, below its institution's name if `named`, for the question `asked`."""
    hit = nodes[number - 1]
    text, on_case, asks, metadata = hit.node.get_content(), "", "", hit.node.metadata
    if asked not in (phrasings := phrasings_of(hit).split("\n")):
        if asked and not metadata.get(DOCUMENT):
            on_case = sentence_on_case(asked, question_of(hit), text, bank_of(hit))
        # A "네," for another question than the row's would be a false statement of the institution.
        rest, is_only = without_yes_or_no(text), is_only_yes_or_no(text)
        if (is_only or rest != text) and not asks_the_same(asked, phrasings, bank_of(hit)):
            # Where nothing else would be left, the row's question says what it answers.
            text, asks = (text, question_of(hit)) if is_only else (rest, "")
    text = f"{text} [{number}]"
    if metadata.get(DOCUMENT):
        # The headings of a document name its institution.
        return texts.passage(
            place_in_document(metadata),
            str(metadata.get(QUESTION) or ""),
            text,
            str(metadata.get("uncertain") or ""),
            english=english,
        )
    name = bank_of(hit) if named else ""
    lead = texts.frame("on_case", english=english, sentence=on_case) if on_case else ""
    return "\n".join(filter(None, (name, lead, asks, text)))


def quoted(nodes: Sequence[NodeWithScore]) -> tuple[int, ...]:
    """The numbers, counted from 1, of the nodes that `verbatim` quotes, including all that were not judged."""
    return tuple(number for number, hit in enumerate(nodes, 1) if not isinstance(hit, JudgedNode) or hit.quoted)


def pieces(text: str) -> Generator[str, None, None]:
    """The sentences of a text, which cover it."""
    for start, end in sentences(text):
        yield text[start:end]
