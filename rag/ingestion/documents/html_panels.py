"""Parses an HTML page to elements, and finds its collapsed panels: hidden text that a visible heading or button opens.

FAQ pages have their answers in such panels. What nothing visible opens stays hidden.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Literal

Shown = Literal["shown", "hidden", "skipped", "form"]
"""hidden: by its own attributes or the page's style sheet. skipped: never read, as a script. form: read if it holds text."""

_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip
_CLOSES = {
    "dd": ("dt", "dd"),
    "dt": ("dt", "dd"),
    "li": ("li",),
    "p": ("p",),
    "tr": ("td", "th", "tr"),
    "td": ("td", "th"),
}
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
class Element:
    """An element. `values`: its attributes. `content`: its texts and elements in order. `number`: its place in the page.

    `before`: the element that precedes it within its parent. `size`: characters of its visible text. `can_open`: a visitor can
    click on it or on something in it. `expands`: it says that it opens something. `is_opened`: a panel that something visible
    opens, a button that does, or a form with the page's text: it is read although it is hidden.
    """

    number: int
    tag: str
    values: Mapping[str, str]
    shown: Shown
    parent: Element | None = None
    before: Element | None = None
    content: list[Element | str] = field(default_factory=list)
    size: int = 0
    can_open: bool = False
    expands: bool = False
    is_opened: bool = False

    @property
    def children(self) -> list[Element]:
        """The elements in it."""
        return [each for each in self.content if isinstance(each, Element)]

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

    def within(self) -> Iterator[Element]:
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
        self.root = Element(-1, "", {}, "shown")
        self._open = [self.root]
        self._last: dict[Element, Element] = {}
        self.elements: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        element = Element(len(self.elements), tag, values, self._shown(tag, values))
        self.elements.append(element)
        while self._open[-1].tag in _CLOSES.get(tag, ()):
            self._open.pop()
        parent = self._open[-1]
        if tag not in _VOID:
            element.parent, element.before = parent, self._last.get(parent)
            self._last[parent] = element
            self._open.append(element)
        if tag not in _VOID or tag == "br":
            parent.content.append(element)

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self._open):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self._open[-1].content.append(data)
        for element in reversed(self._open):
            element.size += len(data.strip())
            if element.shown != "shown":
                return


def parse_page(page: str, shown: Callable[[str, Mapping[str, str]], Shown]) -> Element:
    """The page's elements below a root. `shown`: by tag and attributes; of a button, whether it is hidden.

    A panel is named by what opens it (`aria-controls`, `data-target`, a link to its id) or labelled by it (`aria-labelledby`);
    or it follows its title, where that says so (`aria-expanded`, `dt`), or where it can be clicked in a list of entries.
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
    openers: dict[str, Element] = {}
    for element in tree.elements:
        for name in element.targets() if element.is_title else ():
            openers.setdefault(name, element)
    visible = {tree.root: True}
    for element in tree.elements:
        is_inside = element.parent is None or visible[element.parent]
        visible[element] = is_inside and element.shown == "shown"
        if not is_inside or element.shown == "skipped":
            continue
        if element.shown == "form":
            visible[element] = any(each.tag in _TEXTS and each.size for each in element.within())
            element.is_opened = visible[element]
            continue
        by = _opener(element, openers, titles)
        # What precedes it has been decided; what follows is visible if nothing hides it or what it is in.
        if by and (visible[by] if by.number < element.number else _is_plain(by)):
            visible[element] = element.is_opened = True
            for each in by.within():
                each.is_opened |= each.tag == "button"
        elif element.tag == "button" and any(each.tag in _CONTROLS for each in _ancestors(element)):
            element.is_opened = True
    return tree.root


def _opener(element: Element, openers: Mapping[str, Element], titles: Mapping[str, Element]) -> Element | None:
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


def _ancestors(element: Element) -> Iterator[Element]:
    while element.parent:
        element = element.parent
        yield element


def _is_plain(element: Element) -> bool:
    return all(each.shown == "shown" for each in (element, *_ancestors(element)))
