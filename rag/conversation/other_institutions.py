"""What a question about another institution gets, and whether rows that name none are that institution's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache, lru_cache

from rag.constraints.institutions import KINDS, InstitutionMention, InstitutionNames, known_institutions
from rag.conversation.row_search import as_suggestions
from rag.korean import compact
from rag.retrieval.confidence import Verdict
from rag.retrieval.hybrid import question_of
from rag.stores.base import TOKENS, PassageStore
from rag.stores.filters import metadata_filters
from rag.types import Filters, Note

LOOKED_AT = 50
"""Rows read for each form of a name, those that hold most of it."""
LEAST_ROWS = 2
LEAST_SHARE = 0.03
"""Share of the index's passages from which on a name in their texts is their own. In the FAQs looked at, an institution's own
name stands mostly in 15 to 90 % of the rows, another's in 2 % at most."""


def about_others(
    verdict: Verdict, names: Sequence[str], store: PassageStore, filters: Filters, *, is_named: bool
) -> Verdict:
    """The verdict on a question about institutions that are none of the index's: suggested at most, with a note.

    `names`: as in `NamedBanks.others`. `is_named`: whether rows or settings name the index's institution. If not, it is what the
    texts name: the verdict stays as it is where the rows quoted, or enough others, name all of `names`.
    """
    if is_named:
        return replace(as_suggestions(verdict), note=Note("other_institution", {"name": ", ".join(names)}), sections=())
    if verdict.status != "answered":
        return verdict
    quoted = [f"{question_of(hit)}\n{hit.node.get_content()}" for hit in verdict.nodes if hit.quoted] or [""]
    foreign = [
        name for name in names if not (_rows_naming(name, quoted, without_kind=False) or _is_own(name, store, filters))
    ]
    if not foreign:
        return verdict
    return replace(as_suggestions(verdict), note=Note("unnamed_institution", {"name": ", ".join(foreign)}), sections=())


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
