"""A follow-up and its history to the texts to search for. Stateless; the history comes with each question.

Without a language model there are two readings of a message in a conversation: alone, or joined to what it follows.
A message that opens a new subject, or is long enough to stand by itself, has only the first; one that points back
("그럼 수수료는요?") only the second. For the rest both are searched where the message alone finds too little, and
`rag.conversation.follow_up_choice` chooses. History is never a template, only text. The patterns are data
(`follow_up_rules.toml`). What this was measured against: docs/evaluation-log.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce

from rag.constraints.aspects import ASPECT_OF
from rag.constraints.contrasts import default_contrasts, members_of, mentions_of
from rag.conversation.keyboard_modes import MAY_BE_MISTYPED, in_the_other_mode
from rag.conversation.word_rules import content_words, nouns, plain, rules, says
from rag.korean import without_markup
from rag.privacy import without_masked_numbers
from rag.types import Turn

LONG_ENOUGH = 20
LONG_ENOUGH_AFTER_MARKER = 12
MAX_TURNS = 3
MAX_JOINED_CHARS = 400
_DONE_BEFORE = re.compile(r"\s?(?:돼|되어|해)\s?(?:있|놓|놨|뒀|둔)")
"""After an action that was done before ("가입돼 있어서"): what is asked now does not take its place."""
_KIND_OF = {"foreign_country": "country"}
"""A set whose members take the place of another's: "미국은요?" after "국내주식 수수료"."""
_ORDINALS = {
    word: number
    for number, words in enumerate(("첫 한 일 first", "두 이 second", "세 삼 third", "네 사", "다섯 오"), 1)
    for word in words.split()
}


def as_meant(question: str, history: Sequence[Turn]) -> tuple[str, Sequence[Turn]]:
    """A question and the questions before it in the keyboard mode that was meant, without what no row has: the masks of personal
    numbers, and markup.
    """
    turns = tuple(replace(turn, question=_as_meant(turn.question)) for turn in history)
    return without_markup(_as_meant(question)), turns


def _as_meant(message: str) -> str:
    text = without_masked_numbers(message)
    return in_the_other_mode(text) if MAY_BE_MISTYPED.search(text) else text


def standalone_text(question: str) -> str:
    """A message in a conversation by itself, without the words that only open a new subject or return to an old one."""
    rest = _without_opening(question)
    return rules()["earlier topic"].pattern.sub("", rest) or rest or question


def in_the_banks_words(message: str) -> str:
    """The message, or the question for a fee that it asks in everyday words ("돈 들어요?")."""
    return "수수료 있어요?" if says(message, "price") else message


def without_rejection(message: str, history: Sequence[Turn]) -> tuple[str, Sequence[Turn], bool]:
    """The message without what it says is not meant, the history without those words, and whether it rejects what was shown.

    "주소 말고 전화번호" after "주소 바꾸는 법" is "전화번호" after "바꾸는 법". "그거 말고 전화번호" rejects the rows shown.
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
    """The message with the questions it follows, at most MAX_TURNS of them, the oldest first.

    They go back to the last one that needs nothing before it: by its words, or because read alone it `has_topic`. What a later
    message names in the place of an earlier one is replaced in the earlier one (`replace_topic`).
    """
    texts, followed = [question], history[-MAX_TURNS:]
    for index in reversed(range(len(followed))):
        earlier = followed[index].question
        texts.append(reduce(replace_topic, reversed(texts), earlier))
        if stands_alone(earlier):
            break
        depends = says(earlier, "back reference") or lacks_product(earlier)
        if index and not depends and has_topic(standalone_text(earlier)):
            # "쌓는 건 어떻게 해?" after "현금으로 바꾸는 건?": both are about what was asked about first.
            if says(earlier, "ellipsis") and not says(earlier, "product word"):
                texts.extend(
                    reduce(replace_topic, reversed(texts), word) for word in topic_words(followed[index - 1].question)
                )
            break
    # The end is kept: the last question says most, and the message itself is never cut.
    return " ".join(reversed(texts))[-max(MAX_JOINED_CHARS, len(question)) :]


def replace_topic(earlier: str, message: str) -> str:
    """The earlier question with what the message names in place of it: "이체한도 줄이고 싶어요" of "이체한도 올리고 싶어요" and
    "그럼 줄이는 건?", "예금 해지" of "적금 해지" and "아니 적금 말고 예금".

    Of two members of one contrast set the later counts: with both, a row about either one would match the text. A message that
    is nothing but a product ("otp는?") takes the place of whatever product the earlier question names.
    """
    held, asked = members_of(earlier), members_of(message)
    replacements = {
        name: mention
        for mention in mentions_of(message)
        if (mention.set_name, mention.member) not in held
        for name in (mention.set_name, _KIND_OF.get(mention.set_name, ""))
    }
    text = earlier
    # From the end, so that the offsets of those before stay true.
    for mention in reversed(mentions_of(earlier)):
        new = replacements.get(mention.set_name)
        is_replaced = (mention.set_name, mention.member) not in asked
        if new and is_replaced and not _DONE_BEFORE.match(text, mention.end):
            # A verb's stem fits another verb's ending alone; what is left out here is still said by the message.
            replacing = new.text if (new.label == new.text) == (mention.label == mention.text) else ""
            text = f"{text[: mention.start]}{replacing}{text[mention.end :]}"
    if text == earlier and says(message, "ellipsis") and len(words := content_words(message)) == 1:
        product = rules()["product word"].pattern
        if product.fullmatch(words[0]) and words[0] not in plain(earlier):
            text = product.sub(words[0], plain(earlier))
    return text


def topic_of(questions: Sequence[str]) -> tuple[str, ...]:
    """What the last of the questions that names a product is about, or the last one; at most one word."""
    recent = questions[-MAX_TURNS:]
    return topic_words(next((each for each in reversed(recent) if says(each, "product word")), recent[-1]))


def stands_alone(message: str) -> bool:
    """Whether a message within a conversation needs nothing before it; lengths in characters without spaces."""
    if says(message, "back reference"):
        return False
    rest = _without_opening(message)
    length = len("".join(rest.split()))
    return length >= (LONG_ENOUGH if rest == message else LONG_ENOUGH_AFTER_MARKER)


def lacks_product(message: str) -> bool:
    """Whether its nouns are one thing that many products have, and where all are dealt with ("온라인 수수료는 얼마예요?")."""
    words = nouns(message)
    aspects = {ASPECT_OF[word] for word in words if word in ASPECT_OF}
    return bool(words) and len(aspects) < 2 and all(word in ASPECT_OF or is_channel(word) for word in words)


def lacks_aspect(message: str) -> bool:
    """Whether it names only what is asked about, so that the questions before say what is asked of it ("변액은요?")."""
    words = nouns(message)
    return bool(words) and says(message, "ellipsis") and not any(word in ASPECT_OF for word in words)


def actions_of(message: str) -> frozenset[tuple[str, str]]:
    """The actions a message asks about, as (set, member) pairs."""
    sets = default_contrasts().sets
    return frozenset(each for each in members_of(message) if sets[each[0]].kind == "action")


def is_channel(word: str) -> bool:
    """Whether a word names where something is done ("창구")."""
    return any(name == "channel" for name, _ in members_of(word))


def rejects_answer(message: str) -> bool:
    """Whether it says nothing but that the answer is not what was asked for ("그게 아니라고요", "다른 거요")."""
    return says(message, "no") and says(message, "another")


def is_reply(message: str, history: Sequence[Turn]) -> bool:
    """Whether a message may choose among rows shown before: rows were suggested, or its words answer no other question."""
    open_rows = bool(history) and history[-1].status == "suggested"
    return open_rows or says(message, "yes", "no", "nothing fits", "again", "last choice", "numbered choice")


def chosen_number(message: str, offered: int) -> int | None:
    """The number, from 1, that a message like "2번이요" or "마지막 거" chooses of so many `offered`; None: it is no choice.

    A number beyond `offered` is returned as it is.
    """
    # "마지막 거" before the numbers: it holds none.
    if says(message, "last choice"):
        return offered
    match = rules()["numbered choice"].pattern.search(plain(message))
    if not match:
        return None
    word = next(group for group in match.groups() if group)
    return _ORDINALS.get(word) or int(word)


def topic_words(message: str) -> tuple[str, ...]:
    """What a message is about, at most one word: the first that names a product, else its first noun ("별포인트")."""
    words = nouns(message)
    return tuple(word for word in words if says(word, "product word"))[:1] or words[:1]


def _without_opening(message: str) -> str:
    return rules()["new subject"].pattern.sub("", message)
