"""Does a sentence put another thing where its sources have one: where, by whom, on what, in which order, from what to what?

A sentence that is put together from the passages' own words passes every check that only asks whether a word is held.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rag.synthesis.content_words import content_words
from rag.synthesis.passage_clauses import Clause, Finding, Sources, split_clauses
from rag.synthesis.polarity_check import is_negative
from rag.synthesis.same_meaning import other_words, word_forms

_SLOT = re.compile(
    r"(?<![가-힣A-Za-z])(앱|[가-힣A-Za-z]{2,12}?)(에서|에게|에|으로|로)(?:는|도|만)?\s(?:[가-힣A-Za-z\d]+(?<![며고면])\s){0,2}?([가-힣]{2})[가-힣]*"
)
_PLACED = {
    "에": frozenset(("보관", "저장", "입력", "등록", "표시", "기재", "입금")),
    "로": frozenset(("배송", "발송", "입금", "전송", "송금", "이체", "지급", "반환")),
}
"""What is done to one place: another one makes the sentence false."""
_AGENT = re.compile(r"(?<![가-힣A-Za-z])([가-힣]{2,12}?)(?:이|가|의|께서)\s(?:[가-힣]+\s)?(요청|동의|승인|허용|부담)")
_OURSELVES = re.compile(r"고객|본인|회원|손님|가입자|계약자|분$|사람$|은행|회사|당사|당행|기관|그분|상대")


def check_places_of_acts(text: str, sources: Sources) -> Finding | None:
    """Where a thing is kept, sent or entered: "휴대폰에 보관" beside "클라우드에 보관" alone."""
    for clause in split_clauses(text):
        for match in _SLOT.finditer(clause):
            name, does = match[1], match[3]
            if does not in _PLACED.get(match[2][-1], ()) or is_negative(clause):
                continue
            shared = {each: _shared(clause, each, {name, does}) for each in sources.clauses if does in each.text}
            # The clauses that are about the most of what this one is about.
            about = [each for each, count in shared.items() if count and count == max(shared.values())]
            slots = [slot for each in about for slot in _slots(each.text) if slot[1] == does]
            if (
                slots
                and not any(_is_same(name, held) for held, _ in slots)
                and not any(names(name, each) for each in about)
            ):
                return Finding("withheld", "entity", f"{name} {does}")
    return None


def check_agents(text: str, sources: Sources) -> Finding | None:
    """Who asks, allows or pays: "고객이 요청하면" beside "경찰의 요청이 있을 때" alone."""
    for match in _AGENT.finditer(text):
        is_held = re.search(rf"{match[1]}[이가의]?\s(?:[가-힣]+\s)?{match[2]}", sources.text)
        if match[1] == "그분" or is_held:
            continue
        held = [other[1] for other in _AGENT.finditer(sources.text) if other[2] == match[2]]
        is_absent = match[1] not in sources.text.replace(match[2], "") and not _OURSELVES.search(match[1])
        if held and (is_absent or not any(_is_same(match[1], name) or _OURSELVES.search(name) for name in held)):
            return Finding("withheld", "entity", match[0])
    return None


_MOVES = r"옮기|옮겨|옮길|복사|이전|전송|보내|이체|내보내|전환"
_FROM_TO = re.compile(
    r"(?<![가-힣A-Za-z])([가-힣A-Za-z]{2,12})(?:의|에서|에 (?:있는|저장된|보관된))\s(?:[^\s.]+\s){0,3}?"
    rf"([가-힣A-Za-z]{{2,12}}?)(?:으로|로)\s(?:{_MOVES})"
)


def check_from_to(text: str, sources: Sources) -> Finding | None:
    """From what to what: "PC의 인증서를 휴대폰으로 복사" beside "휴대폰에 저장된 인증서를 PC로 복사"."""
    for match in _FROM_TO.finditer(text):
        held = [other.groups() for other in _FROM_TO.finditer(sources.text)]
        if (match[2], match[1]) in held and match.groups() not in held:
            return Finding("withheld", "polarity", match[0])
    return None


_BEFORE = re.compile(r"([가-힣]{2,12}?)보다\s(?:더\s)?(?:먼저|우선)|([가-힣]{2,12}?)(?:부터|이|가|을|를)\s먼저")
_ORDER = re.compile(r"((?:[가-힣]+(?:\([^)]*\))?(?:,\s|→\s?|\s?>\s?|·))+[가-힣]+)\s?(?:의\s)?(?:순|차례)")


def check_order(text: str, sources: Sources) -> Finding | None:
    """What comes first: "원금부터 먼저" beside "이자, 원금 순", "예수금이 달러보다 먼저" beside "달러가 먼저"."""
    for match in _BEFORE.finditer(text):
        if match[1] and re.search(rf"{match[1]}[이가을를은는부터]{{1,2}}\s(?:[가-힣]+\s)?(?:먼저|우선)", sources.text):
            return Finding("withheld", "quantity", match[0])
        if not match[2]:
            continue
        for listed in _ORDER.finditer(sources.text):
            names = re.split(r",\s|→\s?|\s?>\s?|·", listed[1])
            later = [name for name in names[1:] if name.endswith(match[2])]
            if later and not names[0].endswith(match[2]):
                return Finding("withheld", "quantity", match[0])
    return None


_SUBJECT = re.compile(r"^((?:[가-힣A-Za-z]+\s){0,2}?[가-힣A-Za-z]{2,})(?:은|는|이|가|도)\s(.+)")


def check_predicates(text: str, sources: Sources) -> Finding | None:
    """What the passages say of another thing alone, while they say something else of this one."""
    for clause in split_clauses(text):
        if not (match := _SUBJECT.match(clause.strip())) or is_negative(clause):
            continue
        acts = [word.stem for word in content_words(match[2])]
        names = [word.stem for word in content_words(match[1]) if word.is_noun]
        if not acts or not names:
            continue
        act = acts[-1]
        forms = word_forms(act)
        saying = [each for each in sources.clauses if any(form in each.text for form in forms)]
        if not saying or any(is_negative(each.text) for each in saying):
            continue
        topics = [(each, topic) for each in sources.clauses if (topic := _topic(each.text))]
        own = [each for each, topic in topics if all(name in topic for name in names)]
        others = [each for each, topic in topics if each in saying and not any(name in topic for name in names[:1])]
        if own and len(others) == len(saying) and not any(each in saying for each in own):
            kind = names[-1][-2:]
            shared = [
                each
                for each in others
                if any(name in _topic(each.text) for name in names) or _topic(each.text).endswith(kind)
            ]
            if shared:
                return Finding("withheld", "polarity", clause.strip())
    return None


_ONLY_ALL = re.compile(r"([가-힣]{2,})만\s(?!가능)")


def check_only_one_of(text: str, sources: Sources) -> Finding | None:
    """ "전액만", where the passages name it beside another: "일부 또는 전액"."""
    for match in _ONLY_ALL.finditer(text):
        name = re.escape(match[1])
        if (
            name in ("일부", "하나")
            or name not in sources.text
            or re.search(rf"{name}(?:에서|으로|로)?만", sources.text)
        ):
            continue
        among = rf"{name}(?:,|과|와|\s및)\s|(?:,|과|와|및)\s\S*{name}[을를,]"
        if re.match(r"\S+면\s", text[match.end() :]) and re.search(among, sources.text):
            return Finding("withheld", "condition", match[0].strip())
        if re.search(
            rf"(?:또는|혹은|[가-힣](?:이나|나|과|와))\s{name}|{name}(?:\s(?:또는|혹은)|(?:이나|나|과|와)\s)",
            sources.text,
        ):
            return Finding("withheld", "condition", match[0].strip())
    return None


_REST = re.compile(r"(?:그 외|그 밖|나머지|이외)[^.\n]{0,40}?([가-힣]{2,})\s?(?:주문|신청|이용|거래|납부|결제)?만\s")


def check_rest(text: str, sources: Sources) -> Finding | None:
    """What the passages allow in one case and leave out in the rest, said of another: "그 외 시간대에는 지정가 주문만"."""
    if "만 " not in sources.text:
        return None
    for match in _REST.finditer(sources.text):
        before = sources.text[: match.start()]
        sentence = before[max(before.rfind(". "), before.rfind("\n")) + 1 :]
        topic = re.match(r"\s*([가-힣A-Za-z]{2,12}?)(?:에서는|에는|은|는)\s", sentence)
        if not topic or topic[1] in text or is_negative(text):
            continue
        allowed = [
            word.stem for word in content_words(sentence[topic.end() :]) if word.is_noun and word.stem not in match[0]
        ]
        if said := [stem for stem in allowed if len(stem) > 2 and stem in text]:
            return Finding("withheld", "condition", said[0])
    return None


@lru_cache(maxsize=2048)
def _slots(clause: str) -> tuple[tuple[str, str], ...]:
    return tuple((match[1], match[3]) for match in _SLOT.finditer(clause))


@lru_cache(maxsize=2048)
def _topic(clause: str) -> str:
    match = re.match(r"[\s\-•*※]*((?:[^\s]+\s){0,4}?[^\s]+?)(?:은|는)\s", clause)
    return match[1] if match else ""


def _is_same(name: str, held: str) -> bool:
    return name in held or held in name or any(form in held for form in other_words(name))


def names(name: str, clause: Clause) -> bool:
    """Whether a clause of the passages, or its heading, has a word or another word for it."""
    return any(form in clause.text or form in clause.context for form in word_forms(name))


def _shared(clause: str, other: Clause, besides: set[str]) -> int:
    """How many of the things that a clause names, beside some words, a clause of the passages names."""
    return sum(word.is_noun and word.stem not in besides and names(word.stem, other) for word in content_words(clause))
