"""Turns a follow-up and its history into the texts to search for. Stateless: the history comes with each question.

Without a language model a message in a conversation has two readings: alone, or joined to the questions before it. A message that
opens a new subject, or is long enough to stand by itself, has only the first; one that refers back ("그럼 수수료는요?") only the
second. For others both are searched if the message alone finds too little, and `rag.conversation.follow_up_choice` chooses. The
patterns are data (`follow_up_rules.toml`). Measurements: docs/evaluation-log.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce

from rag.constraints.aspects import ASPECT_OF
from rag.constraints.contrasts import default_contrasts, members_of, mentions_of
from rag.constraints.everyday_values import values_of
from rag.conversation.word_rules import content_words, nouns, plain, rules, says
from rag.types import Turn

LONG_ENOUGH = 20
LONG_ENOUGH_AFTER_MARKER = 12
MAX_TURNS = 3
MAX_JOINED_CHARS = 400
_DONE_BEFORE = re.compile(r"\s?(?:돼|되어|해)\s?(?:있|놓|놨|뒀|둔)")
"""Follows an action that was done before ("가입돼 있어서"), which the action of a later message does not replace."""
_LONG = re.compile(r"(?<![가-힣])(?:얼마나\s)?오래\s?(?=걸[려리릴]|기다[려리릴])")
_HOW_MUCH = re.compile(r"얼마|어느\s?정|며칠|몇|정도$")
"""Words of a question for a value that name nothing."""
_KIND_OF = {"foreign_country": "country"}
"""A contrast set by another one whose members its members replace: "미국은요?" after "국내주식 수수료"."""
_ORDINALS = {
    word: number
    for number, words in enumerate(("첫 한 일 first", "두 이 second", "세 삼 third", "네 사", "다섯 오"), 1)
    for word in words.split()
}


def standalone_text(question: str) -> str:
    """A message without the words that only open a new subject or return to an old one."""
    rest = _without_opening(question)
    return rules()["earlier topic"].pattern.sub("", rest) or rest or question


def without_leaving(message: str) -> str:
    """The message without words that put aside what was asked before ("그건 됐고"); empty where it has none."""
    rest = rules()["leaves subject"].pattern.sub("", message)
    return "" if rest == message else rest


def in_the_banks_words(message: str) -> str:
    """The message; "수수료 있어요?" if it asks for a fee in everyday words ("돈 들어요?"), "얼마나 걸려요" for "오래 걸려요"."""
    return "수수료 있어요?" if says(message, "price") else _LONG.sub("얼마나 ", message)


def without_rejection(message: str, history: Sequence[Turn]) -> tuple[str, Sequence[Turn], bool]:
    """(message, history, is_rejected): without the words that the message rejects, and whether it rejects the rows shown.

    "주소 말고 전화번호" after "주소 바꾸는 법" becomes "전화번호" after "바꾸는 법". "그거 말고 전화번호" rejects the rows shown.
    """
    match = rules()["rejection"].pattern.match(message)
    if not match or not match.end():
        return message, history, False
    text = history[-1].question
    for word in content_words(match[1] or ""):
        text = re.sub(re.escape(word), "", text, flags=re.IGNORECASE)
    earlier = replace(history[-1], question=" ".join(text.split()) or history[-1].question)
    return message[match.end() :], (*history[:-1], earlier), bool(match[2])


def contextual_text(question: str, history: Sequence[Turn], has_topic: Callable[[str], bool]) -> str:
    """The message after the questions that it follows, at most MAX_TURNS, oldest first.

    The first of them is the last question that can stand alone, by its words or because it `has_topic`. What a later message
    names instead is replaced in the earlier one (`replace_topic`).
    """
    texts, followed = [question], history[-MAX_TURNS:]
    for index in reversed(range(len(followed))):
        earlier = followed[index].question
        texts.append(reduce(replace_topic, reversed(texts), earlier))
        if stands_alone(earlier):
            break
        depends = says(earlier, "back reference") or lacks_product(earlier)
        if index and not depends and has_topic(standalone_text(earlier)):
            # "쌓는 건 어떻게 해?" after "현금으로 바꾸는 건?": both are about the topic of the question before.
            if says(earlier, "ellipsis") and not says(earlier, "product word"):
                texts.extend(
                    reduce(replace_topic, reversed(texts), word) for word in topic_words(followed[index - 1].question)
                )
            break
    # Cut at the beginning, because the last question matters most. The message itself is never cut.
    return " ".join(reversed(texts))[-max(MAX_JOINED_CHARS, len(question)) :]


def replace_topic(earlier: str, message: str) -> str:
    """The earlier question with the members of contrast sets that the message names instead.

    "이체한도 올리고 싶어요" and "그럼 줄이는 건?" give "이체한도 줄이고 싶어요"; "적금 해지" and "아니 적금 말고 예금" give
    "예금 해지". With both members in one text, rows on either would match. A message that is only a product ("otp는?") replaces
    any product, and one that is only a value replaces the value of its kind ("12개월 금리" and "6개월은?").
    """
    held, asked = members_of(earlier), members_of(message)
    replacements = {
        name: mention
        for mention in mentions_of(message)
        if (mention.set_name, mention.member) not in held
        for name in (mention.set_name, _KIND_OF.get(mention.set_name, ""))
    }
    text = earlier
    # From the end, so that the earlier offsets stay valid.
    for mention in reversed(mentions_of(earlier)):
        new = replacements.get(mention.set_name)
        is_replaced = (mention.set_name, mention.member) not in asked
        if new and is_replaced and not _DONE_BEFORE.match(text, mention.end):
            # A stem can only replace a stem; otherwise the word is removed, and the message itself names the other one.
            replacing = new.text if (new.label == new.text) == (mention.label == mention.text) else ""
            text = f"{text[: mention.start]}{replacing}{text[mention.end :]}"
    if text == earlier and says(message, "ellipsis") and len(words := content_words(message)) == 1:
        product = rules()["product word"].pattern
        if product.fullmatch(words[0]) and words[0] not in plain(earlier):
            text = product.sub(words[0], plain(earlier))
    return _with_value(text, message)


def _with_value(earlier: str, message: str) -> str:
    """The earlier question with the value of a message that names nothing else, in place of the only value of its kind."""
    values, words = values_of(message), nouns(message)
    if len(values) != 1 or len(words) != 1 or not says(message, "ellipsis"):
        return earlier
    (new,) = values
    same_kind = [each for each in values_of(earlier) if (each.dimension, each.unit) == (new.dimension, new.unit)]
    # A number without a unit may choose among the rows offered.
    if new.dimension == "number" or new.text not in words[0] or len(same_kind) != 1:
        return earlier
    (old,) = same_kind
    return f"{earlier[: old.start]}{new.text}{earlier[old.end :]}"


def topic_of(questions: Sequence[str]) -> tuple[str, ...]:
    """The topic of the last question that names a product, or of the last one: at most one word."""
    recent = questions[-MAX_TURNS:]
    return topic_words(next((each for each in reversed(recent) if says(each, "product word")), recent[-1]))


def stands_alone(message: str) -> bool:
    """Whether a message in a conversation can be understood alone, by its words and its length without spaces."""
    if says(message, "back reference"):
        return False
    rest = _without_opening(message)
    length = len("".join(rest.split()))
    return length >= (LONG_ENOUGH if rest == message else LONG_ENOUGH_AFTER_MARKER)


def lacks_product(message: str) -> bool:
    """Whether the only nouns of a message are one aspect and channels ("온라인 수수료는 얼마예요?", "이자가 얼마쯤 해요")."""
    words = [word for word in nouns(message) if not _HOW_MUCH.match(word)]
    aspects = {ASPECT_OF[word] for word in words if word in ASPECT_OF}
    return bool(words) and len(aspects) < 2 and all(word in ASPECT_OF or is_channel(word) for word in words)


def lacks_aspect(message: str) -> bool:
    """Whether a message names only a thing, so that the previous questions say what is asked about it ("변액은요?").

    Not an action ("취소는요?"), which is asked of the topic.
    """
    words = nouns(message)
    is_thing = not (actions_of(message) or any(word in ASPECT_OF for word in words))
    return bool(words) and says(message, "ellipsis") and is_thing


def actions_of(message: str) -> frozenset[tuple[str, str]]:
    """The (set, member) pairs of the actions that a message names."""
    sets = default_contrasts().sets
    return frozenset(each for each in members_of(message) if sets[each[0]].kind == "action")


def is_channel(word: str) -> bool:
    """Whether a word names a channel ("창구")."""
    return any(name == "channel" for name, _ in members_of(word))


def rejects_answer(message: str) -> bool:
    """Whether a message only says that the answer is not the one wanted ("그게 아니라고요", "다른 거요")."""
    return says(message, "no") and says(message, "another")


def chosen_number(message: str, offered: int) -> int | None:
    """The number, counted from 1, that a message like "2번이요" or "마지막 거" chooses among `offered` rows; None for no choice.

    It may be greater than `offered`.
    """
    if says(message, "last choice"):
        return offered
    match = rules()["numbered choice"].pattern.search(plain(message))
    if not match:
        return None
    word = next(group for group in match.groups() if group)
    return _ORDINALS.get(word) or int(word)


def topic_words(message: str) -> tuple[str, ...]:
    """The topic of a message, at most one word: the first product, else the first noun ("별포인트")."""
    words = nouns(message)
    return tuple(word for word in words if says(word, "product word"))[:1] or words[:1]


def _without_opening(message: str) -> str:
    return rules()["new subject"].pattern.sub("", message)
