"""The verbal noun at the end of a question: a row on raising the limit does not answer "이체한도 위임 방법".

Customers have more words for an action than any list, so a row that lacks the action's word may still answer. A verbal noun
at the end of a question is the bank's own word, however: a row that answers contains it or a word of the same meaning
(verbal_nouns.toml). A word after which the sentence goes on ("삭제하고 새 주소로 바꾸고 싶어요") does not count.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path

from rag.constraints.contrasts import members_of
from rag.korean import compact

_FORM = r"(?:을|를|은|는|이|가|도|하[가-힣]*|할[가-힣]*|합[가-힣]*|되[가-힣]*|돼[가-힣]*|받[가-힣]*|시[가-힣]*|해[가-힣]*|요)"
_STORY = re.compile(r"하고(?!\s?싶)|해서|했|한|된|됐|되어|돼서|하니|하다|하던|해도")
_NOTHING_MORE = re.compile(
    r"(?:\s*(?:어떻게|방법|법|하나요|해요|하려면|하고|싶어요|싶은데요?|되나요|돼요|되요|가능해?요?|가능한가요|알려\S*|좀|수|있나요|있어요"
    r"|있을까요|언제\S*|얼마\S*|어디\S*|뭐\S*|무엇\S*|무슨|서류\S*|조건\S*|자격\S*|절차\S*|기간\S*|시간\S*|기한\S*|한도\S*|수수료\S*|비용\S*"
    r"|메뉴\S*|신청\S*|하는|할|하는데|하려는데|하려고\S*|하면|되면|며칠\S*|몇\S*|까지|부터|궁금\S*|주세요|주실|줘\S*|안내\S*|문의\S*|필요\S*"
    r"|해야|하죠|지금|바로|요|되는|되는지|되죠|하러|합니다|합니까|경로|화면|페이지|곳|데|순서|건가요|거예요|건데|거|있는|있는지|할래요|할게요"
    r"|부탁\S*)|[?？!.,~\s])*$"
)
"""Words that may follow the final verbal noun: how and about what of it the customer asks."""


def verbal_noun_not_held(
    question: str, row_question: str, row_answer: str, *, synonyms: Callable[[str], str] = str
) -> str:
    """The question's final verbal noun if the row contains neither it nor another name of it; otherwise empty.

    `synonyms`: returns a word followed by its other names, separated by spaces.
    """
    noun = final_verbal_noun(question)
    if not noun:
        return ""
    row = compact(f"{row_question} {row_answer}")
    names = (noun, *_data()["names"][noun], *(compact(term) for term in synonyms(noun).split()[1:]))
    if any(name in row for name in names) or members_of(noun) & members_of(f"{row_question} {row_answer}"):
        return ""
    return noun


@lru_cache(maxsize=1024)
def final_verbal_noun(question: str) -> str:
    """The verbal noun that a question ends in, ignoring the words that ask; empty if there is none.

    A single word ("환전") is a topic, not an action.
    """
    found = list(_pattern().finditer(question))
    if not found or not question[: found[-1].start("noun")].strip() or _STORY.match(question, found[-1].end("noun")):
        return ""
    return found[-1]["noun"] if _NOTHING_MORE.match(question, found[-1].end()) else ""


@cache
def _data() -> Mapping[str, Mapping[str, list[str]]]:
    return tomllib.loads(Path(__file__).with_name("verbal_nouns.toml").read_text(encoding="utf-8"))


def is_same_object(asked: str, held: str) -> bool:
    """Whether a customer's word for a thing and a row's are one: 날짜 and 자동이체일, 이름 and 성명."""
    return held.endswith(tuple(_data()["objects"].get(asked, ()))) or asked in held


@cache
def native_verbs() -> Mapping[str, str]:
    """The verbal noun of the same meaning by a native verb's beginning: 변경 of "바꾸"."""
    return {verb: noun for noun, verbs in _data()["native"].items() for verb in verbs}


@cache
def _pattern() -> re.Pattern[str]:
    nouns = "|".join(sorted(_data()["names"], key=lambda word: (-len(word), word)))
    return re.compile(rf"(?<![0-9A-Za-z가-힣])[0-9A-Za-z가-힣]*?(?P<noun>{nouns})(?P<form>{_FORM})?(?![가-힣])")
