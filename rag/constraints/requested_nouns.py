"""Does a row say anything on the noun that a message of keywords ends in? "긴급출동 할증" asks about 할증 alone.

A message of two to four nouns without a verb names a thing and then what the customer wants to know of it. A row on the thing
that holds neither the last noun, nor a part of it, nor other words for it (requested_nouns.tsv, the lexicon) is about another
side of the thing, however well it matches. In sentences this does not hold: there customers use words of their own. Of 1,756
right answers to such messages 27 are lost, and 75 of 311 others (docs/evaluation-log.md).

Some things are asked for without their noun: the fee in "쓰려면 돈 내야 돼요", the papers in "뭐 들고 가요" (asked_phrases.tsv).
A row that holds none of the words by which banks state them says nothing on them. Of 28,058 messages beside their own row three
are stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from rag.constraints.synonyms import Synonyms, holds_name
from rag.data_files import read_table
from rag.korean import compact, tokens

KEYWORDS = re.compile(
    r"^(?!.*(?:언제|어디|얼마|어떻|어케|왜|몇|며칠|무엇|무슨|뭐|누가|누구)|.*(?:면|려고|는데|해서|아니고|말고)\s)\W*"
    r"(?:[^\s?!,]+\s+){1,3}(?P<noun>[가-힣]{2,7}?)(?:은|는|을|를)?"
    r"(?<![요욤다까죠나지냐음됨됌함감림힘김기법와돼줘해래데고면서네어아려게니여야유슈임님랑져쥬염거것걸좀듯중후때])(?<!궁금|문의|질문|부탁|안내|관련|상담|설명|정보)"
    r"[?!.~ㅠㅜㅋㅎ\s]*$"
)
"""Matches a message of two to four words that holds no question word and ends in a noun, not in the form of a verb."""

MAY_HOLD_PHRASE = re.compile(
    r"돈|비용|공짜|이자|세금|배당|어디|언제|얼마나|며칠|몇|뭐|뭘|무[엇슨]|저절로|알아서|자동으로|이의|불복|아이디|ID|번호"
    r"|손[주자녀]|조카|하나만|개만|일부만|곳만"
)
"""Matches every question with such a phrase: a fast first check."""


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


def phrases_not_held(question: str, row_question: str, row_answer: str) -> Iterator[str]:
    """The names of what a question asks for in the phrases of asked_phrases.tsv and a row says nothing on."""
    for name, asks, states in _phrases():
        if asks.search(question) and not (states.search(row_question) or states.search(row_answer)):
            yield name


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


@cache
def _phrases() -> tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...]:
    table = read_table(__package__, "asked_phrases.tsv")
    return tuple((name, re.compile(asks), re.compile(states)) for name, asks, states in table)
