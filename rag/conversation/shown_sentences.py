"""Finds the sentence of a row shown before that states what a message asks, by the row alone, whatever a search finds.

"썸머타임 때는요", "70km 끌고 가면 얼마 더 내요?", "토요일은": such a message is only a case, a value or a part of what was
answered. Its sentence must name all that the message names, hold its value, state the kind of value asked for, and name no other
member of a contrast set; where several do, none is quoted, but for values the narrowest. A wrong sentence under "앞서 보신
안내에 있는 내용입니다" is a wrong answer; without one the row is offered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.constraints.agreement import error_codes
from rag.constraints.aspects import ASPECT_OF, asked_aspect
from rag.constraints.contrasts import default_contrasts, members_of
from rag.constraints.synonyms import holds_name
from rag.conversation.asked_of_row import UNDONE, FollowUp, kinds_asked, things
from rag.conversation.follow_up_rules import is_channel
from rag.conversation.nearest_sentence import AHEAD_OF_FEW, FAR, FAR_AHEAD, Similarities, nearest, no_similarities
from rag.conversation.sentence_agreement import DAYS, is_aside, is_fee, may_state, names, states, units
from rag.conversation.shown_limits import beyond_all, limits_on, narrowest
from rag.conversation.shown_rows import cited_rows
from rag.conversation.word_rules import content_words, plain, says
from rag.korean import compact, jamo_ngrams, without_yes_or_no
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict
from rag.retrieval.query_analysis import expand
from rag.retrieval.rows import bank_of, question_of, row_id
from rag.types import Note, Turn

STANDALONE_POSSIBLE, STANDALONE_SURE = 0.1, 0.9
"""Chance in 0..1 that the message alone is covered from which on another row may be meant; and is, also by "미성년자는?"."""
CONTINUES = re.compile(r"(에요|예요|인데|은데|는데|건데|거든|라서)요?[\s?!~.,;ㅜㅠ]*$")
"""A statement after a question ("저 지금 외국이에요") continues it."""
_CONDITION = re.compile(r"([가-힣]{2,6})(?<![거건것이라])(?<!였으)면요?[\s?!~.,ㅜㅠ]*$")
"""A verb at the end; not the thing of "보낸 거면요", "피부과였으면요"."""
_LOOKED_UP_WHERE = re.compile(r"어디(?:서|에서)?\s?(?:\S{1,4}\s)?(?:보[나는면죠지]|봐|볼|확인|조회|알 수|나와)")
_LOOKED_UP = re.compile(r"조회|확인|현황|내역|상세")
_STEM = 3
"""Syllables by which a word is recognised in another form."""
_SUBJECT = re.compile(r"([^,:]{1,15}?)[은는] ")
_KIND_OF_PRODUCT = re.compile(r"\s?(?:짜리|만기|물)")
_ASKS_FOR_NO_FACT = re.compile(r"추천|왜|이유|차이|비교")
_NO_THING = re.compile(r"(?:[에해한된할될라]|까지|부터)$|^(?:[것거걸]|잠깐|다음|다시|이번|나중|아예|혹시|그냥)")
"""Matches words that name no thing, though they stand alone."""
_ANSWERS_NO_CASE = re.compile(r"추천|왜|이유|어떤|뭐가|뭐예|뭐야|누가|어디|차이|비교|방법|어떻게|어케|어떡")


def stated_by_shown(
    standalone: Verdict,
    rows: Sequence[JudgedNode],
    last: Turn,
    message: str,
    similarities: Similarities = no_similarities,
    *,
    is_elliptical: bool,
) -> Verdict | None:
    """The row shown as the answer, with a note of the sentence that states what a message asks; None where there is none.

    `rows`: those of the turn before. `standalone`: the message by itself; another row must not be likely to answer it, unless the
    message continues by its form what was asked.
    """
    # Of two cases, each answered by a row of its own, one row's sentence is no answer.
    if last.status != "answered" or len(cited_rows(last)) > 1:
        return None
    if len(set(map(bank_of, rows))) > 1:
        return None
    shown = {row_id(row) for row in rows}
    is_shown = bool(standalone.ranked) and row_id(standalone.ranked[0]) in shown
    limit = STANDALONE_SURE if is_elliptical else STANDALONE_POSSIBLE
    if not (CONTINUES.search(message) or is_shown or standalone.covered < limit):
        return None
    found = [
        (row, sentence_for(message, last.question, question_of(row), row.node.get_content(), similarities))
        for row in rows
    ]
    stating = [(row, sentence) for row, sentence in found if sentence]
    if len(stating) != 1:
        return None
    row, sentence = stating[0]
    hit = row.judged("answered", quoted=True)
    ranked = (hit, *(each for each in standalone.ranked if row_id(each) != row_id(row)))
    note = Note("in_shown", {"sentence": without_yes_or_no(sentence)})
    return replace(
        standalone,
        status="answered", reason=None, nodes=(hit,), ranked=ranked, covered=1.0, query=message, note=note, conflicts=(),
    )  # fmt: skip


def answered_by_offered(
    contextual: Verdict,
    standalone: Verdict,
    offered: Sequence[JudgedNode],
    last: Turn,
    message: str,
    similarities: Similarities = no_similarities,
) -> Verdict | None:
    """The first row of the contextual reading as the answer, where it alone of the rows offered before states what is asked.

    The question before did not settle which of the rows is meant; what is asked next does. None where they are of several
    institutions, or another row is sure to answer the message alone.
    """
    if last.status != "suggested" or contextual.status == "declined" or len(set(map(bank_of, offered))) != 1:
        return None
    if standalone.covered >= STANDALONE_SURE:
        return None
    stating = [
        row_id(row)
        for row in offered[:SUGGESTIONS]
        if sentence_for(message, last.question, question_of(row), row.node.get_content(), similarities)
    ]
    if stating != [row_id(contextual.ranked[0])]:
        return None
    hit = contextual.ranked[0].judged("answered", quoted=True)
    return replace(contextual, status="answered", reason=None, nodes=(hit,), note=None, conflicts=())


def sentence_for(
    message: str, before: str, row_question: str, content: str, similarities: Similarities = no_similarities
) -> str:
    """The one sentence of a row's `content` that states what `message` asks; empty where none does, or more than one may.

    `before`: the question that the row answered. Where the words do not decide, the sentence that is clearly the nearest by the
    `similarities` counts, unless something in it contradicts the message.
    """
    if error_codes(message) - error_codes(content):
        return ""
    asked = FollowUp.read(message, before, row_question)
    words, values = asked.words, asked.values
    is_new = bool(asked.mentions - members_of(before)) or any(compact(word) not in compact(before) for word in words)
    # "만 이천키로" is read as 이천키로.
    is_kind = any(value.dimension != "money" and _KIND_OF_PRODUCT.match(message, value.end) for value in values)
    if is_kind or any(message[: value.start].endswith("만 ") for value in values):
        return ""
    if _LOOKED_UP_WHERE.search(message) and (path := _path_to(asked, content)):
        return path
    is_same = not (values or kinds_asked(message) or is_new)
    if is_same or (not (values or words or asked.mentions) and not _asks_for_another_kind(message, before)):
        return _nearest_sentence(asked, content, similarities)
    stating = [
        (label, sentence)
        for label, sentence in units(content)
        if states(asked, label, sentence) and _holds_condition(message, f"{label} {sentence}")
    ]
    found = [sentence for _, sentence in stating]
    labels = {label for label, _ in stating if label}
    if len(found) > 1 and len(labels) == 1 and words and not values:
        # A list below the heading that is meant ("[서머타임 적용]") is quoted as a whole.
        label = next(iter(labels))
        if all(names(label, word, message) for word in words):
            return f"[{label}] {', '.join(sentence for name, sentence in stating if name == label)}"
    if _ANSWERS_NO_CASE.search(message):
        return _nearest_sentence(asked, content, similarities)
    in_list = {label for label, sentence in stating}
    if len(found) > 1 and kinds_asked(message) and not values and in_list == labels and len(labels) == 1:
        # Alternatives ("카드형 OTP: 10,000원", "디지털OTP: 무료"), of which the message names none.
        return f"[{next(iter(labels))}] {', '.join(found)}"
    if len(found) > 1 and not (words or values or asked.mentions):
        meant = things(before)
        closer = [each for each in found if meant and all(names(each, word, before) for word in meant)]
        found = closer if len(closer) == 1 else found
    if values and not UNDONE.search(message) and (beyond := beyond_all(content, values)):
        found = beyond
    elif values and not found and not (UNDONE.search(message) or asked_aspect(message)):
        found = limits_on(asked, content)
    elif len(found) > 1 and values:
        found = narrowest(found, values)
    if len(found) > 1 and DAYS.search(message):
        found = _sharing_most(before, found)
    # "우편은 며칠 걸려요": of the sentences that name 우편 the one whose subject it is.
    subjects = [(each, _SUBJECT.match(each)) for each in found]
    about = [each for each, of in subjects if of and any(compact(word) in compact(of[1]) for word in words)]
    if len(found) > 1 and len(about) == 1:
        found = about
    if len(found) > 1:
        return _nearest_of_few(asked, found, similarities)
    found = [each for each in found if not _is_fee_of_another(asked, each)]
    return found[0] if found else _nearest_sentence(asked, content, similarities)


def _path_to(asked: FollowUp, content: str) -> str:
    """The one menu path of a row by which something is looked up, with its heading; empty where it names other things."""
    paths = [(label, sentence) for label, sentence in units(content) if is_aside(label, sentence)]
    found = [(label, sentence) for label, sentence in paths if _LOOKED_UP.search(f"{label} {sentence}")]
    if len(found) != 1 or any(
        compact(word)[:_STEM] not in compact(f"{asked.topic} {found[0][1]}") for word in asked.words
    ):
        return ""
    label, sentence = found[0]
    return sentence if sentence.startswith("[") or not label else f"[{label}] {sentence}"


def _holds_condition(message: str, text: str) -> bool:
    """Whether a text holds what the lexicon has for the condition at the end of a message ("까먹으면": 분실, 재설정)."""
    condition = _CONDITION.search(message)
    others = expand(condition[1]).split()[1:] if condition else []
    return condition is None or not others or any(name in text for name in (condition[1], *others))


def _is_fee_of_another(asked: FollowUp, sentence: str) -> bool:
    """Whether a sentence states the fee of its own subject ("앱 OTP는 무료로"), which neither message nor questions name."""
    subject = _SUBJECT.match(sentence)
    if subject is None or asked.values or not is_fee(sentence) or is_fee(subject[1]):
        return False
    said = f"{asked.message} {asked.topic}"
    return not any(compact(word)[:_STEM] in compact(said) for word in subject[1].split())


def _nearest_of_few(asked: FollowUp, found: Sequence[str], similarities: Similarities) -> str:
    """Of several sentences that state what is asked by their words, the one nearest to the message and to both questions.

    Two that both name what the message names are quoted together if none is the nearest, unless a value is asked for.
    """
    alone, joined = (similarities(text, found) for text in (asked.message, f"{asked.before} {asked.message}"))
    if not alone:
        closest = _sharing_most(asked.message, found)
        return closest[0] if len(closest) == 1 and asked.words else ""
    place = nearest([(a + b) / 2 for a, b in zip(alone, joined, strict=True)], ahead=AHEAD_OF_FEW, least=FAR)
    if place is not None and alone[place] >= FAR:
        return found[place]
    is_pair = len(found) == 2 and asked.words and not (asked.values or kinds_asked(asked.message))
    return " ".join(found) if is_pair else ""


def _nearest_sentence(asked: FollowUp, content: str, similarities: Similarities) -> str:
    """The nearest of all sentences, where it may state what the message asks; empty otherwise."""
    message = asked.message
    # "재발급하려면" after "재발급 신청" is not new.
    new = [word for word in content_words(message) if compact(word)[:_STEM] not in compact(asked.before)]
    if _ASKS_FOR_NO_FACT.search(message) or not new:
        return ""
    sentences = [(label, sentence) for label, sentence in units(content) if not is_aside(label, sentence)]
    texts = [f"{label}: {sentence}" if label else sentence for label, sentence in sentences]
    found = similarities(message, texts)
    place = nearest(found)
    if place is None:
        return ""
    is_far_ahead = nearest(found, ahead=FAR_AHEAD) is not None
    if is_far_ahead:
        # It may say a term in other words ("배달 알바": "배달에 쓰는 자전거"), but a thing that has opposites it must name.
        sets = default_contrasts().sets
        asked = replace(asked, mentions=frozenset(each for each in asked.mentions if sets[each[0]].kind != "term"))
    # A message that is a thing only, or asks for an aspect, is about what it names.
    text, is_thing = texts[place], says(message, "ellipsis")
    named = [word for word in asked.words if names(text, word, message)]
    needed = [word for word in asked.words if word in ASPECT_OF or (is_thing and not is_channel(word))]
    if is_far_ahead and named:
        needed = [word for word in needed if word in ASPECT_OF]
    # A thing that is new must be named: "미국 옵션 수수료는" is not the fee of 미국주식.
    if any(word not in named and _is_new_thing(word, asked) for word in asked.words):
        return ""
    # Else only the embedding relates it to the sentence.
    is_specific = asked.values or kinds_asked(message) or UNDONE.search(message)
    # "신용점수에 영향 있나요" is not stated by a sentence that is only less far than the others.
    # But for the last syllable: "보낸" after "보냈어요".
    unsaid = [word for word in asked.words if compact(word)[:-1] not in compact(asked.before)]
    names_thing = any(holds_name(compact(text), word, expand) for word in unsaid or asked.words)
    is_held = names_thing or any(compact(word)[:2] in compact(text) for word in new)
    is_related = (is_specific or is_held or (is_far_ahead and not asked.words)) and _holds_condition(message, text)
    is_stated = is_related and may_state(asked, *sentences[place]) and all(word in named for word in needed)
    return sentences[place][1] if is_stated else ""


def _is_new_thing(word: str, asked: FollowUp) -> bool:
    """Whether a word of a message that the questions lack stands as a noun: alone before another word, as object or means."""
    stands = re.search(rf"(?<![가-힣]){re.escape(word)}(?:[을를로]|으로)?\s", plain(asked.message))
    return stands is not None and _NO_THING.search(word) is None and compact(word) not in compact(asked.topic)


def _asks_for_another_kind(message: str, before: str) -> bool:
    """Whether a message that names nothing asks for a kind of value, or a time, that the question before did not."""
    return bool(kinds_asked(message) - kinds_asked(before))


def _sharing_most(question: str, found: Sequence[str]) -> list[str]:
    """Those that share most with a question: of the hours of two services those of the one asked about."""
    asked = set(jamo_ngrams(question))
    shared = [len(asked & set(jamo_ngrams(each.partition(":")[0]))) for each in found]
    return [each for each, count in zip(found, shared, strict=True) if count == max(shared)]
