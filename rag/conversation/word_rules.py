"""Classifies messages by their words: `nouns` and `content_words` are what a message is about, word rules match its other
features.

Word rules are data: named patterns in TOML files, each with examples that must match and examples that must not.
`decline_rules.toml` has the reasons to decline a question by its words alone, and describes the keys, so that a bank can change
it. `scam_rules.toml` has what looks like fraud, `follow_up_rules.toml` the features of messages in a conversation. Rules see
only words; `rag.conversation.searcher` decides when they apply. Texts are matched in lower case, composed (NFC) and with single
spaces.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal, get_args

from rag.data_files import read_text
from rag.errors import InputError
from rag.korean import syllables_ending_in
from rag.types import NoteKind, Reason

YieldsTo = Literal["rows", "same", "nothing"]
MAX_REST = 3
"""Characters of a message, at most, besides the pattern of an `only` rule and filler words."""
_CHOICES = {"reason": get_args(Reason), "note": get_args(NoteKind), "yields_to": get_args(YieldsTo)}
_KEYS = {"name", "pattern", "unless", "examples", "not_examples", "only", *_CHOICES}
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_WORD = re.compile(r"<([a-z_]+)>")


Sign = Literal[
    "new subject", "leaves subject", "back reference", "rejection", "earlier topic", "same question", "compare all",
    "did not help", "ellipsis", "means or relation", "compares institutions", "asks on", "value only", "price", "yes", "no",
    "another", "nothing fits", "again", "last choice", "numbered choice", "difference", "product word", "banking word",
]  # fmt: skip
"""The names of the rules in `follow_up_rules.toml`, which describes them."""
FraudSign = Literal[
    "already done",
    "not done",
    "pressed",
    "row about fraud",
    "row on a loss",
    "row on a link or an app",
    "row on a suspicion",
]
"""The names of the rules in `scam_rules.toml` that are no kinds of scam stories."""
CHOOSING: tuple[Sign, ...] = ("yes", "no", "nothing fits", "again", "last choice", "numbered choice")
"""Signs of a message that chooses among the rows shown before."""
_ENDING = re.compile(
    r"(이라고|에서는|에서도|으로는|으로도|인가요|인데요?|나요|까요|은요|는요|이요|에서|으로|하나요|되나요"
    r"|돼요|이랑|하고|에는|에도|부터|까지|되|된|됐|하|했|(?<!분)할수?|받을수?|은|는|이|가|을|를|(?<![한제연속용중각])도|만|에|의|로"
    r"|요|여|랑|면|한테|에게|(?<=[해아어여려라와기디])서)$"
)
_HOW_MANY = re.compile(r"(?<![가-힣])몇\s*(시|일|번|개월|개|프로|퍼센트|년|명|회|살|세)[가-힣]*")
_FUNCTION_WORD = re.compile(
    r"^(그럼|그러면|그거|그건|그게|그때|그것|거기|이거|이건|저거|아까|방금|만약|아니면|그래도|반대로|근데|그런데"
    r"|그리고|혹시|어떻게|어떡해|어케|언제|얼마|얼마나|"
    r"얼마에|얼마예|얼마야|뭐|뭐예|뭐에|머예|뭐뭐|뭐가|뭘|뭔|무엇|무슨|어디|왜|누가|누구|몇|좀|더|다|안|못|또|수|것|거|게|저|제|내|나"
    r"|알려줘?|알려주세|주세|해주세|줘|있|있어|있나|없|없나|"
    r"되|돼|되나|되는|하나|하면|해|해도|되죠|인|는|은|요|궁금해|싶어|싶은데"
    r"|가능(?:(?:한(?!도)|[할함합하해])[가-힣]{0,3})?|필요한|필요하\w*|필요해|필요|안돼|안되|돼)(요|여)?$"
)


_ABLE = rf"(?<=[{syllables_ending_in('ㄹ')}])\s?수[는도가]?\s?(?=[있없])"
"""Within "받을 수 있어요", which is one verb and names nothing."""
_NO_NOUN = re.compile(
    rf"(?<![가-힣])[가-힣]{{1,2}}{_ABLE}"
    r"|(?<![가-힣])[가-힣]+(?:[았었했였겠갔왔났됐렸쳤졌]|으|하|되|려|버리)"
    r"(?:면|으면|는데|으니까|니까|어도|어서|다면|다가|나요|어요|습니다|을까요|네요|거든요|지만)(?:요)?"
    r"(?![가-힣])"
    r"|(?<![가-힣])(?:아예|처음|그냥|계속|바로|먼저|나중에|빨리|정말|진짜|너무|이제|다시|그대로|전부|모두)(?![가-힣])"
    r"|(?<![가-힣])[가-힣]{0,3}[되받오주내쓰갚넣찾걸풀]나(?:요)?(?![가-힣])"
    r"|(?<![가-힣])[못안]?[가-힣]{1,2}나요(?![가-힣])"
    r"|(?<=[가-힣])(?:꺼|거|것)(?:면|는|은|도|두|로)?요?(?![가-힣])"
    r"|(?<![가-힣])(?:가|오|하|되|보|봐|넣|받|갖|챙기|챙겨|빼|내|쓰|써|풀|풀어|찾|들|들어|나|나가|걸|걸려|넘|넘기|지나|기다"
    r"|기다려|돌려|돌려받|바꾸|바꿔|없애|만들|사|팔|떼|뽑|누르|쌓|갚"
    r"|모르|있|있어|없|없어|늦|밀려|끊|내야|가야|해야|써야|받아야|넣어야)"
    r"[아어여]?(?:면|고|는|서|도|아|어|나|나요|야|야돼|야해|야하나|돼|려면|던|지|줘|주나|주죠|여|버리면|버려|있는|봐)?요?"
    r"(?![가-힣])"
    r"|(?<![가-힣])(?:같이|따로|혼자|대신|직접|미리)(?![가-힣])"
)


@dataclass(frozen=True, slots=True)
class WordRule:
    """One rule, with the keys of the TOML file as fields. It matches if `pattern` occurs and `unless` does not.

    `rest`: for an `only` rule, what is allowed besides its pattern. `reason`, `note` and `yields_to` are used by decline rules
    only.
    """

    name: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None
    examples: tuple[str, ...] = ()
    not_examples: tuple[str, ...] = ()
    reason: Reason = "not_covered"
    note: NoteKind | None = None
    rest: re.Pattern[str] | None = None
    yields_to: YieldsTo = "rows"

    def matches(self, message: str) -> bool:
        """Whether the rule matches a message as the customer typed it."""
        text = plain(message)
        if not self.pattern.search(text) or (self.unless and self.unless.search(text)):
            return False
        return self.rest is None or len(self.rest.sub("", text)) <= MAX_REST

    def matched_text(self, message: str) -> str:
        """The part of the message, in `plain` form, that the pattern matches, or empty."""
        match = self.pattern.search(plain(message))
        return match[0] if match else ""

    def unmatched_text(self, message: str) -> str:
        """The rest of the message, in `plain` form, also without the ending of the matched part."""
        rest = re.sub(re.escape(self.matched_text(message)) + r"[가-힣]*", " ", plain(message), count=1)
        return " ".join(rest.split())


@lru_cache(maxsize=256)
def plain(message: str) -> str:
    """The form of a message that patterns match. Not NFKC, which would change the consonants of "ㄱㅅ"."""
    return " ".join(unicodedata.normalize("NFC", message).translate(_HALF_WIDTH).lower().split())


@cache
def rules() -> Mapping[str, WordRule]:
    """The rules of `follow_up_rules.toml`, by name."""
    return {rule.name: rule for rule in bundled("follow_up_rules.toml")}


def says(message: str, *signs: Sign) -> bool:
    """Whether one of the rules with these names matches a message."""
    return any(rules()[sign].matches(message) for sign in signs)


def content_words(message: str) -> tuple[str, ...]:
    """The content words of a message without their endings: ("수수료",) for "그럼 수수료는요?"."""
    words = []
    for word in re.findall(r"[0-9a-z가-힣]+", _HOW_MANY.sub(" ", plain(message))):
        stem = word
        # Endings are removed one by one ("에서는요") while at least two syllables are left.
        while not _FUNCTION_WORD.match(stem) and (match := _ENDING.search(stem)) and match.start() >= 2:
            stem = stem[: match.start()]
        if not _FUNCTION_WORD.match(stem) and len(stem) > 1:
            words.append(stem)
    return tuple(words)


def with_verbs_of_ability_joined(message: str) -> str:
    """The message with each "받을 수 있어요" as one word."""
    return re.sub(_ABLE, "수", message)


def nouns(message: str) -> tuple[str, ...]:
    """The content words that are neither verbs nor adverbs, judging by their endings: none for "찾았으면 어떻게 해요?"."""
    return content_words(_NO_NOUN.sub(" ", plain(message)))


def match_decline_rule(question: str) -> WordRule | None:
    """The first bundled decline rule that matches, or None."""
    return next((rule for rule in bundled("decline_rules.toml") if rule.matches(question)), None)


def tells_of_scam(message: str) -> bool:
    """Whether a message tells of something that looks like fraud: a story of `scam_rules.toml` matches."""
    return any(rule.matches(message) for rule in scam_rules().values() if rule.name not in get_args(FraudSign))


@cache
def scam_rules() -> Mapping[str, WordRule]:
    """The rules of `scam_rules.toml`, by name."""
    return {rule.name: rule for rule in bundled("scam_rules.toml")}


@cache
def bundled(file: str) -> tuple[WordRule, ...]:
    """The rules of a bundled TOML file."""
    return parse(read_text(__package__, file), file=file)


def parse(text: str, *, file: str = "decline rules") -> tuple[WordRule, ...]:
    """The rules of a TOML text, in order. Raises InputError with the rule and its problem."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise InputError(f"{file} is not valid TOML: {exc}") from exc
    rules: dict[str, WordRule] = {}
    for number, values in enumerate(data.get("rule", ()), 1):
        rule = _rule(values, data.get("words", {}), f"{file}, rule {number}")
        if rule.name in rules:
            raise InputError(f"{file}, rule {number}: the name {rule.name!r} is used twice; each rule needs its own")
        rules[rule.name] = rule
    return tuple(rules.values())


def _rule(values: Mapping[str, Any], words: Mapping[str, str], place: str) -> WordRule:
    if missing := {"name", "pattern"} - values.keys():
        raise InputError(f"{place}: missing {', '.join(sorted(missing))}")
    if unknown := values.keys() - _KEYS:
        raise InputError(f"{place}: unknown key {', '.join(sorted(unknown))}; use {', '.join(sorted(_KEYS))}")
    for key, choices in _CHOICES.items():
        if key in values and values[key] not in choices:
            raise InputError(f"{place}: {key} is {values[key]!r}; use one of {', '.join(choices)}")

    def compiled(pattern: str) -> re.Pattern[str]:
        if unknown := [name for name in _WORD.findall(pattern) if name not in words]:
            raise InputError(f"{place}: <{unknown[0]}> is not in [words]")
        try:
            return re.compile(_WORD.sub(lambda match: f"(?:{words[match[1]]})", pattern))
        except re.error as exc:
            raise InputError(f"{place}: invalid pattern: {exc}") from exc

    fields: dict[str, Any] = {key: values[key] for key in ("name", *_CHOICES) if key in values}
    if "unless" in values:
        fields["unless"] = compiled(values["unless"])
    if values.get("only"):
        # Thanks and greetings are courtesies, which do not count as other content.
        courtesies = [f"<{word}>" for word in ("thanks", "greeting", "filler") if word in words]
        fields["rest"] = compiled("|".join([f"(?:{values['pattern']})", *courtesies]))
    fields |= {key: tuple(values.get(key, ())) for key in ("examples", "not_examples")}
    return WordRule(pattern=compiled(values["pattern"]), **fields)
