"""Finds the collapsed panels of an HTML page: hidden text that a visible heading or button opens, as FAQ pages have it.

What nothing visible opens stays hidden. A pass over the page before it is read, because a panel may precede its opener.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Literal

Shown = Literal["shown", "hidden", "skipped", "form"]
"""hidden: by its own attributes or the page's style sheet. skipped: never read, as a script. form: read if it holds text."""

VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip
_CLOSES = {"dd": ("dt", "dd"), "dt": ("dt", "dd"), "li": ("li",), "tr": ("td", "th", "tr"), "td": ("td", "th")}
"""The open elements without an end tag that a tag closes."""
_CONTROLS = frozenset({"a", "button", "summary", "label", "dt", "h1", "h2", "h3", "h4", "h5", "h6"})
_TEXTS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "p", "table", "dl", "article"})
"""A form that contains them is (a part of) the page's text, as old servers put the whole page into one form."""
_STRUCTURE = re.compile(r"accordi|faq|qna|toggle|collaps|fold|expand", re.I)
"""In names of classes and ids: a list of entries that open."""
_ANSWER = re.compile(r"(?:^|[-_ ])(?:a|ans|answer|reply|cont|content|panel|body|view)(?=$|[-_ \d])", re.I)
"""In names of classes and ids within such a list: the part of an entry that opens."""
_MENU = re.compile(r"(?:^|[-_ ])(?:menu|gnb|lnb|nav|navbar|sitemap|search|login)(?=$|[-_ \d])", re.I)
_TITLE = 200
"""Maximum length in characters of the title of what it opens."""


@dataclass(slots=True, eq=False)
class _Element:
    """An element. `before`: the one that precedes it within its parent. `size`: characters of its visible text.

    `can_open`: a visitor can click on it or on something in it. `expands`: it says that it opens something.
    """

    number: int
    tag: str
    values: Mapping[str, str]
    shown: Shown
    parent: _Element | None = None
    before: _Element | None = None
    children: list[_Element] = field(default_factory=list)
    size: int = 0
    can_open: bool = False
    expands: bool = False

    @property
    def names(self) -> str:
        return f"{self.values.get('class', '')} {self.values.get('id', '')}"

    @property
    def is_title(self) -> bool:
        """Whether it has as much text as the title of a panel."""
        return 0 < self.size <= _TITLE

    def targets(self) -> Iterator[str]:
        """The ids of what it opens."""
        yield from self.values.get("aria-controls", "").split()
        for name in ("data-target", "data-bs-target", "href"):
            if self.values.get(name, "").startswith("#"):
                yield self.values[name][1:]

    def within(self) -> Iterator[_Element]:
        """Itself and all that is in it."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += element.children


class _Tree(HTMLParser):
    def __init__(self, shown: Callable[[str, Mapping[str, str]], Shown]) -> None:
        super().__init__(convert_charrefs=True)
        self._shown = shown
        self.root = _Element(-1, "", {}, "shown")
        self._open = [self.root]
        self.elements: list[_Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        element = _Element(len(self.elements), tag, values, self._shown(tag, values))
        self.elements.append(element)
        if tag in VOID:
            return
        while self._open[-1].tag in _CLOSES.get(tag, ()):
            self._open.pop()
        parent = self._open[-1]
        element.parent, element.before = parent, parent.children[-1] if parent.children else None
        parent.children.append(element)
        self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self._open):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        for element in reversed(self._open):
            element.size += len(data.strip())
            if element.shown != "shown":
                return


def opened(page: str, shown: Callable[[str, Mapping[str, str]], Shown]) -> frozenset[int]:
    """The hidden panels of a page that something visible opens, and the buttons that do: their start tags' numbers, from 0.

    A panel is named by what opens it (`aria-controls`, `data-target`, a link to its id) or labelled by it (`aria-labelledby`);
    or it follows its title, where that says so (`aria-expanded`, `dt`), or where it can be clicked in a list of entries.
    Also forms that hold the page's text. `shown`: by tag and attributes; of a button, whether it is hidden.
    """
    tree = _Tree(shown)
    tree.feed(page)
    tree.close()
    for element in reversed(tree.elements):
        children = [child for child in element.children if child.shown == "shown"]
        clickable = element.tag in _CONTROLS or "onclick" in element.values
        clickable = clickable or element.values.get("role") in ("button", "tab")
        element.expands = "aria-expanded" in element.values or any(child.expands for child in children)
        element.can_open = clickable or element.expands or any(child.can_open for child in children)
    titles = {element.values.get("id", ""): element for element in tree.elements if element.is_title}
    openers: dict[str, _Element] = {}
    for element in tree.elements:
        for name in element.targets() if element.is_title else ():
            openers.setdefault(name, element)
    visible = {tree.root: True}
    found: set[int] = set()
    for element in tree.elements:
        is_inside = element.parent is None or visible[element.parent]
        visible[element] = is_inside and element.shown == "shown"
        if not is_inside or element.shown == "skipped":
            continue
        if element.shown == "form":
            visible[element] = any(each.tag in _TEXTS and each.size for each in element.within())
            found |= {element.number} if visible[element] else set()
            continue
        by = _opener(element, openers, titles)
        # What precedes it has been decided; what follows is visible if nothing hides it or what it is in.
        if by and (visible[by] if by.number < element.number else _is_plain(by)):
            visible[element] = True
            found |= {element.number, *(each.number for each in by.within() if each.tag == "button")}
        elif element.tag == "button" and any(each.tag in _CONTROLS for each in _ancestors(element)):
            found.add(element.number)
    return frozenset(found)


def _opener(element: _Element, openers: Mapping[str, _Element], titles: Mapping[str, _Element]) -> _Element | None:
    by = openers.get(element.values.get("id") or "-") or titles.get(element.values.get("aria-labelledby") or "-")
    if by is None and (before := element.before) and before.is_title:
        is_entry = any(_STRUCTURE.search(each.names) for each in (element, *_ancestors(element)))
        is_answer = bool(_ANSWER.search(element.names))
        follows = before.expands or (element.tag, before.tag) == ("dd", "dt")
        if follows or ((is_entry or is_answer) and before.can_open) or (is_entry and is_answer):
            by = before
    if by is None or _MENU.search(element.names) or any(each.tag == "nav" for each in element.within()):
        return None
    return by


def _ancestors(element: _Element) -> Iterator[_Element]:
    while element.parent:
        element = element.parent
        yield element


def _is_plain(element: _Element) -> bool:
    return all(each.shown == "shown" for each in (element, *_ancestors(element)))
