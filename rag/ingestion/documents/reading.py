"""Reads one document with the reader for its extension."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from rag.ingestion.documents.blocks import Document
from rag.ingestion.files import check_kind, read_bytes
from rag.ingestion.messages import UnreadableFile, join_items

_READERS = {
    ".pdf": ("pdf", "read_pdf"),
    ".docx": ("docx", "read_docx"),
    ".hwp": ("hangul", "read_hangul"),
    ".hwpx": ("hangul", "read_hangul"),
    ".pptx": ("slides", "read_slides"),
    ".xlsx": ("sheets", "read_sheets"),
    ".csv": ("sheets", "read_delimited"),
    ".tsv": ("sheets", "read_delimited"),
    ".html": ("html_pages", "read_html"),
    ".htm": ("html_pages", "read_html"),
    ".md": ("markdown", "read_markdown"),
    ".txt": ("plain_text", "read_text"),
}
SUFFIXES = tuple(_READERS)
_TEXTS = (".csv", ".tsv", ".html", ".htm", ".md", ".txt")
_CONVERTIBLE = {".doc": ".docx", ".xls": ".xlsx", ".ppt": ".pptx", ".docm": ".docx", ".xlsm": ".xlsx", ".pptm": ".pptx"}
"""Unsupported Office formats, and the formats to convert them to."""
_OTHER = {
    ".ods": ".xlsx", ".numbers": ".xlsx", ".xlsb": ".xlsx", ".cell": ".xlsx", ".nxl": ".xlsx",
    ".odt": ".docx", ".rtf": ".docx", ".pages": ".docx", ".wps": ".docx",
    ".odp": ".pptx", ".key": ".pptx", ".show": ".pptx",
    ".mht": ".html or PDF", ".mhtml": ".html or PDF", ".eml": ".txt or PDF", ".msg": ".txt or PDF", ".hwt": ".hwpx",
    ".hml": ".hwpx", ".epub": "PDF", ".xps": "PDF", ".ps": "PDF", ".xml": ".html or .docx",
}  # fmt: skip
"""Formats of other programs, and what those programs can save that is read."""
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".heic")
_ARCHIVES = (".zip", ".7z", ".rar", ".alz", ".egg", ".tar", ".gz", ".tgz")


def read_document(path: Path) -> Document:
    """Read a document. Raises UnreadableFile if its format is unsupported or does not match the extension, if it is damaged,
    encrypted or empty, or if it has no text."""
    suffix = path.suffix.lower()
    if suffix == ".xls" and (instead := _text_reader(read_bytes(path)[:4096])):
        # Web applications save HTML and text under the name of a workbook, and Excel opens them.
        suffix = instead
    if suffix in _CONVERTIBLE:
        raise UnreadableFile("macros" if suffix.endswith("m") else "old_office", instead=_CONVERTIBLE[suffix])
    if suffix in _OTHER:
        raise UnreadableFile("convert", instead=_OTHER[suffix])
    if suffix in _PICTURES:
        raise UnreadableFile("picture")
    if suffix in _ARCHIVES:
        raise UnreadableFile("archive")
    if suffix not in _READERS:
        raise UnreadableFile("unsupported", supported=", ".join(SUFFIXES))
    data = read_bytes(path)
    if suffix in _TEXTS:
        if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-")):
            raise UnreadableFile("wrong_kind", suffix=suffix, holds="another program's file")
        if not data.strip(b"\0\x1a \t\r\n"):
            raise UnreadableFile("empty")
    else:
        check_kind(suffix, data)
    module, name = _READERS[suffix]
    # Imported on demand, because a reader's libraries take up to half a second, and most folders need only two readers.
    read: Callable[[str, bytes], Document] = getattr(import_module(f"rag.ingestion.documents.{module}"), name)
    document = read(str(path), data)
    if path.suffix.lower() == ".xls":
        document.note("renamed_html")
    if not any(block.text.strip() for block in document.blocks):
        raise UnreadableFile("no_text")
    if uncertain := [quantity for block in document.blocks for quantity in block.uncertain]:
        document.note("uncertain", count=len(uncertain), values=join_items(uncertain))
    return document


def _text_reader(beginning: bytes) -> str:
    """The extension of the reader for a file that is HTML under another name; empty if it is not."""
    text = beginning.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    is_page = text.startswith(
        (b"<html", b"<!doctype html", b"<table", b"<meta", b"<head", b"<body", b"<style", b"<div")
    )
    return ".html" if is_page else ""
