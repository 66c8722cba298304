"""Ranks the questions of one message and combines their verdicts into one, which is answered if one part is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain, zip_longest

from rag.constraints import compare
from rag.conversation.follow_up_rules import replace_topic, topic_words
from rag.conversation.joined_things import Part
from rag.conversation.row_search import is_same_question
from rag.conversation.shown_rows import bank_names
from rag.conversation.suggestions import OFFERED
from rag.conversation.word_rules import content_words, says
from rag.korean import compact
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict
from rag.retrieval.differences import what_differs
from rag.retrieval.query_analysis import expand
from rag.retrieval.ranking import leaves_open, same_question, score_of
from rag.retrieval.rows import bank_of, in_question, is_passage, phrasings_of, question_of, row_id
from rag.types import Section, Status, Turn

SUGGESTED_PER_PART = 2
OTHER_CASE = 0.5
"""Probability, 0..1, that the row for another case answers. It has less if the question names the case, even in other words."""
MOST_CASES = 6
"""Rows quoted for cases that are left open: two of each of three institutions."""
_COMPARISON = re.compile(
    r"(?<![가-힣])(중에서|중에|중|둘\s*다|둘|서로|각각|비교해?\s*\S*|차이\S*|어디가|어디|어느\s*(쪽|곳|은행)\S?"
    r"|뭐가|더|제일|가장|(싼|비싼|높은|낮은|빠른|좋은)\s*(곳|데|쪽|은행)\S?|빨라\S*|빠르\S*|싸\S{0,3}|비싸\S*"
    r"|높\S{0,3}|낮\S{0,3}|"
    r"다른가요|다르나요|달라요|같나요|같아요|알려\s*\S+|[?!.])(?![가-힣])"
)
Rank = Callable[[str, Sequence[Turn]], Verdict]
"""Returns the verdict of a text after earlier turns."""


def rank_parts(asked: Sequence[Part], rank: Rank, is_about_banking: Callable[[str], bool]) -> list[Verdict]:
    """The verdict of each part. A declined part is off topic only if it neither `is_about_banking` nor continues a question."""
    parts, before = list[Verdict](), list[Turn]()
    for part in asked:
        verdict = _likeliest(part, rank)
        if before and verdict.status != "answered":
            shown = {row_id(each.ranked[0]) for each in parts if each.ranked}
            followed = _followed(part, before, rank)
            is_asked = part.joined or is_about_banking(part.readings[0]) or says(part.readings[0], "asks on")
            # In "한도 올리는 거랑 내리는 거" the second part must not be answered by the row of the first.
            is_new = bool(followed.ranked) and row_id(followed.ranked[0]) not in shown
            if followed.status == "answered" and (is_new or not part.joined):
                verdict = followed
            elif is_asked and verdict.status == "declined":
                verdict = replace(verdict, reason="not_covered")
        parts.append(verdict)
        before.append(Turn(part.readings[0]))
    return parts


def _likeliest(part: Part, rank: Rank) -> Verdict:
    """The verdict of the first reading that is answered, else the most confident one."""
    verdicts: list[Verdict] = []
    for text in part.readings:
        verdicts.append(rank(text, ()))
        if verdicts[-1].status == "answered":
            return verdicts[-1]
    return max(verdicts, key=lambda verdict: (verdict.status != "declined", verdict.confidence))


def _followed(part: Part, before: Sequence[Turn], rank: Rank) -> Verdict:
    """The verdict of a part that continues those before it: "해외송금 수수료 얼마예요? 한도는요?"."""
    text = part.readings[0]
    joined = rank(text, before)
    if joined.status == "answered" or part.joined or says(text, "product word"):
        return joined
    # In "창구에서 하면 수수료? 앱으로 하면?" the second part replaces a word of the first.
    replaced = replace_topic(before[-1].question, text)
    if replaced != before[-1].question and (swapped := rank(replaced, ())).status == "answered":
        return swapped
    # In "오토론 얼마까지 되고 뭐 준비해야 해요" only the topic is shared.
    subject = " ".join(topic_words(before[0].question))
    return rank(f"{subject} {text}".strip(), ())


def worth_dividing(whole: Verdict, parts: Sequence[Verdict], asked: Sequence[Part]) -> bool:
    """Whether the rows of the parts answer more than those of the whole message.

    They do if their first rows differ and one part is answered. Things that are asked for in one sentence are rarely in one
    row: if neither the parts nor the whole are answered, rows of each part are suggested.
    """
    offered = [part.status != "declined" for part in parts]
    if asked[0].joined and (
        (whole.status == "suggested" and all(offered)) or (whole.status == "declined" and any(offered))
    ):
        return True
    covered = [part for part in parts if part.ranked and part.status != "declined"]
    firsts = [row_id(part.ranked[0]) for part in covered]
    if not any(part.status == "answered" for part in parts):
        return False
    if len(set(firsts)) < len(firsts):
        # In "펀드 사는 거랑 파는 거 기준가" the row of one part conflicts with the other.
        return asked[0].joined and any(part.status != "answered" and part.conflicts for part in covered)
    if whole.status == "answered":
        # One row may be about both things: "아이디랑 비밀번호를 잊었어요".
        if asked[0].joined and _names_all(whole.nodes[0], asked):
            return False
        # A row that neither part finds needs both of them, unless each thing has its own answer.
        each_answered = asked[0].joined and all(part.status == "answered" for part in parts)
        if row_id(whole.nodes[0]) not in firsts and not each_answered:
            return False
        # A first sentence that is declined may be context of the other.
        if not asked[0].joined and parts[0].status == "declined":
            return False
    # With one row only, a part that is off topic may be a sentence of context.
    return len(firsts) > 1 or all(part.status == "answered" or part.reason == "not_covered" for part in parts)


def _names_all(hit: JudgedNode, asked: Sequence[Part]) -> bool:
    """Whether a row's question or institution contains all words of all parts."""
    text = compact(f"{bank_of(hit)} {phrasings_of(hit)}")
    # Longer words first, each counted once: "재발급" does not contain 발급 as well.
    for word in sorted((word for part in asked for word in part.words), key=len, reverse=True):
        names = (compact(word), *map(compact, bank_names(word)))
        name = next((name for name in names if name in text), "")
        if not name:
            return False
        text = text.replace(name, " ")
    return True


def combine(titles: Sequence[str], parts: Sequence[Verdict], query: str) -> Verdict:
    """One verdict of several, answered if one part is: first the answered rows, then the suggestions of the other parts."""
    ranked: dict[str, JudgedNode] = {}
    # Rows of declined parts come last, because they are not suggested.
    for some in ([part for part in parts if part.status != "declined"], parts):
        for hit in chain.from_iterable(zip_longest(*(part.ranked for part in some))):
            if hit:
                ranked.setdefault(row_id(hit), hit)
    best = max(parts, key=lambda part: part.confidence)
    lexical_only = any(part.lexical_only for part in parts)
    if not any(part.status == "answered" for part in parts):
        status: Status = "suggested" if any(part.status == "suggested" for part in parts) else "declined"
        rows = tuple(hit.judged("suggested") for hit in ranked.values())
        nodes = rows[:SUGGESTIONS] if status == "suggested" else ()
        # The rows of one part may have what those of another lack.
        note = what_differs([conflict for part in parts for conflict in part.conflicts], nodes) if nodes else None
        note = note if note and note.kind == "not_held" else None
        return replace(best, status=status, nodes=nodes, ranked=rows, query=query, lexical_only=lexical_only, note=note)
    sections, nodes_by_id = [], dict[str, JudgedNode]()
    quoted = {row_id(hit) for part in parts for hit in part.nodes if hit.quoted}
    for title, part in zip(titles, parts, strict=True):
        shown = [hit for hit in part.nodes if hit.quoted]
        if part.status != "answered":
            # Without rows that answer another part, and without unlikely ones.
            others = [hit for hit in part.nodes if hit is part.nodes[0] or score_of(hit) >= OFFERED]
            shown = [hit.judged("answered") for hit in others if row_id(hit) not in quoted][:SUGGESTED_PER_PART]
        sections.append(Section(title, part.status, tuple(map(row_id, shown))))
        for hit in shown:
            if hit.quoted or row_id(hit) not in nodes_by_id:
                nodes_by_id[row_id(hit)] = hit
    # Quoted rows first, because citations count from 1 in the order of the nodes.
    ordered = sorted(nodes_by_id.values(), key=lambda hit: not hit.quoted)
    return replace(
        best, status="answered", reason=None, nodes=tuple(ordered), ranked=tuple(ranked.values()), query=query,
        lexical_only=lexical_only, sections=tuple(sections),
    )  # fmt: skip


def with_other_case(verdict: Verdict, question: str) -> Verdict:
    """The verdict with the row for another case, if the question does not say which case it means; each has its own section.

    The same for the row of each institution. The other row must have a probability of OTHER_CASE, unless both rows' questions
    hold all words of the question: then nothing in it tells them apart. Not if the question is that of the answered row word
    for word.
    """
    shown = [hit for hit in verdict.nodes if hit.quoted]
    if verdict.status != "answered" or verdict.sections or verdict.note or len(shown) > MOST_CASES // 2:
        return verdict
    if any(is_passage(hit) or is_same_question(question, hit) for hit in shown):
        return verdict
    asked = f"{question} {verdict.query}"
    words = [expand(word).split() for word in dict.fromkeys(content_words(asked))]
    cases: list[JudgedNode] = []
    for first in shown:
        cases += [first, *_other_cases(first, verdict, asked, words)[:1]]
    if len(cases) == len(shown):
        return verdict
    cases = [hit.judged("answered", quoted=True) for hit in cases]
    others = tuple(hit for hit in verdict.nodes if row_id(hit) not in map(row_id, cases))
    titles = dict.fromkeys(map(question_of, cases))
    sections = tuple(
        Section(title, "answered", tuple(row_id(hit) for hit in cases if question_of(hit) == title)) for title in titles
    )
    return replace(verdict, nodes=(*cases, *others), sections=sections)


def _other_cases(first: JudgedNode, verdict: Verdict, asked: str, words: Sequence[Sequence[str]]) -> list[JudgedNode]:
    return [
        hit
        for hit in verdict.ranked
        if not is_passage(hit)
        and leaves_open(asked, first, hit)
        and (score_of(hit) >= OTHER_CASE or all(in_question(row, own) for row in (first, hit) for own in words))
    ]


def combine_banks(banks: Sequence[str], parts: Sequence[Verdict], query: str) -> Verdict:
    """The row of each institution in a section with its name, or suggestions if none is answered.

    If one is answered, rows of the others with the same question count as their answers.
    """
    answered = [hit for part in parts if part.status == "answered" for hit in part.nodes if hit.quoted]
    return combine(banks, [_with_same_question(part, answered) for part in parts], query)


def _with_same_question(part: Verdict, answered: Sequence[JudgedNode]) -> Verdict:
    if part.status == "answered" or not part.ranked:
        return part
    asks_same = [hit for hit in part.ranked[:SUGGESTIONS] if any(same_question(hit, other) for other in answered)]
    # Not rows on another product or number, however similar the questions are.
    agreements = (compare(part.query, question_of(hit), hit.node.get_content()) for hit in asks_same)
    same = next((hit for hit, each in zip(asks_same, agreements, strict=True) if each.status != "conflict"), None)
    if same is None:
        return part
    hit = same.judged("answered", quoted=True)
    return replace(part, status="answered", reason=None, nodes=(hit,))


def without_comparison(text: str) -> str:
    """The text without words of comparison: "이체수수료" for "중에 이체수수료 어디가 더 싸요?"; itself if too little is left."""
    rest = " ".join(_COMPARISON.sub(" ", text).split())
    return rest if len(compact(rest)) >= 2 else text
