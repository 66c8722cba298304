"""Attribution: whose a model's statement is, where an answer may hold those of several institutions.

The program itself puts the institution's name on a line before a sentence that does not name it, once for consecutive
sentences from its sources: a model may leave the names out, and a value without a name is taken for the other's, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from rag.constraints import InstitutionNames
from rag.korean import compact


class Attribution:
    """The lines before the sentences of one answer, in their order.

    `institutions`: the institution of each source, by its number, "" where the source has none. Empty: no line is put
    before any sentence, for the index holds one institution.
    """

    def __init__(self, institutions: Mapping[int, str]) -> None:
        self._institutions = institutions
        self._names = _names(tuple(sorted(set(filter(None, institutions.values())))))
        self._current: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def before(self, shown: str, sentence: str, numbers: Iterable[int]) -> str:
        """What goes before a sentence that these sources support, after the text `shown`: a name on its own line, or "".

        A sentence of several institutions' sources is headed by each name with its citations.
        """
        owners = self.by_institution(numbers) if self._institutions else {}
        if not owners:
            return ""
        several = len(owners) > 1
        current = tuple((name, own if several else ()) for name, own in owners.items())
        before, self._current = self._current, current
        # By its whole name: an app or a product may hold a short one ("도담뱅크 앱").
        named = {
            each.name
            for each in self._names.find(sentence)
            if compact(each.text) == compact(each.name) and not each.negated and not each.counterpart
        }
        if current == before or named >= owners.keys():
            return ""
        cited = {name: "".join(f" [{number}]" for number in own) if several else "" for name, own in owners.items()}
        line = ", ".join(f"{name}{cited[name]}" for name in owners if name)
        breaks = "\n" * max(0, 2 - (len(shown) - len(shown.rstrip("\n")))) if shown else ""
        return f"{breaks}{line}\n" if line else breaks

    def by_institution(self, numbers: Iterable[int]) -> dict[str, tuple[int, ...]]:
        """These sources by their institutions, that of the last sentence first."""
        owners: dict[str, tuple[int, ...]] = {name: () for name, _ in self._current}
        for number in numbers:
            name = self._institutions.get(number, "")
            owners[name] = (*owners.get(name, ()), number)
        return {name: own for name, own in owners.items() if own}


@lru_cache(maxsize=64)
def _names(institutions: tuple[str, ...]) -> InstitutionNames:
    return InstitutionNames(dict.fromkeys(institutions, ()))
