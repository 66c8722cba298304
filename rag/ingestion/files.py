"""Finds the files of an ingestion, checks their format before they are parsed, and reads and decodes them."""

from __future__ import annotations

import codecs
import glob
import io
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from rag.errors import InputError
from rag.ingestion.messages import PARTS, UnreadableFile, reason_of

MAX_UNPACKED_MB = 300
"""Limit of the total size of an archive's members, to protect the machine's memory."""
_SYSTEM = ("thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r")
_TEMPORARY = (".tmp", ".lnk", ".bak", ".crdownload", ".part", ".url")
"""Files that systems and programs put beside documents. In folders they are ignored; named themselves, they are refused."""
BINARY = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-")
"""First bytes of Excel, Word, Hangul and PDF files."""
_MAX_MEMBERS = 5000
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_HWP = b"HWP Document File"
_KINDS = {
    "xl/workbook.xml": "workbook",
    "word/document.xml": "word",
    "ppt/presentation.xml": "slides",
    "Contents/content.hpf": "hwpx",
}
"""Kinds of archives, by a member that each has. Kinds are keys of `rag.ingestion.messages.PARTS`."""
_EXPECTED = {".xlsx": "workbook", ".docx": "word", ".pptx": "slides", ".hwpx": "hwpx", ".hwp": "hwp", ".pdf": "pdf"}


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files of `paths`: files themselves, matches of patterns (`notices/*.pdf`, `**`), all visible files below folders.

    Files that the system or a program puts into folders are ignored.

    Each file once, sorted within a folder or pattern. Raises InputError for an unreadable folder, because the ingestion would
    delete its rows from the index.
    """
    seen: set[Path] = set()
    for path in paths:
        for file in _expand(path):
            # Links, or a folder and one of its files, may lead to the same file; its rows must not be read twice.
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _expand(path: Path) -> Iterable[Path]:
    if path.is_dir():
        return _walk(path)
    # A file's name may contain brackets, so only a path that does not exist is a pattern.
    if not path.exists() and glob.has_magic(str(path)):
        # Path.glob does not support absolute patterns.
        names = glob.glob(str(path), recursive=True)  # noqa: PTH207
        return sorted(each for each in map(Path, names) if each.is_file()) or (path,)
    return (path,)


def _walk(directory: Path) -> Iterator[Path]:
    def refuse(exc: OSError) -> None:
        english, korean = reason_of(exc)
        raise InputError(
            f"the folder {exc.filename} cannot be read ({english}): fix that or leave it out",
            korean=f"폴더 {exc.filename}을(를) 읽을 수 없습니다({korean}). 권한을 확인하거나 빼 주세요.",
        ) from exc

    files = [Path(folder, name) for folder, _, names in os.walk(directory, onerror=refuse) for name in names]
    for file in sorted(files):
        # `~$` is the prefix of Office's lock files.
        hidden = any(part.startswith((".", "~$")) for part in file.relative_to(directory).parts)
        if not hidden and file.name.lower() not in _SYSTEM and file.suffix.lower() not in _TEMPORARY:
            yield file


def read_bytes(path: Path) -> bytes:
    """The file's content. Raises UnreadableFile."""
    try:
        return path.read_bytes()
    except FileNotFoundError as exc:
        raise UnreadableFile("missing") from exc
    except OSError as exc:
        raise UnreadableFile("unreadable", reason=reason_of(exc)) from exc


def check_kind(suffix: str, data: bytes) -> None:
    """Check that `data` has the format of the extension `suffix`.

    Raises UnreadableFile if it does not, and for password protection, macros, and archives beyond MAX_UNPACKED_MB.
    """
    expected = _EXPECTED[suffix]
    if not data:
        raise UnreadableFile("empty")
    if data.startswith(b"PK"):
        kind = _archive_kind(suffix, data)
    elif data.startswith(b"\xd0\xcf\x11\xe0"):
        # Encrypted Office files use the container of the old formats.
        if _ENCRYPTED in data:
            raise UnreadableFile("password")
        kind = "hwp" if _HWP in data else "office97"
        if kind != expected and suffix in (".xlsx", ".docx", ".pptx"):
            raise UnreadableFile("old_office", instead=suffix)
    elif b"%PDF-" in data[:1024]:
        kind = "pdf"
    elif suffix == ".pdf" or b"\0" in data[:1024]:
        raise UnreadableFile("damaged", reason=PARTS["no_beginning"])
    else:
        kind = "text"
    if kind != expected:
        raise UnreadableFile("wrong_kind", suffix=suffix, holds=PARTS[kind])


def _archive_kind(suffix: str, data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as exc:
        raise UnreadableFile("damaged", reason=reason_of(exc)) from exc
    # By the archive's directory, before anything is unpacked.
    size = sum(member.file_size for member in members) >> 20
    if size > MAX_UNPACKED_MB or len(members) > _MAX_MEMBERS:
        raise UnreadableFile("bomb", size=size, limit=MAX_UNPACKED_MB)
    names = {member.filename for member in members}
    if any(name.endswith("vbaProject.bin") for name in names):
        raise UnreadableFile("macros", instead=suffix)
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableFile("password")
    return next((kind for name, kind in _KINDS.items() if name in names), "archive")


_HANGUL = re.compile(rb"[\xea-\xed][\x80-\xbf]{2}")
_SAMPLE = 1 << 20
_BYTE_ORDER_MARK = "\ufeff"


def decode(data: bytes) -> str:
    """The text of UTF-8 or UTF-16 bytes, with or without a byte order mark, or of CP949 bytes.

    Undecodable bytes become lone surrogates. Bytes that are not valid UTF-8 are still read as UTF-8 if more than half of the
    non-ASCII ones are Hangul in UTF-8: a UTF-8 file with one damaged byte is often valid CP949 with other Hangul, while CP949
    contains next to no valid UTF-8 Hangul.
    """
    return _decode(data).lstrip(_BYTE_ORDER_MARK)  # some programs write two byte order marks


def _decode(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        return data.decode("utf-8", "surrogateescape")
    if encoding := _utf16(data):
        return data.decode(encoding, "replace")
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8")
    # A sample is enough, and does not scan a file of 100 MB twice.
    sample = data[:_SAMPLE]
    foreign = sample.translate(None, bytes(range(128)))
    is_utf8 = 2 * len(b"".join(_HANGUL.findall(sample))) > len(foreign)
    return data.decode("utf-8" if is_utf8 else "cp949", "surrogateescape")


def _utf16(data: bytes) -> str | None:
    """The UTF-16 variant, or None. Without a byte order mark it is detected by the zero high bytes of ASCII characters."""
    if data.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if data.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    sample = data[: 1 << 14]
    odd, even = sample[1::2].count(0), sample[0::2].count(0)
    # A few NUL bytes in other text do not make it UTF-16; one Hangul syllable in 256 has a zero low byte.
    if len(data) % 2 or max(odd, even) * 50 < len(sample) or min(odd, even) * 10 > max(odd, even):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"
