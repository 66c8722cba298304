"""Does a question ask the same as a row's, so that a yes or no at the beginning of the row's text answers it?

To "대리인이 전화로 해지할 수 있나요" the "네," of "대리인이 해지할 수 있나요?" is a false statement, and so it is to one in
another polarity ("못 하죠?") or modality ("해야 하나요?"). So each word of the question must be in the row's and the other way
round: as it is, as a synonym or as a term of the lexicon.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rag.constraints.contrasts import asks_whether, members_of
from rag.constraints.everyday_values import values_of
from rag.constraints.synonyms import other_names
from rag.korean import compact, sentence_texts
from rag.retrieval.query_analysis import expand
from rag.synthesis.words import PassageWords, all_words

_SIGNS = re.compile(r"[^0-9A-Za-z가-힣]+")
_DENIES = re.compile(
    r"(?<![가-힣])(?:안(?!내|심|전|면|과)|못)\s?[가-힣]|않|없|말고|지\s?[마말]|아니|아닌|불가|불필요|금지|어렵|어려|힘들"
)
"""Any sign of a negation, whatever it negates: two questions that differ in their number of them are not the same."""
_MUST = re.compile(r"야\s?(?:만\s?)?[하되돼해합됩할한]|필요|반드시|의무")
_ONLY = re.compile(r"[0-9A-Za-z가-힣]만(?=[이은을의요\s?!.]|$)|밖에|뿐|오직")
"""A limit to one thing: "외국인만 되나요" is another question than "외국인도 되나요"."""
_FORM = re.compile(
    r"수[는도가]?|(?:있|되|돼|됩|될|하|해|합|할|가능|인|건|거|드리|주)?"
    r"(?:한|하|해|합|할|될|을|는|은)?(?:나|가|까|지|죠|어|니까|습니까|냐|요|도)(?:요)?|돼|가능|혹시|그럼|그러면|근데|제가|저는|좀|지금|고객이?|경우"
)
"""A word that only forms a question or names nobody but the customer: "수", "있나요", "되나요", "가능한가요", "혹시"."""
_SHORTEST_NAME = 2
_TAKEN_FOR_GRANTED = re.compile(r"(?:발급|등록|가입|개설|보유)(?:받은|받으신|된|한|하신|하고 있는)\s|\([^)]*\)")
"""What a customer need not say of a thing: "발급받은 인증서", "통장사본(계좌개설확인서)"."""
_EVERYDAY = {
    "변경": "바꾸|바꿀|바꿔|바꿨|바꾼|바뀌|바뀐|바뀔", "이용": "[쓰쓸써]", "사용": "[쓰쓸써]", "발급": "[받떼뗄뽑]|만들",
    "수령": "받", "입금": "넣", "개설": "만들", "납부": "내(?![년일역용달])", "휴대폰": "폰(?!뱅킹)|핸드폰",
}  # fmt: skip
"""Institutions' words, with patterns of the beginnings of the everyday ones for them."""


def asks_the_same(question: str, row_questions: Iterable[str], bank: str = "") -> bool:
    """Whether a question is one of a row's and names nothing beyond it; False where that is doubtful.

    `bank`: the row's institution, which a question may name.
    """
    for row_question in row_questions:
        if _letters(question) in (_letters(row_question), _letters(f"{bank}{row_question}")):
            return bool(_letters(question))
        # "OTP 등록은 어떻게 하나요? 타 은행 OTP도 등록할 수 있나요?" asks two things, of which a yes answers the second.
        asked = [each for each in sentence_texts(row_question) if asks_whether(each)]
        if len(asked) == 1 and _is_same(question, asked[0], bank):
            return True
    return False


def _letters(text: str) -> str:
    return _SIGNS.sub("", compact(text))


def _is_same(question: str, row_question: str, bank: str) -> bool:
    if not (asks_whether(question) and asks_whether(row_question)):
        return False
    if bool(_MUST.search(question)) != bool(_MUST.search(row_question)):
        return False
    if any(len(each.findall(question)) != len(each.findall(row_question)) for each in (_DENIES, _ONLY)):
        return False
    stated = {value.text for value in values_of(row_question)}
    if any(value.text not in stated for value in values_of(question)):
        return False
    asked = _TAKEN_FOR_GRANTED.sub("", row_question)
    # The row's words may be the lexicon's for the customer's: 기기 for "폰 바꾸면".
    return not (words_beyond(question, row_question, bank) or words_beyond(asked, expand(question), bank))


def words_beyond(text: str, other: str, bank: str = "") -> list[str]:
    """The words of a text, as they stand there, that are not in another one by any name of theirs. `bank`: as above."""
    words, members, held, own = PassageWords([other]), members_of(other), compact(other), compact(text)
    beyond = []
    for token in _SIGNS.sub(" ", without_name(text, bank)).split():
        if _FORM.fullmatch(token):
            continue
        found = all_words(token)
        stem = compact(found[0].stem if found else token)
        everyday = [name for name, begins in _EVERYDAY.items() if re.match(begins, token)]
        # "편의점" beside "ATM" says more than the term ATM, which it calls for.
        terms = [name for name in (*map(compact, everyday), *other_names(token, expand)) if name not in own]
        is_named = any(len(name) > 1 and name in held for name in (stem, *terms))
        if not (is_named or (found and words.holds(found[0])) or members_of(token) & members):
            beyond.append(token)
    return beyond


def without_name(text: str, bank: str) -> str:
    """A text without the words that are the name of `bank`, or the beginning of it ("새나래에")."""
    kept = []
    for word in text.split():
        stem = compact(all_words(word)[0].stem if all_words(word) else word)
        if len(stem) < _SHORTEST_NAME or not bank or not (bank.startswith(stem) or stem.startswith(bank)):
            kept.append(word)
    return " ".join(kept)
