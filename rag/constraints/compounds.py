"""Is a row about another kind of thing than the question, such as "해외겸용 카드" instead of "플래티넘 카드"?

No list contains all products, so the noun before a word decides. A row is about something else if question and row share a word
with different nouns before it, or if the question names a product by a compound ("모임통장") that the row does not contain. Nouns
with a particle or an ending are no modifiers. The words are data (compounds.toml).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import pairwise

from rag.constraints.contrasts import default_contrasts, members_of
from rag.constraints.everyday_values import values_of
from rag.constraints.institution_list import KINDS
from rag.constraints.institutions import InstitutionNames
from rag.constraints.synonyms import LONG_NAME, Synonyms, holds_other_name, is_written_apart, other_names
from rag.data_files import read_toml
from rag.korean import compact

_WORD = re.compile(r"[0-9A-Za-z가-힣·%]+")
_NOUN = re.compile(r"[가-힣]{2,10}")
_MAX_PREFIX = 6
_PARTICLE = re.compile(r"(?:에서는|에서도|에서|으로|이랑|하고|까지|부터|은|는|이|가|을|를|에|의|로|도|만|랑|과|와|요)$")
_SHORTEST, _OF_SYLLABLES = 2, ("을", "를", "에")
"""Syllables of a noun, at least, and the particles that follow nouns and verbs of one syllable. "한도" is a noun."""
_ENDING = re.compile(
    r"(?:에서|으로|이랑|하고|한테|에게|까지|부터|려고|길래|느라|도록|자마자|잖아|더라|[는은던인건]디|지예|[았었했됐렸갔왔났졌셨꿨켰]음|[하으라]믄|라믄|만큼|이라|[아어해겨려러]진|[려켜쳐]서"
    r"|[은는이가을를에의로도만랑과와요고면데서게지며던한할된될인린힌킨긴어아해줘시때거것든야죠네나까니둔안여건간들후중마다당채째려듯])$"
)
_TYPE = re.compile(
    r"(?<![0-9가-힣A-Za-z])(?P<type>[가-힣]{1,5}[가-힣](?<!유)|[A-Za-z]{2,5})형(?=$|[^가-힣]|[은의이을도]|으로)"
)

_VERB_FORM = re.compile(r"(?:[으하되시려]면|려고|는데|어서|아서|해서|나요|까요|어요|아요|해요|돼요|니다)$")
"""Endings of verbs, which name no thing of which there are kinds: "일찍 갚으면", "미리 갚으면"."""
_PERSON_SUFFIX = re.compile(r"(?:놈|년|녀석|내미|래미|네|님|들|분|애|꺼|거)+$")


@cache
def compound_words() -> Mapping[str, frozenset[str]]:
    """The lists of compounds.toml by name."""
    return {
        name: frozenset(words) for name, words in read_toml(__package__, "compounds.toml").items() if name != "same"
    }


@lru_cache(maxsize=4096)
def is_no_kind(word: str) -> bool:
    """Whether a word before a thing says whose it is, when or how, but not which kind: "내", "오늘", "아들놈"."""
    words = compound_words()
    return word in words["no_modifiers"] | words["adverbs"] or _PERSON_SUFFIX.sub("", word) in words["persons"]


@cache
def _any_head() -> re.Pattern[str]:
    heads = sorted(compound_words()["products"] | compound_words()["heads"], key=_longer_first)
    # A lookahead finds heads that overlap; of those that begin at one place it finds the longest.
    return re.compile(rf"(?=({'|'.join(map(re.escape, heads))}))")


def _heads_in(word: str) -> list[str]:
    """The heads in a word, longer ones first: "보험금" is not a kind of "보험"."""
    return sorted(set(_any_head().findall(word)), key=_longer_first)


def _longer_first(word: str) -> tuple[int, str]:
    return -len(word), word


_PRICES = frozenset(("수수료", "한도", "금리", "이율", "이자율", "비용", "세금", "연회비", "서류", "혜택", "할인율"))
"""Aspects of many things: a row that does not name the thing before such a word states the aspect of another thing."""
_NO_THING = re.compile(r"(?:돈|거|것|때|후|적|중|용|치|만|번|째)$")
"""Endings of a word before an aspect that is not a thing: "번돈 세금", "공제용 서류", "일년치 보험료"."""
_WHICH = ("어떤", "어느", "무슨")
"""Words before a noun by which a row's question asks for the kind: "어떤 서류가 필요한가요"."""


def other_modifiers(
    question: str, row_question: str, row_answer: str, *, institution: str = "", synonyms: Synonyms = str
) -> list[tuple[str, str]]:
    """(asked, held) for each compound of a question of which a row names another kind; `held` is empty where it names none.

    `institution`: the row's, whose name before a product is no kind. The names by `synonyms` count as the same kind.
    """
    # A fast first check, because this is called for ten rows.
    if not before_words(question) and not _inside_words(question) and "형" not in question:
        return []
    row = _RowKinds(question, row_question, row_answer, synonyms)
    pairs = [*_other_before(question, row, institution), *_other_inside(question, row, institution)]
    pairs += [(match[0], "") for match in _TYPE.finditer(question) if row.lacks(match["type"])]
    return list(dict.fromkeys(pairs))


class _RowKinds:
    """The kinds of things that a row names, to be compared with those of a question."""

    def __init__(self, question: str, row_question: str, row_answer: str, synonyms: Synonyms) -> None:
        self._row_question, self._row_answer = row_question, row_answer
        self._synonyms = synonyms
        self._asked = compact(question)
        self._values = {compact(value.text) for value in values_of(question)}
        self.row = f"{row_question} {row_answer}"
        self.text = compact(self.row)
        self._usual_text = usual_word(self.text, _SHORTEST)
        self.before = {word: held for word, held in before_words(row_question) if _tells_kind(held)}
        """The modifiers of the row's question by the words that they stand before."""
        self.inside = tuple((head, held) for head, held in _inside_words(row_question) if _tells_kind(held))
        """(head, modifier) of the compounds in the row's question."""

    def lacks(self, modifier: str) -> bool:
        """Whether a modifier of the question tells a kind that the row does not name by this word."""
        known = is_no_kind(modifier) or modifier in KINDS or any(value in modifier for value in self._values)
        is_named = compact(modifier) in self.text or usual_word(modifier, _SHORTEST) in self._usual_text
        if not modifier or known or is_named:
            return False
        return not is_written_apart(modifier, f"{self._row_question}\n{self._row_answer}")

    def lacks_other_names(self, word: str) -> bool:
        """Whether the row does not hold another name of a word."""
        return not holds_other_name(self.text, word, self._synonyms)

    def differs(self, asked: str, held: str, head: str = "") -> bool:
        """Whether a modifier of the question and one of the row's question tell different kinds of `head`."""
        # A row on "대출 금리" is also about "신용대출 금리", and one on "입원 서류" about "입원비 서류".
        if asked.endswith(held) or usual_word(asked) == usual_word(held) or asked.removesuffix("비") in self.text:
            return False
        is_same = is_same_member(asked, held) or (head != "" and is_same_member(asked + head, held + head, head))
        # The row may name the kind elsewhere by another name: 미국주식 for the "미장" of "미장 수수료".
        is_named = any(name in self.text for name in other_names(asked, self._synonyms) if len(name) >= LONG_NAME)
        return held not in self._asked and held not in self._synonyms(asked) and not is_same and not is_named

    def is_unknown(self, head: str, modifier: str) -> bool:
        """Whether the compound is a product that the row neither names nor covers with all of its kind."""
        if is_on_all_kinds(self._row_question, self._row_answer, modifier + head):
            return False
        # "실손의료보험금" is the 실손보험 of a row.
        if (members_of(modifier + head) - members_of(head)) & members_of(self.row):
            return False
        return head in compound_words()["products"] and self.lacks_other_names(modifier + head)


def _other_before(question: str, row: _RowKinds, institution: str) -> Iterator[tuple[str, str]]:
    """(asked, held) of the words in a question with another noun before them than in the row: "플래티넘 카드"."""
    for word, modifier in before_words(question):
        if not row.lacks(modifier) or _names(institution, modifier):
            continue
        # Compounds are written together or apart: "예약주문", "미체결 주문".
        held = row.before.get(word, "") or next((inside for other, inside in row.inside if other == word), "")
        head = next((head for head in _heads_in(word) if word.endswith(head)), "")
        is_missing = row.is_unknown(head, modifier)
        if word in _PRICES and not _NO_THING.search(modifier):
            # "자동차할부대출" contains both ends of "자동차대출".
            is_within = len(modifier) > 3 and modifier[:2] in row.text and modifier[-2:] in row.text
            is_missing = not is_within and row.lacks_other_names(modifier)
        if (held and row.differs(modifier, held, head)) or (not held and is_missing and not _is_known(modifier)):
            yield f"{modifier} {word}", f"{held} {word}" if held else ""


def _other_inside(question: str, row: _RowKinds, institution: str) -> Iterator[tuple[str, str]]:
    """(asked, held) of the compounds in a question that the row does not name, or names with another modifier: "모임통장"."""
    for head, written in _inside_words(question):
        modifier = _without_name(institution, written)
        if not row.lacks(modifier):
            continue
        beside = [held for other, held in (*row.inside, *row.before.items()) if other == head]
        siblings = [held for held in beside if row.differs(modifier, held, head)]
        if siblings or row.is_unknown(head, modifier):
            yield modifier + head, siblings[0] + head if siblings else ""


@cache
def _same_words() -> tuple[tuple[str, ...], ...]:
    return tuple(map(tuple, read_toml(__package__, "compounds.toml")["same"]))


@lru_cache(maxsize=4096)
def usual_word(text: str, shortest: int = 1) -> str:
    """A noun or text with the words for the same thing (`same` of compounds.toml) replaced by the first of them: 계좌 for 통장.

    `shortest`: words of fewer syllables are kept; in a text, one syllable ("집") is a part of other words.
    """
    for usual, *others in _same_words():
        for other in others:
            text = text.replace(other, usual) if len(other) >= shortest else text
    return text


def _tells_kind(modifier: str) -> bool:
    """Whether a noun of a row's question limits the row to a kind of the thing, as 자녀 does not: any account is hers."""
    return modifier not in _WHICH and _PERSON_SUFFIX.sub("", modifier) not in compound_words()["persons"]


def is_on_all_kinds(row_question: str, row_answer: str, thing: str) -> bool:
    """Whether a row is about all kinds of a thing: "대출 상환" for 신용대출.

    If the row's question does not name the general thing ("금리인하요구권"), its answer must.
    """
    sets = default_contrasts().sets
    own = {name for name, _ in members_of(row_question)}
    whichever = {name for about in own for name in sets[about].regardless}
    return any(
        (general := sets[name].general)
        and name not in own
        and (name in whichever or member in (sets[name].plain or sets[name].members))
        and _names_without_kind(row_question if general in row_question else row_answer, general)
        for name, member in members_of(thing)
    )


def names_general(thing: str, text: str) -> bool:
    """Whether a text names the general thing of a kind at the beginning of a word: "카드" for 체크카드."""
    generals = {general for name, _ in members_of(thing) if (general := default_contrasts().sets[name].general)}
    return any(re.search(rf"(?<![가-힣]){general}", text) for general in generals)


@lru_cache(maxsize=4096)
def _names_without_kind(text: str, general: str) -> bool:
    has_kind = any(word.startswith(general) for word, _ in before_words(text)) or general in dict(_inside_words(text))
    return not has_kind and re.search(rf"(?<![가-힣]){general}", text) is not None


def is_bare_noun(word: str) -> bool:
    """Whether a word is a noun without a particle or an ending."""
    return word in compound_words()["nouns"] or (_NOUN.fullmatch(word) is not None and not _ENDING.search(word))


@lru_cache(maxsize=4096)
def before_words(text: str) -> tuple[tuple[str, str], ...]:
    """(word, modifier) of neighbouring words: the second without its particle, the first a noun without particle or ending."""
    pairs = []
    no_heads = compound_words()["no_heads"]
    for first, second in pairwise(_WORD.findall(text)):
        match = None if second in compound_words()["nouns"] else _PARTICLE.search(second)
        # A syllable with an ending is no thing of which there are kinds ("땡겨 받을", "며칠 안에").
        if match and match.start() < _SHORTEST and match[0] in _OF_SYLLABLES:
            continue
        word = second[: match.start()] if match and match.start() >= _SHORTEST else second
        if is_bare_noun(first) and len(word) >= 2 and word not in no_heads and not _VERB_FORM.search(second):
            pairs.append((word.lower(), first))
    return tuple(pairs)


@lru_cache(maxsize=4096)
def _inside_words(text: str) -> tuple[tuple[str, str], ...]:
    """(head, modifier) of compounds written in one word: ("카드", "모임") of "모임카드"."""
    pairs = []
    for word in _WORD.findall(text):
        for head in _heads_in(word):
            prefix = word.partition(head)[0]
            if prefix and len(prefix) <= _MAX_PREFIX and re.fullmatch(r"[가-힣]+", prefix):
                # Without spaces, the prefix may end in a particle ("지난주에통장"); nouns of two syllables may, too ("노을").
                if not (len(prefix) >= 3 and _ENDING.search(prefix)):
                    pairs.append((head, prefix))
                break
    return tuple(pairs)


@lru_cache(maxsize=4096)
def is_same_member(asked: str, held: str, head: str = "") -> bool:
    """Whether both name a common member of a set, not counting members that `head` alone names.

    일본주식 and 미국주식 are different, although both name the member of 주식, and both are 해외; 해외주식 names all of them.
    """
    one, other = members_of(asked), members_of(held)
    sets, shared = default_contrasts().sets, {name for name, _ in one & other}
    apart = {name for name, _ in one} & {name for name, _ in other} - shared
    names_all = any(word in held for name in apart for word in sets[name].collective)
    is_apart = not names_all and any(sets[name].collective for name in apart)
    return bool(one & other - members_of(head)) and not is_apart


@lru_cache(maxsize=4096)
def _is_known(word: str) -> bool:
    """Whether a word is a member of a contrast set or the name of an institution."""
    return bool(members_of(word)) or bool(everyday_names().find(word))


@cache
def everyday_names() -> InstitutionNames:
    """The names of the bundled list, for texts that are read without an index."""
    return InstitutionNames()


def _names(institution: str, modifier: str) -> bool:
    # Two syllables are enough: customers shorten names in many ways.
    return bool(institution) and modifier[:2] == institution[:2]


def _without_name(institution: str, written: str) -> str:
    if not _names(institution, written):
        return written
    name = next(
        (institution[:size] for size in range(len(institution), 1, -1) if written.startswith(institution[:size])), ""
    )
    return written.removeprefix(name)
