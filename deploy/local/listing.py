"""Filtering, sorting and pagination of the List operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PAGE = 100


def list_page(rows: Sequence[dict[str, Any]], field: str, name: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """One page of rows as {`field`: rows}, with NextToken if there are more; newest first by default.

    Supports NameContains, StatusEquals, SortBy, SortOrder, MaxResults (PAGE at most) and NextToken of the request.
    """
    key = name if request.get("SortBy") == "Name" else "CreationTime"
    matching = [row for row in rows if request.get("NameContains", "") in row[name]]
    if status := request.get("StatusEquals"):
        matching = [row for row in matching if row.get("EndpointStatus") == status]
    matching.sort(key=lambda row: row[key], reverse=request.get("SortOrder", "Descending") == "Descending")
    start = int(request.get("NextToken", "0"))
    end = start + min(int(request.get("MaxResults", PAGE)), PAGE)
    return {field: matching[start:end], **({"NextToken": str(end)} if end < len(matching) else {})}
