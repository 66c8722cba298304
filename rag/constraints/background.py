"""The part of a message that a row must answer: without other questions and what is not wanted, feared or used so far.

"간편인증만 쓰다가 OTP 등록하려고요" asks for a row on OTP, which need not name 간편인증. A row whose question is about what the
customer does not want answers nothing: "적금 깨기는 싫고" is not asked to be explained by a row on closing one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from rag.constraints.actions import final_verbal_noun
from rag.constraints.compounds import is_bare_noun, is_no_kind
from rag.constraints.contrasts import default_contrasts, members_of
from rag.constraints.kept_things import KEPT
from rag.constraints.requested_verbs import requested_verbs
from rag.korean import syllables_ending_in, tokens

_PART = re.compile(r"[^?？!\n]*(?:[?？!\n]+|$)")
_WORDS = r"(?:(?!\S*(?:요|다|죠|고|서|데|면|까|만)\s)[^.,!?\s]+\s){0,3}"
"""Up to three words before a phrase, which end no clause."""
_L = f"[{syllables_ending_in('ㄹ')}]"
"""Syllables that end in ㄹ, as verbs do before 것 and 까."""
_NOT_MEANT = re.compile(
    rf"{_WORDS}[^.,!?\s]*(?:{_L}|는)\s?(?:건|거는|거|게|것은|것이)\s?(?:아니(?:고|구|라|지만|에요)|아닌데|말고)\S*"
)
"""What is not intended: "비자 받으려는 건 아니고"."""
_UNWANTED = re.compile(
    r"(?:[^.,!?\s]*(?:깨|해지하|해약하|없애|팔|환매하|취소하|철회하|탈퇴하|그만두|정리하)(?:기[는도가]?|긴)"
    r"|(?:해지|해약|탈퇴|탈회|취소|환매|철회)[는은])\s?(?:좀\s?)?(?:싫|아깝|아까|그렇|그래서|뭐하|무섭|부담)\S*"
)
_REPLACED = re.compile(r"[0-9A-Za-z가-힣]{2,}\s?(?:말고|아니라|아니고)(?=\s|$)")
_FEARED = re.compile(
    rf"{_WORDS}\S*{_L}까\s?(?:봐서?|싶어서?)(?:\s(?:너무|좀|많이))?\s?(?:걱정|불안|무서|무섭|겁)[^.!?\s]*"
    rf"|{_WORDS}\S*{_L}까\s?봐서?(?![가-힣])(?=\s)"
)
"""What is feared and not what is intended ("받을까 싶어서요")."""
_USED_SO_FAR = re.compile(
    r"(?P<thing>[0-9A-Za-z가-힣]{2,})만\s?(?:쓰다가?|이용하다가?|사용하다가?|써\s?왔는데|써왔고|쓰고\s?있(?:는데|었는데|어요|다가)|썼는데"
    r"|있는데|있고|있어서|가지고\s?있(?:는데|어서))(?=\s)"
)
_BEGINS = re.compile(r"등록|신청|만들|발급|가입|개설|써\s?보|새로|처음|하나\s|추가|바꾸|바꿔|갈아|전환")
_GOES_WRONG = re.compile(r"잃어|분실|막혔|막혀|잠겼|안\s?[되돼됩]|오류|고장|부러|깨졌|없어졌")
_CHANGED = re.compile(r"\S+[이가]\s(?:바뀌(?:었|어|고)|바뀐\s|바꼈|변경[됐돼되])\S*(?:\s그런데)?")
"""What has changed by itself: "월급날이 바뀌어서 그런데"."""
MAY_HOLD_BACKGROUND = re.compile(
    r"[?？!\n]\s*\S|아니|아닌|말고|싫|아깝|아까|그렇|그래서|뭐하|무섭|부담|까\s?(?:봐|싶어)"
    r"|만\s?(?:쓰|이용|사용|써|썼|있|가지)|[이가]\s(?:바뀌|바뀐|바꼈|변경)|두[고구]|둔\s?채|유지하|남기|살리"
)
"""Matches every question that the functions of this module change or that names what is unwanted: a fast first check."""


def asked_part(question: str, row_question: str) -> str:
    """What a message asks of a row: of several questions the one that this row may answer, without its background."""
    return _without_background(_concerned_part(question, row_question))


def _concerned_part(question: str, row_question: str) -> str:
    """The question of a message with several that shares most words with a row's question; several of them on a tie."""
    # A single word after a question mark belongs to the question before it: "일본주식 사져요? 자동환전으로".
    parts: list[str] = []
    for part in _PART.findall(question):
        if parts and len(part.split()) < 2:
            parts[-1] += part
        elif part.strip():
            parts.append(part)
    if len(parts) < 2:
        return question
    row = set(tokens(row_question))
    shared = [len(set(tokens(part)) & row) for part in parts]
    return " ".join(part for part, count in zip(parts, shared, strict=True) if count == max(shared))


@lru_cache(maxsize=1024)
def _without_background(question: str) -> str:
    """A question with those parts removed; unchanged where nothing would be left that asks."""
    asked = question
    for pattern in (_NOT_MEANT, _UNWANTED, _FEARED, KEPT):
        asked = pattern.sub(" ", asked)
    used = _USED_SO_FAR.search(asked)
    if used and _names_another(used["thing"], asked[used.end() :]):
        asked = asked[: used.start()] + asked[used.end() :]
    changed = _CHANGED.search(asked)
    if changed and _requests_change_of_another(asked[changed.end() :]):
        asked = asked[: changed.start()] + asked[changed.end() :]
    return asked if asked == question or len(asked.split()) > 1 else question


def _names_another(thing: str, rest: str) -> bool:
    """Whether a text asks to begin using something else than a thing used so far."""
    if not _BEGINS.search(rest) or _GOES_WRONG.search(rest):
        return False
    return not members_of(rest) <= members_of(thing)


def _requests_change_of_another(rest: str) -> bool:
    verbs = requested_verbs(rest) or final_verbal_noun(rest)
    return bool(verbs) and any(is_bare_noun(word) and not is_no_kind(word) for word in rest.split()[:-1])


def on_what_is_unwanted(question: str, part: str, row_question: str) -> Iterator[tuple[str, str, str]]:
    """(kind, asked, held) for each thing that a question names only as unwanted ("해지 말고") and a row's question is about.

    `asked` is empty.
    """
    sets, own = default_contrasts().sets, members_of(row_question)
    for name, member in sorted(_unwanted(question) & own):
        kind = sets[name].kind
        # A row that names what is wanted, too, may compare them or tell how to do without.
        if not any(sets[other].kind == kind for other, _ in own & members_of(part)):
            yield kind, "", member


@lru_cache(maxsize=1024)
def _unwanted(question: str) -> frozenset[tuple[str, str]]:
    """The (set, member) pairs that a question names only as what the customer does not want."""
    return frozenset(pair for part in _unwanted_parts(question) for pair in members_of(part)) - members_of(
        _without_background(question)
    )


def _unwanted_parts(question: str) -> Iterator[str]:
    for pattern in (_NOT_MEANT, _UNWANTED, _REPLACED):
        for match in pattern.finditer(question):
            # Without the words that deny it.
            yield re.sub(r"\s?(?:건|거는|거|게|것은|것이)?\s?(?:아니\S*|아닌\S*|말고\S*)$", "", match.group())
