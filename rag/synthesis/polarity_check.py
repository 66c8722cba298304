"""Does a sentence affirm what its passages deny, or call free what they charge for? Compares the clauses about the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rag.constraints import quantities_of
from rag.synthesis.clauses import (
    ALIGNED,
    ALLOWS,
    CHARGED,
    EXCLUDED,
    FEE,
    FREE,
    NOT_FREE,
    PRICE,
    UNLESS,
    Clause,
    Finding,
    Sources,
    aligned,
    closeness,
    is_about_same,
    is_negative,
    split_clauses,
    with_conditions,
)
from rag.synthesis.exclusive_check import denies_other
from rag.synthesis.occurrences import is_followed
from rag.synthesis.words import content_words, synonyms, word_forms

_INCLUDED = re.compile(r"포함|대상(?:이|에|입)")
_NOT_INCLUDED = re.compile(r"관계 ?없이|상관 ?없이|제외|대상이 아[니닙]|대상에서 빠|들어가지 않")
_FEE_NAME = re.compile(rf"(?<![가-힣])[가-힣A-Za-z]{{2,12}} ?{FEE}")
_PREDICATE = re.compile(
    r"[다요오][.]?\s*$|[며고나]\s*$|(?:지만|므로|는데|여|어|아|시)\s*$|불가|가능|없음|있음|미지원|제외|:\s"
)

_NO_STATEMENT = re.compile(r"(?:이고|이며|들고|가지고|갖고|도|므로|아니라|않고|없이|말고|면|빼고|제외하고)\s*$")
"""Ends a clause that states a reason, a condition or what something is: "1년 이내이고"."""


def check_polarity(text: str, sources: Sources) -> Finding | None:
    """Withhold a clause that affirms what all aligned clauses of the passages deny, and vice versa."""
    condition = ""
    for clause in split_clauses(text):
        near = aligned(clause, sources)
        # "예금은 그대로예요" neither affirms nor denies; passages may have "예금에는 영향이 없습니다".
        goes_on = _GOES_ON.search(clause)
        is_ended = goes_on and is_followed(goes_on[1], _ENDS, sources.text)
        if _AS_IT_IS.search(clause) and not is_ended:
            continue
        free, charged = FREE.search(clause), CHARGED.search(clause)
        # The clause before may contain what is charged: "앱에서 이체하시면 수수료가 부과됩니다".
        consequences, condition_before = _consequences(condition, sources), condition
        whole, condition = f"{condition} {clause}".strip(), clause if clause.rstrip(", ").endswith(("면", "도")) else ""
        if price := free or charged:
            if charged and _is_amount_charged(clause, sources):
                continue
            parts = {whole} if quantities_of(whole) and not quantities_of(clause) else {clause, whole}
            if any(_is_price_reversed(each, sources, is_free=bool(free)) for each in parts):
                return Finding("withheld", "polarity", price[0])
            continue
        if _is_anchored(clause, condition_before, sources):
            continue
        if is_negative(clause):
            if denies_other(clause, 0, sources):
                continue
        elif not clause.rstrip(", ").endswith("면") and (denied := _denied_only(clause, sources)):
            return Finding("withheld", "polarity", denied)
        about = [
            each
            for each in near
            if _PREDICATE.search(each.text) and is_about_same(clause, each) and not _is_of_other(clause, each.text)
        ]
        # "앱이 아니라 영업점에서" denies one thing and affirms another.
        if not about or _NO_STATEMENT.search(clause) or not content_words(clause) or "아니라" in clause:
            continue
        included = _INCLUDED.search(clause) and not is_negative(clause) and not _NOT_INCLUDED.search(clause)
        denies = is_negative(clause)
        if denies and _PAST_LIMIT.search(whole) and "지나도" not in sources.text:
            continue
        # A double negation is a requirement: "동의를 받지 않으면 안 됩니다", "동의 없이는 안 됩니다".
        if denies and (_UNLESS.search(condition_before) or "없이는" in clause):
            continue
        # "심사가 필요하지 않습니다" and "심사 없이 가능합니다" mean the same.
        if _NEED_NOT.search(clause) and any(_SPARED.search(each.text) for each in about):
            continue
        is_reversed = all(each.denies != denies for each in about)
        # The consequence of the same condition in the passages takes precedence.
        if is_reversed and any(each.denies == denies for each in consequences):
            continue
        if (
            is_reversed
            and condition_before
            and any(
                each.denies == denies and form in each.text
                for each in aligned(condition_before, sources)
                for word in content_words(clause)
                for form in word_forms(word.stem)
            )
        ):
            continue
        if is_reversed or (included and all(_NOT_INCLUDED.search(each.text) for each in about)):
            return Finding("withheld", "polarity", clause.strip())
    return None


def _is_anchored(clause: str, condition: str, sources: Sources) -> bool:
    """Whether clauses of the passages with the same values have the same polarity: values align clauses better than words.

    `condition`: the condition before the clause, whose values count, too. False if the clause has a noun that the passages
    contain only in clauses of the opposite polarity: "분실은 30만원까지 보장됩니다".
    """
    denies = is_negative(clause)
    # Times and dates do not count, because many things have the same ones.
    values = [
        each for each in (*quantities_of(condition), *quantities_of(clause)) if each.dimension not in ("time", "date")
    ]
    if not values:
        return False
    stated = [each for part in sources.clauses if part.denies == denies for each in part.quantities]
    if not all(any(own.dimension == each.dimension and own.ends == each.ends for each in stated) for own in values):
        return False
    for word in content_words(clause):
        polarities = [part.denies for part in sources.clauses if word.stem in part.lower]
        # Not for the action itself, as in "보장됩니다", which may be both affirmed and denied.
        is_action = clause.lower().partition(word.stem)[2].startswith(tuple("되됩된돼하합해한할받"))
        if word.is_noun and not is_action and polarities and denies not in polarities:
            return False
    return True


_UNLESS = re.compile(r"(?:않|없|못)\S*면[,\s]*$")
_WITHOUT_IT = re.compile(r"([가-힣]{2,}?)(?:이|가)?\s?(?:없는|아닌|없으면|없다면)\s")
_THERE_IS = re.compile(r"[이가]?\s?있")
_RAISES = re.compile(r"증액|늘[리려릴립]|올[리려릴립]|높[이여일입]|상향|인상")
_LOWERS = re.compile(r"감액|줄[이여일입]|낮[추춰출춥]|내[리려릴립]|하향|인하")


def _is_of_other(clause: str, stated: str) -> bool:
    """Whether a clause of a passage is about the opposite case or direction: "대출이 있는" and "대출이 없는", 감액 and 증액."""
    if (lacking := _WITHOUT_IT.search(clause)) and is_followed(lacking[1], _THERE_IS, stated):
        return True
    return any(
        own.search(clause) and not other.search(clause) and other.search(stated) and not own.search(stated)
        for own, other in ((_RAISES, _LOWERS), (_LOWERS, _RAISES))
    )


_AS_IT_IS = re.compile(r"그대로(?:이|입|지|예|고|인|\W|$)")
_ENDS = re.compile(r"[가-힣]?지(?:는|도)?\s않")
_GOES_ON = re.compile(r"그대로\s(?:\S+\s)?([가-힣]{2})")


def _is_amount_charged(clause: str, sources: Sources) -> bool:
    """Whether the passages charge all amounts in a clause: "900원의 수수료" for "편의점에서는 900원이 부과됩니다"."""
    amounts = {(each.unit, each.low) for each in quantities_of(clause) if each.dimension == "money" and each.is_point}
    charged = {
        (each.unit, each.low)
        for part in sources.clauses
        if CHARGED.search(part.text) or re.search(FEE, f"{part.context} {part.text}")
        for each in part.quantities
        if each.low
    }
    return bool(amounts) and amounts <= charged


_NEED_NOT = re.compile(r"필요(?:하지 않|(?:는|가)? ?없)|지 (?:않아도|않으셔도) (?:되|돼|됩|괜찮)")
_SPARED = re.compile(r"없이|생략|불필요|필요하지 않|자동|면제")


def _consequences(condition: str, sources: Sources) -> list[Clause]:
    """The clauses of the passages after the conditions that align with a condition."""
    near = aligned(condition, sources) if condition else ()
    return [
        after
        for before, after in pairwise(sources.clauses)
        if before in near and before.text.rstrip(", ").endswith("면")
    ]


_PAST_LIMIT = re.compile(r"(?:\d\s?(?!세|살)[가-힣]{1,3}|한 달|하루)[이가을를]?\s?(?:지나|넘|초과하)[가-힣]*면")
_DOES_SO = re.compile(r"([가-힣]{2,})(?:[됩된될]|되|[합한할]|하)[가-힣]*[.\s]*$")
_ALSO = re.compile(
    r"(?<![가-힣])([가-힣A-Za-z]{2,}?)(?:으로도|로도|이라도|에도|도)\s(?=.*(?:수 있|가능|됩니다|돼요|드립니다|드려요))"
)


def _denied_only(clause: str, sources: Sources) -> str:
    """A verb or noun that a clause affirms and all clauses of the passages with it deny: 폐기 of "폐기됩니다"; else empty."""
    words = [match[1] for match in (_DOES_SO.search(clause), _ALSO.search(clause)) if match]
    for word in words:
        parts = [each.text for each in sources.clauses if word in each.text and " > " not in each.text]
        if content_words(word) and parts and all(is_negative(part) for part in parts):
            return word
    return ""


def _is_price_reversed(clause: str, sources: Sources, *, is_free: bool) -> bool:
    """Whether the clauses on prices closest to this one charge for what it calls free, or the other way round."""
    priced = [each for each in sources.clauses if PRICE.search(f"{each.context} {each.text}")]
    # A table of fees may have amounts without a word like "fee".
    priced = priced or [each for each in sources.clauses if re.search(r"\d원|[천만]원", each.text)]
    if not priced:
        return False
    # If the clause names a fee ("국제브랜드 수수료도 면제"), clauses that deny an exemption from it take precedence.
    if is_free and (named := _FEE_NAME.search(clause)):
        priced = [each for each in priced if named[0] in each.text and NOT_FREE.search(each.text)] or priced
    words = [word.stem for word in content_words(clause) if not PRICE.search(word.stem)]
    subject = PRICE.sub("", clause) if words else clause
    scores = [
        sum(1.0 if word in each.text.lower() else 0.5 * (word in each.context.lower()) for word in words)
        + closeness(subject, each)
        + 0.3 * any(each.lower.lstrip(" -•*※").startswith(word) for word in words)
        for each in priced
    ]
    about = [each for score, each in zip(scores, priced, strict=True) if score >= max(scores) - 0.05]
    free = any(FREE.search(each.text) for each in about)
    charged = any(
        CHARGED.search(each.text)
        or (re.search(r"\d원|[천만]원|\d%", each.text) and not re.search(r"무료(?:로|이|입)", each.text))
        for each in about
    )
    return charged and not free if is_free else free and not charged


_DOES = re.compile(r"(?<![가-힣])([가-힣]{2})[가-힣]*(?:\s수(?:도|가)?\s있|해\s(?:줍|줘|드)|야\s(?:하|합|해|한|돼|됩))")
_CONCESSION = re.compile(r"^.*(?:더라도|[가-힣](?:셨|았|었|했|됐)어도)\s")
"""A concession, which is covered by `check_conceded` and `check_consequence`."""
_NOT_SO = re.compile(r"\S+지\s(?:않|못)\S*면\s|\S+\s(?:없는|아닌|없으면|없다면)\s")
"""A negative case: "연체하지 않으셨다면", "대출이 없는"."""


def check_denied(text: str, sources: Sources) -> Finding | None:
    """Withhold what is affirmed of a thing that the passages name only to deny the same of it."""
    for clause in with_conditions(text):
        if is_negative(clause) or not ALLOWS.search(clause) or "아니라" in clause:
            continue
        if _ends_exclusion(text, sources):
            continue
        words = content_words(_NOT_SO.sub(" ", _CONCESSION.sub(" ", clause)))
        does = match[1] if (match := _DOES.search(clause)) else ""
        if does and _is_denied_action(does, sources):
            return Finding("withheld", "polarity", does)
        for word in words:
            naming = [each for each in sources.clauses if word.stem in each.text.lower() and " > " not in each.text]
            if not word.is_noun or word.stem == does or not naming or not all(each.denies for each in naming):
                continue
            if does in (names := synonyms(word.stem)) and _is_affirmed(names, sources):
                continue
            others = [other.stem for other in words if other != word and other.stem != does]
            for each in naming:
                # The items of a list of exclusions have no verb.
                is_excluded = EXCLUDED.match(each.text) is not None or not is_negative(each.text)
                is_same_action = bool(does) and any(form in each.text for form in word_forms(does))
                shared = sum(other in each.text for other in others)
                if is_excluded or is_same_action or (len(word.stem) > 2 and shared >= max(1, len(others) / 2)):
                    return Finding("withheld", "polarity", word.stem)
    return None


def _ends_exclusion(text: str, sources: Sources) -> bool:
    """Whether a sentence contains most words of an exception to an exclusion: "자동이체를 해지한 뒤에야" for "(자동이체 해지 후
    가능)"."""
    for each in sources.clauses:
        words = content_words(each.text) if UNLESS.search(each.text) else ()
        shared = sum(any(form in text for form in word_forms(word.stem)) for word in words)
        if words and shared / len(words) >= ALIGNED:
            return True
    return False


_DENIED = re.compile(r"[가-힣]{0,3}(?:\s수(?:는|가|도)?\s없|지\s않|\s?불가)")


def _is_denied_action(does: str, sources: Sources) -> bool:
    """Whether the passages deny an action wherever they name it: "취소할 수 없으므로"."""
    naming = [each.text for each in sources.clauses if does in each.text and " > " not in each.text]
    return (
        bool(naming)
        and all(_DENIED.match(part, part.find(does) + len(does)) for part in naming)
        and not _is_affirmed(synonyms(does), sources)
    )


def _is_affirmed(forms: Sequence[str], sources: Sources) -> bool:
    """Whether a positive clause of the passages contains one of the words: "바꾸실 수 있으며" for 변경."""
    return any(
        any(form in each.text for form in forms) and ALLOWS.search(each.text) and not each.denies
        for each in sources.clauses
    )
