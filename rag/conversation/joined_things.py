"""Things asked for together in one sentence: "연회비랑 전월실적 알려줘", "한도 올리는 거랑 내리는 거".

They share words: the verb at the end, a subject at the beginning ("체크카드 재발급이랑 한도"), a noun at the end
("신차랑 중고차 할부 금리"), what has happened before ("카드 잃어버렸는데 신고랑 재발급"). Only the words are known here:
a thing may have several readings, the likeliest first.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rag.constraints import default_contrasts
from rag.constraints.aspects import ASPECT
from rag.constraints.contrasts import members_of
from rag.conversation.word_rules import content_words, nouns
from rag.korean import compact, syllables_ending_in

MAX_PARTS = 3
MIN_PART = 4
"""Characters without spaces of a part, at least: less is no question."""
MAX_WORDS = 6
"""Words of one thing asked for, at most: more is a narrative."""
MIN_THING = 2
"""Characters without spaces of one thing, at least: "입/출금" is one word."""

ATTRIBUTIVE = syllables_ending_in("ㄴㄹ")
"""The syllables that end in ㄴ or ㄹ, like a verb before a noun: "올리는 거", "깰 때"."""
_NOMINAL = "(?:거|것|건|법|방법|때|날|경우)"
_GLUE = "_"
"""Between a verb and the noun that it stands before: the two are one word here."""
_UNGLUED = re.compile(
    rf"(?<=[{ATTRIBUTIVE}])[ ]+(?={_NOMINAL}(?![가-힣])|{_NOMINAL}(?:이랑|랑|하고|와|과|은|는|이|을|를|도|요|까지)(?![가-힣]))"
)
_DOING = rf"(?:(?:[가-힣]+[{ATTRIBUTIVE}]{_GLUE}?|[{ATTRIBUTIVE}]{_GLUE}){_NOMINAL})"
"""What is done, as a noun: "올리는 거", "빼는법", "바꿨을때"."""
_HEAD = (
    rf"(?:{_DOING}|{ASPECT}|법|위치|신청|해지|해제|등록|변경|발급|재발급|조회|취소|신고|분실|환불|연장|갱신|교체"
    r"|증액|전환|가입|개설|중도\s?해지|만기|혜택|유효기간|"
    r"환불일|날짜|시기|규정|납입일|결제일|입금일|연회비|실적|금액|보험료|보험금)"
)
"""What is asked of a thing: an aspect, an action, a date, a sum."""
_HEADS_ALONE = re.compile(rf"^\s*(?:(?:{_HEAD}|후|전|시|때|당일|별|최대|최소)(?:의|이|은|는|을|를)?\s*)+$")
_HEADS_AT_END = re.compile(rf"(?:(?:^|\s+){_HEAD}(?:의|을|를)?\s*)+$")
_HEAD_WITHIN_END = re.compile(rf"\s*\S*{_HEAD}\s*$")
_HEAD_AT_END = re.compile(rf"{_HEAD}(?:[은는이]?요|도요?|은|는)?[\s?？!.~ㅠㅜ]*$")
_OF = re.compile(rf"^(?P<subject>.*[가-힣A-Za-z]의)\s+(?:\S+\s+)?\S*{_HEAD}$")
_HOW = rf"(?:[가-힣]+(?:로|에서|[아어해려]서)\s+)*{_DOING}"
"""What is done, after a way or a place: "우편으로 받는 거"."""
DONE_AT_END = re.compile(rf"(?:^|\s+){_HOW}$|(?:^|\s+)[가-힣]+(?:로|에서)\s+[가-힣]+기$")
_DONE_FIRST = re.compile(rf"^{_HOW}(?![가-힣])")
DONE_WITHIN = re.compile(rf"(?:^|\s){_DOING}(?![가-힣])|[가-힣]\s+[가-힣]+기$")
AND_AFTER_HEAD = re.compile(r"(?<=[가-힣])(?<=신청|해지|취소|변경|발급|등록|조회|신고|가입|상환|방법)\s+또\s+")
_STORY = re.compile(r"^.*[가-힣](?:는데요?|거든요?|[었았했됐렸졌났]고요?|[아어려해]서)[\s,]+(?=\S)", re.DOTALL)
"""What has happened, before what is asked."""
NUMBERED = re.compile(r"(?:^|(?<=[\s.요]))(?:[1-3][).]|[①-③])\s*(?!\d)")
_ASPECT_AT_END = re.compile(rf"(?:{ASPECT}|법|번호)$")
_REGARDLESS = re.compile(r"상관|별개|무관|같이\s|함께|합쳐|합치")
CONNECTOR = re.compile(
    r"(?<=[가-힣A-Za-z0-9])(?:"
    r"(?<!\s사)(?<!\s신)(?<!\s자)(?:이랑|랑)(?=[\s,])"
    r"|(?<!결)(?<!초)(?<!경)(?<!효)(?<!부)(?<!통)(?<!성)(?<!학)(?<!치)(?<!내)(?<!외)과(?=\s)|와(?=\s)"
    r"|\s?하고(?=[\s,])(?!\s*(?:싶|있|나서|나면|난\s|나니))"
    r"|\s*[,，](?!\d)|\s*/(?!\d)|\s*[&+]|\s+vs\.?(?=\s)|\s+(?:및|그리고|글구|글고|그리구)(?=\s)|\s*\n"
    r")\s*(?:그리고\s+)?",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"^(?:해|해결\S*|알려\S*|알고\S*|물어\S*|한꺼번에|같이|비교\S*|궁금\S*|어떻게\S*|어케\S*|어찌\S*|얼마\S*"
    r"|언제\S*|어디\S*|뭐\S*|뭔\S*|무엇\S*|무슨|몇\S*|며칠\S*|누가|누구\S*|왜|좀요?|둘다요?|둘|다요?|모두|전부"
    r"|각각|두|"
    r"가지|있\S*|없\S*|싶\S*|되\S*|돼\S*|됨|수|주세\S*|줘\S*|필요\S*|가능\S*|부탁\S*|안|못|꼭|인가\S*"
    r"|\S+(?:요|까|니다|죠|려고|는데|지만|임|됨|는지|은지|한지|을지|할지|인지|ㄹ지|[었았했됐났갔왔렸켰졌웠쳤썼]음|싶음|해야\S*|해|함"
    r"|\S*[할을될갈쓸낼뺄끊풀끌넣줄]래|\S*[할을될갈쓸낼뺄줄]게|[해려아어와가돼라져워여나]서"
    r"|(?<!신)(?<!잔)(?<!출)(?<!입)(?<!광)(?<!공)(?<!경)(?<!창)(?<!보)(?<!사)고|(?<!화)(?<!대)(?<!서)(?<!방)면"
    r"|[되하있없인한받드오가주리내쓰갚넣]나))"
    r"[?？!.~ㅠㅜ]*$"
)
_PLACED = re.compile(r"(?:에서|에게|한테|(?<!유)로|부터|까지|때문에)$")
"""A word that belongs to the verb: what follows is no thing of its own."""
_PEOPLE = re.compile(
    r"(?:친구|엄마|아빠|어머니|아버지|부모님?|남편|아내|와이프|배우자|신랑|가족|동생|언니|누나|오빠|형|애인|여친|남친|자녀|아이|애|아들|딸|동료)$"
)
COMPARED = re.compile(
    r"(차이|다른|다르|달라|같은|같나|같아|동일|중복|합산|구분|구별|나누|(?<!나)중에|관계|어느|더\s|뭐가|낫|나아)"
)
_BOTH = re.compile(
    r"(?<![가-힣])(둘\s*다|같이|한꺼번에|까지|알고\s?싶\S*|물어\S*|해결\S*|두\s*가지\s*다?|모두|전부|각각|다"
    r"|(?:좀\s)?비교(?:\s?해\S*(?:\s주\S*)?)?)(?=\s|$)\s*"
)
_PARTICLE_FIRST = re.compile(r"^[은는이가을를도](?=\s|$)")
_TOO = re.compile(r"(?<=[가-힣]{2})(?<!한)도요[\s?!.~]*$")
_PARTICLE = re.compile(
    r"(?<=[가-힣A-Za-z0-9_]{2})(?:[은는을를]|(?<![나아차바페])이|(?<![주평단종준추허휴정])가|(?<![한제연속용중])도|까지)$"
)
"""Not the end of 한도, 나이, 기준가 and the like."""

ASKS = re.compile(
    r"(\?|나요|까요|(?:[는은한을ㄹ]지|얼만지|뭔지|언젠지|어딘지|될지|할지|방법|수수료)(?:도|랑)?요?|하죠\?"
    r"|인가요|가요|려면|싶어요|싶습니다|싶은데요?|알려\s*\S+|궁금\S*|방법|얼마|언제|어디|어떻게"
    r"|얼마이?고|언제고|(있|없|되|돼|가능)(음|나|냐)|됨|가능)[\s.!~?ㅠㅜ]*$"
)
QUESTION_WORD = re.compile(
    r"(?<![가-힣])(?:얼마(?!\s?(?:전|안))|얼만|언젠|어딘|뭔|언제(?!부턴)|어디|어떻게|어떡|어케|어찌|뭐|뭘|무엇|무슨|누가|누구|며칠|몇)"
)


class Part(NamedTuple):
    """One question of a message: `title` in the customer's own words, `readings` as it may be searched for.

    `joined`: it was one of several things asked for in one sentence; `words`: those that it names and the others do not.
    """

    title: str
    readings: tuple[str, ...]
    joined: bool = False
    words: tuple[str, ...] = ()


def joined_things(message: str) -> tuple[Part, ...]:
    """The things that a message asks for together, 2 to MAX_PARTS; nothing where it asks for one, or how they differ."""
    return _listed(message) or _joined_subjects(message) or _after_story(message) or _thing_and_clause(message)


def glued(text: str) -> str:
    return _UNGLUED.sub(_GLUE, text)


def _unglued(text: str) -> str:
    return text.replace(_GLUE, " ")


def _after_story(message: str) -> tuple[Part, ...]:
    """The things asked for after what has happened, each with it, with what it is about, and alone."""
    match = _STORY.match(message)
    rest = message[match.end() :] if match else ""
    parts = _joined_subjects(rest) or _thing_and_clause(rest)
    if not match or not parts:
        return ()
    story = match[0].strip(" ,")
    stories = tuple(dict.fromkeys((story, " ".join(nouns(story)))))
    return tuple(
        part._replace(readings=(*(f"{each} {part.readings[0]}".strip() for each in stories), *part.readings))
        for part in parts
    )


def _thing_and_clause(message: str) -> tuple[Part, ...]:
    """A thing asked for, and a clause that asks or a thing with a clause of its own: "환전 방법이랑 안 찾아가면 어떻게 돼요?"."""
    text = glued(message.strip())
    for match in CONNECTOR.finditer(text):
        thing, clause = text[: match.start()], text[match.end() :].lstrip(" ,")
        is_done = match[0].strip().startswith("하고") and not _ASPECT_AT_END.search(thing)
        if is_done or not _HEAD_WITHIN_END.search(thing):
            continue
        is_asked = ASKS.search(clause) and QUESTION_WORD.search(clause)
        if not (is_asked or _HEAD_AT_END.search(clause) or _HEAD_WITHIN_END.search(_thing_and_verb(clause)[0])):
            return ()
        if len(compact(clause)) < MIN_PART or COMPARED.search(clause) or _REGARDLESS.match(clause):
            return ()
        readings = [clause, *(f"{word} {clause}" for word in nouns(thing)[:1] if not _names_thing(clause))]
        asked = ((thing, (thing,)), (clause, tuple(readings)))
        return tuple(
            Part(_unglued(title), tuple(map(_unglued, texts)), True, content_words(title)) for title, texts in asked
        )
    return ()


def _listed(message: str) -> tuple[Part, ...]:
    """The points of a numbered list: "1) 자기부담금 2) 견인 거리"."""
    context, *points = (piece.strip(" \n,") for piece in NUMBERED.split(message))
    if not 2 <= len(points) <= MAX_PARTS or not all(len(compact(point)) >= MIN_PART for point in points):
        return ()
    about = " ".join(nouns(context))
    return tuple(
        Part(point, tuple(dict.fromkeys((point, f"{about} {point}".strip()))), True, content_words(point))
        for point in points
    )


def _joined_subjects(sentence: str) -> tuple[Part, ...]:
    """The things a sentence asks for, 2 to MAX_PARTS; nothing where it asks for one, or how they differ."""
    # "자격하고 수수료도요": a noun, though it ends as a verb does.
    text = AND_AFTER_HEAD.sub(" 그리고 ", glued(_TOO.sub("", sentence.strip())))
    pieces = [piece.strip() for piece in CONNECTOR.split(text)]
    if not 2 <= len(pieces) <= MAX_PARTS or not all(pieces):
        return ()
    last, rest = _thing_and_verb(pieces[-1])
    things = [*pieces[:-1], last]
    if COMPARED.search(f"{last}{rest}") or not all(map(_is_thing, things)):
        return ()
    if _REGARDLESS.match(pieces[-1]):
        return ()
    # "폰이랑 컴퓨터에서 쓰는 법": both are where it is done.
    if _PLACED.search(last.split()[0]) and not all(map(_HEAD_WITHIN_END.search, things[:-1])):
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
        texts = [f"{reading} {asked}".strip() for reading in readings]
        # "청약 취소 또 환불금 언제 들어와요": what is asked of the last may fit no other.
        texts += [thing] if thing is not last and QUESTION_WORD.search(asked) and _HEAD_WITHIN_END.search(thing) else []
        result.append(Part(_unglued(title), tuple(map(_unglued, texts)), True, own))
    return tuple(result)


def _thing_and_verb(text: str) -> tuple[str, str]:
    """("증거금률", "은 얼마예요") of "증거금률은 얼마예요": up to the last noun, without its particle."""
    ends = [match.end() for match in re.finditer(r"\S+", text) if not _VERB.match(match[0])]
    thing = text[: ends[-1]].rstrip("?？!.~ㅠㅜ ") if ends else ""
    thing = _PARTICLE.sub("", thing)
    return thing, text[len(thing) :]


def _is_thing(text: str) -> bool:
    words = text.split()
    # What is done may have a place, a way and a reason: "비번 틀려서 잠긴 거", "카드로 내는 거".
    is_done = DONE_AT_END.search(text)
    return (
        len(compact(text)) >= MIN_THING
        and len(words) <= MAX_WORDS
        and not any((_VERB.match(word) or _PLACED.search(word)) and not is_done for word in words)
    )


def _readings_of_first(thing: str, last: str) -> list[str]:
    """As it stands; and with the noun that ends the last one: "신차" of "신차랑 중고차 할부 금리" asks for its 할부 금리."""
    if DONE_AT_END.search(thing) and (done := _DONE_FIRST.match(last)):
        # "보내는 거랑 받는 거 수수료": what is asked of both.
        shared = last[done.end() :].strip()
        return [f"{thing} {shared}", thing] if shared else [thing]
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
    subject = " ".join(first.split()[:-1])
    if done := DONE_AT_END.search(first):
        subject = first[: done.start()]
        are_heads = are_heads or _DONE_FIRST.match(thing) is not None
    elif _HEAD_WITHIN_END.search(first):
        # "체크카드" of "체크카드 재발급", nothing of "한도 변경".
        subject = (_HEADS_AT_END if _HEADS_AT_END.search(first) else _HEAD_WITHIN_END).sub("", first).strip()
    if not are_heads and before and (len(before) > 1 or not before[0].endswith(("는", "은"))):
        # "할부 개월수 변경하고 미리 갚는 거": what is done names nothing that it is done with.
        lacks_thing = DONE_WITHIN.search(thing) and not _names_thing(thing)
        return [*readings, *([f"{subject} {thing}"] if lacks_thing and subject else [])]
    # "모임통장" of "모임통장 멤버 초대 및 해지": what both are of may be less than all that stands before.
    subjects = dict.fromkeys(each for each in (subject, *subject.split()[:1]) if each)
    return [
        *(f"{each} {readings[0] if are_heads else thing}" for each in subjects),
        *(readings if " " in thing or not are_heads or not subjects else []),
    ]


def _names_thing(text: str) -> bool:
    sets = default_contrasts().sets
    return any(sets[name].kind in ("product", "means") for name, _ in members_of(text))


def _genitive(first: str, later: str) -> str:
    """ "학자금대출의" of "학자금대출의 신청 자격과 대출한도": what both are of, unless the second names a thing of its own."""
    match = _OF.match(first)
    return match["subject"] if match and "의 " not in later and not _names_thing(later) else ""
