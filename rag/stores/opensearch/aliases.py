"""The aliases of an index: which version is live, and how a new version replaces it.

    fsi-NAME                alias of the live index, moved in one step
    fsi-NAME.previous       alias of the previous index, kept for a rollback
    fsi-NAME.building       alias of an index that is not complete; the next ingestion continues it
    fsi-NAME.v-TIME-RANDOM  the indexes themselves

Readers query the alias, so they see either the old index or the new one.

The mapping's `_meta` has the manifest that the index was created with. A manifest that is written later (with a calibration)
is a document beside the rows, because on OpenSearch 2.19 any update of a mapping with an exact vector field fails the shard
(opensearch-project/k-NN issue 2540).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from rag.errors import IndexMissing, StoreError
from rag.stores.base import Manifest
from rag.stores.opensearch.client import Connection
from rag.stores.opensearch.mapping import NODE, SPACE, VECTOR, index_body

PREFIX: Final = "fsi-"
_MANIFEST: Final = "manifest"
"""The `_id` of the manifest document. The `_id` of a row starts with another letter (`mapping.document_key`)."""


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """An index on the server. `exact`: it has no graph. `space`: its k-NN space type, which defines its scores."""

    index: str
    manifest: Manifest
    exact: bool
    space: str


def alias(name: str, role: str = "") -> str:
    """Return the alias of an index in a role: "" (live), "previous" or "building"."""
    return f"{PREFIX}{name}.{role}" if role else f"{PREFIX}{name}"


def names(connection: Connection) -> list[str]:
    """Return the names of all indexes that can be opened, sorted."""
    answer = connection.request("GET", f"/{PREFIX}*/_alias")
    present = {each for entry in answer.values() for each in entry["aliases"]}
    # Names contain no dots: a dot separates the role or the version.
    return sorted(each.removeprefix(PREFIX) for each in present if each.startswith(PREFIX) and "." not in each)


def look_up(connection: Connection, name: str, role: str = "") -> IndexInfo:
    """Return the index in this role. Raises IndexMissing, or IndexMismatch if it has another schema."""
    # ignore_unavailable: a missing alias gives an empty answer and not a 404, which a proxy could also send.
    entries = connection.request("GET", f"/{alias(name, role)}/_mapping", params={"ignore_unavailable": "true"})
    if not entries:
        raise _missing(connection, name)
    if len(entries) > 1:
        raise StoreError(f"alias {alias(name, role)} has several indexes ({', '.join(entries)}): delete all but one")
    ((index, entry),) = entries.items()
    # A get by id needs no refresh and returns a manifest that was just written.
    document = connection.request("GET", f"/{index}/_doc/{_MANIFEST}", params={"ignore": 404})
    return _index_info(index, name, entry["mappings"], document.get("_source", {}).get(NODE))


def create(connection: Connection, name: str, manifest: Manifest, *, role: str = "", exact: bool = True) -> None:
    """Create an empty index in this role. Raises StoreError if there is one already."""
    if alias(name, role) in _roles(connection, name):
        raise StoreError(f"index {name!r} already exists at {connection.url}: open it, or delete it first")
    create_version(connection, name, manifest, roles=(role,), exact=exact)


def create_version(
    connection: Connection, name: str, manifest: Manifest, *, roles: Sequence[str] = (), exact: bool = True
) -> str:
    """Create an empty index with these roles; without a role, readers do not see it. Returns the index's own name."""
    # The time is for people who list the indexes; the random part distinguishes two indexes of the same second.
    index = f"{alias(name)}.v-{datetime.now(UTC):%Y%m%d%H%M%S}-{uuid4().hex[:8]}"
    content = index_body(manifest, connection.layout, exact=exact) | {
        "aliases": {alias(name, role): {} for role in roles}
    }
    connection.request("PUT", f"/{index}", content)
    return index


def assign_role(connection: Connection, name: str, index: str, role: str) -> None:
    """Add the alias of `role` to a version that has no alias."""
    _assign(connection, {}, {alias(name, role): index})


def put_manifest(connection: Connection, info: IndexInfo, manifest: Manifest) -> None:
    """Replace the manifest of this index. Visible immediately."""
    content = json.dumps(manifest.as_json(), ensure_ascii=False)
    connection.request("PUT", f"/{info.index}/_doc/{_MANIFEST}", {NODE: content}, params={"refresh": "true"})


def swap_in(connection: Connection, name: str) -> None:
    """Make the "building" index live in one step, keep the live one as "previous" and remove older ones.

    Raises IndexMissing if no index is being built.
    """
    roles = _roles(connection, name)
    built = roles.get(alias(name, "building"))
    if built is None:
        raise IndexMissing(f"no new version of index {name!r} is being built at {connection.url}")
    assigned = {alias(name): built}
    if live := roles.get(alias(name)):
        assigned[alias(name, "previous")] = live
    _assign(connection, roles, assigned)
    _remove(connection, name, keep=set(assigned.values()))


def rollback(connection: Connection, name: str) -> None:
    """Exchange the live index with the previous one. Raises StoreError if there is none."""
    roles = _roles(connection, name)
    live, previous = roles.get(alias(name)), roles.get(alias(name, "previous"))
    if live is None:
        raise _missing(connection, name)
    if previous is None:
        raise StoreError(f"index {name!r} has no earlier version to restore")
    _assign(connection, roles, {alias(name): previous, alias(name, "previous"): live})


def delete(connection: Connection, name: str) -> None:
    """Remove all versions. Raises IndexMissing if there is no live index."""
    if alias(name) not in _roles(connection, name):
        raise _missing(connection, name)
    _remove(connection, name, keep=set())


def delete_building(connection: Connection, name: str) -> None:
    """Remove the index that is being built, if there is one."""
    if index := _roles(connection, name).get(alias(name, "building")):
        connection.request("DELETE", f"/{index}")


def _missing(connection: Connection, name: str) -> IndexMissing:
    return IndexMissing(
        f"there is no index {name!r} at {connection.url}: build it with `python -m rag ingest PATH --index {name}`"
    )


def _index_info(index: str, name: str, mappings: Mapping[str, Any], written_later: str | None) -> IndexInfo:
    meta = mappings.get("_meta", {})
    if "manifest" not in meta:
        raise StoreError(f"index {name!r} was not created by this program: ingest into another index")
    manifest = Manifest.from_json(json.loads(written_later or meta["manifest"]), index=name)
    # Indexes of earlier versions use the space "cosinesimil"; those without a graph have no method and no space.
    space = mappings["properties"].get(VECTOR, {}).get("method", {}).get("space_type", SPACE)
    return IndexInfo(index, manifest, meta["exact"], space)


def _roles(connection: Connection, name: str) -> dict[str, str]:
    """Return the index of each alias of this name."""
    answer = connection.request("GET", f"/{alias(name)}.v-*/_alias")
    return {each: index for index, entry in answer.items() for each in entry["aliases"]}


def _assign(connection: Connection, roles: Mapping[str, str], assigned: Mapping[str, str]) -> None:
    """Remove all aliases in `roles` and add those in `assigned` (alias to index), in one step."""
    # The server applies all actions of one request atomically.
    actions = [{"remove": {"index": index, "alias": each}} for each, index in roles.items()]
    actions += [{"add": {"index": index, "alias": each}} for each, index in assigned.items()]
    connection.request("POST", "/_aliases", {"actions": actions})


def _remove(connection: Connection, name: str, keep: set[str]) -> None:
    """Delete all versions except `keep`, each by its full name because the server may forbid wildcards."""
    for index in connection.request("GET", f"/{alias(name)}.v-*/_alias"):
        if index not in keep:
            connection.request("DELETE", f"/{index}")
