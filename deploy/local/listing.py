"""The service's List operations: filter, order and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PAGE = 100


def listing(rows: Sequence[dict[str, Any]], field: str, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the rows under `field`, by creation, the newest first unless asked otherwise.

    Honours NameContains, StatusEquals, SortBy, SortOrder, MaxResults (100 at most) and NextToken.
    """
    key = name if request.get("SortBy") == "Name" else "CreationTime"
    matching = [row for row in rows if request.get("NameContains", "") in row[name]]
    if status := request.get("StatusEquals"):
        matching = [row for row in matching if row.get("EndpointStatus") == status]
    matching.sort(key=lambda row: row[key], reverse=request.get("SortOrder", "Descending") == "Descending")
    start = int(request.get("NextToken", "0"))
    end = start + min(int(request.get("MaxResults", PAGE)), PAGE)
    return {field: matching[start:end], **({"NextToken": str(end)} if end < len(matching) else {})}
