"""Two questions in one message: where to divide it, between sentences and clauses that all ask, or between things asked for
together in one sentence: "연회비랑 전월실적 알려줘", "국내주식/해외주식 배당금 언제 들어와요".

What is joined in one sentence shares words: the verb at the end, a subject at the beginning ("체크카드 재발급이랑 한도"), a noun
at the end ("신차랑 중고차 할부 금리"). Only the words are known here, so a thing may have several readings: which of them is
meant, and whether the message is worth dividing, is decided by what is found (`rag.conversation.part_answers`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rag.constraints import default_contrasts
from rag.constraints.aspects import ASPECT
from rag.constraints.contrasts import members_of
from rag.conversation.word_rules import content_words
from rag.korean import compact

MAX_PARTS = 3
MIN_PART = 4
"""Characters without spaces of a part, at least: less is no question."""
MAX_WORDS = 6
"""Words of one thing asked for, at most: more is a narrative."""
MIN_THING = 2
"""Characters without spaces of one thing, at least: "입/출금" is one word."""

_HEAD = (
    rf"(?:{ASPECT}|법|위치|신청|해지|해제|등록|변경|발급|재발급|조회|취소|신고|분실|환불|연장|갱신|교체|증액|전환|가입|개설|중도\s?해지|만기|혜택|유효기간|"
    r"환불일|납입일|결제일|입금일|연회비|실적|금액|보험료|보험금)"
)
"""What is asked of a thing: an aspect, an action, a date, a sum."""
_HEADS_ALONE = re.compile(rf"^\s*(?:(?:{_HEAD}|후|전|시|때|당일|별|최대|최소)(?:의|이|은|는|을|를)?\s*)+$")
_HEADS_AT_END = re.compile(rf"(?:(?:^|\s+){_HEAD}(?:의|을|를)?\s*)+$")
_HEAD_WITHIN_END = re.compile(rf"\s*\S*{_HEAD}\s*$")
_OF = re.compile(rf"^(?P<subject>.*[가-힣A-Za-z]의)\s+(?:\S+\s+)?\S*{_HEAD}$")
_CONNECTOR = re.compile(
    r"(?<=[가-힣A-Za-z0-9])(?:"
    r"(?<!사)(?<!신)(?<!자)(?:이랑|랑)(?=\s)"
    r"|(?<!결)(?<!초)(?<!경)(?<!효)(?<!부)(?<!통)(?<!성)(?<!학)(?<!치)(?<!내)(?<!외)과(?=\s)|와(?=\s)"
    r"|하고(?=\s)(?!\s*(?:싶|있|나서|나면|난\s|나니))"
    r"|\s*[,，](?!\d)|\s*/(?!\d)|\s*[&+]|\s+vs\.?(?=\s)|\s+(?:및|그리고)(?=\s)|\s*\n"
    r")\s*(?:그리고\s+)?",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"^(?:알려\S*|비교\S*|궁금\S*|어떻게\S*|어케\S*|어찌\S*|얼마\S*|언제\S*|어디\S*|뭐\S*|뭔\S*|무엇\S*|무슨|몇\S*|며칠\S*|누가|누구\S*|왜|좀요?|둘다요?|둘|다요?|모두|전부|각각|두|"
    r"가지|있\S*|없\S*|싶\S*|되\S*|돼\S*|됨|수|주세\S*|줘\S*|필요\S*|가능\S*|부탁\S*|안|못|꼭|인가\S*"
    r"|\S+(?:요|까|니다|죠|려고|는데|지만|임|됨|는지|은지|한지|을지|할지|인지|ㄹ지|[었았했됐났갔왔렸켰졌웠쳤썼]음|싶음|해야\S*|해|함"
    r"|\S*[할을될갈쓸낼뺄끊풀끌넣줄]래|\S*[할을될갈쓸낼뺄줄]게|[해려아어와가돼라져워여]서|(?<!신)(?<!잔)(?<!출)(?<!입)(?<!광)(?<!공)(?<!경)(?<!창)(?<!보)고|(?<!화)(?<!대)(?<!서)(?<!방)면|[되하있없인한받드오가주리내쓰갚넣]나))"
    r"[?？!.~ㅠㅜ]*$"
)
_PLACED = re.compile(r"(?:에서|에게|한테|(?<!유)로|부터|까지|때문에)$")
"""A word that belongs to the verb: what follows is no thing of its own."""
_PEOPLE = re.compile(
    r"(?:친구|엄마|아빠|어머니|아버지|부모님?|남편|아내|와이프|배우자|신랑|가족|동생|언니|누나|오빠|형|애인|여친|남친|자녀|아이|애|아들|딸|동료)$"
)
_COMPARED = re.compile(
    r"(차이|다른|다르|달라|같은|같나|같아|동일|중복|합산|구분|구별|나누|중에|관계|어느|더\s|뭐가|낫|나아)"
)
_BOTH = re.compile(
    r"(?<![가-힣])(둘\s*다|두\s*가지\s*다?|모두|전부|각각|다|(?:좀\s)?비교(?:\s?해\S*(?:\s주\S*)?)?)(?=\s|$)\s*"
)
_PARTICLE_FIRST = re.compile(r"^[은는이가을를도](?=\s|$)")
_TOO = re.compile(r"(?<=[가-힣]{2})(?<!한)도요[\s?!.~]*$")
_PARTICLE = re.compile(
    r"(?<=[가-힣A-Za-z0-9]{2})(?:[은는을를]|(?<![나아차바페])이|(?<![주평단종준추허휴정])가|(?<![한제연속용중])도)$"
)
"""Not the end of 한도, 나이, 기준가 and the like."""

_ASKS = re.compile(
    r"(\?|나요|까요|(?:[는은한을ㄹ]지|얼만지|뭔지|언젠지|어딘지|될지|할지|방법|수수료)(?:도|랑)?요?|하죠\?|인가요|가요|려면|싶어요|싶습니다|싶은데요?|알려\s*\S+|궁금\S*|방법|얼마|언제|어디|어떻게"
    r"|얼마이?고|언제고|(있|없|되|돼|가능)(음|나|냐)|됨|가능)[\s.!~?ㅠㅜ]*$"
)
_QUESTION_WORD = re.compile(
    r"(?<![가-힣])(?:얼마(?!\s?(?:전|안))|언제(?!부턴)|어디|어떻게|어떡|어케|어찌|뭐|뭘|무엇|무슨|누가|누구|며칠|몇)"
)
_DOING = re.compile(r"[는은]\s?거$")
"""What is left of "다시 넣는 거랑 …": how it is done is asked."""
_HAPPENED = re.compile(r"[었았했였갔왔났됐렸쳤졌샀썼냈웠켰봤](?:어요|습니다|음|다|는데요?|거든요?)[\s.!~ㅠㅜ]*$")
"""What happened, not what is asked: "누가 제 카드를 썼어요"."""
_SENTENCE = re.compile(
    r"(?<=[?？])\s*|(?<=[.!])\s+|(?<=[요죠다])\s*[,/]\s*|\s+/\s*|\n+|[\s,]+(?=(?:그리고|글고|그리구)\s)"
)
_AND = re.compile(r"(?:그리고|글고|그리구)\s")
"""After a matter that is told and not asked: "카드 잃어버렸고요 그리고 …"."""
_GOES_ON = re.compile(
    r"(?<=고)(?<!신고)(?<!잔고)\s+(?!싶|있|나서|나면|난\s|계)"
    r"|(?<=[는은]지)(?:(?P<joined>이?랑|하고|도)[\s,]+(?!모르|몰)|\s*,\s*)|(?<=[는은]거)(?P<done>이?랑|하고)[\s,]+"
)

MAY_DIVIDE = re.compile(
    rf"(?:{'|'.join(each.pattern for each in (_SENTENCE, _GOES_ON, _CONNECTOR))})(?=(?s:.)*[^\s?？!.~])", re.IGNORECASE
)
"""Stands in every message that `split_questions` divides. Read first: most messages ask one thing."""


class Part(NamedTuple):
    """One question of a message: `title` in the customer's own words, `readings` as it may be searched for.

    `joined`: it was one of several things asked for in one sentence; `words`: those that it names and the others do not.
    """

    title: str
    readings: tuple[str, ...]
    joined: bool = False
    words: tuple[str, ...] = ()


def split_questions(message: str) -> tuple[Part, ...]:
    """The questions of a message, at most MAX_PARTS; the message itself where it asks one thing."""
    sentences = [part for each in _SENTENCE.split(message) if (part := each.strip(" \n/,"))]
    if len(sentences) == 1:
        sentences = _clauses(sentences[0])
    asking = [
        part
        for part, following in zip(sentences, [*sentences[1:], ""], strict=False)
        if (_is_asking(part) or _AND.match(following)) and len(compact(part)) >= MIN_PART
    ]
    # A sentence that asks nothing gives the context of the question and stays with it.
    if 2 <= len(asking) <= MAX_PARTS and len(asking) == len(sentences):
        return tuple(Part(part, (part,)) for part in asking)
    joined = _joined_subjects(message) if len(asking) < 2 else ()
    return joined or (Part(message, (message,)),)


def _clauses(sentence: str) -> list[str]:
    """A sentence divided where a clause that asks goes on to another: "기준가 언제 적용되고 환매대금은 언제 나와요"."""
    for match in _GOES_ON.finditer(sentence):
        clause, following = sentence[: match.start()], sentence[match.end() :]
        is_asked = _QUESTION_WORD.search(clause) or match["joined"] or match["done"]
        if is_asked and _is_asking(following) and not _COMPARED.search(following):
            return [clause, *_clauses(following)]
    return [sentence]


def _is_asking(sentence: str) -> bool:
    return bool(
        _ASKS.search(sentence)
        or _DOING.search(sentence)
        or (_QUESTION_WORD.search(sentence) and not _HAPPENED.search(sentence))
    )


def _joined_subjects(sentence: str) -> tuple[Part, ...]:
    """The things a sentence asks for, 2 to MAX_PARTS; nothing where it asks for one, or how they differ."""
    # "자격하고 수수료도요": a noun, though it ends as a verb does.
    pieces = [piece.strip() for piece in _CONNECTOR.split(_TOO.sub("", sentence.strip()))]
    if not 2 <= len(pieces) <= MAX_PARTS or not all(pieces):
        return ()
    last, rest = _thing_and_verb(pieces[-1])
    things = [*pieces[:-1], last]
    if _COMPARED.search(f"{last}{rest}") or not all(map(_is_thing, things)):
        return ()
    if any(_PEOPLE.search(thing) for thing in things[:-1]) and not _PEOPLE.search(last):
        return ()
    # Its particle fits the last noun alone.
    asked = _BOTH.sub("", _PARTICLE_FIRST.sub("", rest)).strip()
    held = [content_words(thing) for thing in things]
    result = []
    for number, thing in enumerate(things):
        title = f"{thing}{rest}" if thing is things[-1] else thing
        others = {word for index, words in enumerate(held) if index != number for word in words}
        own = tuple(word for word in held[number] if word not in others) or held[number]
        readings = _readings_of_first(thing, last) if number == 0 else _readings_of_later(thing, things[0], last)
        result.append(Part(title, tuple(f"{reading} {asked}".strip() for reading in readings), True, own))
    return tuple(result)


def _thing_and_verb(text: str) -> tuple[str, str]:
    """("증거금률", "은 얼마예요") of "증거금률은 얼마예요": up to the last noun, without its particle."""
    ends = [match.end() for match in re.finditer(r"\S+", text) if not _VERB.match(match[0])]
    thing = text[: ends[-1]].rstrip("?？!.~ㅠㅜ ") if ends else ""
    thing = _PARTICLE.sub("", thing)
    return thing, text[len(thing) :]


def _is_thing(text: str) -> bool:
    words = text.split()
    return (
        len(compact(text)) >= MIN_THING
        and len(words) <= MAX_WORDS
        and not any(_VERB.match(word) or _PLACED.search(word) for word in words)
    )


def _readings_of_first(thing: str, last: str) -> list[str]:
    """As it stands; and with the noun that ends the last one: "신차" of "신차랑 중고차 할부 금리" asks for its 할부 금리."""
    shared = " ".join(last.split()[1:])
    # "주차 할인, 주유 적립": of as many words as the last one, it lacks none.
    if len(thing.split()) >= len(last.split()) or _HEAD_WITHIN_END.search(thing):
        return [thing]
    return [f"{thing} {shared}", thing]


def _readings_of_later(thing: str, first: str, last: str) -> list[str]:
    """With what the first one is of, where it has lost its subject: "한도" of "체크카드 재발급이랑 한도"; else as it stands."""
    if subject := _genitive(first, thing):
        return [f"{subject} {thing}"]
    readings = [thing] if thing == last else _readings_of_first(thing, last)
    *before, _ = thing.split()
    are_heads = _HEADS_ALONE.match(thing) is not None
    if not are_heads and before and (len(before) > 1 or not before[0].endswith(("는", "은"))):
        return readings
    subject = " ".join(first.split()[:-1])
    if _HEAD_WITHIN_END.search(first):
        # "체크카드" of "체크카드 재발급", nothing of "한도 변경".
        subject = (_HEADS_AT_END if _HEADS_AT_END.search(first) else _HEAD_WITHIN_END).sub("", first).strip()
    # "모임통장" of "모임통장 멤버 초대 및 해지": what both are of may be less than all that stands before.
    subjects = dict.fromkeys(each for each in (subject, *subject.split()[:1]) if each)
    return [
        *(f"{each} {thing}" for each in subjects),
        *(readings if " " in thing or not are_heads or not subjects else []),
    ]


def _genitive(first: str, later: str) -> str:
    """ "학자금대출의" of "학자금대출의 신청 자격과 대출한도": what both are of, unless the second names a thing of its own."""
    match, sets = _OF.match(first), default_contrasts().sets
    names_thing = any(sets[name].kind in ("product", "means") for name, _ in members_of(later))
    return match["subject"] if match and "의 " not in later and not names_thing else ""
