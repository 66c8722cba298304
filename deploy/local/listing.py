"""The service's List operations: filter, order and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PAGE = 100


def listing(rows: Sequence[dict[str, Any]], field: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the rows under `field`, by creation, the newest first unless asked otherwise.

    Honours NameContains, StatusEquals, SortBy, SortOrder, MaxResults (100 at most) and NextToken.
    """
    key = name if given.get("SortBy") == "Name" else "CreationTime"
    kept = [row for row in rows if given.get("NameContains", "") in row[name]]
    if status := given.get("StatusEquals"):
        kept = [row for row in kept if row.get("EndpointStatus") == status]
    kept.sort(key=lambda row: row[key], reverse=given.get("SortOrder", "Descending") == "Descending")
    start = int(given.get("NextToken", "0"))
    end = start + min(int(given.get("MaxResults", PAGE)), PAGE)
    return {field: kept[start:end], **({"NextToken": str(end)} if end < len(kept) else {})}
