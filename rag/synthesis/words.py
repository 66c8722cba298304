"""The content words of a Korean sentence, and whether passages contain them. No morphological analysis: endings are cut off.

Passages contain a noun if they have it, most of its syllable pairs, or a synonym.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.data_files import read_table
from rag.korean import compact, decompose

_WORD = re.compile(r"[가-힣A-Za-z0-9%]+(?:[+&.][A-Za-z0-9]+)*")
_COPULA = re.compile(
    r"(?:입니다|이에요|예요|이에|입니|인데요?|이라서|이라|이거나|이었|였|이니|이신|이시면?|이고|이며|이면)$"
)
"""The copula after a noun: "무료입니다"."""
_PARTICLE = re.compile(
    r"(?:으로부터|로부터|께서는|께서|께는|께|에서는|에서도|에서만|에서|에게서|에게는|에게|까지는|까지도|까지만"
    r"|까지|부터는|부터|으로는|으로도|으로만|으로|로는|로도|로만"
    r"|이라면|라면|이라도|라도|이라는|이라고|이나|이며|이고|이면|이어도|이므로|이지만|이어야|여야|이든|든지|든|에는|에도|에만|만으로|만이|만을|만"
    r"|처럼|보다|마다|씩|뿐|하고|입니다|인|이에요|예요|에|은|는|이|가|을|를|의|도|와|과|로|나|며|고)$"
)
_DOES = re.compile(
    r"^(?P<noun>[가-힣A-Za-z]{2,}?)(?:(?:하|되|받|시키|드리)(?:[가-힣]*)|해(?:$|[서야도요주드][가-힣]*)"
    r"|[한할함합된될됨됩했됐돼][가-힣]*|드[립려린릴][가-힣]*"
    r"|받[가-힣]*)$"
)
_VERB = re.compile(
    r"(?:습니다|[가-힣]니다|세요|시오|[어아해돼]요|[으하되]?면|[어아여]서|므로|지만|는데|은데|도록|려면|[으하]?신|[으하]?실|[으하]?시는"
    r"|하는|던|지|게|기|[어아셔해]야|[어아여해]도|[어아여해]|셔도|고|며|는|은|을|할|한|진|린|든|난"
    r"|거나|다가|려고|면서|자마자|느라|니까|[으하시]니|라서|네요|지요|죠|까요|[가-힣]{1,4}요|[가-힣]ㄹ게요"
    r"|더라도|[으시]므로|겠[가-힣]+|[셨았었였됐했][가-힣]+)$"
)
_OF_NUMBER = re.compile(
    r"(?:원|달러|엔|위안|유로|%)(?:어치|까지|부터|이|을|은|의|씩|만|도|으로|로|를|가|짜리|입|예|인|당|$)"
)
_SPAN = re.compile(
    r"^(?:[일이삼사오육칠팔구십]{1,3}|한|두|세|석|네|넉|반)(?:주일|주|달|개월|년|해)(?:간|동안|[가-힣]{0,3})$"
)
_NUMERAL = re.compile(
    r"^[일이삼사오육칠팔구십백천만억]+[천백십만억]원?[가-힣]{0,2}$"
    r"|^(?:열|스물|서른|마흔)?(?:한|두|세|네|다섯|여섯|일곱|여덟|아홉)$|^(?:열|스무|서른|마흔)$"
)
_NOUN_YO = re.compile(r"(?:필|중|주|수|개|소)요$")
# Frequent verbs in the forms of their stems. There is no list of nouns: what is not recognised as a verb is one.
_LONG_STEM = re.compile(
    r"^(?:고르|골라|고를|고릅|고른|들어[오와옵온올]|이어[지져집진질]|걸[리려립릴린]|늘[리려릴립린어]|바[꾸꿔꿀꿉뀌뀐뀝뀔꾼]|낮[추춰출춥춘]"
    r"|줄[이여일입인어]|지[나날났]|지난(?!해)|시작[하되돼]|빠[지져집진질르른]|찾[으아는을지]|겹[치쳐칩]"
    r"|적[히힌혀힙]|다[니녀닌닐닙]|막[히혀힙힌]|챙[기겨깁길]"
    r"|나[오와옵온올]|채[우워운울웁]|넘[어으는지겨기]|합[치쳐칠칩친]|더[하해합한할]|알[리려릴립]|보[내낸낼냅]"
    r"|잃[어으는]|빌[리려릴린립]|누[르른를릅]|눌러"
    r"|옮[기겨길긴깁]|모[자으아]라|거[치쳐칠칩친]|기다[리려릴립]|어[려렵]|다[르른를]|알아[보봐볼본]|달[라리]"
    r"|따[르라른]|올[리려릴린립라]|내[리려릴린립]|정해|만[들드든]"
    r"|없[애앤앨]|지[우워운울웁]|고[치쳐칠친칩]|돌[리려릴린립아]|돌려|건[네넨]|모[으아은을]|나[누눠뉘눌눈]|맡[기겨긴길]|틀[리려린릴립]|끝[나내난날]"
    r"|멈[추춰춘출]|미[루뤄룬룰룹]|앞당|갖[추춰춘출고]|가지[고시]|비[싸싼]|치[르러른]|펴[내]|이루|벌[어]|쪼[개]"
    r"|여[쭤쭙]|들[르러]|살[펴피]|써[야서]|덜[어]"
    r"|생[기겨긴길깁]|밀[리려린]|떨[어]|끼[치쳐]|열[리려릴린립]|놓[치쳐]|붙[이여일인]|맞[추춰출춘]"
    r"|드[리려릴립린]|들[이여]|묶[이여인]|팔[리려]|그만[두둬]|물[리려])"
)
_SHORT_STEM = re.compile(
    r"^(?:받|넣|닿|깨|쓰|두|둬|쌓|찾|푸|풀|붙|갚|내|오|가|보|하|되|돼|들|타|팔|남|묻|잊|끊|얻|잡|맞|크|작|많|적"
    r"|길|짧|높|낮|같|늦|쉬|살|놓|켜|끄|꺼|열"
    r"|닫|봐|와|줘|져|빼|뺀|않|없|있|넘|싶|좋|늘|줄|쓸|쓴|낼|낸|갈|간|올|온|볼|본|탈|탄|살|산|맺|덜|빌|깎|막|뜨|모|밝|싸|벗|걷|믿|읽|적|앉|서|신|입)"
    r"(?:으|시|실|신|셔|셨|십|습|아|어|여|고|는|은|을|지|게|기|면|던|며|거|니|므|았|었|겠|려|수|자|러|쌓|힌|혀|히|이는|인다|린다)[가-힣]*$"
)
_NOUN_LIKE_VERB = re.compile(
    r"신고|사고|보상|서면|보증|(?:보고|창고|가게|보기|사기|가지|입고|내지|가상|내부|보수|가수|서신|하지|두기|길이)$"
)
_COMMON = frozenset(word for (words,) in read_table(__package__, "common_words.txt") for word in words.split())
_COURTESY = re.compile(r"감사|안녕|궁금|물어|도움이|죄송|고맙|언제든|좋은 하루|도와")
_VERB_STEM = re.compile(r"[가-힣](?:치|추|우|키|히|르|꾸|끄|으|뜨|쓰|맞)")


@dataclass(frozen=True, slots=True)
class ContentWord:
    """A word without its endings. `is_noun`: not the stem of a verb, which is more easily paraphrased.

    `is_common`: an everyday word, which a passage need not contain.
    """

    stem: str
    is_noun: bool
    is_common: bool = False


@lru_cache(maxsize=4096)
def content_words(text: str) -> tuple[ContentWord, ...]:
    """The distinct content words of a text in text order, without numbers and everyday words."""
    return tuple(word for word in all_words(text) if not word.is_common)


@lru_cache(maxsize=4096)
def all_words(text: str) -> tuple[ContentWord, ...]:
    """`content_words` and everyday words ("최대", "앱", "일반"), which may distinguish the values of a passage."""
    words: dict[str, ContentWord] = {}
    matches = list(_WORD.finditer(text))
    for match, following in zip(matches, [*matches[1:], None], strict=False):
        if (word := _content(match[0], following[0] if following else "")) is not None:
            words.setdefault(word.stem, word)
    return tuple(words.values())


_BEFORE = (
    (r"지(?:는|도|를)?", r"(?:않|못|마|말|아니)"),
    (
        r"[어아여해져려쳐워와켜내놔춰줘둬꿔]",
        r"(?:있[는으어을습다고지던]|두[고면시어]|둔|둘|둬|놓|놔|주[고시세면셔]|줘|준|줍|줄|드[리립려린릴]|보[고시세면셔]|봐|버[리려린])",
    ),
    (r"야", r"(?:하|되|돼|됩|합|한|할|해)"),
    (r"고", r"(?:싶|있|계시|계신|나서|난)"),
    (r"[으하되]?면", r"(?:되|됩|돼|안)"),
    (r"기", r"(?:전|위|때문|바랍|바라|어렵|어려|쉽|쉬|힘)"),
    (r"[아어해여가와러려]서?", r"(?:보시면|보면|봐야|야)"),
)
"""(ending, beginning of the next word): pairs that show that a word is a verb."""
_VERB_BEFORE = tuple((re.compile(rf"[가-힣]{ending}$"), re.compile(following)) for ending, following in _BEFORE)
_CAN = re.compile(r"수(?:는|가|도|밖에)?$|때(?:는|에|도|마다|까지|만)?$|것|거|예정|필요|만큼|텐데|경우")
_CONNECTIVE = re.compile(
    r"[가-힣](?:더라도|려면|도록|자마자|거든|(?<!분)야|[았었였했됐갔왔꿨졌렸][다고더]*|[져려려쳐]서)$"
)


def _is_verb(word: str, following: str) -> bool:
    """Whether a word is a verb, judging by the next word ("쌓이지 않아요", "켜져 있는지", "넣을 수") or a connective ending."""
    if any(ending.search(word) and after.match(following) for ending, after in _VERB_BEFORE):
        return True
    if _CONNECTIVE.search(word):
        return True
    return decompose(word[-1])[2] == "ㄹ" and _CAN.match(following) is not None


@lru_cache(maxsize=8192)
def _content(word: str, following: str) -> ContentWord | None:
    """The content word of a word, given the next one ("" at the end); None for a number or a word without content."""
    # Numbers are checked separately, together with their units.
    if word[0].isdigit() or _OF_NUMBER.match(word) or _SPAN.match(word) or _NUMERAL.match(word):
        return None
    # Verbs first, because their endings often look like particles ("받은").
    is_noun = _NOUN_LIKE_VERB.match(word) is not None
    if not is_noun and (long := _LONG_STEM.match(word)):
        stem = long[0]
    elif (_is_verb(word, following) and not _DOES.match(word)) or (not is_noun and _SHORT_STEM.match(word)):
        stem, is_noun = _VERB.sub("", word) or word, False
    elif len(word) > 3 and (copula := _COPULA.search(word)) and copula.start() > 1:
        stem, is_noun = word[: copula.start()], True
    elif does := _DOES.match(word):
        stem, is_noun = _PARTICLE.sub("", does["noun"]) or does["noun"], True
        if len(stem) < 2:
            stem, is_noun = does["noun"], False
    elif (
        _VERB.search(word) and not _NOUN_YO.search(word) and not re.search(r"(?:은|는|을|고|며|한|지|기|게|도)$", word)
    ):
        stem, is_noun = _VERB.sub("", word) or word, False
    else:
        stem, is_noun = _PARTICLE.sub("", word) or word, True
        if _VERB_STEM.fullmatch(stem) and word[len(stem) :] in ("는", "은", "고", "며"):
            is_noun = False
        # A short word that ends in ㄴ or ㄹ and has no particle is a verb before a noun: "바꿀", "내는".
        if stem == word and len(word) <= 2 and decompose(word[-1])[2] in ("ㄴ", "ㄹ"):
            is_noun = False
    stem = stem.lower()
    if len(stem) > 2 and stem.endswith(("님", "들")):
        stem = stem[:-1]
    is_common = stem in _COMMON or word in _COMMON
    if len(stem) < 2 and not is_noun and not is_common:
        return None
    return ContentWord(stem, is_noun and len(stem) > 1, is_common)


def is_courtesy(sentence: str) -> bool:
    """Whether a sentence is only polite and states nothing: "감사합니다.", "더 궁금한 점이 있으면 물어봐 주세요." """
    rest = [word for word in content_words(sentence) if not _COURTESY.search(word.stem) and word.stem != "점"]
    return _COURTESY.search(sentence) is not None and not rest and not re.search(r"\d", sentence)


_SYNONYMS = tuple(
    tuple(compact(form) for form in forms.split()) for (forms,) in read_table(__package__, "synonyms.txt")
)
"""Groups of beginnings of words with the same meaning."""
_COVERED_PAIRS = 0.66
"""Share of a noun's syllable pairs that a passage must contain: "사고신고를 접수" contains "사고신고접수"."""
_GENERIC_END = re.compile(
    r"([가-힣a-z]{2,})(?:제품|상품|비용|금액|고객|회원|계좌|통장|서류|절차|기관|회사|업무|내역|기간|기준|대상|신청|방법|수단|항목|서비스|혜택|당|별)$"
)
"""Matches a compound whose second part only names the general kind, so that the first part is enough: "가전" for "가전제품"."""


def _by_first() -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """The forms by their first syllable, each with its group, for a fast look-up."""
    by_first: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for forms in _SYNONYMS:
        for form in forms:
            by_first.setdefault(form[0], []).append((form, forms))
    return by_first


_BY_FIRST = _by_first()


@lru_cache(maxsize=4096)
def synonyms(stem: str) -> tuple[str, ...]:
    """The synonyms of a word with at least two syllables: "무상", "무료", "면제" for "공짜"."""
    groups = [
        forms
        for form, forms in _BY_FIRST.get(stem[:1], ())
        if stem == form or (len(form) > 1 and stem.startswith(form))
    ]
    return tuple(
        dict.fromkeys(form for forms in groups for form in forms if len(form) > 1 and not stem.startswith(form))
    )


def word_forms(stem: str) -> tuple[str, ...]:
    """A word and its `synonyms`."""
    return stem, *synonyms(stem)


class PassageWords:
    """The words of some passages, prepared once for many sentences."""

    def __init__(self, passages: Iterable[str]) -> None:
        self._text = compact("\n".join(passages))
        # Without spaces, so that "사고 신고" and "사고신고" have the same pairs.
        self._pairs = frozenset(map("".join, pairwise(self._text)))

    def holds(self, word: ContentWord) -> bool:
        """Whether the passages contain the word or a synonym."""
        stem = compact(word.stem)
        if stem in self._text:
            return True
        pairs = list(map("".join, pairwise(stem)))
        if len(pairs) >= 2 and sum(pair in self._pairs for pair in pairs) / len(pairs) >= _COVERED_PAIRS:
            return True
        if (match := _GENERIC_END.match(stem)) and match[1] in self._text:
            return True
        # A last syllable that only forms a compound is not needed: "대출" for "대출금", "접수" for "접수일".
        if len(stem) >= 3 and stem[-1] in "금액비료일자서증률율용형식권분건" and stem[:-1] in self._text:
            return True
        if any(
            self._begins(word, stem, form) and any(other in self._text for other in forms)
            for form, forms in _BY_FIRST.get(stem[:1], ())
        ):
            return True
        # The stem of a verb changes with its ending, so two syllables are enough.
        return not word.is_noun and len(stem) >= 2 and stem[:2] in self._text

    def _begins(self, word: ContentWord, stem: str, form: str) -> bool:
        """Whether a word begins with a form and the passages contain the rest: "우대금리" with "우대" and "금리"."""
        if form == stem:
            return True
        # One syllable may be the stem of a verb ("가려면"), but not the beginning of a noun ("가족").
        if not stem.startswith(form) or (word.is_noun and len(form) < 2):
            return False
        rest = stem[len(form) :]
        return not word.is_noun or len(rest) < 2 or rest in self._text
