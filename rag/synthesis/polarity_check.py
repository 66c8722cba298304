"""Does a sentence affirm what its sources deny, or promise for free what costs? By the clauses about the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from rag.constraints import quantities_of
from rag.synthesis.content_words import content_words
from rag.synthesis.exclusive_check import denies_other
from rag.synthesis.passage_clauses import (
    Clause,
    Finding,
    Sources,
    aligned,
    closeness,
    is_about_same,
    split_clauses,
)
from rag.synthesis.same_meaning import word_forms

_FEE = r"(?:수수료|비용|배송[료비]|발송비|이용료|연회비|요금|보증료|거래세|전신료|설정비)"
_FREE = re.compile(
    r"무료|면제(?![가-힣]*\s?(?:잔여 |한도|횟수|대상|않|안|불가|제외))"
    rf"|{_FEE}[가-힣 :]{{0,5}}(?:없|받지 않|들지 않|내지 않|붙지 않)"
    rf"|{_FEE}:[^.\n]{{0,30}}없음|부과(?:되|하)지 않"
    rf"|{_FEE}[가-힣 ]{{0,3}}(?:피|아끼|아낄|막[을아으]|면할|면하)|{_FEE}[가-힣 ]{{0,3}}안 (?:받|내|들)"
)
_NOT_FREE = re.compile(r"면제(?:[되하]지|받지)? ?(?:않|안 되|불가|제외|대상이 아니)|무료가 아니")
_CHARGED = re.compile(
    rf"유료|{_NOT_FREE.pattern}"
    rf"|{_FEE}[가-힣 ]{{0,5}}(?<!안 )(?:있습|있으|발생|듭니다|내셔야|청구|붙[습는어]|들어요|내야 |냅니다|따로 붙|추가로 붙)"
    rf"|부과(?!(?:되|하)지 않|[가-힣 ]*(?:면제|없))|{_FEE}[가-힣 ]{{0,9}}부담(?:하셔야|해야|합니다)"
)
_PRICE = re.compile(rf"{_FEE}|무료|유료|면제|부과")
_NEGATIVE = re.compile(
    r"(?:수|수는|수가|수도) ?없|없(?![애앨앤앱]|어[지져졌집진])|않|불가|못[하해합한했함할 ]"
    r"|(?<![가-힣])안 (?:되|됩|돼|붙|내|냅|낸|받|들|걸|나[와오가갑]|하|해|합|바[꾸뀌]|쓰|써|쌓|보|가|와|맞|풀"
    r"|열|떼|빠|넘|깎|줄|늘)"
    r"|제한을 (?:[가-힣]+ )?받[습아]|(?<!로 )(?:제한|차단)(?:됩니다|돼요|되며|될 수|되고)|막[히힙혀](?![가-힣]*(?:면|지))"
    r"|불필요|생략|어렵(?:습니다|고)|어려워요|아니(?!요|라)|아닙|제외|미지원|미적용|비보호|비대상"
    r"|(?:횟수|대상|한도|실적|계산|보장)에서 빠[지집져진]|금지(?!급)"
    r"|종료(?:되었|됐|했)|폐지(?:되|됐|했)|거부|거절|(?:발급|가입|판매|신청|취급)[이가]? ?중단"
)
_ASIDE = re.compile(
    r"제외(?:한|하고|하면)\s|제한[이은]? ?없|관계 ?없|상관 ?없|방문 없이|없이(?! ?(?:돌려|반환))|면제|지 않(?:은|는|아) \S"
    r"|부과되지 않|넘지 않|제한 ?대상(?:이 아[니닙]|에서 제외)|제한(?:되지|하지|을 받지|을 적용하지) 않"
    r"|[이가] 없는 (?!경우)|지 (?:않[은는]|못한|못하는) |지 (?:않|못하)(?:으?시?면|았다면|으셨다면|았으면)"
    r"|지 (?:않|못하)[가-힣]{0,3}거나"
    r"|(?<![가-힣])(?:안|못) [가-힣]*(?:면|는 경우)(?= )|지 않(?:아도|으셔도|더라도)(?! ?(?:됩|되|돼|괜찮))"
)
"""Denials of something beside what a clause says."""
_INCLUDED = re.compile(r"포함|대상(?:이|에|입)")
_NOT_INCLUDED = re.compile(r"관계 ?없이|상관 ?없이|제외|대상이 아[니닙]|대상에서 빠|들어가지 않")
_FEE_NAME = re.compile(rf"(?<![가-힣])[가-힣A-Za-z]{{2,12}} ?{_FEE}")
_FEE_ALONE = re.compile(rf"(?<!나 )(?<!나 별도 )(?<!및 )(?<!과 )(?<!와 ){_FEE}[가-힣 :]{{0,4}}없")


def check_dropped_condition(text: str, sources: Sources) -> Finding | None:
    """What is free under a condition alone, said without any: the passage has a price beside it, under the same heading."""
    if not _FREE.search(text) or quantities_of(text):
        return None
    words = [word.stem for word in content_words(text)]
    free = [
        line
        for line in sources.lines
        if line.heading and _FREE.search(line.text) and re.search(r"이내|경우|한하여|한함|까지", line.text)
    ]
    for line in free:
        others = [other for other in sources.lines if other.heading == line.heading and other is not line]
        is_priced = any(each.dimension == "money" for other in others for each in quantities_of(other.text))
        if is_priced and not any(
            word in line.text for word in words if word not in sources.text.replace(line.text, "")
        ):
            return Finding("withheld", "condition", line.text.strip())
    return None


_PREDICATE = re.compile(
    r"[다요오][.]?\s*$|[며고나]\s*$|(?:지만|므로|는데|여|어|아|시)\s*$|불가|가능|없음|있음|미지원|제외|:\s"
)


@lru_cache(maxsize=4096)
def is_negative(text: str) -> bool:
    """Whether a clause denies: an odd count of words that do."""
    return len(_NEGATIVE.findall(_FEE_ALONE.sub(" ", _ASIDE.sub(" ", text)))) % 2 == 1


def check_polarity(text: str, sources: Sources) -> Finding | None:
    """What a clause affirms, the clauses of the passage that are about the same must not deny, and the other way round."""
    condition = ""
    for clause in split_clauses(text):
        near = aligned(clause, sources)
        # "예금은 그대로예요" of "예금에는 영향이 없습니다": neither affirms nor denies.
        if re.search(r"그대로(?:이|입|지|예|고|인|\W|$)", clause):
            continue
        free, charged = _FREE.search(clause), _CHARGED.search(clause)
        # "앱에서 이체하시면 수수료가 부과됩니다": what is charged stands in the clause before.
        consequences, condition_before = _consequences(condition, sources), condition
        whole, condition = f"{condition} {clause}".strip(), clause if clause.rstrip(", ").endswith(("면", "도")) else ""
        if said := free or charged:
            # "2년이 지나면 수수료가 없습니다": what is free from a value on, the value's own clause tells.
            if free and _is_free_then(condition_before, sources):
                continue
            if charged and _is_charged_so(clause, sources):
                continue
            parts = {whole} if quantities_of(whole) and not quantities_of(clause) else {clause, whole}
            if any(_is_price_turned(each, sources, is_free=bool(free)) for each in parts):
                return Finding("withheld", "polarity", said[0])
            continue
        if opposite := _opposite(clause, near, sources):
            return Finding("withheld", "polarity", opposite)
        if is_negative(clause):
            if denies_other(clause, 0, sources):
                continue
        elif denied := _denied_only(clause, sources):
            return Finding("withheld", "polarity", denied)
        about = [each for each in near if _PREDICATE.search(each.text) and is_about_same(clause, each)]
        if not about or not _is_statement(clause):
            continue
        included = _INCLUDED.search(clause) and not is_negative(clause) and not _NOT_INCLUDED.search(clause)
        denies = is_negative(clause)
        if denies and _PAST_LIMIT.search(whole) and "지나도" not in sources.text:
            continue
        # "3년이 지나면 청구할 수 없습니다" says what "3년 이내에 청구할 수 있습니다" does.
        if (
            _PAST_LIMIT.search(whole)
            and not any(_AFTER.search(each.text) for each in about)
            and not any(
                re.search(rf"{re.escape(each.text)}[이가을를]?\s?(?:지나|지난|넘|초과|경과|이후)", sources.text)
                for each in quantities_of(whole)
            )
        ):
            denies = not denies
        # "심사가 필요하지 않습니다" says what "심사 없이 가능합니다" does.
        if _NEED_NOT.search(clause) and any(_SPARED.search(each.text) for each in about):
            continue
        is_turned = all(is_negative(each.text) != denies for each in about)
        # What follows from the same condition in the passages says it best.
        if is_turned and any(is_negative(each.text) == denies for each in consequences):
            continue
        if (
            is_turned
            and condition_before
            and any(
                is_negative(each.text) == denies and _shares_act(clause, each)
                for each in aligned(condition_before, sources)
            )
        ):
            continue
        if is_turned or (included and all(_NOT_INCLUDED.search(each.text) for each in about)):
            return Finding("withheld", "polarity", clause.strip())
    return None


def _is_charged_so(clause: str, sources: Sources) -> bool:
    """Whether the passages charge an amount that a clause names: "900원의 수수료" of "편의점에서는 900원이 부과됩니다"."""
    amounts = {(each.unit, each.low) for each in quantities_of(clause) if each.dimension == "money" and each.is_point}
    return any(
        _CHARGED.search(part.text) and any((each.unit, each.low) in amounts for each in part.quantities)
        for part in sources.clauses
    )


def _is_free_then(condition: str, sources: Sources) -> bool:
    """Whether the passages say that nothing is paid under a condition with a quantity: "2년이 지나면 면제"."""
    ends = {(each.unit, end) for each in quantities_of(condition) for end in (each.low, each.high) if end is not None}
    if any(
        _FREE.search(part.text)
        and any((each.unit, end) in ends for each in part.quantities for end in (each.low, each.high))
        for part in sources.clauses
    ):
        return True
    return any(
        _FREE.search(after.text)
        and before.text.rstrip(", ").endswith("면")
        and any((each.unit, end) in ends for each in before.quantities for end in (each.low, each.high))
        for before, after in pairwise(sources.clauses)
    )


def _shares_act(clause: str, other: Clause) -> bool:
    """Whether a clause of the passages has a word of another clause, in this or in another word for it."""
    return any(form in other.text for word in content_words(clause) for form in word_forms(word.stem))


_NEED_NOT = re.compile(r"필요(?:하지 않|(?:는|가)? ?없)|지 (?:않아도|않으셔도) (?:되|돼|됩|괜찮)")
_SPARED = re.compile(r"없이|생략|불필요|필요하지 않|자동|면제")


def _consequences(condition: str, sources: Sources) -> list[Clause]:
    """What the passages say to follow from a condition."""
    near = aligned(condition, sources) if condition else ()
    return [
        after
        for before, after in pairwise(sources.clauses)
        if before in near and before.text.rstrip(", ").endswith("면")
    ]


_PAST_LIMIT = re.compile(r"(?:\d\s?(?!세|살)[가-힣]{1,3}|한 달|하루)[이가을를]?\s?(?:지나|넘|초과하)[가-힣]*면")
_AFTER = re.compile(r"지나|지난|넘|초과|이후|경과|(?<![가-힣])후")
_ANTONYMS = (
    ("유효", "무효"), ("인상", "인하"), ("상승", "하락"), ("가산", "차감"), ("필수", "선택"), ("복원", "소멸"), ("강제", "임의"),
    ("유지", "해지"), ("승계", "소멸"), ("동결", "변동"), ("합산", "별도"), ("함께", "각자"),
    ("고정", "변동"), ("고정", "변경"), ("자동", "직접"), ("포함", "별도"), ("포함", "따로"), ("합쳐", "별도"), ("합해", "별도"),
    ("의무", "자율"), ("원본", "사본"),
)  # fmt: skip


_DOES_SO = re.compile(r"([가-힣]{2,})(?:[됩된될]|되|[합한할]|하)[가-힣]*[.\s]*$")
_ALSO = re.compile(
    r"(?<![가-힣])([가-힣A-Za-z]{2,}?)(?:으로도|로도|이라도|에도|도)\s(?=.*(?:수 있|가능|됩니다|돼요|드립니다|드려요))"
)


def _denied_only(clause: str, sources: Sources) -> str:
    """What a clause affirms and every clause of the passages that names it denies: "폐기됩니다" beside "폐기되지 않습니다"."""
    named = [match[1] for match in (_DOES_SO.search(clause), _ALSO.search(clause)) if match]
    for word in named:
        holding = [each.text for each in sources.clauses if word in each.text and " > " not in each.text]
        if content_words(word) and holding and all(is_negative(each) for each in holding):
            return word
    return ""


def _opposite(clause: str, near: Sequence[Clause], sources: Sources) -> str:
    """A word of a clause that no passage has, where what they say of the same has its opposite: "유효" beside "무효"."""
    nouns = [word.stem for word in content_words(clause) if word.is_noun and len(word.stem) > 2]
    for pair in _ANTONYMS:
        for word, other in (pair, pair[::-1]):
            if word not in clause:
                continue
            if word not in sources.text and any(other in each.text for each in near):
                return word
            # "사망진단서 원본" beside "신분증 사본": what each thing stands with.
            for noun in nouns:
                if noun not in sources.text or other not in sources.text:
                    continue
                beside = rf"{re.escape(noun)}[가-힣()]*\s?"
                if re.search(beside + word, clause) and re.search(beside + other, sources.text):
                    if not re.search(beside + word, sources.text):
                        return word
                    continue
                holding = [each.text for each in sources.clauses if noun in each.text]
                if (
                    any(other in part for part in holding)
                    and not any(word in part for part in holding)
                    and other not in clause
                ):
                    return word
    return ""


def _is_price_turned(clause: str, sources: Sources, *, is_free: bool) -> bool:
    """Whether what the passages say of a price, in the clauses closest to this one, is the opposite of "free" or "charged"."""
    priced = [each for each in sources.clauses if _PRICE.search(f"{each.context} {each.text}")]
    # A table of fees has prices and no word for them.
    priced = priced or [each for each in sources.clauses if re.search(r"\d원|[천만]원", each.text)]
    if not priced:
        return False
    # "국제브랜드 수수료도 면제": what is denied of the fee of that name.
    if is_free and (named := _FEE_NAME.search(clause)):
        priced = [each for each in priced if named[0] in each.text and _NOT_FREE.search(each.text)] or priced
    words = [word.stem for word in content_words(clause) if not _PRICE.search(word.stem)]
    subject = _PRICE.sub("", clause) if words else clause
    scores = [
        sum(1.0 if word in each.text.lower() else 0.5 * (word in each.context.lower()) for word in words)
        + closeness(subject, each)
        + 0.3 * any(each.lower.lstrip(" -•*※").startswith(word) for word in words)
        for each in priced
    ]
    about = [each for score, each in zip(scores, priced, strict=True) if score >= max(scores) - 0.05]
    free = any(_FREE.search(each.text) for each in about)
    charged = any(
        _CHARGED.search(each.text)
        or (re.search(r"\d원|[천만]원|\d%", each.text) and not re.search(r"무료(?:로|이|입)", each.text))
        for each in about
    )
    return charged and not free if is_free else free and not charged


def _is_statement(clause: str) -> bool:
    """Whether a clause says of something what it does; "1년 이내이고" and a reason say only what something is."""
    return bool(content_words(clause)) and not re.search(
        r"(?:이고|이며|들고|가지고|갖고|도|므로|아니라|않고|없이|말고|면)\s*$", clause
    )
