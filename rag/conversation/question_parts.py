"""Two questions in one message: where to divide it, and one verdict of the parts' verdicts.

A message is divided between sentences and clauses that all ask, and between things asked for together in one sentence
(`rag.conversation.joined_subjects`). Whether the parts are worth showing apart is decided by what is found for each
(`worth_dividing`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from typing import NamedTuple

from rag.constraints import compare
from rag.conversation.joined_subjects import joined_subjects
from rag.conversation.row_match import LONG_NAME
from rag.korean import compact
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict, what_differs
from rag.retrieval.hybrid import matched_question, question_of, row_id
from rag.retrieval.query_analysis import BANK, expand
from rag.retrieval.ranking_features import same_question, score_of
from rag.types import Section, Status

MAX_PARTS = 3
MIN_PART = 4
"""Characters without spaces of a part, at least: less is no question."""
SUGGESTED_PER_PART = 2
OFFERED = 0.03
"""Chance in 0..1 from which on a row behind the first is offered under a part."""

_ASKS = re.compile(
    r"(\?|나요|까요|는지|은지|한지|을지|ㄹ지|하죠\?|인가요|가요|려면|싶어요|싶습니다|싶은데요?|알려\s*\S+|궁금\S*|방법|얼마|언제|어디|어떻게"
    r"|얼마이?고|언제고|(있|없|되|돼|가능)(음|나|냐)|됨|가능)[\s.!~?ㅠㅜ]*$"
)
_QUESTION_WORD = re.compile(
    r"(?<![가-힣])(?:얼마(?!\s?(?:전|안))|언제(?!부턴)|어디|어떻게|어떡|어케|어찌|뭐|뭘|무엇|무슨|누가|누구|며칠|몇)"
)
_HAPPENED = re.compile(r"[었았했였갔왔났됐렸쳤졌샀썼냈웠켰봤](?:어요|습니다|음|다|는데요?|거든요?)[\s.!~ㅠㅜ]*$")
"""What happened, not what is asked: "누가 제 카드를 썼어요"."""
_SENTENCE = re.compile(r"(?<=[?？])\s*|(?<=[.!])\s+|(?<=[요죠다])\s*[,/]\s*|\s+/\s*|\n+|\s+(?=그리고\s)")
_GOES_ON = re.compile(r"(?<=고)(?<!신고)(?<!잔고)\s+(?!싶|있|나서|나면|난\s|계)")
_COMPARISON = re.compile(
    r"(?<![가-힣])(중에서|중에|중|둘\s*다|둘|서로|각각|비교해?\s*\S*|차이\S*|어디가|어디|어느\s*(쪽|곳|은행)\S?|뭐가|더|제일|가장|(싼|비싼|높은|낮은|빠른|좋은)\s*(곳|데|쪽|은행)\S?|빨라\S*|빠르\S*|싸\S{0,3}|비싸\S*|높\S{0,3}|낮\S{0,3}|"
    r"다른가요|다르나요|달라요|같나요|같아요|알려\s*\S+|[?!.])(?![가-힣])"
)


def without_comparison(text: str) -> str:
    """What institutions are compared by: "이체수수료" of "중에 이체수수료 어디가 더 싸요?"; else the text itself."""
    rest = " ".join(_COMPARISON.sub(" ", text).split())
    return rest if len(compact(rest)) >= 2 else text


class Part(NamedTuple):
    """One question of a message: `title` in the customer's own words, `readings` as it may be searched for.

    `joined`: it was one of several things asked for in one sentence; `words`: those that it names and the others do not.
    """

    title: str
    readings: tuple[str, ...]
    joined: bool = False
    words: tuple[str, ...] = ()


def split_questions(message: str) -> tuple[Part, ...]:
    """The questions of a message, at most MAX_PARTS; the message itself where it asks one thing."""
    sentences = [part for each in _SENTENCE.split(message) if (part := each.strip(" \n/,"))]
    if len(sentences) == 1:
        sentences = _clauses(sentences[0])
    asking = [part for part in sentences if _is_asking(part) and len(compact(part)) >= MIN_PART]
    # A sentence that asks nothing gives the context of the question and stays with it.
    if 2 <= len(asking) <= MAX_PARTS and len(asking) == len(sentences):
        return tuple(Part(part, (part,)) for part in asking)
    joined = joined_subjects(message) if len(asking) < 2 else ()
    return tuple(Part(title, readings, True, words) for title, readings, words in joined) or (
        Part(message, (message,)),
    )


def _clauses(sentence: str) -> list[str]:
    """A sentence divided where a clause that asks goes on to another: "기준가 언제 적용되고 환매대금은 언제 나와요"."""
    for match in _GOES_ON.finditer(sentence):
        clause, following = sentence[: match.start()], sentence[match.end() :]
        if _QUESTION_WORD.search(clause) and _is_asking(following):
            return [clause, *_clauses(following)]
    return [sentence]


def _is_asking(sentence: str) -> bool:
    return bool(_ASKS.search(sentence) or (_QUESTION_WORD.search(sentence) and not _HAPPENED.search(sentence)))


def worth_dividing(whole: Verdict, parts: Sequence[Verdict], asked: Sequence[Part]) -> bool:
    """Whether the rows of the parts `asked` for answer more than the whole's.

    They do where their first rows differ, and one of them is answered. Things asked for in one sentence are
    rarely in one row: where neither they nor the whole are answered, of each some rows are offered.
    """
    offered = [part.status != "declined" for part in parts]
    if asked[0].joined and (
        (whole.status == "suggested" and all(offered)) or (whole.status == "declined" and any(offered))
    ):
        return True
    found = [part for part in parts if part.ranked and part.status != "declined"]
    firsts = [row_id(part.ranked[0]) for part in found]
    if not any(part.status == "answered" for part in parts) or len(set(firsts)) < len(firsts):
        return False
    if whole.status == "answered":
        # One row is about both things: "아이디랑 비밀번호를 잊었어요".
        if asked[0].joined and _names_all(whole.nodes[0], asked):
            return False
        # It takes both to find the row, unless each thing has one of its own.
        each_answered = asked[0].joined and all(part.status == "answered" for part in parts)
        if row_id(whole.nodes[0]) not in firsts and not each_answered:
            return False
        # Nothing is found for the first sentence: it may be told for the sake of the other.
        if not asked[0].joined and parts[0].status == "declined":
            return False
    # One answered row that the whole answers too, beside a part that nothing covers, may be a sentence of context.
    return len(firsts) > 1 or all(part.status == "answered" or part.reason == "not_covered" for part in parts)


def _names_all(hit: JudgedNode, asked: Sequence[Part]) -> bool:
    """Whether a row's question, or its institution, names all words of all parts."""
    text = compact(f"{hit.node.metadata.get(BANK) or ''} {question_of(hit)} {matched_question(hit)}")
    # The longer first, each once: "재발급" does not name 발급 as well.
    for word in sorted((word for part in asked for word in part.words), key=len, reverse=True):
        name = _held_name(text, word)
        if not name:
            return False
        text = text.replace(name, " ")
    return True


def _held_name(text: str, word: str) -> str:
    """The word, or the bank's own word for it, as it occurs in a text without spaces; empty if neither does."""
    names = (compact(word), *(compact(name) for name in expand(word).split() if len(name) >= LONG_NAME))
    return next((name for name in names if name in text), "")


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
        # What the rows of one part lack, those of another may hold, and which row is nearest differs from part to part.
        note = what_differs([conflict for part in parts for conflict in part.conflicts], nodes) if nodes else None
        note = note if note and note.kind == "not_held" else None
        return replace(best, status=status, nodes=nodes, ranked=rows, query=query, lexical_only=lexical_only, note=note)
    sections, nodes_by_id = [], dict[str, JudgedNode]()
    given = {row_id(hit) for part in parts for hit in part.nodes if hit.quoted}
    for title, part in zip(titles, parts, strict=True):
        shown = [hit for hit in part.nodes if hit.quoted]
        if part.status != "answered":
            # A row that answers another part is no suggestion here, and what is far behind it hardly is.
            others = [hit for hit in part.nodes if hit is part.nodes[0] or score_of(hit) >= OFFERED]
            shown = [_as("answered", hit) for hit in others if row_id(hit) not in given][:SUGGESTED_PER_PART]
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
