"""Do passages state what a sentence says? The checks that a model's sentence must pass before it is shown.

First `CHECKS`, in their order, then the share of the sentence's words that the passages contain. The rules are pure functions
over patterns and sets, and conservative about numbers. Another `Verifier`, such as `NliVerifier`, may overrule a part of them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from rag.constraints import quantities_of
from rag.errors import ModelError, ModelPaused
from rag.korean import compact
from rag.retries import CircuitBreaker
from rag.synthesis.clauses import EDGE, SUPPORTED, Finding, Sources, closeness, is_negative, prepare
from rag.synthesis.condition_check import (
    check_conceded,
    check_conceded_case,
    check_consequence,
    check_even_without,
    check_in_person,
    check_needed,
)
from rag.synthesis.contrast_check import (
    check_contrasts,
    check_days,
    check_denied_verbs,
    check_institutions,
    check_opposites,
    check_payer,
)
from rag.synthesis.exclusive_check import (
    check_absolutes,
    check_exclusive,
    check_extended,
    check_not_by_alone,
    check_only_there,
)
from rag.synthesis.normalisation import of_the_rest, passage_form, sentence_form
from rag.synthesis.occurrences import places
from rag.synthesis.polarity_check import check_denied, check_polarity
from rag.synthesis.prompt_builder import MARKER
from rag.synthesis.quantity_check import check_comparisons, check_quantities, check_units
from rag.synthesis.role_check import check_parts, check_roles
from rag.synthesis.sentences import cited_parts
from rag.synthesis.transfer_check import check_transfers
from rag.synthesis.words import ContentWord, content_words

logger = logging.getLogger(__name__)
COVERED = 0.75
"""Share of a sentence's content words that its passages must contain; fitted on data/evaluation/claims.dev.jsonl."""
SAME_WORDING = 0.7
"""Share of common syllable pairs required for a sentence without content words: "앱에서 신청하실 수 있습니다." """
MISSED, MISSED_ALONE = 0.25, 0.34
"""Shares of a sentence's content words that may be nouns which its passages lack, unless they match _GRANTED; the second share is
for a single noun."""
CHECKS = (
    *(check_quantities, check_units, check_comparisons, check_roles, check_parts, check_days),
    *(check_institutions, check_contrasts, check_payer, check_in_person),
    *(check_absolutes, check_conceded, check_even_without, check_conceded_case, check_consequence, check_needed),
    *(check_exclusive, check_only_there, check_not_by_alone),
    *(check_polarity, check_denied, check_opposites, check_denied_verbs, check_extended, check_transfers),
)
"""In order: numbers, names, conditions, exclusive statements, polarity."""


class Verifier(Protocol):
    """Decides whether passages support a sentence."""

    def prepare(self, passages: Sequence[str]) -> None:
        """Called when an answer begins, with all passages that it may cite, so that slow work is done while the model writes."""
        ...

    def verify(self, sentence: str, passages: Sequence[str]) -> Finding:
        """`passages`: those that the sentence cites, each with its institution and title. Raises no errors."""
        ...


class RuleVerifier:
    """The checks of this module. Thread-safe."""

    def prepare(self, passages: Sequence[str]) -> None:
        """Prepare each passage, which takes about 2 ms."""
        for passage in passages:
            prepare((passage_form(passage),))

    def verify(self, sentence: str, passages: Sequence[str]) -> Finding:
        """`withheld` by the first check that fails; `weak` if a noun is missing from the passages but may be a paraphrase."""
        text = _without_count(sentence_form(MARKER.sub(" ", sentence)), len(passages)).strip().removesuffix(".")
        sources = prepare(tuple(passage_form(passage) for passage in passages))
        # First, because no check may reject a verbatim quotation.
        if _is_quoted(text, sources):
            return SUPPORTED
        finding = _checked(text, sources)
        if finding.status == "withheld" and (other := of_the_rest(text)):
            return SUPPORTED if _checked(other, sources).status != "withheld" else finding
        return finding


def verify_cited(verifier: Verifier, sentence: str, passages: Mapping[int, str]) -> Finding:
    """The finding of `verifier` for a sentence and the passages that it cites, by their numbers.

    A part with its own citations must also be supported by these alone: a value of another source does not support it.
    """
    finding = verifier.verify(sentence, list(passages.values()))
    for part, numbers in cited_parts(sentence) if finding.status != "withheld" else ():
        if content_words(MARKER.sub(" ", part)):
            of_part = verifier.verify(part, [passages[number] for number in numbers if number in passages])
            if of_part.status == "withheld":
                return of_part
    return finding


def _checked(text: str, sources: Sources) -> Finding:
    for check in CHECKS:
        if (finding := check(text, sources)) is not None:
            return finding
    return _coverage(text, sources)


_GRANTED = re.compile(
    r"(?:금|비|료|증|권|쿠폰|포인트|마일리지|캐시백|할인|혜택|우대|지원|보상|보장|금리|세율|카드|통장|기간|기한|한도|자격|등급|첫해|첫날)$"
    r"|선물|사은품|이벤트|추첨|경품|가족|배우자|부모|자녀|형제|친구|지인|대리|타인|법인|외국인|미성년"
)
"""Nouns for amounts, documents, benefits, periods and entitled persons: if its passages lack one, a sentence may have invented
it."""
_COUNTED = ("", "", "두|양", "세", "네")
"""Numerals by the number of cited passages: a sentence on two passages may speak of "두 곳"."""


def _without_count(text: str, passages: int) -> str:
    """The text without a count of the cited passages ("두 곳 모두 1억원까지"), which the passages do not state."""
    if not 2 <= passages < len(_COUNTED):
        return text
    kinds = r"(?:곳|군데|쪽|은행|회사|기관|금융회사|카드사|보험사|증권사|상품|통장|카드|인증서|경우|가지|방법)"
    return re.sub(rf"(?<![가-힣])(?:{_COUNTED[passages]})\s?{kinds}(?:이|은|에서)?(?:\s?(?:모두|다))?(?=\s)", " ", text)


_EVEN = re.compile(r"(?:경우|때|중|후|뒤)(?:에도|라도)|더라도")
"""Matches "even if": what follows "even if" must be in the passages."""
_PLACE = re.compile(
    r"(?:국|서|점|센터|청|법원|은행|회사|앱|카드|통장|증|등본|초본|[가-힣]{3}원|공단|공사|협회|위원회|재단|조합|중앙회)$"
)
_NAMED = re.compile(
    r"(?:[월화수목금토일]요일|[월연]말|[월연]초|말일|분기|문자(?:메시지)?|카카오톡|알림톡|이메일|메일|우편|등기(?:우편)?|팩스|푸시|직장|자택)$"
)
"""Days, channels of notification and addresses, which no other word can replace."""
_GENERIC = frozenset({
    "기간", "금액", "경우", "고객", "조건", "사유", "내용", "결과", "시간", "날짜", "절차", "대상", "부분", "사항",
    "이용", "신청", "방법",
})  # fmt: skip
"""Nouns so general that different words before them may mean the same: "복무 기간", "이행 기간"."""
_OF_A_KIND = re.compile(r"(?:의|인)?\s([가-힣]{2,}?)(?:에|에서|으로|로|을|를|이|가|도|은|는)")
_WEEKEND, _WORKING_DAY = re.compile("토요일|일요일|주말|휴일|공휴일|휴무일"), re.compile("평일|영업일")
_NAME = re.compile(r"[가-힣]{2}\s")
_PICTOGRAPH = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")


def _coverage(text: str, sources: Sources) -> Finding:
    # A single emoji is a courtesy; several may replace words, which cannot be checked.
    signs = [sign for sign in _PICTOGRAPH.findall(text) if sign not in sources.text]
    if len(signs) > 1:
        return Finding("withheld", "words", " ".join(signs))
    finding = _words_covered(text, sources)
    # The words of a quantity ("밤 열한 시 반까지") look like nouns. They are removed only if needed, because that takes time.
    return _words_covered(_without_quantities(text), sources) if finding.reason == "words" else finding


def _words_covered(text: str, sources: Sources) -> Finding:
    words = content_words(text)
    missing: list[ContentWord] = [word for word in words if not sources.words.holds(word)]
    # "토요일에는 안 됩니다" follows from "평일에만".
    weekend = [word for word in missing if word.is_noun and _WEEKEND.match(word.stem)]
    is_denied = bool(weekend) and is_negative(text) and _WORKING_DAY.search(sources.text) is not None
    nouns = [word.stem for word in missing if word.is_noun and not (is_denied and word in weekend)]
    if not words and not quantities_of(text) and not _has_same_wording(text, sources):
        return Finding("withheld", "words", text.strip())
    if not nouns:
        return SUPPORTED
    # Places and documents must be in the passages, because a wrong one sends a customer to the wrong place.
    if named := [noun for noun in nouns if (len(noun) > 2 and _PLACE.search(noun)) or _NAMED.match(noun)]:
        return Finding("withheld", "entity", ", ".join(named))
    for noun in nouns:
        # Another thing of the same kind: "통신사 클라우드" for "금융결제원 클라우드".
        match = _OF_A_KIND.match(text, text.lower().find(noun) + len(noun))
        if not match or match[1] in _GENERIC:
            continue
        if any(start > 2 and _NAME.match(sources.text, start - 3) for start in places(match[1], sources.text)):
            return Finding("withheld", "entity", noun)
    covered = 1 - len(missing) / len(words)
    share = len(nouns) / len(words)
    is_harmless = (
        not _EVEN.search(text)
        and share <= (MISSED_ALONE if len(nouns) == 1 else MISSED)
        and not any(map(_GRANTED.search, nouns))
    )
    return Finding("weak" if covered >= COVERED or is_harmless else "withheld", "words", ", ".join(nouns))


def _without_quantities(text: str) -> str:
    """The text without its quantities and their particles, which are checked separately."""
    for each in reversed(quantities_of(text)):
        end = each.end + len(_PARTICLES.match(text, each.end)[0])  # type: ignore[index]
        text = f"{text[: each.start]} {text[end:]}"
    return text


_PARTICLES = re.compile(r"[가-힣]*")


def _is_quoted(text: str, sources: Sources) -> bool:
    """Whether the passages contain a sentence verbatim, from the beginning to the end of theirs."""
    quote = compact(EDGE.sub("", text))
    if len(quote) < 2:
        return False
    passages, start = f"\n{sources.squeezed}\n", 0
    while (start := passages.find(quote, start + 1)) > 0:
        # The quotation must not begin within a number: "5%입니다" in "3.5%입니다".
        is_whole = passages[start - 1] in "\n.!?" and not (quote[0].isdigit() and passages[start - 1] == ".")
        if is_whole and passages[start + len(quote)] in "\n.!?":
            return True
    return False


def _has_same_wording(text: str, sources: Sources) -> bool:
    """Whether a clause of the passages has nearly the same wording as a sentence of everyday words only."""
    # "네, 가능합니다." depends on the question, which is not known here.
    if len(text.split()) < 3:
        return False
    return any(
        closeness(text, clause) >= SAME_WORDING and clause.denies == is_negative(text) for clause in sources.clauses
    )


PREMISE_CHARACTERS = 400
"""Characters of a premise. With the sentence that is about 300 tokens; the available models read 512."""
OF_WORDING = ("words", "polarity", "condition")
"""Reasons for which a model may overrule the rules."""


class NliModel(Protocol):
    """Computes the probability that a premise entails or contradicts a hypothesis."""

    def scores(self, pairs: Sequence[tuple[str, str]]) -> Sequence[Mapping[str, float]]:
        """For each (premise, hypothesis) at least the probabilities of "entailment" and "contradiction". Raises ModelError."""
        ...


class NliVerifier:
    """Combines the rules with `model`. Thread-safe if the model is.

    `entailed`: probability, 0..1, from which on a sentence withheld for its wording is released as weak. `contradicted`:
    probability from which on a sentence that the rules support is withheld, unless it is less than that of entailment. If the
    model fails, the rules decide.
    """

    def __init__(
        self,
        model: NliModel,
        *,
        entailed: float = 0.9,
        contradicted: float = 0.5,
        rules: Verifier | None = None,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self._model = model
        self._entailed = entailed
        self._contradicted = contradicted
        self._rules = rules or RuleVerifier()
        self._breaker = breaker or CircuitBreaker("the NLI endpoint")

    def prepare(self, passages: Sequence[str]) -> None:
        """Prepare the rules; the model needs no preparation."""
        self._rules.prepare(passages)

    def verify(self, sentence: str, passages: Sequence[str]) -> Finding:
        """The rules' finding, or the model's where it overrules them (`contradicted` as its reason, if it withholds)."""
        finding = self._rules.verify(sentence, passages)
        is_withheld = finding.status == "withheld"
        if is_withheld and finding.reason not in OF_WORDING:
            return finding
        hypothesis = MARKER.sub(" ", sentence).strip()
        pairs = [(premise, hypothesis) for passage in passages for premise in premises(passage)]
        try:
            with self._breaker.call():
                scores = self._model.scores(pairs)
        except ModelError as exc:
            if not isinstance(exc, ModelPaused):
                logger.warning("the rules alone decide on a sentence: %s", exc)
            return finding
        # Parts of a passage about something else may seem to contradict what another part entails.
        entailed = max((each["entailment"] for each in scores), default=0.0)
        contradicted = max((each["contradiction"] for each in scores), default=0.0)
        if is_withheld:
            return Finding("weak", finding.reason, finding.detail) if entailed >= self._entailed else finding
        if contradicted >= self._contradicted and contradicted > entailed:
            return Finding("withheld", "contradicted", hypothesis)
        return finding


def premises(passage: str) -> Iterator[str]:
    """The passage in parts of whole lines that fit into the model's window, each with its institution and title."""
    lines = [line for line in passage.split("\n") if line.strip()]
    part = head = "\n".join(lines[:2])
    for line in lines[2:]:
        if part != head and len(part) + len(line) > PREMISE_CHARACTERS:
            yield part
            part = head
        part += f"\n{line}"
    yield part
