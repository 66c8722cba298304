"""What commands print: progress bars, lines on rows, JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from rag.types import Source, place_in_document


class Bar:
    """A progress callback that draws one tqdm bar a step, on standard error, only where someone watches."""

    def __init__(self) -> None:
        self._step = ""
        self._bar: tqdm[Any] | None = None

    def __call__(self, step: str, done: int, total: int) -> None:
        if self._bar is None or step != self._step:
            self.close()
            # `disable=None`: nothing where standard error is a file.
            self._step, self._bar = step, tqdm(total=total, desc=step, unit="rows", disable=None)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Leave the last bar as it stands."""
        if self._bar is not None:
            self._bar.close()


def source_line(source: Source) -> str:
    """Number, score in 0..1, row id, institution and question of a row; of a passage its place and headings."""
    bank = source.metadata.get("bank", "")
    place = place_in_document(source.metadata)
    # A passage's id is a hash: where it stands says more.
    return f"[{source.number}] {source.score:.2f}  {place or source.id}  {bank}  {source.question}"


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on standard output, and nothing else."""
    print(json.dumps(finite(value), ensure_ascii=False, indent=1))


def finite(value: Any) -> Any:
    """JSON has no NaN: a share of nothing becomes null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    return [finite(item) for item in value] if isinstance(value, list | tuple) else value
