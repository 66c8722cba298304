"""SentenceRelease: decides what of a model's answer may be shown while the model is still writing it.

A sentence is kept back until it is complete and it or a later one cites a source. Then it is checked against the cited sources. A
sentence that they do not support is left out; if it contradicts them, their closest sentence replaces it. Nothing is shown before
the first sentence that is supported.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping

from rag.constraints import read_quantities
from rag.korean import compact
from rag.privacy import mask, own_numbers
from rag.synthesis.attribution import Attribution
from rag.synthesis.clauses import Finding
from rag.synthesis.prompt_builder import MARKER
from rag.synthesis.sentences import (
    CitationResolver,
    cited_numbers,
    complete_until,
    says_something,
    split_sentences,
)
from rag.synthesis.statements import Statement, nearest_statement
from rag.synthesis.verification import Verifier, verify_cited
from rag.synthesis.words import is_courtesy
from rag.types import Notice, SentenceSupport

logger = logging.getLogger(__name__)
REPLACED = ("quantity", "polarity", "condition", "entity", "contradicted")
"""Reasons for withholding a sentence that mean that it contradicts its source, so that a replacement is shown."""
_RANKS = ("withheld", "weak", "supported")
_LEAD = re.compile(r"\s*(?:[\-*•·]\s+)?")


class SentenceRelease:
    """Takes the pieces of a model's answer, cut anywhere, and returns what may be shown.

    `sources`: the passages shown to the model by number. `approved`: those whose sentences may replace one of the model's,
    without institution and title. `institutions`: the institution of each source in an index of several, whose names are added
    to the answer. Results: `text` is all that was released, `cited` its sources, `support` the finding for each sentence,
    `notice` why something is missing. `stopped`: why the whole answer was rejected, or empty; then the rest need not be fed.
    """

    def __init__(
        self,
        sources: Mapping[int, str],
        verifier: Verifier,
        *,
        instruction: str,
        approved: Mapping[int, str] | None = None,
        institutions: Mapping[int, str] | None = None,
    ) -> None:
        self.text = ""
        self.support: list[SentenceSupport] = []
        self.stopped = ""
        self.notice: Notice | None = None
        self._sources = sources
        self._approved = approved or {}
        self._attribution = Attribution(institutions or {})
        self._replacements: list[tuple[str, Statement, int, str]] = []
        self._replaced: set[str] = set()
        self._verifier = verifier
        self._gate = Gate(instruction, sources.values())
        self._resolver = CitationResolver(sources)
        self._open = ""
        self._waiting: list[str] = []
        self._cited: dict[int, None] = {}
        self._has_text = False

    @property
    def cited(self) -> tuple[int, ...]:
        """Numbers of the sources that released sentences cite, sorted."""
        return tuple(sorted(self._cited))

    def feed(self, piece: str) -> str:
        """The text that may be shown after the next piece, possibly empty."""
        if not self._has_text and piece.strip():
            self._has_text = True
            self._verifier.prepare(tuple(self._sources.values()))
        self._open += self._resolver.feed(piece)
        whole = complete_until(self._open)
        released = self._take(self._open[:whole])
        self._open = self._open[whole:]
        if not self.stopped and (problem := self._gate.open_text(self._open)):
            self._stop(problem)
        return released

    def end(self, *, is_truncated: bool = False) -> str:
        """The text that may be shown after the end of the answer; sets `notice`."""
        if is_truncated:
            self.notice = "interrupted"
            logger.warning(
                "falling back to FAQ passages: the model's output was truncated; consider raising FSI_LLM__MAX_NEW_TOKENS"
            )
            return ""
        released = self._take(self._open + self._resolver.end())
        if not self.stopped:
            released += self._settle_waiting()
            self.notice = self._notice()
        return released

    def _take(self, text: str) -> str:
        """Check complete sentences one by one and return what may be shown."""
        released = ""
        for start, end in split_sentences(text):
            sentence = text[start:end]
            if self.stopped:
                break
            if problem := self._gate.sentence(sentence):
                self._stop(problem)
            elif not says_something(sentence):
                # Line breaks between sentences are kept; a citation without a sentence is not.
                self._waiting += [sentence] if not sentence.strip() and self.text else []
            elif numbers := cited_numbers(sentence):
                waiting, self._waiting = self._waiting, []
                released += "".join(self._release(each, numbers) for each in [*waiting, sentence])
            else:
                self._waiting.append(sentence)
        return released

    def _release(self, sentence: str, numbers: tuple[int, ...], *, is_cited: bool = True) -> str:
        """The sentence if the sources with these numbers support it, else its replacement, which may be empty."""
        if sentence.strip():
            own = cited_numbers(sentence)
            if is_courtesy(sentence) and not own:
                return self._append(sentence) if self.text else ""
            finding = self._finding(sentence, numbers)
            record = SentenceSupport(sentence.strip(), numbers, finding.status, finding.reason, finding.detail)
            if finding.status == "withheld":
                self.support.append(record)
                if is_cited and finding.reason in REPLACED:
                    self._find_replacement(sentence, numbers)
                return self._replace() if self.text else ""
            replaced = self._replace(sentence)
            self.support.append(record)
            self._cited.update(dict.fromkeys(own))
            # Not a sentence that has been shown as a replacement.
            return replaced + (self._append(sentence, numbers) if _key(sentence) not in self._replaced else "")
        return self._append(sentence)

    def _find_replacement(self, sentence: str, numbers: tuple[int, ...]) -> None:
        """Remember the statement of the sources with these numbers that is closest to a sentence, if there is one to show."""
        approved = {number: self._approved[number] for number in numbers if number in self._approved}
        titles = {number: self._sources[number].removesuffix(text) for number, text in approved.items()}
        nearest = nearest_statement(MARKER.sub(" ", sentence), approved, titles)
        if nearest is None:
            return
        number, statement = nearest
        passage = [self._sources[number]]
        if not self._gate.content(statement.text) and all(
            self._verifier.verify(each, passage).status == "supported" for each in statement.sentences
        ):
            lead = _LEAD.match(sentence)[0]  # type: ignore[index]
            self._replacements.append((lead, statement, number, sentence[len(sentence.rstrip()) :]))

    def _replace(self, following: str = "") -> str:
        """The remembered replacements, without those that the text or the next sentence contains."""
        replacements, self._replacements = self._replacements, []
        released = ""
        for lead, statement, number, trail in replacements:
            shown = _key(self.text + following)
            if any(_key(each) in shown for each in statement.sentences):
                continue
            text = f"{statement.text} [{number}]"
            released += self._append(f"{lead}{text}{trail}", (number,))
            self._replaced.update(map(_key, statement.sentences))
            self._cited[number] = None
            self.support.append(SentenceSupport(text, (number,), "supported", is_replacement=True))
        return released

    def _append(self, text: str, numbers: tuple[int, ...] = ()) -> str:
        before = self._attribution.before(self.text, text, numbers)
        # Models begin with a space or a line break.
        released = before + text.lstrip() if before or not self.text else text
        self.text += released
        return released

    def _settle_waiting(self) -> str:
        """Check sentences that no citation followed against all sources cited so far."""
        waiting, self._waiting = self._waiting, []
        if self.text:
            return "".join(
                self._release(each, self._stating(each), is_cited=False)
                for each in waiting
                if each.strip() or each is not waiting[-1]
            )
        self.support += [SentenceSupport(each.strip(), (), "withheld", "uncited") for each in waiting if each.strip()]
        return ""

    def _stating(self, sentence: str) -> tuple[int, ...]:
        """The sources cited so far; of several institutions, those of the one that supports the sentence best."""
        groups = list(self._attribution.by_institution(self.cited).values())
        if len(groups) < 2 or not sentence.strip():
            return self.cited
        return max(groups, key=lambda numbers: _RANKS.index(self._finding(sentence, numbers).status))

    def _finding(self, sentence: str, numbers: tuple[int, ...]) -> Finding:
        return verify_cited(self._verifier, sentence, {number: self._sources[number] for number in numbers})

    def _notice(self) -> Notice | None:
        withheld = [each for each in self.support if each.status == "withheld"]
        if not self.text:
            notice: Notice = "withheld" if any(each.reason != "uncited" for each in withheld) else "uncited"
            if not withheld and not self._has_text:
                notice = "model_unavailable"
            logger.warning("falling back to FAQ passages (%s): none of the model's sentences may be shown", notice)
            return notice
        return "withheld" if withheld else None

    def _stop(self, problem: str) -> None:
        """Reject the whole answer; the caller shows the approved text instead."""
        is_endless = problem.startswith(("a sentence", "an answer", "repeated"))
        self.notice = "interrupted" if is_endless else "withheld"
        self.support.append(SentenceSupport("", (), "withheld", "form", problem))
        self.stopped, self.text = problem, ""
        self._waiting, self._cited, self._replacements = [], {}, []
        logger.warning("falling back to FAQ passages (%s): the model's answer holds %s", self.notice, problem)


def _key(text: str) -> str:
    """The text without citations, white space, and list signs and full stops at its ends, for comparison."""
    return compact(MARKER.sub("", text)).strip("-*•·.")


LONGEST_ANSWER = 2000
"""Characters of one answer, at most; the longest approved text of the bundled FAQ has 1,050."""
LONGEST_SENTENCE = 600
"""Characters of one sentence, at most."""
RUN = 18
"""Characters without white space: an answer must not contain so many in a row of the instruction, unless a source does."""
_REPEATS = 3
_MARKUP = re.compile(
    r"</?[A-Za-z!|][^>\n]{0,80}[>|]|<\||```|!\[|\]\(\s*(?:https?|www|#|/)|\[/?INST|^\s*#{1,6}\s|###|\{\{|\}\}|\b(?:system|assistant|user)\s*:",
    re.M,
)
_ADDRESS = re.compile(
    r"(?:https?|ftp)://\S+|www\.\S+|[\w.+\-]+@[\w\-]+\.\w+"
    r"|\b[A-Za-z0-9\-]{2,}(?:\.[A-Za-z0-9\-]+)*\.(?:com|net|org|kr|io|me|app|xyz|example|ly|gg|cc)\b\S*",
    re.IGNORECASE,
)
_LOOP = re.compile(r"(.{3,60}?)\1{3,}")


class Gate:
    """Detects forbidden content in one answer while it grows. `sources`: the passages shown to the model."""

    def __init__(self, instruction: str, sources: Iterable[str]) -> None:
        texts = list(sources)
        self._sources = "\n".join(texts)
        compacted = compact(self._sources)
        runs = _runs(compact(instruction))
        # Words of a source are no leak of the instruction.
        self._instruction = frozenset(run for run in runs if run not in compacted)
        self._phones = {quantity.low for quantity in read_quantities(self._sources) if quantity.dimension == "phone"}
        self._own = own_numbers(texts)
        self._seen: dict[str, int] = {}
        self._length = 0

    def open_text(self, text: str) -> str | None:
        """The problem of an incomplete sentence, or None."""
        if match := _MARKUP.search(text):
            return f"markup {match[0][:20]!r}"
        if len(text) > LONGEST_SENTENCE:
            return "a sentence without an end"
        if self._instruction and any(run in self._instruction for run in _runs(compact(text))):
            return "the instruction"
        loop = _LOOP.search(text)
        return "repeated text" if loop and len(loop[0]) >= 24 and not loop[1].isspace() else None

    def sentence(self, text: str) -> str | None:
        """The problem of a complete sentence or of the answer with it, or None. Counts the sentence."""
        if problem := self.content(text):
            return problem
        self._length += len(text)
        key = compact(text)
        self._seen[key] = self._seen.get(key, 0) + 1
        if self._length > LONGEST_ANSWER:
            return "an answer without an end"
        return "repeated text" if len(key) > 8 and self._seen[key] >= _REPEATS else None

    def content(self, text: str) -> str | None:
        """The forbidden content of a complete sentence, or None."""
        # Repeated for the complete sentence, because a piece may have ended within markup.
        if problem := self.open_text(text):
            return problem
        for address in _ADDRESS.findall(text):
            if address.rstrip(".,)은는이가을를에") not in self._sources:
                return "an address"
        if any(each.dimension == "phone" and each.low not in self._phones for each in read_quantities(text)):
            return "a phone number"
        return "a personal number" if mask(text, self._own).kinds else None


def _runs(text: str) -> list[str]:
    return [text[start : start + RUN] for start in range(len(text) - RUN + 1)]
