"""A message asked of a row that was shown before: what it names, the values that it states, and the kinds of values it asks for.

Whether a sentence of the row states that is `rag.conversation.sentence_agreement`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.constraints.asked_values import asked_values
from rag.constraints.contrasts import mentions_of
from rag.constraints.everyday_values import values_of
from rag.constraints.quantities import Quantity
from rag.conversation.general_verbs import is_general_verb
from rag.conversation.word_rules import nouns, plain

WHEN = re.compile(r"언제(?!든|나(?![와오]))")
UNDONE = re.compile(r"(?<![가-힣])[안못]\s?[가-힣]{1,3}(?:고|도|면|으면|은|는|었는데|았는데)|없이|없어도|없으면")
FREE = re.compile(r"무료|공짜")
_EMPTY = re.compile(
    r"(?:때|땐|때는|경우|최대|최소|최고|지금|근데|그냥|이미|벌써|혹시|만약|이번|저희|우리|내가|제가|저는|나는|안에|안으로|뒤에|후에|전에|한번|하루|돈|돈은|돈도|거면|거는|건요|것도"
    r"|거는요|걸로|건가|되는데|인데|나온|한거|쓰던|더|따로|똑같아|그대로(?:죠|예|인가|인지|야|임)?|걔네|다시|대상|새로|사람|쓴거|이월|얼마나|가능해|가능한지|필요한|필요한데|필요해|아직|언제|며칠|몇일|일찍|오래|이후|다음|있음)(?:요|은요|는요)?$"
)
"""Nouns by their form that name nothing."""
_VERB = re.compile(
    r"(?:[았었했됐갔왔썼났샀탔렸쳤졌꼈][가-힣]{0,4}|[가-힣]{1,3}(?:는데|려고|려면|대요|거든|나요|까요|어서|해야|아야|어야|돼야|[가나]나|줘|는거|는건|[은는]지)|붙어|붙는|내야[가-힣]*|끌고|들고|떨어지|부러진|잃어버린"
    r"|걸려|받아|찾아|찾아야|신고해야[가-힣]*|합쳐[가-힣]*|포함[가-힣]*|줄어드|넣을수[가-힣]*|풀수[가-힣]*|쓸수[가-힣]*|보내|살릴|들어와|나와|나가|빠져|넘어가|가져간|닫아|떠|틀리|틀려)$"
)
_PARTICLE = re.compile(r"(?<=[가-힣]{2})(?:일?땐|엔|으로|이면|이랑|이죠)$")
_BECOMES = re.compile(r"(?<=로)\s?(?:바꾸|변경하|교체하|갈아타)면")
"""Follows the thing whose case a message asks about ("보안카드로 바꾸면 얼마까지"); it asks nothing on the change."""
_MADE_AGAIN = re.compile(r"다시\s?만[드들]")
"""A card or a key that is made again is no account that is opened."""
OFTEN = re.compile(r"(?<![가-힣])(?:여러\s?번|자주)")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A message on a row shown before, read once for all of the row's sentences.

    `topic`: the question before and the row's. `words`: what the message names. `values`: those it states. `mentions`: the
    (set, member) pairs that it names of contrast sets.
    """

    message: str
    before: str
    topic: str
    words: tuple[str, ...]
    values: tuple[Quantity, ...]
    mentions: frozenset[tuple[str, str]]

    @classmethod
    def read(cls, message: str, before: str, row_question: str) -> FollowUp:
        """The message after the question `before`, which a row with `row_question` answered."""
        said = _MADE_AGAIN.sub("다시 발급하", _BECOMES.sub(" ", message))
        mentions = frozenset((each.set_name, each.member) for each in mentions_of(said))
        topic = f"{before} {row_question}"
        return cls(message, before, topic, things(message), tuple(own_values(message)), mentions)


def kinds_asked(message: str) -> set[str]:
    """The kinds of values that a message asks for, with "when" for a time."""
    return {each.kind for each in asked_values(message)} | ({"when"} if WHEN.search(message) else set())


def own_values(message: str) -> list[Quantity]:
    """The values a message states; a counter of things ("한 건") is none."""
    return [
        value
        for value in values_of(message)
        if value.dimension not in ("phone", "number")
        and not re.match(r"한\s?[건번개]", value.text)
        and not (re.match(r"에", message[value.end :]) and value.dimension == "duration")
    ]


def things(message: str) -> tuple[str, ...]:
    """What a message names, without its values, verbs and words that name nothing."""
    text = OFTEN.sub(" ", plain(message))
    for each in (*(value.text for value in values_of(text)), *(asked.text for asked in asked_values(text))):
        text = re.sub(re.escape(each) + r"[가-힣]*", " ", text, count=1)
    words = (_PARTICLE.sub("", word) for word in nouns(text))
    return tuple(
        word
        for word in words
        if not (_EMPTY.match(word) or _VERB.search(word) or FREE.match(word) or is_general_verb(word))
    )
