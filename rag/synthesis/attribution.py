"""Attribution: names the institution of a model's statements where an answer may contain those of several institutions.

A model may leave out the names, and a reader would take a value without a name for that of every institution. So the program puts
the name on a line before a sentence that does not contain it, once for consecutive sentences from the sources of an institution.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from rag.constraints import InstitutionNames
from rag.korean import compact


class Attribution:
    """Adds the lines to one answer, whose sentences are passed in order.

    `institutions`: the institution of each source by its number, "" for a source without one. Empty for an index of one
    institution, to whose sentences no lines are added.
    """

    def __init__(self, institutions: Mapping[int, str]) -> None:
        self._institutions = institutions
        self._names = _names(tuple(sorted(set(filter(None, institutions.values())))))
        self._current: tuple[tuple[str, tuple[int, ...]], ...] = ()

    def before(self, shown: str, sentence: str, numbers: Iterable[int]) -> str:
        """The text to insert between the text `shown` and a sentence supported by these sources: a line with the name, or "".

        For sources of several institutions the line has each name with its citations.
        """
        owners = self.by_institution(numbers) if self._institutions else {}
        if not owners:
            return ""
        several = len(owners) > 1
        current = tuple((name, own if several else ()) for name, own in owners.items())
        before, self._current = self._current, current
        # Only the whole name counts, because an app or a product may contain a short one ("도담뱅크 앱").
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
        """The sources grouped by institution, the institution of the last sentence first."""
        owners: dict[str, tuple[int, ...]] = {name: () for name, _ in self._current}
        for number in numbers:
            name = self._institutions.get(number, "")
            owners[name] = (*owners.get(name, ()), number)
        return {name: own for name, own in owners.items() if own}


@lru_cache(maxsize=64)
def _names(institutions: tuple[str, ...]) -> InstitutionNames:
    return InstitutionNames(dict.fromkeys(institutions, ()))
