"""Passages taken apart for the check of sentences, which of their clauses a sentence is about, and what a check says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints import Quantity, StatedQuantities, default_contrasts, quantities_of
from rag.constraints.contrasts import ContrastMention, mentions_of
from rag.korean import compact, tokens
from rag.synthesis.content_words import content_words
from rag.synthesis.same_meaning import PassageWords, other_words
from rag.synthesis.value_roles import Value, passage_values
from rag.types import SupportReason, SupportStatus


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says of a sentence: `reason` and `detail` (the words it is about) where it is not supported."""

    status: SupportStatus
    reason: SupportReason | None = None
    detail: str = ""


SUPPORTED = Finding("supported")
ALIGNED = 0.5
"""Share of a clause's content words that a clause of the passage must hold to be about the same."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a passage's line.

    `context`: the line's heading and the topic of its sentence, which the part is about too. `words` and `pairs`: the stems and
    the syllable pairs of both. `nouns`, `own_pairs` (a count), `lower` and `quantities`: of the part
    alone.
    """

    text: str
    context: str
    words: frozenset[str]
    pairs: frozenset[str]
    nouns: tuple[str, ...]
    own_pairs: int
    lower: str
    quantities: tuple[Quantity, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a passage with its heading, and what it states.

    `quantities`: those of the line alone. `parts`: what stands between its commas, slashes and clauses, and what each states.
    `labelled`: the words before the first digit of each part ("통장" of "통장 1,500원"), and the part's quantities.
    """

    text: str
    heading: str
    stated: StatedQuantities
    quantities: tuple[Quantity, ...]
    parts: tuple[tuple[str, StatedQuantities], ...]
    labelled: tuple[tuple[str, tuple[Quantity, ...]], ...]


_PART = re.compile(r"[，/]\s?|,\s|(?<=[고며])\s|[.]\s")
_LABELLED_PART = re.compile(r",\s|\s/\s")
_LABELLED = re.compile(
    r"(?<![\d가-힣A-Za-z])([가-힣A-Za-z·()]+(?:\s[가-힣A-Za-z·()]+)?)\s*:?\s*(?:연 |월 |최대 |건당 )?(?=\d)"
)


def _line(text: str, heading: str, stated: StatedQuantities) -> Line:
    labelled = tuple(
        (match[1], quantities_of(part))
        for part in _LABELLED_PART.split(text.split(": ", 1)[-1])
        if (match := _LABELLED.search(part)) is not None and len(match[1]) > 1
    )
    parts = tuple((part, stated_by(part)) for part in _PART.split(text))
    return Line(text, heading, stated, quantities_of(text), parts, labelled)


@dataclass(frozen=True, eq=False)
class Sources:
    """Passages prepared for many sentences. `squeezed`: without white space and list signs, but for its line breaks.

    Equal only to itself, so that what is kept for it is found without comparing its texts.
    """

    text: str
    squeezed: str
    quantities: StatedQuantities
    lines: tuple[Line, ...]
    words: PassageWords
    clauses: tuple[Clause, ...]
    mentions: tuple[ContrastMention, ...]
    values: tuple[Value, ...]


@lru_cache(maxsize=4096)
def stated_by(text: str) -> StatedQuantities:
    """What one text states."""
    return StatedQuantities([text])


_HEADING = re.compile(r"^\s*\[([^\]]{2,30})\]\s*(.*)$")
_CLAUSE_END = re.compile(
    r"(?<=[가-힣][며고])(?<![사신보창광잔재경라다자냐려최권금공출예]고),?\s(?!있|계[시신실셔십]|싶|나[서면])|(?<=[으되하]나),?\s|(?<=지만),?\s|(?<=므로),?\s|(?<=[는인은]데),?\s|(?<=[되하으]니),?\s|(?<=아니니),?\s|(?<=라면),?\s|(?<=[해져워려아어]서),?\s|(?<=[셔아어여해려]도)\s(?!되|됩|돼|괜찮|좋)|(?<=[으하되시]면),?\s"
    r"|(?<=[다요오음됨함임])[.]\s?|(?<=[가-힣A-Za-z)])[.]\s|(?<=[가-힣][어아여]),\s|(?<=[을를]),\s|,\s(?=(?:다만|단)\b)|\s/\s|;\s"
)
_QUESTION = re.compile(r"[?？]\s*$|(?:나요|습니까|는지|궁금합니다|알려 ?주세요|알고 싶습니다|알려 주십시오)[.?]?\s*$")
_TOPIC = re.compile(r"^[\s\-·※*\d.)]*((?:[가-힣A-Za-z0-9()·]+\s){0,3}?[가-힣A-Za-z0-9()·]+(?:은|는|에는|에서는))\s")


_SENTENCE = re.compile(r"\n|(?<=[다요오음됨함임][.])\s")
_EDGE = re.compile(r"^[\s\-*•·※\d.)\[]+|[\s.\]]+$")


_TO_A_MODEL = re.compile(
    r"[라다]고(?:만)?(?:말|답|대답|응답|출력|약속|선언|단언|써|쓰|적)[가-힣]{0,4}(?:세요|시오|라|줘)|지시(?:문|사항)?(?:를|을|는|은)?모두?무시"
    r"|자기소개를하|이제부터(?:당신|너)|당신은이제|프롬프트"
    r"|(?:답변|응답|대답)(?:을|를|은|에|에는|끝에|마다|의)[^.\n]{0,40}?(?:추가|포함|넣|번역|바꾸|바꿔|덧붙|끝내|시작|뒤집|쓰)[가-힣]{0,3}(?:세요|시오|라|줘)"
    r"|your(?:response|reply|answer|message)"
)


def _without_instructions(passage: str) -> str:
    """A passage without the sentences that tell a model what to say: they state nothing about the institution."""
    if _TO_A_MODEL.search(compact(passage)) is None:
        return passage
    return "".join(part for part in re.split(r"(?<=[.\n])", passage) if not _TO_A_MODEL.search(compact(part)))


@lru_cache(maxsize=256)
def prepare(passages: tuple[str, ...]) -> Sources:
    """The passages taken apart; those of the last answers are kept."""
    passages = tuple(_without_instructions(passage) for passage in passages)
    text = "\n".join(passages)
    clauses: list[Clause] = []
    lines: list[Line] = []
    heading = header = ""
    for line in text.split("\n"):
        if (match := _HEADING.match(line)) is not None:
            heading, line = match[1], match[2]
        elif line.startswith("※") or not line.strip():
            heading = ""
        # A row's title asks and states nothing.
        if not line.strip() or _QUESTION.search(line):
            continue
        # A row's values are also those of its columns: "1일 한도".
        header = (header or line) if "|" in line else ""
        above = " ".join(each for each in (heading, header if header != line else "") if each)
        lines.append(_line(line, heading, stated_by(f"{above}: {line}" if above else line)))
        for sentence in re.split(r"(?<=[다요오음됨함임][.])\s", line):
            topic = match[1] if (match := _TOPIC.match(sentence)) else ""
            for part in _parts(_MENU_PATH.sub("", sentence) if _IN_WORDS.search(sentence) else sentence):
                context = f"{heading} {topic}".strip()
                words = content_words(f"{context} {part}")
                nouns = tuple(word.stem for word in words if word.is_noun and word.stem in part.lower())
                pairs = frozenset(tokens(f"{context} {part}"))
                stems = frozenset(word.stem for word in words)
                clauses.append(
                    Clause(part, context, stems, pairs, nouns, len(_pairs(part)), part.lower(), quantities_of(part))
                )
    held = PassageWords(passages)
    squeezed = "\n".join(compact(_EDGE.sub("", part)) for part in _SENTENCE.split(text))
    values = tuple(value for passage in passages for value in passage_values(passage))
    stated = StatedQuantities(passages)
    return Sources(text, squeezed, stated, tuple(lines), held, tuple(clauses), mentions_of(text), values)


_MENU_PATH = re.compile(r"\S+(?:\s>\s[^>,.(]+?)+(?:에서|으로)\s")
_IN_WORDS = re.compile(r"\s>\s.*[다요오]\.?\s*$")
"""A sentence with a menu's path in it: "취소는 앱 > 외환 > 내역에서 하실 수 있습니다" says something; a path alone does not."""


def _parts(sentence: str) -> list[str]:
    """The clauses of a sentence; what parentheses deny is one of its own: "창구 방문 (앱 신청 불가)"."""
    parts: list[str] = []
    for part in split_clauses(sentence):
        aside = re.search(r"\s?\(([^)]*(?:불가|제외|안 됨|없음)[^)]*)\)", part)
        parts += [part.replace(aside[0], ""), aside[1]] if aside else [part]
    return [part for part in parts if part.strip()]


def begins_word(word: str, text: str) -> bool:
    """Whether a word stands in a text with no letter of Hangul before it."""
    start = text.find(word)
    while start >= 0:
        if start == 0 or not "가" <= text[start - 1] <= "힣":
            return True
        start = text.find(word, start + 1)
    return False


@lru_cache(maxsize=2048)
def split_clauses(text: str) -> tuple[str, ...]:
    """The clauses of a text: what stands between endings like "고", "므로" and full stops."""
    return tuple(part for part in _CLAUSE_END.split(text) if part and part.strip())


def with_conditions(text: str) -> list[str]:
    """The clauses of a sentence, a condition together with what it is a condition of."""
    clauses: list[str] = []
    for clause in split_clauses(text):
        if clauses and clauses[-1].rstrip(", ").endswith("면"):
            clauses[-1] = f"{clauses[-1]} {clause}"
        else:
            clauses.append(clause)
    return clauses


@lru_cache(maxsize=256)
def aligned(clause: str, sources: Sources) -> tuple[Clause, ...]:
    """The clauses of the passages that share most of a clause's words; none where no clause shares enough."""
    words = [word.stem for word in content_words(clause)]
    if not words:
        return ()
    topics = {match[1]: 0.2 if match[2] in "이가" else 0.4 for match in _CLAIM_TOPIC.finditer(clause)}
    scored = []
    for each in sources.clauses:
        if " > " in each.text:  # a menu's path names much and says nothing
            continue
        share = sum(_is_in(word, each) for word in words) / len(words)
        if share >= ALIGNED:
            bonus = max((weight for topic, weight in topics.items() if topic in each.text), default=0.0)
            scored.append((share + bonus + closeness(clause, each), each))
    best = max((score for score, _ in scored), default=0.0)
    # Clauses that are as near as the nearest all speak; one of them alone may be the exception.
    return tuple(each for score, each in scored if score >= best - 0.02)


_CLAIM_TOPIC = re.compile(
    r"(?<![가-힣A-Za-z])([가-힣A-Za-z]{2,}?)(에는|에도|에서도|에서는|으로도|으로는|은|는|도|이|가)(?=\s)"
)
"""What a clause is about: where a passage speaks of it, that is what it says of it."""


SAME_PAIRS, SAME_TOPIC_PAIRS = 0.45, 0.35
"""Shares of a clause's syllable pairs beside which another clause says the same or its opposite; the second where both have
the same topic. Fitted on data/evaluation/claims.dev.jsonl."""


@lru_cache(maxsize=1024)
def _pairs(text: str) -> frozenset[str]:
    return frozenset(tokens(text))


def closeness(clause: str, other: Clause) -> float:
    """The share of syllable pairs that two clauses have in common, of the shorter one's."""
    pairs = _pairs(clause)
    return len(pairs & other.pairs) / max(1, min(len(pairs), max(6, other.own_pairs)))


def is_about_same(clause: str, other: Clause) -> bool:
    """Whether two clauses are close enough for one to deny the other: in their wording, or in all that they name."""
    close = closeness(clause, other)
    topics = [match[1] for match in _CLAIM_TOPIC.finditer(clause) if content_words(match[1])]
    has_topic = any(topic in other.text for topic in topics)
    names_all = all(_is_in(word.stem, other) >= 0.6 for word in content_words(clause))
    if close >= SAME_PAIRS or (has_topic and close >= SAME_TOPIC_PAIRS):
        return True
    return names_all and (has_topic or (not topics and close >= 0.3))


def _is_in(word: str, clause: Clause) -> float:
    """1 where a clause has a word itself, less where its context has it, or only the end of a compound ("인증서")."""
    if word in clause.lower:
        return 1.0
    if word in clause.words:
        return 0.8
    if len(word) > 3 and word[-3:] in clause.text:
        return 0.6
    return 0.6 if any(form in clause.text for form in other_words(word)) else 0.0


def set_kind(mention: ContrastMention) -> str:
    """The kind of the set that a mention belongs to: product, means, scope, action, channel or state."""
    return default_contrasts().sets[mention.set_name].kind
