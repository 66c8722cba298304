"""Is what a sentence names its sources' own: institution, product, means and channel, and words that allow no exception?"""

from __future__ import annotations

import re

from rag.constraints import quantities_of
from rag.constraints.contrasts import mentions_of
from rag.synthesis.exclusive_check import denies_other
from rag.synthesis.passage_clauses import Finding, Sources, aligned, set_kind
from rag.synthesis.same_meaning import other_words
from rag.synthesis.value_roles import APP

_INSTITUTION = re.compile(
    r"[가-힣A-Za-z]{2,8}(?:저축은행|은행|뱅크|증권|보험|캐피탈|금고|카드사|우체국|생명|화재|손보|기금|진흥원)(?![가-힣]*(?:용|형|별|대출|증권|화))"
    r"|[가-힣]{2,}(?:[A-Z]{1,4}(?![A-Za-z])|톡|페이)"
)
_NO_NAME = re.compile(
    r"^(?:타|다른|다른은행|수취|송금|중계|거래|인터넷|전자금융|모바일|상대|해외|국내|각|모든|외국환|거래외국환|지정|해당)*"
    r"(?:은행|뱅크|증권|보험)$"
)


def check_institutions(text: str, sources: Sources) -> Finding | None:
    """Every institution and currency named must be named by the passages, and the sentence must not speak of its writer."""
    # A row may write a name apart that the sentence writes together.
    squeezed = ""
    for match in _INSTITUTION.finditer(text):
        squeezed = squeezed or re.sub(r"\s", "", sources.text)
        if not _NO_NAME.match(match[0]) and match[0] not in squeezed:
            return Finding("withheld", "entity", match[0])
    # Rows speak of the institution; a model that speaks of itself has taken another role.
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
    """Products, means and channels that the passages do not name while they name another of the same set."""
    held: dict[str, set[str]] = {}
    for mention in sources.mentions:
        held.setdefault(mention.set_name, set()).add(mention.member)
    for mention in mentions_of(text):
        # "까지 점검" names no "지점".
        if " " in mention.text and mention.start and "가" <= text[mention.start - 1] <= "힣":
            continue
        kind = set_kind(mention)
        members = held.get(mention.set_name, set())
        if kind in ("product", "means", "channel", "scope") and mention.member not in members:
            if (
                mention.text.removesuffix("로") in sources.text
                or all(part in sources.text for part in mention.text.split())
                or _subject(mention.text) in sources.text
            ):
                continue  # "카드형 OTP" of "카드형·토큰형 발생기(OTP)"
            if mention.member == "앱" and APP.search(sources.text):
                continue
            # A place to go to is often said without a word that marks it as one: "영업점을 방문하여".
            if kind == "channel" and any(each in sources.text for each in (mention.member, *other_words(mention.text))):
                continue
            if denies_other(text, mention.start, sources):
                continue
            if members or kind == "channel":
                return Finding("withheld", "entity", mention.text)
    return None


def _subject(text: str) -> str:
    """ "본인" of "본인이 직접"; the text itself where it is one word."""
    first, *rest = text.split()
    return re.sub(r"(?<=[가-힣]{2})[이가은는을를]$", "", first) if rest else text


_ABSOLUTE = re.compile(
    r"누구나|누구든|(?:모두|전부|몽땅|고스란히)(?= ?(?:보상|지급|돌려|반환|환급|신청|이용|가입|등록|무료|면제|받))|모든"
    r"|무조건|항상|언제나|언제든지?|어디서나|어디서든지?|아무(?:나| ?때)"
    r"|어떤 [가-힣]{1,6}?(?:에|으로|로|에서|에게)?도(?= )"
    r"|예외 ?없이|어떤 [가-힣]{1,6}(?:든|이든|라도)|몇 (?:번|개|회)(?:이든|든|이라도)|자유롭게|전액|100%"
    r"|(?:횟수|금액|한도|조건|종류|나이|기간|시간)\s?(?:의 |에 )?(?:제한 ?없이|상관없이|무제한)"
    r"|(?<![가-힣])혼자(?:서)?(?= [가-힣]+(?:을|를|이|가|도)? )|단독으로"
    r"|얼마(?:나|가|를)?\s?[가-힣]*(?:든|[아어여해]도)(?![가-힣])|아무리 [가-힣]+(?:[아어여해]도|든|더라도)"
    r"|[가-힣]+ 제한 없이|(?:[가-힣]+(?:이든|든)지? ){2}|여러 (?:기기|개|번|대)|(?:이|가|라)도 (?:무료|가능)"
)
_SAME_ABSOLUTES = tuple(re.compile(each) for each in (
    r"언제(?:나|든지?)|아무 ?때|24시간|연중무휴|항상|상시|수시", r"누구나|누구든|아무나", r"어디서(?:나|든지?)",
    r"모두|전부|전액|전체", r"모든|모두|전부|전체|(?<![가-힣])전\s(?=[가-힣])|타",
    r"어떤 .*도|예외 ?없|모든|모두|무조건|항상", r"전액|100%|전부",
    r"여러 |횟수(?:의|에)? ?제한 ?없|\d회까지|나누어|나눠",
    r"(?:관계|상관) ?없|무관|[가-힣]+든(?![가-힣])|얼마|아무리|횟수(?:의|에)? ?제한|수시",
    r"혼자|단독|스스로|직접", r"무제한|제한 ?없이|제한[이은]? ?없|제한 ?대상이 아니|제한(?:되|하)지 않",
))  # fmt: skip


def check_absolutes(text: str, sources: Sources) -> Finding | None:
    """Words that allow no exception must be the passage's own, beside words of the sentence."""
    for match in _ABSOLUTE.finditer(text):
        word = match[0]
        # "천 원부터 50만 원까지 자유롭게" names the limits.
        if word == "자유롭게" and any(not each.is_point for each in quantities_of(text)):
            continue
        if word == "전액" and "100%" in sources.text:
            continue
        if word.strip().endswith(("든", "든지")) and re.search(r"(?:관계|상관|제한) ?없|무관", sources.text):
            continue
        # "앱이나 전화, 지점 어디서든" names where.
        if word.startswith("어디") and len([each for each in mentions_of(text) if set_kind(each) == "channel"]) > 1:
            continue
        same = next((each for each in _SAME_ABSOLUTES if each.search(word)), re.compile(re.escape(word)))
        if not same.search(sources.text):
            return Finding("withheld", "condition", word)
        near = aligned(text, sources)
        if near and not any(same.search(clause.text) for clause in near):
            return Finding("withheld", "condition", word)
    return None
