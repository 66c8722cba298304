"""Builds the bundled documents of fictional institutions, `data/documents`: `python -m tests.make_documents`.

A source is Markdown, with the name of the document plus ".md". "### 조: title" is an article and "- text" an item of it, both
numbered automatically if the format supports it. In tables "^" merges a cell with the one above, "<" with the one to the left.
In Word files a line that begins with "※" becomes a footnote of the line before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.document_builders import Element, build

FOLDER = Path(__file__).parents[1] / "data" / "documents"
SOURCES = Path(__file__).parent / "data" / "documents"


def elements(text: str, suffix: str) -> Iterator[Element]:
    """The elements of a source."""
    for part in re.split(r"\n\s*\n", text.strip()):
        heading = re.fullmatch(r"(#{1,3}) (조: )?(.*)", part)
        if heading:
            yield ("article", heading[3]) if heading[2] else (f"h{len(heading[1])}", heading[3])
        elif part.startswith("| "):
            lines = [line for line in part.split("\n") if not line.startswith("| ---") and not line.startswith("|---")]
            yield "table", [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
        elif part.startswith("- "):
            yield "item", part[2:]
        else:
            yield "p", part


def main() -> None:
    """Write all documents. The bytes of PDFs depend on the version of Chromium, which prints them."""
    for source in sorted(SOURCES.glob("*.md")):
        name = source.name.removesuffix(".md")
        made = build(name, list(elements(source.read_text(encoding="utf-8"), Path(name).suffix)))
        (FOLDER / name).write_bytes(made)


if __name__ == "__main__":
    main()
