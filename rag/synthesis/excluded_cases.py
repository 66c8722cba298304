"""Finds the sentence of a row that excludes or limits the case that a yes-or-no question names.

To "대리인이 전화로 해지할 수 있나요" a row says first how a proxy closes an account, and later that none does so by telephone:
"대리인 해지는 앱과 고객센터에서는 처리되지 않습니다." That sentence is the answer. It is about what the question names beyond
the row's question, or about a day where the row holds for one day only.
"""

from __future__ import annotations

import re

from rag.constraints.compounds import compound_words
from rag.constraints.contrasts import asks_whether, members_of, refuses
from rag.korean import compact, sentence_texts
from rag.synthesis.words import PassageWords, all_words
from rag.synthesis.yes_or_no import without_name, words_beyond

_LIMITS = re.compile(r"[가-힣]만\s|[가-힣]만(?:을|이)?\s?(?:가능|인정|이용)|고정|한하여|한해|한정")
_WITHOUT = re.compile(r"(?P<thing>[가-힣A-Za-z]{2,}?)(?:이|가|은|는|도)?\s?없(?:이|으면|는데|어도|을|는)")
_OTHER_DAY = re.compile(r"내일(?!배움)|모레|다음\s?날|(?:하루|이틀|며칠)\s?(?:지나|지난|뒤|후|이따)")
_SAME_DAY = re.compile(r"당일(?:에만|까지|만|\s?\d)|그날(?:에만|까지)")
_TOPIC = re.compile(r"(?P<topic>(?:\S+\s){0,4}?\S*[가-힣A-Za-z])(?<!또)(?<![있없하되받쓰])[은는]\s")
_CONDITION = re.compile(r".*?(?:[으하되시다라]면|경우)(?![가-힣]*의)")
_JOINS = ("등", "또는", "및", "그리고")
_LEAD = re.compile(r"^(?:다만|단),?\s")
_HANGUL_END = re.compile(r"[가-힣]$")
_PLACE = re.compile(r"에서|으로|로")


def sentence_on_case(question: str, row_question: str, text: str, bank: str = "") -> str:
    """The sentence of a row's `text`, behind its first one, on the case that a question names; empty where there is none.

    `bank`: the row's institution, which a question may name.
    """
    question = without_name(question, bank)
    if not asks_whether(question):
        return ""
    first, *others = [each.strip().lstrip("-*•·※ ") for each in sentence_texts(text) if each.strip()] or [""]
    things = [word for word in words_beyond(question, row_question, bank) if _is_thing(word)]
    things = [word for word in things if not _is_affirmed(word, first)]
    without, is_other_day = _WITHOUT.search(question), _OTHER_DAY.search(question)
    best, most = "", 0
    for sentence in others:
        if without and (lack := re.search(rf"{re.escape(without['thing'])}[이가]?\s?없\S*", sentence)):
            if refuses(sentence.replace(lack[0], "")):
                return sentence
            continue
        if is_other_day and _SAME_DAY.search(sentence) and _is_on_action(sentence, f"{question} {row_question}"):
            return sentence
        if not (refuses(sentence) or _LIMITS.search(sentence)):
            continue
        named = [word for word in things if _names(sentence, word)]
        if len(named) > most and _is_on_topic(sentence, named, f"{question} {row_question}"):
            best, most = sentence, len(named)
    return best


def _is_thing(word: str) -> bool:
    """Whether a word names a case: a thing, person or channel, and neither an action nor what any text has."""
    found = all_words(word)
    if members_of(word):
        return True
    is_noun = bool(found) and found[0].is_noun and not found[0].is_common
    return is_noun and found[0].stem not in compound_words()["verbal_nouns"]


def _stem(word: str) -> str:
    found = all_words(word)
    return compact(found[0].stem if found else word)


def _names(sentence: str, word: str) -> bool:
    found = all_words(word)
    return bool(members_of(word) & members_of(sentence)) or (
        bool(found) and len(found[0].stem) > 1 and PassageWords([sentence]).holds(found[0])
    )


def _is_affirmed(word: str, sentence: str) -> bool:
    """Whether the row's first sentence is on a word already; where something is done ("앱에서") is no thing ("토스 앱")."""
    stem = _stem(word)
    is_place = _PLACE.search(word) is not None
    if is_place and members_of(word) & members_of(sentence):
        return True
    places = [match.end() for match in re.finditer(re.escape(stem), compact(sentence))]
    return any(is_place or not _PLACE.match(compact(sentence), end) for end in places)


def _is_on_action(sentence: str, asked: str) -> bool:
    """Whether what a sentence is on, if it is something done ("예약이체 취소는 …"), is asked about."""
    topic = _TOPIC.match(_LEAD.sub("", sentence.lower()))
    done = [
        word for word in all_words(topic["topic"] if topic else "") if word.stem in compound_words()["verbal_nouns"]
    ]
    return all(map(PassageWords([asked]).holds, done))


def _is_on_topic(sentence: str, named: list[str], asked: str) -> bool:
    """Whether the case of a sentence is the one asked about: not "대리인은 …" for the holder, nor "타인 명의는 …" for his own."""
    words, sentence = PassageWords([asked]), _LEAD.sub("", sentence.lower())
    if match := _CONDITION.match(sentence):
        return any(_stem(word) in compact(match[0]) for word in named)
    if not (match := _TOPIC.match(sentence)):
        return True
    topic = match["topic"].rpartition("의 ")[2]
    for word in named:
        before, _, rest = topic.partition(_stem(word))
        if rest or topic.endswith(_stem(word)):
            *_, last = before.rsplit(" ", 1)
            # The word before it may narrow it: "타인 명의".
            narrowing = before.split()[-1:] if before.endswith(" ") else ()
            return not _HANGUL_END.search(last) and all(
                each in _JOINS or each in asked or members_of(each) & members_of(asked) for each in narrowing
            )
    nouns = [word for word in all_words(topic) if word.is_noun]
    return all(map(words.holds, nouns))
