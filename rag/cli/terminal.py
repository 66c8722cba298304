"""Output of commands: progress bars, lines for sources, JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from tqdm import tqdm

from rag.types import Source, place_in_document

_STEPS_KO: Final = {"read": "파일 읽기", "split": "나누기", "embed": "임베딩", "delete": "삭제"}
"""Korean names of the steps that an ingestion reports to `rag.ingestion.sync.Progress`."""
_OPTIONS: Final = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


class Bar:
    """A progress callback that draws one tqdm bar per step on standard error, if that is a terminal."""

    def __init__(self, *, korean: bool = False) -> None:
        self._korean = korean
        self._step = ""
        self._bar: tqdm[Any] | None = None

    def __call__(self, step: str, done: int, total: int) -> None:
        if self._bar is None or step != self._step:
            self.close()
            self._step = step
            self._bar = tqdm(total=total, disable=None, **_bar_texts(step, korean=self._korean))
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Finish the current bar, which stays on the screen."""
        if self._bar is not None:
            self._bar.close()


def _bar_texts(step: str, *, korean: bool) -> dict[str, Any]:
    """The arguments of tqdm that contain text."""
    if korean:
        shown = "{desc} {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt}건, {rate_fmt}, 남은 시간 {remaining}"
        return {"desc": _STEPS_KO.get(step, step), "unit": "건", "bar_format": shown}
    shown = "{desc} {percentage:3.0f}% |{bar}| {n_fmt} of {total_fmt}, {rate_fmt}, {remaining} left"
    return {"desc": step, "unit": " rows", "bar_format": shown}


def source_line(source: Source) -> str:
    """Number, score in 0..1, row id, institution and question of a source; for a document passage, place and headings."""
    bank = source.metadata.get("bank", "")
    place = place_in_document(source.metadata)
    # The id of a document passage is a hash, which says less than its place.
    return f"[{source.number}] {source.score:.2f}  {place or source.id}  {bank}  {source.question}"


def print_json(value: Mapping[str, Any], *, indent: bool = True) -> None:
    """Print one JSON object on standard output, see `json_text`."""
    print(json_text(value, indent=indent))


def json_text(value: Mapping[str, Any], *, indent: bool = True) -> str:
    """The value as JSON, indented or on one line; NaN and infinities become null, since JSON has neither."""
    return orjson.dumps(value, default=dict, option=_OPTIONS | (orjson.OPT_INDENT_2 if indent else 0)).decode()
