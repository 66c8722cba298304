"""The part of an answer that shows what a row covers.

What an answer names only in a menu path, in a note or as a consequence does not show it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rag.korean import sentence_texts, without_notes

_PATH = re.compile(r"^.* > .*$", re.MULTILINE)
_STEP = re.compile(r"^.*(?:>|^\s*\[|^\s*-).*$", re.MULTILINE)
_FIRST_SENTENCE = re.compile(r"^[^.\n]*")
_INSTRUCTION = re.compile(
    r"\[[^\]]+\](?:에서|으로|를|을|의|\s?메뉴)|(?:하|받|시키)(?:으)?(?:실|시면|십시오|면|셔야|여야)|해\s?(?:주|야)|할 수 있"
)
"""Occurs in a sentence that says what the customer can or must do, wherever in an answer it stands."""
_BENEFIT = "".join(f"(?<!{noun})" for noun in ("할인", "환급", "면제", "감면", "지급", "보상", "반환", "공제"))
_PASSIVE = re.compile(
    rf"(?<!신청하시면 )\S+(?<!시면){_BENEFIT}\s?(?:됩니다|되며|되고|되므로|될 수 있|되었습니다|됐습니다)"
    r"|\S+(?:하면|하시면)(?<!해제하면)(?<!해제하시면)(?!\s?(?:됩니다|돼요))"
)
"""Matches what happens by itself or under a condition, which does not explain how to do it: "지문을 삭제하시면 자동
해제됩니다". Releasing something is done for what can be done then: "차단을 해제하시면 쓰실 수 있습니다". What a customer
is paid or let off is what she asks for, also in the passive ("돌려주나요": "환급됩니다")."""
_RELEASED = re.compile(r"(?:차단|정지|잠금|제한)[을를]?\s?(?=해제)")
"""What a step takes back, which it does not do: "차단을 해제하시면" blocks nothing."""


def guidance(kind: str, answer: str) -> str:
    """The part of an answer that can show that it covers a member of a contrast set of this kind, too.

    Menu paths name categories ("상품가입 > 예금·적금") and notes mention other things. So notes and paths are left out for
    means and scopes, paths for products, and for actions and states everything but the first sentence and the instructions.
    """
    if kind == "channel":
        return answer
    if kind == "product":
        return _PATH.sub("", answer)
    body = without_notes(answer)
    if kind not in ("action", "state"):
        return _PATH.sub("", body)
    first = _FIRST_SENTENCE.match(body)
    instructions = (sentence for sentence in sentence_texts(body) if _INSTRUCTION.search(sentence))
    return "\n".join([first.group() if first else "", *_STEP.findall(body), *instructions])


@lru_cache(maxsize=4096)
def steps_of(answer: str) -> str:
    """The part of an answer that says what to do."""
    return _RELEASED.sub("", _PASSIVE.sub("", guidance("action", answer)))
