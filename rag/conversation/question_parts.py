"""Two questions in one message: where to divide it, and one verdict of the parts' verdicts.

A message is divided between sentences that both ask, and between two things asked for together ("이체한도 올리는 방법이랑
OTP 발급 수수료 알려주세요"). Whether the parts are worth showing apart is decided by what is found for each (`worth_dividing`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from typing import NamedTuple

from rag.constraints import compare, default_contrasts
from rag.constraints.contrasts import members_of
from rag.korean import compact
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict
from rag.retrieval.hybrid import question_of, row_id
from rag.retrieval.ranking_features import same_question
from rag.types import Section, Status

MAX_PARTS = 3
MIN_PART = 4
"""Characters without spaces of a part, at least: less is no question."""
MIN_SUBJECT = 3
"""The same of the first of two things asked for together: "연회비랑 결제일 알려줘"."""
SUGGESTED_PER_PART = 2

_ASKS = re.compile(
    r"(\?|나요|까요|는지|은지|한지|을지|ㄹ지|하죠\?|인가요|가요|려면|싶어요|싶습니다|싶은데요?|알려\s*\S+|궁금\S*|방법|얼마|언제|어디|어떻게"
    r"|어떻게 ?하고|얼마이?고|언제고|어케\s?\S{1,3}|(있|없|되|돼|가능)(음|나|냐)|됨|가능)[\s.!~?ㅠㅜ]*$"
)
_SENTENCE = re.compile(
    r"(?<=[?？])\s*|(?<=[.!])\s+|(?<=[요죠다])\s*[,/]\s*|\s+/\s+|\s+(?=그리고\s)"
    r"|(?<=어떻게 하고)\s+|(?<=어떻게하고)\s+|(?<=얼마고)\s+|(?<=얼마이고)\s+|(?<=언제고)\s+"
)
_HEAD = (
    r"(?:방법|법|수수료|한도|금리|이율|우대율|이자|시간|서류|조건|절차|비용|요금|기간|번호|환율|자격|위치|방식|기준|대상|종류|준비물|세금|신청|해지|해제|등록|"
    r"변경|발급|재발급|조회|취소|신고|분실|환불|연장|갱신|교체|증액|전환|가입|개설|중도\s?해지|만기|혜택|유효기간|환불일|납입일|결제일|입금일|연회비|실적|금액|보험료|보험금)"
)
_JOINED = re.compile(
    rf"^(?P<left>.*{_HEAD})\s*(?:이랑|랑|하고|과|와|,|및|그리고|(?<=\s)vs\.?)\s+(?P<right>.*{_HEAD})(?P<rest>[\s은는이가을를도좀]*\S*.*)$"
)
_COMPARISON = re.compile(
    r"(?<![가-힣])(중에서|중에|중|둘\s*다|둘|서로|각각|비교해?\s*\S*|차이\S*|어디가|어디|어느\s*(쪽|곳|은행)\S?|뭐가|더|제일|가장|(싼|비싼|높은|낮은|빠른|좋은)\s*(곳|데|쪽|은행)\S?|빨라\S*|빠르\S*|싸\S{0,3}|비싸\S*|높\S{0,3}|낮\S{0,3}|"
    r"다른가요|다르나요|달라요|같나요|같아요|알려\s*\S+|[?!.])(?![가-힣])"
)
_HEADS_ALONE = re.compile(rf"^\s*(?:(?:{_HEAD}|후|전|시|때|당일|별|최대|최소)(?:의|이|은|는|을|를)?\s*)+$")
_HEAD_AT_END = re.compile(rf"(?:^|\s+){_HEAD}(?:의|을|를)?\s*$")
_HEAD_WITHIN_END = re.compile(rf"\s*\S*{_HEAD}\s*$")
_OF = re.compile(rf"^(?P<subject>.*[가-힣A-Za-z]의)\s+(?:\S+\s+)?\S*{_HEAD}$")
_BOTH = re.compile(r"(?<![가-힣])(둘\s*다|두\s*가지\s*다?|모두|전부|각각|다)(?=\s|$)\s*")


def without_comparison(text: str) -> str:
    """What institutions are compared by: "이체수수료" of "중에 이체수수료 어디가 더 싸요?"; else the text itself."""
    rest = " ".join(_COMPARISON.sub(" ", text).split())
    return rest if len(compact(rest)) >= 2 else text


class Part(NamedTuple):
    """One question of a message: `title` in the customer's own words, `text` as it is searched for.

    `joined`: it was one of two things asked for in one sentence.
    """

    title: str
    text: str
    joined: bool = False


def split_questions(message: str) -> tuple[Part, ...]:
    """The questions of a message, at most MAX_PARTS; the message itself where it asks one thing."""
    sentences = [part.strip() for part in _SENTENCE.split(message) if part.strip()]
    asking = [part for part in sentences if _ASKS.search(part) and len(compact(part)) >= MIN_PART]
    # A sentence that asks nothing gives the context of the question and stays with it.
    if 2 <= len(asking) <= MAX_PARTS and len(asking) == len(sentences):
        return tuple(Part(part, part) for part in asking)
    return (_joined_subjects(message) if len(sentences) == 1 else ()) or (Part(message, message),)


def _joined_subjects(message: str) -> tuple[Part, ...]:
    match = _JOINED.match(message.strip())
    if not match:
        return ()
    left, right, rest = match["left"].strip(), match["right"].strip(), match["rest"].rstrip()
    # A comparison asks for both at once, in one answer.
    if len(compact(left)) < MIN_SUBJECT or re.search(r"(차이|다른|비교|중에|관계|어느|더\s)", right + rest):
        return ()
    asked, about = _BOTH.sub("", rest), right
    # "체크카드 재발급이랑 한도": the second part has lost its subject to the first.
    if subject := _genitive(left, right) or (_subject(left) if _HEADS_ALONE.match(right) else ""):
        about = f"{subject} {right}"
    return Part(left, f"{left}{asked}", joined=True), Part(f"{right}{rest}", f"{about}{asked}", joined=True)


def _genitive(left: str, right: str) -> str:
    """ "학자금대출의" of "학자금대출의 신청 자격과 대출한도": what both are of, unless the second names a thing of its own."""
    match = _OF.match(left)
    return match["subject"] if match and "의 " not in right and not _names_thing(right) else ""


def _names_thing(text: str) -> bool:
    sets = default_contrasts().sets
    return any(sets[name].kind in ("product", "means") for name, _ in members_of(text))


def _subject(left: str) -> str:
    """What the heads at the end are of: "체크카드" of "체크카드 재발급", nothing of "한도 변경"."""
    if not _HEAD_AT_END.search(left):
        return _HEAD_WITHIN_END.sub("", left).strip()
    while (rest := _HEAD_AT_END.sub("", left)) != left:
        left = rest
    return left.strip()


def worth_dividing(whole: Verdict, parts: Sequence[Verdict], *, joined: bool = False) -> bool:
    """Whether the parts' rows answer more than the whole's: their first rows differ, and one part is answered.

    `joined`: they are two things asked for in one sentence.
    """
    firsts = [row_id(part.ranked[0]) for part in parts if part.ranked and part.status != "declined"]
    answered = [part for part in parts if part.status == "answered"]
    if not answered or len(set(firsts)) < len(firsts):
        return False
    # The whole is answered by another row than the first part: both sentences are needed. Of two things asked for in one
    # sentence, a row on one of them leaves the other out.
    if whole.status == "answered" and row_id(whole.nodes[0]) not in (firsts if joined else firsts[:1]):
        return False
    # One answered row that the whole answers too, beside a part that nothing covers, may be a sentence of context.
    return len(firsts) > 1 or all(part.status == "answered" or part.reason == "not_covered" for part in parts)


def combine(titles: Sequence[str], parts: Sequence[Verdict], query: str) -> Verdict:
    """One verdict of several: answered where one part is; what is answered comes first, then the other parts' suggestions."""
    ranked: dict[str, JudgedNode] = {}
    # What is found for a part that is declined comes last: it is offered for none.
    for found in ([part for part in parts if part.status != "declined"], parts):
        for hit in chain.from_iterable(zip_longest(*(part.ranked for part in found))):
            if hit:
                ranked.setdefault(row_id(hit), hit)
    best = max(parts, key=lambda part: part.confidence)
    lexical_only = any(part.lexical_only for part in parts)
    if not any(part.status == "answered" for part in parts):
        status: Status = "suggested" if any(part.status == "suggested" for part in parts) else "declined"
        rows = tuple(_as("suggested", hit) for hit in ranked.values())
        nodes = rows[:SUGGESTIONS] if status == "suggested" else ()
        return replace(best, status=status, nodes=nodes, ranked=rows, query=query, lexical_only=lexical_only)
    sections, nodes_by_id = [], dict[str, JudgedNode]()
    for title, part in zip(titles, parts, strict=True):
        shown = [hit for hit in part.nodes if hit.quoted]
        if part.status != "answered":
            shown = [_as("answered", hit) for hit in part.nodes[:SUGGESTED_PER_PART]]
        sections.append(Section(title, part.status, tuple(map(row_id, shown))))
        for hit in shown:
            if hit.quoted or row_id(hit) not in nodes_by_id:
                nodes_by_id[row_id(hit)] = hit
    # Quoted rows first: citations count from 1 in the order of the nodes.
    ordered = sorted(nodes_by_id.values(), key=lambda hit: not hit.quoted)
    return replace(
        best, status="answered", reason=None, nodes=tuple(ordered), ranked=tuple(ranked.values()), query=query,
        lexical_only=lexical_only, sections=tuple(sections),
    )  # fmt: skip


def combine_banks(banks: Sequence[str], parts: Sequence[Verdict], query: str) -> Verdict:
    """Each institution's row side by side, titled by its name; their rows as suggestions where no one answers.

    Where one answers, the same question of another institution counts as its answer too.
    """
    answered = [hit for part in parts if part.status == "answered" for hit in part.nodes if hit.quoted]
    return combine(banks, [_with_same_question(part, answered) for part in parts], query)


def _with_same_question(part: Verdict, answered: Sequence[JudgedNode]) -> Verdict:
    if part.status == "answered" or not part.ranked:
        return part
    asks_same = [hit for hit in part.ranked[:SUGGESTIONS] if any(same_question(hit, other) for other in answered)]
    # A row on another product or number is no counterpart, however alike the two questions are put.
    agreements = (compare(part.query, question_of(hit), hit.node.get_content()) for hit in asks_same)
    same = next((hit for hit, each in zip(asks_same, agreements, strict=True) if each.status != "conflict"), None)
    if same is None:
        return part
    hit = JudgedNode(node=same.node, parts=same.parts, score=same.score, status="answered", quoted=True)
    return replace(part, status="answered", reason=None, nodes=(hit,))


def _as(status: Status, hit: JudgedNode) -> JudgedNode:
    return JudgedNode(node=hit.node, parts=hit.parts, score=hit.score, status=status)
