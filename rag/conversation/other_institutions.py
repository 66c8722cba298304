"""Other institutions: one that a question names and the index does not hold, and those whose rows answer beside the first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache, lru_cache

from rag.constraints.institution_list import KINDS, known_institutions
from rag.constraints.institutions import InstitutionMention, InstitutionNames
from rag.conversation.row_search import RowSearch
from rag.conversation.suggestions import as_suggestions
from rag.korean import compact
from rag.retrieval.confidence import SUGGESTIONS, Verdict
from rag.retrieval.query_analysis import BANK
from rag.retrieval.ranking import same_question, shares_subject
from rag.retrieval.rows import bank_of, is_passage, question_of, row_id
from rag.stores.base import TOKENS, PassageStore
from rag.stores.filters import metadata_filters
from rag.types import Filters, Note, Turn

NEAREST = 5
"""Rows behind those quoted whose institutions may answer as well: of 43 rows added on the development sets none was behind the
fourth."""
LOOKED_AT = 50
"""Rows read for each form of a name, those that hold most of it."""
LEAST_ROWS = 2
LEAST_SHARE = 0.03
"""Share of the index's passages from which on a name in their texts is their own. In the FAQs looked at, an institution's own
name stands mostly in 15 to 90 % of the rows, another's in 2 % at most."""


def about_others(
    verdict: Verdict, names: Sequence[str], store: PassageStore, filters: Filters, *, own: Sequence[str] = ()
) -> Verdict:
    """The verdict on a question about institutions that are none of the index's: suggested at most, with a note.

    `names`: as in `NamedBanks.others`. `own`: the institutions that the settings name. If there are none, and no row found
    names its own, it is what the texts name: the verdict stays as it is where the rows quoted, or enough others, name all of
    `names`.
    """
    rows = [hit for hit in verdict.nodes if hit.quoted] or verdict.ranked[:SUGGESTIONS]
    # A word that ends like an institution's name ("예탁증권") is a thing where a row asks about it.
    asked = compact(" ".join(map(question_of, rows)))
    names = [name for name in names if name in _known() or compact(name) not in asked]
    if not names:
        return verdict
    if own or (any(map(bank_of, rows)) if rows else any(store.values(BANK))):
        return replace(as_suggestions(verdict), note=_not_held(names, own), sections=())
    if verdict.status != "answered":
        return verdict
    quoted = [f"{question_of(hit)}\n{hit.node.get_content()}" for hit in verdict.nodes if hit.quoted] or [""]
    unnamed = [
        name for name in names if not (_rows_naming(name, quoted, without_kind=False) or _is_own(name, store, filters))
    ]
    if not unnamed:
        return verdict
    return replace(as_suggestions(verdict), note=Note("unnamed_institution", {"name": ", ".join(unnamed)}), sections=())


def compared_with_others(verdict: Verdict, names: Sequence[str], own: Sequence[str]) -> Verdict:
    """The verdict on one of the index's institutions, which says of `names`, compared with it, that there is nothing on them."""
    return verdict if verdict.note else replace(verdict, note=_not_held(names, own))


def _not_held(names: Sequence[str], own: Sequence[str]) -> Note:
    return Note("other_institution", {"name": ", ".join(names), "own": ", ".join(own)})


def with_other_banks(rows: RowSearch, verdict: Verdict, history: Sequence[Turn], filters: Filters) -> Verdict:
    """An answer, with the rows of other institutions that answer as well, one each, where the customer means none of them.

    Such a row answers a customer who names its institution, and the first row's question, too, unless that is the same. It is
    one of those already found; only what answers the first row's question is searched, once for all institutions.
    """
    quoted = [hit for hit in verdict.nodes if hit.quoted]
    found = verdict.retrieved
    if verdict.status != "answered" or verdict.sections or verdict.note or not (quoted and found):
        return verdict
    first = quoted[0]
    seen = {row for turn in history for row in turn.source_ids}
    messages = [*(turn.question for turn in history), verdict.query]
    if is_passage(first) or BANK in filters.equals or rows.bank_of(messages) or row_id(first) in seen:
        return verdict
    without = {*rows.named(verdict.query).excluded, *map(bank_of, quoted), ""}
    nearest = [hit for hit in verdict.ranked if not hit.quoted][:NEAREST]
    banks = dict.fromkeys(bank_of(hit) for hit in nearest if shares_subject(first, hit))
    others = rows.answering_rows(found, [bank for bank in banks if bank not in without], filters)
    if unlike := [hit for hit in others if not same_question(first, hit)]:
        alike = rows.answering_rows(rows.retrieved(question_of(first), filters), map(bank_of, unlike), filters)
        left_out = set(map(row_id, unlike)) - set(map(row_id, alike))
        others = [hit for hit in others if row_id(hit) not in left_out]
    quoted += others
    nodes, ranked = (
        (*quoted, *(hit for hit in hits if row_id(hit) not in map(row_id, quoted)))
        for hits in (verdict.nodes, verdict.ranked)
    )
    return replace(verdict, nodes=nodes[: max(len(verdict.nodes), len(quoted))], ranked=ranked)


def _is_own(name: str, store: PassageStore, filters: Filters) -> bool:
    texts: dict[str, str] = {}
    for form in (name, _stem(name), *_known().get(name, ())):
        found = store.candidates(
            query_embedding=None, query_str=form, size=LOOKED_AT, filters=metadata_filters(filters)
        )
        for node in found.lexical.get(TOKENS, {}):
            row = found.nodes[node]
            texts[node] = f"{row.metadata.get('question') or ''}\n{row.get_content()}"
    least = max(LEAST_ROWS, LEAST_SHARE * store.count())
    return _rows_naming(name, texts.values()) >= min(least, LOOKED_AT)


def _rows_naming(name: str, texts: Iterable[str], *, without_kind: bool = True) -> int:
    """How many of the texts name the institution. One of another kind ("한울은행") is not it ("한울저축은행").

    Its name `without_kind` ("한울 앱") counts where no text names one of another kind.
    """
    found = [{_form(m, text) for m in _names(name).find(text) if m.name == name} for text in texts]
    if name in _known():
        return sum(map(bool, found))
    kinds = [set(map(_kind, forms)) for forms in found]
    whole = sum(_kind(name) in each for each in kinds)
    if whole == 0 and any(each - {"", _kind(name)} for each in kinds):
        return 0
    return whole + without_kind * sum("" in each and _kind(name) not in each for each in kinds)


def _form(mention: InstitutionMention, text: str) -> str:
    """The mention with the kind that follows it ("가람증권" of 가람)."""
    return compact(mention.text) + next((kind for kind in KINDS if text.startswith(kind, mention.end)), "")


@lru_cache(maxsize=64)
def _names(name: str) -> InstitutionNames:
    # A known one is named by its own names alone: "신안은행" is no 신한은행 with a wrong letter.
    return InstitutionNames({} if name in _known() else {name: ()})


@cache
def _known() -> dict[str, Sequence[str]]:
    return {name: aliases for name, _, aliases in known_institutions()}


def _kind(name: str) -> str:
    kind = next((kind for kind in KINDS if name.endswith(kind)), "")
    return "은행" if kind == "뱅크" else kind


def _stem(name: str) -> str:
    return next((name.removesuffix(kind) for kind in KINDS if name.endswith(kind)), name)
