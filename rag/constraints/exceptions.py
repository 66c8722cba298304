"""Does a row say that a thing is excepted? "법인카드와 체크카드는 제외합니다" answers "체크카드도 되나요?", with no.

Elsewhere a denied word is no mention of a thing: a row on loans "보증인 없이" is none on guarantors. But where a customer asks
whether something holds for a thing, a sentence that refuses it for that thing is the answer.
"""

from __future__ import annotations

import re

from rag.constraints.bounds import asks_whether
from rag.korean import compact

_SENTENCE = re.compile(r"[^.!?\n]+")
_REFUSED = re.compile(
    r"제외|빼고|불가|(?:안|못)\s?(?:[됩돼되하합받쓰씁]|들어)|(?:지|수|은|는|이|가|에서)\s?(?:않|없|아니|못)|해당하지|받지|어렵"
)
_NOT_EXCEPTED = re.compile(
    r"없이|아니[라어]도|않[아으]?[도면]|없[어으]?[도면]|지\s?않은|없는|상관|관계|외에|제한\s?없|수수료[는가]?\s?없"
)


def is_excepted(question: str, thing: str, row_answer: str) -> bool:
    """Whether a sentence of an answer refuses something for a thing, named in the question's words, that is asked about."""
    word = compact(thing)
    return asks_whether(question) and any(
        word in compact(sentence) and _REFUSED.search(sentence) and not _NOT_EXCEPTED.search(sentence)
        for sentence in _SENTENCE.findall(row_answer)
    )
