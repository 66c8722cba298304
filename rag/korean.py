"""The analyzer: splits Korean text into tokens, jamo n-grams and sentences, and its syllables into letters. Pure functions.

Both stores index these tokens, so lexical search gives the same result in FAISS and on an OpenSearch server without plugins.
After a change of what a function returns, ANALYZER must be changed too, which requires all indexes to be rebuilt.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise, product

ANALYZER = "syllable2-jamo3to5/1"
MAX_QUERY_TOKENS = 900
"""Terms of a query, at most, on both stores; below OpenSearch's limit of 1,024 clauses."""

_RUN = re.compile(r"[가-힣ㄱ-ㅎㅏ-ㅣ]+|[a-z]+|[0-9]+")
# A full stop ends a sentence only before white space, as "3.5%" and "2026.03.01" contain some too. A line break also ends one.
_SENTENCE_END = re.compile(r"(?<=[.!?。])(?=\s)|(?<=[다요죠까])(?=\n)|\n+")
_NOTE = re.compile(r"^\s*※.*$", re.MULTILINE)
_YES, _CAN = r"(?:네|넵|예|아니요|아니오|아뇨|물론(?:입니다|이죠))", r"[가-힣]{1,8}\s수\s(?:있|없)습니다"
_SIMPLY = (
    r"(?:(?:불?가능|불가)(?:합니다|해요)|그렇습니다|그렇지 않습니다|맞습니다|아닙니다|(?:안 )?됩니다|되지 않습니다)"
)
_YES_OR_NO = re.compile(
    r"\s*(?:\[[^\[\]\n]{1,10}\]\s*)?"
    rf"(?:{_YES}(?:[,.!~]+\s*|\s*\n\s*|\s고객님[,.!]\s*|\s(?={_SIMPLY}))(?:(?:{_SIMPLY}|{_CAN})[.!]\s+)?|{_SIMPLY}[.!]\s+)(?=\S)"
)
"""A yes or no at the beginning of a text ("네,", "[답변] 예."), also in a sentence that says nothing else: "가능합니다."."""
_ONLY_YES_OR_NO = re.compile(rf"\s*(?:{_YES}[,.!~\s]*)?(?:{_SIMPLY}|{_YES}|{_CAN})?[.!~]*\s*")
_LABEL = re.compile(r"\[[^\[\]]*\]")
_HANGUL = re.compile(r"[가-힣ㄱ-ㅎㅏ-ㅣ]")

_MIN_TEXT = 4
"""Characters without spaces that a message must have without its markup, so that the markup is removed."""
_MARKUP = re.compile(
    r"<(script|style)\b[^<>]*>.*?</\1\s*>"
    r"|</?(?:a|b|i|u|em|strong|p|br|div|span|font|h[1-6]|ul|ol|li|table|thead|tbody|tr|td|th|pre|code|script|style|img|svg|iframe)"
    r"(?:[\s/][^<>]*)?>",
    re.IGNORECASE | re.DOTALL,
)
_CLUSTER = re.compile(r".[\u0300-\u036f\u1160-\u11ff]*", re.DOTALL)
_FRACTIONS = "½¼¾"
_WORD_CHARS_PER_TOKEN = 3
_SPECIAL = 2
_ESTIMATED = re.compile(
    r"(?P<word>[A-Za-z]+)|(?P<space>\s+)|(?P<wide>[\U00010000-\U0010FFFF])|(?P<single>.)", re.DOTALL
)


def normalise(text: str) -> str:
    """The text in NFKC and lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def fold(text: str) -> tuple[str, list[int] | None]:
    """(folded, offsets): the text in NFKC, and the original offset of each of its characters.

    The offsets have one more entry, the length of the text; None means that they are unchanged. Numbers that are signs, like ①
    or ², become spaces, because NFKC would turn "①5만원" into 15만원 and "10²" into 102.
    """
    if unicodedata.is_normalized("NFKC", text):
        return text, None
    characters: list[str] = []
    offsets: list[int] = []
    for match in _CLUSTER.finditer(text):
        cluster = match.group()
        if unicodedata.category(cluster[0]) == "No":
            folded = cluster if cluster in _FRACTIONS else " "
        else:
            folded = unicodedata.normalize("NFKC", cluster)
        characters.append(folded)
        offsets.extend([match.start()] * len(folded))
    return "".join(characters), [*offsets, len(text)]


def text_length(text: str) -> int:
    """The number of characters in NFKC, in which a decomposed syllable is one character."""
    return len(unicodedata.normalize("NFKC", text))


# Cached, because many checks compare a question with the same rows.
@lru_cache(maxsize=4096)
def compact(text: str) -> str:
    """The normalised text without white space."""
    return "".join(normalise(text).split())


def tokens(text: str) -> list[str]:
    """The syllable bigrams of Hangul, and complete runs of Latin letters and digits, in text order. A single syllable is a
    token."""
    pieces: list[str] = []
    for run in _RUN.findall(normalise(text)):
        if len(run) > 1 and _HANGUL.match(run):
            pieces.extend(map("".join, pairwise(run)))
        else:
            pieces.append(run)
    return pieces


def jamo_ngrams(text: str) -> list[str]:
    """3- to 5-grams of the decomposed text without spaces. They tolerate typos and missing spaces."""
    # A typo changes one jamo, so that some n-grams of the word still match, but not its syllable bigrams.
    jamo = unicodedata.normalize("NFKD", "".join(_RUN.findall(normalise(text))))
    return [jamo[i : i + n] for n in (3, 4, 5) for i in range(len(jamo) - n + 1)]


def query_terms(terms: list[str]) -> list[str]:
    """The distinct terms in order of first appearance, at most MAX_QUERY_TOKENS."""
    return list(dict.fromkeys(terms))[:MAX_QUERY_TOKENS]


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) offsets of the sentences, which cover the text without gaps."""
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.end() > start:
            yield start, match.end()
            start = match.end()
    if start < len(text):
        yield start, len(text)


def sentence_texts(text: str) -> Iterator[str]:
    """The sentences of a text, each including the white space after it."""
    return (text[start:end] for start, end in sentences(text))


def without_notes(text: str) -> str:
    """The text without its notes, the lines that begin with ※, which often name values and things of other topics."""
    return _NOTE.sub("", text)


def notes(text: str) -> list[str]:
    """The notes of a text, as in `without_notes`."""
    return [match.strip() for match in _NOTE.findall(text)]


def without_markup(message: str) -> str:
    """A pasted message without HTML tags and scripts; unchanged if hardly any text would be left."""
    if "<" not in message:
        return message
    text = " ".join(_MARKUP.sub(" ", message).split())
    return text if len(compact(text)) >= _MIN_TEXT else message


def without_yes_or_no(text: str) -> str:
    """The end of an answer after a yes or no at its beginning, which answers only the question of its own row; all of it where
    there is none, and from "가능합니다." on where it says nothing else."""
    match = _YES_OR_NO.match(text)
    return text[match.end() :] if match else text


def is_only_yes_or_no(text: str) -> bool:
    """Whether a text says nothing else, such as "네, 가능합니다."."""
    return _ONLY_YES_OR_NO.fullmatch(text) is not None


def answering_sentence(question: str, text: str, *, ignored: str = "") -> tuple[int, int]:
    """(start, end) offsets of the first sentence that shares most tokens with the question.

    `ignored`: text whose tokens do not count, such as the institution's name. Labels ("[재발급]") are not sentences, and list
    markers are excluded. Without any sentence, the offsets are those of the complete text.
    """
    question_tokens = set(tokens(question)) - set(tokens(ignored))
    spans = []
    for start, end in sentences(text):
        sentence = text[start:end].strip().lstrip("-*•·※ ")
        if sentence and not _LABEL.fullmatch(sentence):
            begin = text.index(sentence, start)
            spans.append((begin, begin + len(sentence)))
    if not spans:
        return 0, len(text)
    # Distinct tokens, so that a long sentence does not win by repeating one.
    return max(spans, key=lambda span: len(question_tokens & set(tokens(text[span[0] : span[1]]))))


def estimate_tokens(text: str) -> int:
    """Estimate the number of tokens of a text without the model's tokenizer, including two special tokens.

    Counts one for each Hangul syllable, digit and sign, one for every three Latin letters of a word, and three for an emoji.
    Models with a Korean vocabulary use 0.5 to 0.8 of that. A model with an English vocabulary may use more: pass its tokenizer
    as `token_counter`.
    """
    count = _SPECIAL
    for part in _ESTIMATED.finditer(text):
        match part.lastgroup:
            case "word":
                count += -(-len(part.group()) // _WORD_CHARS_PER_TOKEN)
            case "space":
                count += part.group().count("\n")
            case "wide":
                count += 3
            case _:
                count += 1
    return count


# A syllable has an initial consonant, a vowel and possibly a final consonant. Unicode numbers the syllables in the order of
# these letters (The Unicode Standard, section 3.12).
INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")
MIN_LATIN_NAME = 5
"""Letters of a name in Latin letters, at least; shorter ones are often everyday words."""
_LATIN_INITIALS = dict(
    zip(
        INITIALS, ["g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", *"ktph"], strict=True
    )
)
_LATIN_VOWELS = dict(
    zip(
        VOWELS,
        [
            *("a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae"),
            *("oe", "yo", "u", "wo", "we", "wi", "yu", "eu", "ui", "i"),
        ],
        strict=True,
    )
)
_LATIN_FINALS = dict(zip(FINALS, ["", *"kkknnntlkmlllplmpptt", "ng", *"ttktpt"], strict=True))


def is_syllable(character: str) -> bool:
    """Whether a character is a complete Hangul syllable."""
    return "가" <= character <= "힣"


def decompose(character: str) -> tuple[str, str, str]:
    """(initial, vowel, final) of a syllable: ("ㅎ", "ㅏ", "ㄴ") of 한, with "" for no final; (character, "", "") of any other."""
    if not is_syllable(character):
        return character, "", ""
    initial, rest = divmod(ord(character) - ord("가"), len(VOWELS) * len(FINALS))
    vowel, final = divmod(rest, len(FINALS))
    return INITIALS[initial], VOWELS[vowel], FINALS[final]


def compose(initial: str, vowel: str, final: str = "") -> str:
    """The syllable of these letters: the inverse of `decompose`. Raises ValueError for letters that cannot stand there."""
    number = (INITIALS.index(initial) * len(VOWELS) + VOWELS.index(vowel)) * len(FINALS) + FINALS.index(final)
    return chr(ord("가") + number)


def syllables_ending_in(finals: str) -> str:
    """All syllables with one of these letters as final, for a class of a pattern: a verb before a noun ends in "ㄴㄹ"."""
    return "".join(compose(*letters) for letters in product(INITIALS, VOWELS, finals))


_PLAIN_END = re.compile(
    rf"(?P<stem>[가-힣]는|[{syllables_ending_in('ㄴㅆㅄㄶㅎㅍㅈㅌ')}이니하르크])다(?=\s*(?:[.!?\n\[]|$))"
)


def polite(text: str) -> str:
    """A text in the plain style of contracts (한다, 않는다, 없다) with polite endings (합니다, 않습니다, 없습니다)."""
    return _PLAIN_END.sub(lambda match: _polite_end(match["stem"]), text)


def _polite_end(stem: str) -> str:
    if len(stem) > 1:  # 받는다
        return f"{stem[:-1]}습니다"
    initial, vowel, final = decompose(stem)
    return f"{compose(initial, vowel, 'ㅂ')}니다" if final in ("", "ㄴ") else f"{stem}습니다"


def romanized(text: str) -> str:
    """Hangul in Latin letters, syllable by syllable, by the tables of the Revised Romanization of Korean of 2000.

    Sound changes between syllables are not applied. Other characters stay.
    """
    letters: list[str] = []
    for character in text:
        if is_syllable(character):
            initial, vowel, final = decompose(character)
            letters += _LATIN_INITIALS[initial], _LATIN_VOWELS[vowel], _LATIN_FINALS[final]
        else:
            letters.append(character)
    return "".join(letters)


def latin_names(name: str) -> list[str]:
    """How a Hangul name may be written in Latin letters: romanized, and without "eu", which many omit ("mirnuri").

    Forms of fewer than MIN_LATIN_NAME letters are left out; a name with other characters has none.
    """
    if not name or not all(map(is_syllable, name)):
        return []
    spelled = romanized(name)
    return sorted(form for form in {spelled, spelled.replace("eu", "")} if len(form) >= MIN_LATIN_NAME)
