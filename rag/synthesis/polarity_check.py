"""Does a sentence affirm what its sources deny, or promise for free what costs? By the clauses about the same."""

from __future__ import annotations

import re

from rag.synthesis.content_words import content_words
from rag.synthesis.findings import Finding
from rag.synthesis.passage_clauses import Sources, aligned, quantities_of, split_clauses

_FREE = re.compile(r"무료|면제|(?:수수료|비용|배송료|이용료|연회비|요금)[가-힣 ]{0,4}(?:없|받지 않|들지 않)")
_CHARGED = re.compile(
    r"유료|(?:수수료|비용|배송료|이용료|요금)[가-힣 ]{0,5}(?:부과|있습|있으|발생|듭니다|내셔야|청구|붙)|부과됩|부과되"
)
_NEGATIVE = re.compile(
    r"(?:수|수는|수가|수도) ?없|없(?:습|으|는|다|이|어)|않|불가|못[하 합]|안 (?:되|됩|돼)|아니(?!요|라면)|아닙|제외|미지원|금지"
    r"|중단|거절|생략|제한됩|차단됩|정지됩"
)
_NOT_NEGATIVE = re.compile(
    r"수수료[가-힣 ]{0,4}없|비용[가-힣 ]{0,3}없|제한 없|관계없|관계없이|방문 없이|없이(?! ?(?:가능|돌려|반환))|면제"
)


def check_dropped_condition(text: str, sources: Sources) -> Finding | None:
    """What is free under a condition alone, said without any: the passage has a price beside it, under the same heading."""
    if not _FREE.search(text) or quantities_of(text):
        return None
    words = [word.stem for word in content_words(text)]
    free = [
        line
        for line in sources.lines
        if line.heading and _FREE.search(line.text) and re.search(r"이내|경우|한하여|한함|까지", line.text)
    ]
    for line in free:
        others = [other for other in sources.lines if other.heading == line.heading and other is not line]
        is_priced = any(each.dimension == "money" for other in others for each in quantities_of(other.text))
        if is_priced and not any(
            word in line.text for word in words if word not in sources.text.replace(line.text, "")
        ):
            return Finding("withheld", "condition", line.text.strip())
    return None


_PREDICATE = re.compile(
    r"[다요오][.]?\s*$|[며고나]\s*$|(?:지만|므로|는데|여|어|아|시)\s*$|불가|가능|없음|있음|미지원|제외|:\s"
)


def is_negative(text: str) -> bool:
    """Whether a clause denies: an odd count of words that do."""
    return len(_NEGATIVE.findall(_NOT_NEGATIVE.sub(" ", text))) % 2 == 1


def check_polarity(text: str, sources: Sources) -> Finding | None:
    """What a clause affirms, the clauses of the passage that are about the same must not deny, and the other way round."""
    for clause in split_clauses(text):
        near = aligned(clause, sources)
        if not near:
            continue
        free, charged = _FREE.search(clause), _CHARGED.search(clause)
        texts = [f"{each.context} {each.text}" for each in near]
        if charged and not free and any(map(_FREE.search, texts)) and not any(map(_CHARGED.search, texts)):
            return Finding("withheld", "polarity", charged[0])
        if (
            free
            and not charged
            and not any(map(_FREE.search, texts))
            and any(_CHARGED.search(each) or re.search(r"수수료|비용", each) for each in texts)
        ):
            return Finding("withheld", "polarity", free[0])
        said = [each for each in near if _PREDICATE.search(each.text)]
        is_plain = not free and not charged and _is_statement(clause)
        if is_plain and said and all(is_negative(each.text) != is_negative(clause) for each in said):
            return Finding("withheld", "polarity", clause.strip())
    return None


def _is_statement(clause: str) -> bool:
    """Whether a clause says of something what it does; "1년 이내이고" and a reason say only what something is."""
    return len(content_words(clause)) >= 2 and not re.search(r"(?:이고|이며|므로|아니라|않고|없이|말고)\s*$", clause)
