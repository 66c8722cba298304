"""What a check says of a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from rag.types import SupportReason, SupportStatus


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says of a sentence: `reason` and `detail` (the words it is about) where it is not supported."""

    status: SupportStatus
    reason: SupportReason | None = None
    detail: str = ""


SUPPORTED = Finding("supported")
