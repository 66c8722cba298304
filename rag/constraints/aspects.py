"""Aspects that customers ask of many things, such as the fee, the rate, the limit or the documents, and whether a row states
them.

The words are data (aspects.tsv), which is the only list of these nouns. A row states an aspect if a sentence names it together
with a value of its kind; otherwise the customer would read other numbers of the row as the answer. Menu paths ("대출 > 한도·금리
조회") and text in parentheses do not count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints.everyday_values import values_of
from rag.constraints.tables import has_column
from rag.data_files import read_table
from rag.korean import sentence_texts


@dataclass(frozen=True)
class Aspect:
    """One line of aspects.tsv: a value of one of the `dimensions` states the aspect, as do `words` without a value.

    `named`: its nouns and the further words; `nouns`: its nouns alone.
    """

    name: str
    named: re.Pattern[str]
    nouns: re.Pattern[str]
    dimensions: frozenset[str]
    words: re.Pattern[str]


_UNSTATED = re.compile(r"\([^()]*\)|^\s*[-\[].* > .*$", re.MULTILINE)
_NO_INTEREST = r"(?!소득|배당|과세)"
"""Follows 이자 where it names the interest: not in 이자소득, which is about taxes."""


def _read() -> tuple[Mapping[str, str], Mapping[str, Aspect]]:
    names: dict[str, str] = {}
    aspects: dict[str, Aspect] = {}
    for nouns, *stated in read_table(__package__, "aspects.tsv"):
        name = nouns.partition("|")[0]
        names |= dict.fromkeys(nouns.split("|"), name)
        if stated:
            further, dimensions, words = stated
            own = nouns.replace("이자율|이자", f"이자율|이자{_NO_INTEREST}")
            patterns = re.compile(f"{own}|{further}"), re.compile(own)
            aspects[name] = Aspect(name, *patterns, frozenset(dimensions.split()), re.compile(words))
    return names, aspects


ASPECT_OF, ASPECTS = _read()
"""The name of each noun's aspect (수수료 for 비용), and by name the aspects that a row must state."""

ASPECT = "(?:" + "|".join(sorted(ASPECT_OF, key=lambda noun: (-len(noun), noun))) + ")"
"""A pattern of these nouns, longer ones first."""

_ASKED = re.compile(
    rf"(?P<aspect>{ASPECT})(?!\S?\s?(?:밀[리려렸]|연체|못\s?[내낼냈]|안\s?[내낼냈]|늦))(?:은|는|이|가|을|를|도|만)?(?:요|\s?좀)?\s?"
    r"(?:(?:\S*(?:[원만억천백년달일%면씩에도]|정도)|대략|보통|총|뭐|어떤|무슨|연|지금|현재|요즘|오늘|최대|최고|하루|한\s?달에?)\s){0,2}"
    r"(?:얼마|며칠(?!\s?[못안])|몇|뭐|뭘|뭔|무엇|어떤|무슨|있[어나는]|없[어나는]|알려|궁금|가르쳐|필요|면제|할인|환급|반환|돌려"
    r"|드나|들[어죠]|나가나|나와|내[나야]|어떻게|(?:이에|예|인가)?요?[\s?？!.~]*$)"
)
"""Matches an aspect that is asked for: "수수료 얼마", "서류는 뭐 내야", or "새출발대출 이자율" at the end of a question."""
_RATE_OF_ONE = re.compile(
    r"(?P<aspect>금리|이율|이자율)(?:은|는)?\s[가-힣A-Z]{2,4}(?:은|는)?\s(?:몇\s?(?:프로|퍼|%)|얼마)"
)
"""Matches a rate that is asked for with what it is of behind it: "외화예금 금리 달러 몇 프로"."""
_UNPAID = re.compile(
    r"(?P<aspect>수수료|비용|요금)(?:는|은|를|도|가)?\s?안\s?(?:낸다|내도|내나|내는\s?거|나간다|나가[나죠]|받[나는아])"
)
"""Matches a fee of which a question says that it is not charged: "65세부터는 수수료 안 낸다던데"."""
_OF_VALUES = ("수수료", "금리", "한도")
"""Aspects whose values could be taken for each other's."""
_OF_A_THING = re.compile(r"^\W*[가-힣A-Za-z]*(?:대출|론|예금|적금|펀드|연금|보증|통장)[은도]\s?얼마\S{0,5}[\s?!.~]*$")
"""Matches a question for the amount of a thing that has no price, without what the amount is: "전세대출은 얼마예요"."""
_AMOUNT = re.compile(
    "|".join(("얼마|금액|보증료|보험료|최소|최대", *(noun for noun, name in ASPECT_OF.items() if name in _OF_VALUES)))
)

_CHOICE = re.compile(
    rf"(?P<aspect>{ASPECT}|회비)(?:가|이|은|는|도)?\s?(?:제일\s?|가장\s?|더\s?)?"
    r"(?:(?P<none>없는|무료인|안\s?(?:내|나가|드|붙|떼)는)|싼|저렴한|비싼)\s?"
    r"(?:거|것|게|건|곳|데|[가-힣]{2,6}(?:은|는|이|가)?)(?:는|은|가|이|도)?\s?"
    r"(?:제일\s?|가장\s?)?(?:뭐|뭔|무슨|어떤|어느|어디|있(?![던는을지])|알려|궁금|[?？!.~]*$)"
)
"""Matches a thing that is looked for by an aspect: "연회비 없는 카드 있어요?", "수수료 싼 계좌 뭐예요"."""
_IS_NONE = re.compile(r"없(?![애앨앤앱앴])|무료|면제|받지\s?않|들지\s?않|떼지\s?않|부과(?:되|하)지\s?않")


@lru_cache(maxsize=4096)
def not_chosen(question: str, row: str) -> str:
    """The aspect by which a question looks for a thing, if no sentence of a row says what it is; empty if one does."""
    if not (match := _CHOICE.search(question)):
        return ""
    naming = [text for text in sentence_texts(row) if match["aspect"] in text]
    if any(_IS_NONE.search(text) for text in naming):
        return ""
    priced = not match["none"] and any(value.dimension in ("money", "rate") for value in values_of("\n".join(naming)))
    return "" if priced else match["aspect"]


@lru_cache(maxsize=4096)
def asked_aspect(question: str) -> str:
    """The noun by which a question asks for an aspect that a row must state; empty if there is none."""
    patterns = (_ASKED, _RATE_OF_ONE, _UNPAID)
    nouns = (match["aspect"] for pattern in patterns for match in pattern.finditer(question))
    return next((noun for noun in nouns if ASPECT_OF[noun] in ASPECTS), "")


@lru_cache(maxsize=8192)
def states_aspect(noun: str, row_question: str, row_answer: str) -> bool:
    """Whether a row's question asks for an aspect, or one of its sentences names it with a value or with words that state it."""
    name = ASPECT_OF[noun]
    own = ASPECT_OF.get(asked_aspect(row_question))
    if own == name:
        return True
    aspect, text = ASPECTS[name], _UNSTATED.sub("", f"{row_question}\n{row_answer}")
    # The values of a row that is asked for a fee are the fee's, unless it names the other aspect. 이자 may be the fee (할부).
    named = aspect.nouns if own in _OF_VALUES and name in _OF_VALUES and noun != "이자" else aspect.named
    naming_sentences = [sentence for sentence in sentence_texts(text) if named.search(sentence)]
    if not naming_sentences:
        return False
    # If the row's question names the aspect, any value of its kind counts. A rate may be in a table below the sentence.
    anywhere = aspect.dimensions if aspect.named.search(row_question) else aspect.dimensions & {"rate"}
    if any(value.dimension in anywhere for value in values_of(text)) or has_column(text, named):
        return True
    return any(
        aspect.words.search(part) or any(value.dimension in aspect.dimensions for value in values_of(part))
        for part in naming_sentences
    )


def lacks_amount(question: str, row_question: str) -> bool:
    """Whether a question asks for an amount of a thing without saying which, and the row's question asks for none."""
    return _OF_A_THING.match(question) is not None and _AMOUNT.search(row_question) is None
