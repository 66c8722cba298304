"""What a sentence makes of what its passages require: who may, from when on, and what may be left out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.constraints import quantities_of
from rag.korean import compact
from rag.synthesis.content_words import content_words
from rag.synthesis.passage_clauses import Clause, Finding, Sources, split_clauses
from rag.synthesis.polarity_check import is_negative
from rag.synthesis.same_meaning import word_forms

_WITHOUT = re.compile(
    r"([가-힣A-Za-z]{2,}?)(?:이|가|을|를|은|는)?\s?(?:[가-힣]{0,4}지 않(?:더라도|아도|으셔도|았어도|는 경우에도|은 경우에도)"
    r"|[가-힣]{0,3}고 있지 않(?:아도|더라도|으셔도)|없(?:더라도|어도|으셔도|이도))(?!\s?(?:되|됩|돼|괜찮))"
)
_SPARED = re.compile(
    r"없이|없어도|없더라도|않아도|않으셔도|않더라도|생략|불필요|필요하지 않|필요(?:는|가)? ?없|무관"
    r"|(?:관계|상관) ?없|아니어도|제한 ?없"
)
_LACKING = re.compile(r"(?:없는|않은|않는|못한) (?:경우|때|고객|분)")
_NEEDS = re.compile(
    r"((?:[가-힣A-Za-z]+\s)?[가-힣A-Za-z]{2,}?)(?:을|를|이|가|은|는|도)?\s"
    r"(?:거[쳐치][가-힣]*야|필요(?:합|해|하(?!지))|하셔야|해야|받으셔야|받아야|있어야|내셔야|내야|제출하|밟[으아])"
    r"|([가-힣]{2})(?:하셔야|해야|하여야)(?=\s)"
)
_TO_PAY = re.compile(r"(?:을|를|이|가)?\s?(?:내셔야|내야|냅니다|듭니다|들어요|부과|청구|물어야)")
_WAIVED = re.compile(r"(?:은|는|이|을)?\s?(?:전액\s)?(?:면제|받지 않)")
_EVEN_WHERE = re.compile(
    r"([^,.]{4,40}?)(?:\s(?:경우|때)(?:에도|라도|도)|\s있어도|\s있더라도|(?:이|라)?더라도|이어도|이라도|[가-힣](?:[들해]|하셔|[어아여])도(?!\s?(?:되|됩|돼|괜찮)))\s"
)
_IN_PERSON = re.compile(r"본인이[^.]{0,25}직접|본인만|본인에 한|본인이어야|예금주가 직접|본인이 방문")
_ANOTHER = re.compile(r"대리|대신|가족|배우자|부모|자녀|다른 사람|타인")
_ALLOWS = re.compile(r"(?<!밖에 )수(?:도|가)? 있|가능|됩니다|돼요|도 되|도 돼|도 됩|됩|드립니다|드려요|받습니다|받아요")
_AT_ONCE = re.compile(
    r"([가-힣]{2})[가-힣]{0,3}\s?(?:후|뒤|직후)?\s?(?:다음 ?날|이튿날|당일|바로|즉시|곧바로|그날)(?:부터|\s)"
)
_WAIT = r"[가-힣]{0,4}\s?(?:후|뒤|한 지|하고|일로부터|일부터|한 날부터|한 날로부터)\s?"


def check_even_without(text: str, sources: Sources) -> Finding | None:
    """What is so "even without" a thing that the passages name and nowhere leave out."""
    for match in _WITHOUT.finditer(text):
        forms = word_forms(match[1])
        naming = [line for line in sources.text.split("\n") if any(form in line for form in forms)]
        if not naming:
            continue
        spared = any(
            _SPARED.search(line) or (_LACKING.search(line) and not is_negative(_LACKING.sub(" ", line)))
            for line in naming
        )
        if not spared:
            return Finding("withheld", "condition", match[0])
    return None


def check_required(text: str, sources: Sources) -> Finding | None:
    """What a sentence asks for, which the passages name only to leave it out: "추가 인증을 거쳐야" beside "추가 인증 없이"."""
    for match in _NEEDS.finditer(text):
        name = match[2] or (match[1] if compact(match[1]) in sources.squeezed else match[1].split()[-1])
        naming = [each.text for each in sources.clauses if name in each.text and " > " not in each.text]
        left_out = (
            rf"{re.escape(name)}(?: 절차| 과정)?[은는이가을를]?\s?(?:하지 않|없이|생략|불필요|필요하지 않|필요 ?없)"
        )
        if (len(name) > 2 or match[2]) and naming and all(re.search(left_out, part) for part in naming):
            return Finding("withheld", "polarity", match[0])
    return None


def check_waived(text: str, sources: Sources) -> Finding | None:
    """A price to be paid that the passages name only to waive it: "3,000원을 내셔야" beside "3,000원은 면제됩니다"."""
    for each in quantities_of(text):
        if each.dimension == "money" and _TO_PAY.match(text, each.end):
            holding = [
                line.text[other.end :]
                for line in sources.lines
                for other in line.quantities
                if other.dimension == "money" and (other.low, other.high) == (each.low, each.high)
            ]
            if holding and all(map(_WAIVED.match, holding)):
                return Finding("withheld", "polarity", each.text)
    return None


def check_conceded_case(text: str, sources: Sources) -> Finding | None:
    """What is so "even where" a thing is, of which a clause of the passages says that it is not."""
    for match in _EVEN_WHERE.finditer(text):
        words = [word.stem for word in content_words(match[1]) if len(word.stem) > 1]
        if len(words) < 2 or is_negative(text[match.end() :]):
            continue
        naming = [each for each in sources.clauses if _share(words, each) == 1]
        if naming and all(is_negative(each.text) or is_negative(each.context) for each in naming):
            return Finding("withheld", "condition", match[0])
    return None


def check_in_person(text: str, sources: Sources) -> Finding | None:
    """What the passages leave to the customer in person, said of somebody else."""
    if not (other := _ANOTHER.search(text)) or is_negative(text) or not _ALLOWS.search(text):
        return None
    nouns = [word.stem for word in content_words(text) if word.is_noun and not _ANOTHER.search(word.stem)]
    for each in sources.clauses:
        if _IN_PERSON.search(each.text) and nouns and _share(nouns, each) >= 0.5:
            return Finding("withheld", "entity", other[0])
    return None


def check_denied_in_all(text: str, sources: Sources) -> Finding | None:
    """What a sentence affirms in all the words in which a clause of the passages denies it: mostly an exception."""
    for clause in split_clauses(text):
        if is_negative(clause) or not _ALLOWS.search(clause):
            continue
        said = tuple(word.stem for word in content_words(clause))
        for each in sources.clauses:
            if (
                len(each.nouns) > 1
                and _all_said(each.nouns, said)
                and is_negative(each.text)
                and not each.quantities
                and not any(_share(each.nouns, other) == 1 and not is_negative(other.text) for other in sources.clauses)
            ):
                return Finding("withheld", "polarity", each.text.strip())
    return None


def check_at_once(text: str, sources: Sources) -> Finding | None:
    """What may be done at once after a thing, where the passages ask for a span of time after it."""
    for match in _AT_ONCE.finditer(text):
        if match[1] not in sources.text:
            continue
        for waiting in re.finditer(rf"{match[1]}{_WAIT}(?=\d|한\s)", sources.text):
            after = sources.text[waiting.end() : waiting.end() + 16]
            begins = any(each.dimension == "duration" and each.start == 0 for each in quantities_of(after))
            if begins and re.search(r"지나|경과|이상|후|뒤", after):
                return Finding("withheld", "condition", match[0].strip())
    return None


def _share(stems: Sequence[str], clause: Clause) -> float:
    """The share of some words that a clause has, in these or in other words."""
    text = f"{clause.context} {clause.text}"
    return sum(any(form in text for form in word_forms(stem)) for stem in stems) / len(stems)


def _all_said(stems: Sequence[str], said: Sequence[str]) -> bool:
    """Whether each of some words, or another word for it, is among those said."""
    return all(
        any(
            stem in each or (len(each) > 1 and any(form.startswith(each) for form in word_forms(stem))) for each in said
        )
        for stem in stems
    )
