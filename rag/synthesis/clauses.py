"""Splits passages into lines and clauses, finds the clauses that a sentence is about, and tells whether a clause denies
something."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints import Quantity, StatedQuantities, default_contrasts, quantities_of
from rag.constraints.contrasts import ContrastMention, mentions_of
from rag.korean import compact, tokens
from rag.synthesis.sentences import without_instructions
from rag.synthesis.values import Value, passage_values
from rag.synthesis.words import PassageWords, content_words, synonyms
from rag.types import SupportReason, SupportStatus


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check of a sentence: `reason` and `detail` (the words concerned) if it is not supported."""

    status: SupportStatus
    reason: SupportReason | None = None
    detail: str = ""


SUPPORTED = Finding("supported")
ALIGNED = 0.5
"""Share of a clause's content words that a clause of a passage must contain to be about the same."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of a passage.

    `context`: the heading of its line and the topic of its sentence. `words` and `pairs`: the stems and syllable pairs of the
    clause and its context. `nouns`, `own_pairs` (their number), `lower` and `quantities`: of the clause alone. `denies`: it is
    negative or belongs to a list of exclusions.
    """

    text: str
    context: str
    words: frozenset[str]
    pairs: frozenset[str]
    nouns: tuple[str, ...]
    own_pairs: int
    lower: str
    quantities: tuple[Quantity, ...]
    denies: bool


@dataclass(frozen=True, slots=True)
class LinePart:
    """A part of a line with the quantities that it states and the members of contrast sets that it names."""

    text: str
    stated: StatedQuantities
    mentions: tuple[ContrastMention, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a passage with its heading; `stated` are the quantities of both.

    `quantities`: those of the line alone. `parts`: the line split at commas, slashes and clauses. `labelled`: for each part
    with a number, the words before it ("통장" of "통장 1,500원") and the quantities of the part.
    """

    text: str
    heading: str
    stated: StatedQuantities
    quantities: tuple[Quantity, ...]
    parts: tuple[LinePart, ...]
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
    parts = tuple(LinePart(part, stated_by(part), mentions_of(part)) for part in _PART.split(text))
    return Line(text, heading, stated, quantities_of(text), parts, labelled)


@dataclass(frozen=True, eq=False)
class Sources:
    """Passages prepared for checking many sentences, compared by identity, so that they can be the key of a cache.

    `squeezed`: the sentences without white space and list signs, one per line.
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
    """The quantities that a text states."""
    return StatedQuantities([text])


_HEADING = re.compile(r"^\s*\[([^\]]{2,30})\]\s*(.*)$")
_CLAUSE_END = re.compile(
    r"(?<=[가-힣][며고])(?<![사신보창광잔재경라다자냐려최권금공출예]고),?\s(?!있|계[시신실셔십]|싶|나[서면])"
    r"|(?<=[으되하]나),?\s|(?<=지만),?\s|(?<=므로),?\s|(?<=[는인은]데),?\s|(?<=[되하으]니),?\s|(?<=아니니),?\s"
    r"|(?<=라면),?\s|(?<=[해져워려아어]서),?\s|(?<=[셔아어여해려]도)\s(?!되|됩|돼|괜찮|좋)|(?<=[으하되시]면),?\s"
    r"|(?<=[다요오음됨함임])[.]\s?|(?<=[가-힣A-Za-z)])[.]\s|(?<=[가-힣][어아여]),\s|(?<=[을를]),\s|,\s(?=(?:다만|단)\b)|\s/\s|;\s"
)
EXCLUDED = re.compile(r"^\s*(?:[-•·*]\s*)?[^:|]{0,12}(?:제외|불가|비대상|비보호|미적용|미지원)[^:|]{0,8}:\s")
"""The label of a list of what is excluded."""
_QUESTION = re.compile(r"[?？]\s*$|(?:나요|습니까|는지|궁금합니다|알려 ?주세요|알고 싶습니다|알려 주십시오)[.?]?\s*$")
_TOPIC = re.compile(r"^[\s\-·※*\d.)]*((?:[가-힣A-Za-z0-9()·]+\s){0,3}?[가-힣A-Za-z0-9()·]+(?:은|는|에는|에서는))\s")
_SENTENCE = re.compile(r"\n|(?<=[다요오음됨함임][.])\s")
EDGE = re.compile(r"^(?:[\s\-*•·※.)\[]|\d{1,2}[.)](?!\d))+|[\s.\]]+$")
"""Signs at the beginning and end of a line that are no part of its text. The number of "14일이 지나면" is part of it."""


@lru_cache(maxsize=256)
def prepare(passages: tuple[str, ...]) -> Sources:
    """The passages split into lines and clauses, with a cache for those of the last answers."""
    passages = tuple(without_instructions(passage) for passage in passages)
    text = "\n".join(passages)
    clauses: list[Clause] = []
    lines: list[Line] = []
    heading = header = ""
    for line in text.split("\n"):
        if (match := _HEADING.match(line)) is not None:
            heading, line = match[1], match[2]
        elif line.startswith("※") or not line.strip():
            heading = ""
        # The title of a row is a question and states nothing.
        if not line.strip() or _QUESTION.search(line):
            continue
        is_excluded = bool(EXCLUDED.match(line) or re.search(r"제외|불가|비보호", heading))
        # The header of a table contains what its values belong to: "1일 한도".
        header = (header or line) if "|" in line else ""
        above = " ".join(each for each in (heading, header if header != line else "") if each)
        lines.append(_line(line, heading, stated_by(f"{above}: {line}" if above else line)))
        for sentence in re.split(r"(?<=[다요오음됨함임][.])\s", line):
            topic = match[1] if (match := _TOPIC.match(sentence)) else ""
            for part in _parts(_MENU_PATH.sub("", sentence) if _IN_WORDS.search(sentence) else sentence):
                context = f"{heading} {topic}".strip()
                words = content_words(f"{context} {part}")
                nouns = tuple(word.stem for word in words if word.is_noun and word.stem in part.lower())
                pairs, stems = frozenset(tokens(f"{context} {part}")), frozenset(word.stem for word in words)
                denies = (is_excluded and UNLESS.search(part) is None) or is_negative(part)
                own = len(_pairs(part)), part.lower(), quantities_of(part), denies
                clauses.append(Clause(part, context, stems, pairs, nouns, *own))
    squeezed = "\n".join(compact(EDGE.sub("", part)) for part in _SENTENCE.split(text))
    values = tuple(value for passage in passages for value in passage_values(passage))
    stated, words_held = StatedQuantities(passages), PassageWords(passages)
    return Sources(text, squeezed, stated, tuple(lines), words_held, tuple(clauses), mentions_of(text), values)


UNLESS = re.compile(r"(?:후|뒤|시|하면|되면)(?:에는?|는)?\s(?:\S+\s)?가능\)?$")
"""Ends an item of a list of exclusions that names the exception: "자동이체 등록 계좌 (해지 후 가능)"."""
_MENU_PATH = re.compile(r"\S+(?:\s>\s[^>,.(]+?)+(?:에서|으로)\s")
_IN_WORDS = re.compile(r"\s>\s.*[다요오]\.?\s*$")
"""Matches a sentence that contains a menu path ("취소는 앱 > 외환 > 내역에서 하실 수 있습니다"), as opposed to a path alone."""


def _parts(sentence: str) -> list[str]:
    """The clauses of a sentence. Parentheses that allow or deny something are a clause of their own: "창구 방문 (앱 신청
    불가)"."""
    parts: list[str] = []
    for part in split_clauses(sentence):
        aside = re.search(r"\s?\(([^)]*(?:불가|제외|안 됨|없음|가능)[^)]*)\)", part)
        parts += [part.replace(aside[0], ""), aside[1]] if aside else [part]
    return [part for part in parts if part.strip()]


@lru_cache(maxsize=2048)
def split_clauses(text: str) -> tuple[str, ...]:
    """The clauses of a text, which is split after endings like "고" and "므로" and after full stops."""
    return tuple(part for part in _CLAUSE_END.split(text) if part and part.strip())


def with_conditions(text: str) -> list[str]:
    """The clauses of a sentence, with each condition joined to the clause after it."""
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
    for each, *shares in zip(sources.clauses, *(_shares(word, sources) for word in words), strict=True):
        share = sum(shares) / len(words)
        # A menu path contains many words, but states nothing.
        if share >= ALIGNED and " > " not in each.text:
            bonus = max((weight for topic, weight in topics.items() if topic in each.text), default=0.0)
            scored.append((share + bonus + closeness(clause, each), each))
    # All clauses about as close as the closest count, because one of them alone may be an exception.
    best = max((score for score, _ in scored), default=0.0)
    return tuple(each for score, each in scored if score >= best - 0.02)


_CLAIM_TOPIC = re.compile(
    r"(?<![가-힣A-Za-z])([가-힣A-Za-z]{2,}?)(에는|에도|에서도|에서는|으로도|으로는|은|는|도|이|가)(?=\s)"
)
"""Matches the topics of a clause, which count more than other words in the alignment."""
SAME_PAIRS, SAME_TOPIC_PAIRS = 0.45, 0.35
"""Shares of common syllable pairs from which on two clauses are about the same; the second applies if they have the same topic.
Fitted on data/evaluation/claims.dev.jsonl."""


@lru_cache(maxsize=1024)
def _pairs(text: str) -> frozenset[str]:
    return frozenset(tokens(text))


def closeness(clause: str, other: Clause) -> float:
    """The number of common syllable pairs of two clauses, divided by that of the shorter one, 0..1."""
    pairs = _pairs(clause)
    return len(pairs & other.pairs) / max(1, min(len(pairs), max(6, other.own_pairs)))


def is_about_same(clause: str, other: Clause) -> bool:
    """Whether two clauses are so similar that one may deny the other: by their syllables, or because both name the same
    things."""
    close = closeness(clause, other)
    topics = [match[1] for match in _CLAIM_TOPIC.finditer(clause) if content_words(match[1])]
    has_topic = any(topic in other.text for topic in topics)
    if close >= SAME_PAIRS or (has_topic and close >= SAME_TOPIC_PAIRS):
        return True
    names_all = all(_is_in(word.stem, other) >= 0.6 for word in content_words(clause))
    return names_all and (has_topic or (not topics and close >= 0.3))


@lru_cache(maxsize=2048)
def _shares(word: str, sources: Sources) -> tuple[float, ...]:
    return tuple(_is_in(word, clause) for clause in sources.clauses)


def _is_in(word: str, clause: Clause) -> float:
    """How much a clause contains a word, 0..1: less than 1 in its context, as a synonym, or only the end of a compound
    ("인증서")."""
    if word in clause.lower:
        return 1.0
    if word in clause.words:
        return 0.8
    if len(word) > 3 and word[-3:] in clause.text:
        return 0.6
    return 0.6 if any(form in clause.text for form in synonyms(word)) else 0.0


def set_kind(mention: ContrastMention) -> str:
    """The kind of a mention's set: product, means, scope, action, channel or state."""
    return default_contrasts().sets[mention.set_name].kind


FEE = r"(?:수수료|비용|배송[료비]|발송비|이용료|연회비|요금|보증료|거래세|인지세|소득세|양도세|세금|가산금|위약금|전신료|설정비)"
FREE = re.compile(
    r"무료|면제(?![가-힣]*\s?(?:잔여 |한도|횟수|대상|않|안|불가|제외))"
    rf"|{FEE}[가-힣 :]{{0,5}}(?:없|받지 않|들지 않|내지 않|붙지 않)"
    rf"|{FEE}:[^.\n]{{0,30}}없음|부과(?:되|하)지 않"
    rf"|{FEE}[가-힣 ]{{0,3}}(?:피|아끼|아낄|막[을아으]|면할|면하)|{FEE}[가-힣 ]{{0,3}}안 (?:받|내|들)"
)
NOT_FREE = re.compile(r"면제(?:[되하]지|받지)? ?(?:않|안 되|불가|제외|대상이 아니)|무료가 아니")
CHARGED = re.compile(
    rf"유료|{NOT_FREE.pattern}"
    rf"|{FEE}[가-힣 ]{{0,5}}(?<!안 )(?:있습|있으|발생|듭니다|내셔야|청구|붙[습는어]|들어요|내야 |냅니다|따로 붙|추가로 붙)"
    rf"|부과(?!(?:되|하)지 않|[가-힣 ]*(?:면제|없))|{FEE}[가-힣 ]{{0,9}}부담(?:하셔야|해야|합니다)"
)
PRICE = re.compile(rf"{FEE}|무료|유료|면제|부과")
_NEGATIVE = re.compile(
    r"(?:수|수는|수가|수도) ?없|없(?![애앨앤앱]|어[지져졌집진])|않|불가|못[하해합한했함할 ]"
    r"|(?<![가-힣])안 (?:되|됩|돼|붙|내|냅|낸|받|들|걸|나[와오가갑]|하|해|합|바[꾸뀌]|쓰|써|쌓|보|가|와|맞|풀"
    r"|열|떼|빠|넘|깎|줄|늘)"
    r"|제한을 (?:[가-힣]+ )?받[습아]|(?<!로 )(?:제한|차단)(?:됩니다|돼요|되며|될 수|되고)|막[히힙혀](?![가-힣]*(?:면|지))"
    r"|불필요|생략|어렵(?:습니다|고)|어려워요|아니(?!요|라)|아닙|제외|미지원|미적용|비보호|비대상"
    r"|(?<!에서 )빠[지집져진](?!나)|(?:횟수|대상|한도|실적|계산|보장)에서 빠[지집져진]|금지(?!급)"
    r"|종료(?:되었|됐|했)|폐지(?:되|됐|했)|거부|거절|(?:발급|가입|판매|신청|취급)[이가]? ?중단"
)
_ASIDE = re.compile(
    r"제외(?:한|하고|하면)\s|제한[이은]? ?없|관계 ?없|상관 ?없|방문 없이|없이(?! ?(?:돌려|반환))|면제|지 않(?:은|는|아) \S"
    r"|부과되지 않|넘지 않|제한 ?대상(?:이 아[니닙]|에서 제외)|제한(?:되지|하지|을 받지|을 적용하지) 않"
    r"|[이가] 없는 (?!경우$)|지 (?:않[은는]|못한|못하는) |지 (?:않|못하)(?:으?시?면|았다면|으셨다면|았으면)"
    r"|지 (?:않|못하)[가-힣]{0,3}거나"
    r"|(?<![가-힣])(?:안|못) [가-힣]*(?:면|는 경우)(?= )|지 않(?:아도|으셔도|더라도)(?! ?(?:됩|되|돼|괜찮))"
)
"""Negations of a side remark, which do not negate the clause."""
_FEE_ALONE = re.compile(rf"(?<!나 )(?<!나 별도 )(?<!및 )(?<!과 )(?<!와 ){FEE}[가-힣 :]{{0,4}}없")
ALLOWS = re.compile(
    r"(?<!밖에 )수(?:도|가)? 있|가능|됩|되며|되고|돼요|도 되|도 돼|드려요|드립니다|받아요|받습니다|야 (?:하|합|해|한|돼|됩)"
    r"|나가요|나갑니다|줍니다|줘요|들어와요|들어옵니다"
)
"""Matches a clause that allows, provides or requires something."""


@lru_cache(maxsize=4096)
def is_negative(text: str) -> bool:
    """Whether a clause is negative: it has an odd number of negations."""
    return len(_NEGATIVE.findall(_FEE_ALONE.sub(" ", _ASIDE.sub(" ", text)))) % 2 == 1
