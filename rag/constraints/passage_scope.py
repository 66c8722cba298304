"""What does a question ask for that a passage of a document does not state? Pure functions.

A row of an FAQ was written as an answer; a passage is only similar to the question. So more is required of a passage: a table
by values ("결제일 1일, 15일, 25일") must have the asked value, a question for a telephone number needs one, "어느 공항에서"
needs the name of an airport, and "설 연휴 점검" does not answer a question on "추석 연휴 점검".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.constraints.compounds import before_words, is_no_kind
from rag.constraints.everyday_values import values_of
from rag.constraints.mentioned_values import comparable, is_incidental
from rag.constraints.synonyms import Synonyms, other_names
from rag.constraints.tables import tables
from rag.constraints.value_agreement import families, holds
from rag.korean import compact

_ASKED = (
    r"\s?(?:은|는|이|가|를|을|도|좀|만)?\s?"
    r"(?:뭐|뭔|무엇|몇\s?번|어떻게\s?(?:돼|되)|어디|알려|알\s?수|궁금|주세요|줘|부탁|있|어떤|[?？]|$|요|예요|이에요|인가요|인지)"
)
_ATTRIBUTES = (
    (
        re.compile(rf"(?P<name>전화\s?번호|대표\s?번호|연락처|팩스\s?번호|콜센터\s?번호|고객센터\s?번호){_ASKED}"),
        re.compile(r"(?<!\d)(?:0\d{1,2}|1[3568]\d{2})[-)\s]?\d{3,4}(?:-\d{4})?(?!\d)|전화\s?번호|연락처"),
    ),
    (
        re.compile(rf"(?P<name>주소){_ASKED}|어디에\s?(?:있|위치)|찾아가는\s?길|약도"),
        re.compile(r"[로길동층구역읍면]\s?\d|\d층|타워|빌딩|주소|출구|위치|옆|https?:|www\.|@"),
    ),
    (re.compile(r"주차(?!위반)"), re.compile(r"주차")),
    (
        re.compile(
            r"(?:필요|준비|구비|제출|첨부|증빙)\S{0,3}\s?(?:서류|준비물)|준비물|서류\s?[?？]?$"
            r"|서류(?:는|가|를|로|로는|엔)?\s?(?:뭐|무엇|뭘|어떤|무슨|필요|준비|챙)"
        ),
        re.compile(
            r"서류|신분증|증명|확인[서원]|계약서|신청서|등본|초본|증빙|도장|인감|등록[증원]|면허증|여권|영수증|통장|필요하지\s?않|없이"
        ),
    ),
)  # fmt: skip
"""(asked, stated): patterns of an attribute that a question asks for and of what states it in a passage."""
_WHICH = re.compile(
    r"(?:어느|무슨|어떤)\s?(?P<thing>공항|지점|영업점|출장소|지역|도시|나라|국가|통화|요일|은행|주유소|가맹점|매장|백화점|마트|편의점|통신사|항공사)"
)
_NAMES = {
    "요일": re.compile(r"[월화수목금토일]요일|평일|주말|영업일|공휴일"),
    "나라": re.compile(r"미국|일본|중국|홍콩|베트남|유럽|영국|독일|캐나다|호주|싱가포르|대만|태국|국가"),
    "통화": re.compile(r"달러|엔(?:화)?|유로|위안|파운드|USD|JPY|EUR|CNY"),
}
_NAMES["국가"] = _NAMES["나라"]
_GENERAL = frozenset({
    "지정", "모든", "해당", "가까운", "전국", "각", "다른", "타", "당행", "이용", "국내", "해외", "일부", "전체", "본인", "거래",
})  # fmt: skip
_ROWS = 2
"""Rows of a table with values in one column, at least, for the table to be one by values."""


def lacking_in_passage(question: str, passage: str, *, synonyms: Synonyms = str) -> list[str]:
    """The words of a question that a passage, including its headings, does not cover."""
    lacking = [*_attributes(question, passage), *_names(question, passage), *_values(question, passage)]
    return list(dict.fromkeys([*lacking, *_modifiers(question, compact(passage), synonyms)]))


def _modifiers(question: str, passage: str, synonyms: Synonyms) -> Iterator[str]:
    """Nouns before a word that the passage contains without them: 추석 of "추석 연휴". `passage`: without spaces."""

    def is_held(word: str) -> bool:
        name = compact(word)
        # The parts of a compound may be apart: "급여통장" in "급여 이체 통장".
        parts = [(name[:at], name[at:]) for at in range(2, len(name) - 1)]
        names = [name, *other_names(word, synonyms)]
        return any(each in passage for each in names) or any(a in passage and b in passage for a, b in parts)

    for narrowed, noun in before_words(question):
        if not is_no_kind(noun) and is_held(narrowed) and not is_held(noun):
            yield noun


def _attributes(question: str, passage: str) -> Iterator[str]:
    for asked, stated in _ATTRIBUTES:
        if (match := asked.search(question)) and not stated.search(passage):
            yield (match.groupdict().get("name") or match.group()).strip(" ?？")


def _names(question: str, passage: str) -> Iterator[str]:
    if not (match := _WHICH.search(question)):
        return
    thing = match["thing"]
    if thing in _NAMES:
        is_named = _NAMES[thing].search(passage) is not None
    else:
        names = re.findall(rf"([가-힣A-Za-z0-9]{{2,}})\s?{thing}", passage)
        is_named = any(name not in _GENERAL and name not in question for name in names)
    if not is_named:
        yield match.group()


def _values(question: str, passage: str) -> Iterator[str]:
    asked = [value for value in comparable(question, values_of(question)) if not is_incidental(question, value)]
    if not asked:
        return
    for rows in tables(passage):
        for family, values in families(asked).items():
            columns = [[families(values_of(row[at])).get(family, []) for row in rows] for at in range(len(rows[0]))]
            # The first row holds the column names, unless the passage begins in the middle of a table.
            columns = [column if column[0] else column[1:] for column in columns]
            # The other columns are labels of the last one.
            is_by_value = any(sum(map(bool, column)) >= _ROWS and all(column) for column in columns[:-1])
            cells = [cell for column in columns for cell in column]
            if is_by_value:
                yield from (value.text for value in values if not any(holds(value, cell) for cell in cells))
