"""Does a row say anything on the noun that a message of keywords ends in? "긴급출동 할증" asks about 할증 alone.

A message of two to four nouns without a verb names a thing and then what the customer wants to know of it. A row on the thing
that holds neither the last noun, nor a part of it, nor other words for it (requested_nouns.tsv, the lexicon) is about another
side of the thing, however well it matches. In sentences this does not hold: there customers use words of their own. Of 1,756
right answers to such messages 27 are lost, and 75 of 311 others (docs/evaluation-log.md).
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from rag.constraints.synonyms import Synonyms, holds_name
from rag.data_files import read_table
from rag.korean import compact, tokens

KEYWORDS = re.compile(
    r"^(?!.*(?:언제|어디|얼마|어떻|어케|왜|몇|며칠|무엇|무슨|뭐|누가|누구)|.*(?:면|려고|는데|해서|아니고|말고)\s)\W*"
    r"(?:[^\s?!,]+\s+){1,3}(?P<noun>[가-힣]{2,7}?)(?:은|는|을|를)?"
    r"(?<![요욤다까죠나지냐음됨됌함감림힘김기법와돼줘해래데고면서네어아려게니여야유슈임님랑져쥬염거것걸좀듯중후때])(?<![줌짐넘옴뜸씀뺌냄댐켬혔뒀녀봐펴켜])(?<!궁금|문의|질문|부탁|안내|관련|상담|설명|정보|오름|모름|다름|당장|으로|나옴|바뀜|지금|빨리|바로|[는인건던은]가|[싶인는은]디)"
    r"[?!.~ㅠㅜㅋㅎ\s]*$"
)
"""Matches a message of two to four words that holds no question word and ends in a noun, not in the form of a verb."""


def noun_not_held(question: str, row_question: str, row_answer: str, synonyms: Synonyms = str) -> str:
    """The noun that a message of keywords ends in, if the row holds it in no words; otherwise empty."""
    if not (noun := final_noun(question)):
        return ""
    row = compact(f"{row_question} {row_answer}")
    # A compound is held where a part of it is: "입금일" by "입금".
    if holds_name(row, noun, synonyms) or any(part in row for part in tokens(noun)):
        return ""
    # Of a compound, its last noun ("가능시간").
    said = next((words for end in range(len(noun) - 1) if (words := _said().get(noun[end:]))), None)
    return "" if said and said.search(f"{row_question} {row_answer}") else noun


@lru_cache(maxsize=1024)
def final_noun(message: str) -> str:
    """The noun that a message of two to four keywords ends in; empty where it ends otherwise."""
    match = KEYWORDS.match(message)
    return match["noun"] if match else ""


@cache
def _said() -> dict[str, re.Pattern[str]]:
    """By each noun of requested_nouns.tsv how a row says it in other words."""
    table = read_table(__package__, "requested_nouns.tsv")
    return {noun: re.compile(words) for nouns, words in table for noun in nouns.split("|")}
