"""Does a sentence name another institution, product, channel, payer, day or state than its passages?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from rag.constraints.contrasts import ContrastMention, mentions_of
from rag.korean import is_syllable
from rag.synthesis.clauses import Finding, Sources, aligned, is_negative, set_kind, split_clauses
from rag.synthesis.exclusive_check import denies_other
from rag.synthesis.occurrences import is_followed, stands_before
from rag.synthesis.values import APP
from rag.synthesis.words import content_words, synonyms

_INSTITUTION = re.compile(
    r"[가-힣A-Za-z]{2,8}(?:저축은행|은행|뱅크|증권|보험|캐피탈|금고|카드사|우체국|생명|화재|손보|기금|진흥원)(?![가-힣]*(?:용|형|별|대출|증권|화))"
    r"|[가-힣]{2,}(?:[A-Z]{1,4}(?![A-Za-z])|톡|페이)"
)
_NO_NAME = re.compile(
    r"^(?:타|다른|다른은행|수취|송금|중계|거래|인터넷|전자금융|모바일|상대|해외|국내|각|모든|외국환|거래외국환|지정|해당)*"
    r"(?:은행|뱅크|증권|보험)$"
)


def check_institutions(text: str, sources: Sources) -> Finding | None:
    """Withhold institutions and currencies that the passages do not name, and sentences in which the model speaks of itself."""
    # A row may write a name with spaces that the sentence writes without.
    squeezed = ""
    for match in _INSTITUTION.finditer(text):
        squeezed = squeezed or re.sub(r"\s", "", sources.text)
        if not _NO_NAME.match(match[0]) and match[0] not in squeezed:
            return Finding("withheld", "entity", match[0])
    role = _ROLE.search(text)
    if role and role[0] not in sources.text:
        return Finding("withheld", "entity", role[0])
    for names in _CURRENCIES:
        named = (
            re.search(rf"(?<![가-힣])(?:미국\s?|미\s?)?(?:{names})(?:화)?", text) if re.search(names, text) else None
        )
        if named and not re.search(names, sources.text):
            return Finding("withheld", "entity", named[0])
    return None


_ROLE = re.compile(r"(?<![가-힣])(?:저는|제 이름은|나는|내 이름은)\s")
_CURRENCIES = ("달러|USD|불화|미화|\\$", "엔화|엔(?![가-힣])|JPY", "유로|EUR", "위안|CNY", "파운드|GBP")


def check_contrasts(text: str, sources: Sources) -> Finding | None:
    """Withhold products, means and channels that the passages do not name if they name another member of the same set."""
    members_by_set: dict[str, set[str]] = {}
    for mention in sources.mentions:
        members_by_set.setdefault(mention.set_name, set()).add(mention.member)
    for mention in mentions_of(text):
        kind, members = set_kind(mention), members_by_set.get(mention.set_name, set())
        # Not an accident of spacing: "까지 점검" does not name "지점".
        is_split_word = " " in mention.text and mention.start and is_syllable(text[mention.start - 1])
        if is_split_word or kind not in ("product", "means", "channel", "scope") or mention.member in members:
            continue
        if (members or kind == "channel") and not (
            _is_written(mention, kind, sources) or denies_other(text, mention.start, sources)
        ):
            return Finding("withheld", "entity", mention.text)
    return None


def _is_written(mention: ContrastMention, kind: str, sources: Sources) -> bool:
    """Whether the passages contain a mention in other words: its parts, its first word, the name of an app, a synonym."""
    first, *rest = mention.text.split()
    # "카드형 OTP" is in "카드형·토큰형 발생기(OTP)".
    if mention.text.removesuffix("로") in sources.text or all(part in sources.text for part in (first, *rest)):
        return True
    if rest and re.sub(r"(?<=[가-힣]{2})[이가은는을를]$", "", first) in sources.text:
        return True
    if mention.member == "앱" and APP.search(sources.text):
        return True
    # A channel is often named without the word that makes it one: "영업점을 방문하여".
    return kind == "channel" and any(each in sources.text for each in (mention.member, *synonyms(mention.text)))


_PAYS = r"(?:가|이|께서|에서|은|는|측에서)?\s?(?:전액\s)?"
_OURS = re.compile(rf"(?:당사|당행|은행|증권사|카드사|보험사|회사|저희){_PAYS}(?:부담|내 ?드|지불)")
_CUSTOMERS = re.compile(rf"(?:고객|손님|계약자|회원|본인)(?:님)?{_PAYS}(?:부담|내야|내셔야|지불|납부)")
_BEARS = re.compile(r"[가-힣](?:이|가)\s?(?:전액\s)?부담(?:하|합|해|한)")


def check_payer(text: str, sources: Sources) -> Finding | None:
    """Withhold that the institution pays if the passages name only the customer, and vice versa."""
    for own, other in ((_OURS, _CUSTOMERS), (_CUSTOMERS, _OURS)):
        match = own.search(text)
        if match and (other.search(sources.text) or _BEARS.search(sources.text)) and not own.search(sources.text):
            return Finding("withheld", "entity", match[0])
    return None


_DAYS = tuple(
    map(
        re.compile,
        (
            r"당일|즉시|바로|곧|실시간|같은 날|그날|동시에|자마자",
            r"다음 ?날|익일|이튿날",
            r"전날|전일|하루 전|1일 전|[전앞] ?영업일",
            r"다음 ?영업일|익영업일|\+ ?1일",
        ),
    )
)
_NAMED_DAYS = (re.compile(r"(?<![가-힣])(?:당일|즉시|실시간)(?!\s?\d)"), *_DAYS[1:])
"""The days that a sentence may name. Fewer words than in _DAYS, because "바로" and "그날" are often only polite."""
_FREQUENCIES = tuple(
    map(
        re.compile,
        (
            r"매일|날마다|하루|1일\s|일별|영업일마다|평일|24시간|연중무휴",
            r"매주|주마다|일주일|1주|주\s?\d|요일",
            r"매월|매달|다달이|달마다|한 달|1개월|월\s?\d|월 최대|월말|월별",
            r"분기|3개월마다",
            r"반기|6개월마다",
            r"매년|해마다|1년|연\s?\d|연간|연말|12개월",
        ),
    )
)
_NAMED_FREQUENCIES = tuple(
    map(re.compile, ("매일|날마다", "매주", "매월|매달|다달이", "분기(?:마다|별)", "반기(?:마다|별)", "매년|해마다"))
)
"""The frequencies that a sentence may name; _FREQUENCIES has all words by which a passage may state them."""


def check_days(text: str, sources: Sources) -> Finding | None:
    """Withhold a day or frequency if the passages name only others: "당일" with "다음 날", "매월" with "분기마다"."""
    for named, stated, others in (
        (_NAMED_DAYS, _DAYS, _DAYS),
        (_NAMED_FREQUENCIES, _FREQUENCIES, _NAMED_FREQUENCIES),
    ):
        for number, pattern in enumerate(named):
            match = pattern.search(text)
            # Without others it is an addition, which other checks cover.
            if match and not stated[number].search(sources.text) and any(each.search(sources.text) for each in others):
                return Finding("withheld", "quantity", match[0])
    return None


def _pairs(written: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(pair.split(":")) for pair in written.split())


_TIMES = _pairs(
    "다음:이전 다음:전 익일:전일 이후:이전 먼저:나중에 최대:최소 최고:최저 오전:오후 매월:매년 시작:종료 입금:출금 증액:감액"
    " 본인:타인 고객이:당사가 고객이:은행이"
)
"""Pairs of opposite words that stand before a noun."""
_STATES = tuple(
    (re.compile(own), re.compile(other))
    for own, other in (
        (
            r"그대로|유지[되하됩돼]|같[고습은아]|동일|남[아습는]|고정|보존",
            r"높아질 수|달라질 수|(?:자동 )?해제[되돼됩]|바뀌(?!지)|바뀝|바뀐|변경[되돼됩된](?!지)"
            r"|달라|삭제|폐기|소멸|사라|지워|빠[지집져진](?!나)|변동[되돼됩될](?!지)|변경될 수",
        ),
        (
            r"초기화|소멸|없어[지집]|사라|(?:넘어가|합산되|이월되|더해지|쌓이)지 않",
            r"이월[되돼됩](?!지)|더해[져집지](?!지)|넘어가(?!지)|합산[되돼됩](?!지)|쌓[여이](?!지)",
        ),
        (
            r"(?:발생하|발생되|붙|부과되|생기|들)지 않|안 (?:붙|들|생)",
            r"발생(?:합|해|하며|하고|됩)|(?<!안 )붙[습어고]|부과(?:됩|돼|되며|되고)|생[깁겨]",
        ),
    )
)
"""Pairs of patterns of states that exclude each other."""
_PLAIN = _pairs(
    "유효:무효 인상:인하 상승:하락 가산:차감 필수:선택 복원:소멸 강제:임의 유지:해지 승계:소멸 동결:변동 합산:별도 함께:각자"
    " 고정:변동 고정:변경 자동:직접 포함:별도 포함:따로 합쳐:별도 합해:별도 의무:자율 원본:사본 한꺼번에:나누어"
)
"""Pairs of words that exclude each other anywhere in a clause."""
_NEED_NOT = re.compile(r"필요(?:하지 않|(?:는|가)? ?없)|지 (?:않아도|않으셔도) (?:되|돼|됩|괜찮)")
_DOES_NOT = re.compile(r"([가-힣]{2,})(?:은|는|이|가|도|에)\s([가-힣]{1,4}?)(?:하|되)?지\s?(?:않|못)")


def check_opposites(text: str, sources: Sources) -> Finding | None:
    """Withhold a word that is the opposite of the passages' word for the same thing: "이전 영업일" and "다음 영업일", "유효"
    and "무효"."""
    for pair in _TIMES:
        for word, opposite in (pair, pair[::-1]):
            for match in _before_noun(word).finditer(text) if word in text and opposite in sources.text else ():
                noun = match[1][:3].rstrip("은는이가을를에의")
                if noun not in sources.text:
                    continue
                if stands_before(opposite, noun, sources.text) and not stands_before(word, noun, sources.text):
                    return Finding("withheld", "quantity", match[0])
    for own, other in _both_ways(_STATES, text, sources):
        for match in _state_of(own.pattern).finditer(text):
            # The end of a compound is enough: "번호" of "카드번호".
            name = match[1][-2:] if len(match[1]) > 3 and "가" <= match[1][-1] <= "힣" else match[1]
            if name not in sources.text:
                continue
            if is_followed(name, _then(other.pattern), sources.text) and not is_followed(
                name, _then(own.pattern), sources.text
            ):
                return Finding("withheld", "polarity", match[0])
    for clause in split_clauses(text):
        # A negated opposite is no opposite: "직접 내지 않으셔도" for "자동".
        if not is_negative(clause) and not _NEED_NOT.search(clause) and (word := _opposite_word(clause, sources)):
            return Finding("withheld", "polarity", word)
    return None


def _both_ways(
    pairs: Sequence[tuple[re.Pattern[str], re.Pattern[str]]], text: str, sources: Sources
) -> Iterator[tuple[re.Pattern[str], re.Pattern[str]]]:
    """The pairs, in both orders, of which the sentence matches the first pattern and the passages match the second."""
    for pair in pairs:
        for own, other in (pair, pair[::-1]):
            # A fast first check: finding the thing that is in a state takes longest, and most texts name no such state.
            if _has(own, text) and _has(other, sources.text):
                yield own, other


@lru_cache
def _before_noun(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![가-힣]){word}\s([가-힣\d]{{2,}})")


@lru_cache(maxsize=4096)
def _has(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.search(text) is not None


@lru_cache
def _state_of(state: str) -> re.Pattern[str]:
    words = r"(?:[가-힣A-Za-z0-9]+(?<![은는이가도])\s){0,4}?"
    return re.compile(rf"([가-힣A-Za-z]{{2,}}?)(?:은|는|이|가|도|까지)\s{words}(?:{state})")


@lru_cache
def _then(state: str) -> re.Pattern[str]:
    return re.compile(rf"[가-힣]{{0,2}},?\s(?:[가-힣A-Za-z0-9]+(?<![며고은는도면]),?\s){{0,6}}?(?:{state})")


@lru_cache
def _beside(word: str) -> re.Pattern[str]:
    return re.compile(rf"[가-힣()]*\s?{word}")


def _opposite_word(clause: str, sources: Sources) -> str:
    """A word of a clause whose opposite the aligned clauses have, or the passages beside the same noun; else empty."""
    for pair in _PLAIN:
        for word, other in (pair, pair[::-1]):
            if word not in clause or other not in sources.text:
                continue
            # A clause may contain both words: "7개월 동안 유지하다가 해지하시면".
            is_new = word not in sources.text and other not in clause
            if is_new and any(other in each.text for each in aligned(clause, sources)):
                return word
            # The word must belong to the same noun: "사망진단서 원본" does not contradict "신분증 사본".
            nouns = [each.stem for each in content_words(clause) if each.is_noun and len(each.stem) > 2]
            for noun in (each for each in nouns if each in sources.text):
                if is_followed(noun, _beside(word), clause) and is_followed(noun, _beside(other), sources.text):
                    if not is_followed(noun, _beside(word), sources.text):
                        return word
                    continue
                holding = [each.text for each in sources.clauses if noun in each.text]
                if (
                    other not in clause
                    and any(other in part for part in holding)
                    and not any(word in part for part in holding)
                ):
                    return word
    return ""


def check_denied_verbs(text: str, sources: Sources) -> Finding | None:
    """Withhold a verb that the passages negate for the same thing: "이율이 줄어듭니다" and "이율은 줄지 않습니다"."""
    for noun, verb in _denials(sources.text):
        if noun not in text or verb not in text:
            continue
        does = rf"{re.escape(noun)}[은는이가도에]\s(?:[가-힣]+\s)?{re.escape(verb)}(?![가-힣]{{0,2}}지\s?(?:않|못))"
        is_said = any(re.search(does, clause) and not is_negative(clause) for clause in split_clauses(text))
        if is_said and not re.search(does, sources.text):
            return Finding("withheld", "polarity", f"{noun} {verb}")
    return None


@lru_cache(maxsize=256)
def _denials(text: str) -> tuple[tuple[str, str], ...]:
    """(end of the noun, stem of the verb) for each negated verb of a text, except auxiliaries ("있지 않", "하지 않")."""
    denials = (match.groups() for match in _DOES_NOT.finditer(text))
    return tuple((noun[-2:], verb) for noun, verb in denials if verb not in ("있", "하", "되", "없", "이"))
