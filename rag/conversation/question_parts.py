"""Two questions in one message: where to divide it, between sentences and clauses that all ask, or between things asked for
together in one sentence (`rag.conversation.joined_things`).

Only the words are known here: whether the message is worth dividing is decided by what is found
(`rag.conversation.part_answers`).
"""

from __future__ import annotations

import re

from rag.conversation.joined_things import (
    AND_AFTER_HEAD,
    ASKS,
    ATTRIBUTIVE,
    COMPARED,
    CONNECTOR,
    DONE_AT_END,
    DONE_WITHIN,
    MAX_PARTS,
    MIN_PART,
    NUMBERED,
    QUESTION_WORD,
    Part,
    glued,
    joined_things,
)
from rag.korean import compact

_DONE = re.compile(r"[는은]\s?거$")
"""What is left of "다시 넣는 거랑 …": how it is done is asked."""
_HAPPENED = re.compile(
    r"[었았했였갔왔났됐렸쳤졌샀썼냈웠켰봤]"
    r"(?:어요|습니다|음|다|는데요?|거든요?|더라[고구]요?|더군요|던데요?|네요?|잖아요?|대요|다네요|나\s?봐요?)[\s.!~ㅠㅜ]*$"
)
"""What happened, not what is asked: "누가 제 카드를 썼어요"."""
_SENTENCE = re.compile(
    r"(?<=[?？])\s*|(?<=[.!])\s+|(?<=[요죠다])\s*[,/]\s*|\s+/\s*|\n+|[\s,]+(?=(?:그리고|글고|글구|그리구)\s)"
    r"|(?<=[요까죠])\s+(?=또\s)"
)
_AND = re.compile(r"(?:그리고|글고|글구|그리구)\s")
"""After a matter that is told and not asked: "카드 잃어버렸고요 그리고 …"."""
_GOES_ON = re.compile(
    r"(?<=고)(?<!신고)(?<!잔고),?\s+(?!싶|있|나서|나면|난\s|계)"
    rf"|(?<=[{ATTRIBUTIVE}]지)(?:(?P<joined>이?랑|하고|도)[\s,]+(?!모르|몰)|\s*,\s*)|(?<=[는은]거)(?P<done>이?랑|하고)[\s,]+"
)

_ADDRESSED = re.compile(r",\s*[a-z]+\s+(?:savings\s+)?(?:bank|securities|insurance)[\s.!?]*$", re.IGNORECASE)
"""Whom an English question is to, at its end: "I lost my card, Dodam Savings Bank"."""

MAY_DIVIDE = re.compile(
    rf"(?:{'|'.join(each.pattern for each in (_SENTENCE, _GOES_ON, CONNECTOR, AND_AFTER_HEAD, NUMBERED))})(?=(?s:.)*[^\s?？!.~])",
    re.IGNORECASE,
)
"""Stands in every message that `split_questions` divides. Read first: most messages ask one thing."""


def split_questions(message: str) -> tuple[Part, ...]:
    """The questions of a message, at most MAX_PARTS; the message itself where it asks one thing."""
    if (asked := _ADDRESSED.sub("", message)) != message:
        parts = split_questions(asked)
        return parts if len(parts) > 1 else (Part(message, (message,)),)
    sentences = [part for each in _SENTENCE.split(message) if (part := each.strip(" \n/,"))]
    if len(sentences) == 1:
        sentences = _clauses(sentences[0])
    asking = [
        part
        for part, following in zip(sentences, [*sentences[1:], ""], strict=False)
        if (_is_asking(part) or _AND.match(following)) and len(compact(part)) >= MIN_PART
    ]
    # "갱신하는 거 그리고 옮기는 거": things as well, which may share a subject.
    are_things = len(asking) < 2 or all(DONE_AT_END.search(glued(each)) for each in sentences)
    if are_things and (things := joined_things(message)):
        return things
    # A sentence that asks nothing gives the context of the question and stays with it.
    if 2 <= len(asking) <= MAX_PARTS and len(asking) == len(sentences):
        return tuple(Part(part, (part,)) for part in asking)
    return (Part(message, (message,)),)


def _clauses(sentence: str) -> list[str]:
    """A sentence divided where a clause that asks goes on to another: "기준가 언제 적용되고 환매대금은 언제 나와요"."""
    for match in _GOES_ON.finditer(sentence):
        clause, following = sentence[: match.start()], sentence[match.end() :]
        done = match["done"] and not DONE_WITHIN.search(following)
        is_asked = QUESTION_WORD.search(clause) or match["joined"] or done
        if is_asked and _is_asking(following) and not COMPARED.search(following):
            return [clause, *_clauses(following)]
    return [sentence]


def _is_asking(sentence: str) -> bool:
    return bool(
        ASKS.search(sentence)
        or _DONE.search(sentence)
        or (QUESTION_WORD.search(sentence) and not _HAPPENED.search(sentence))
    )
