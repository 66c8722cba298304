"""Which index a name stands for, and how another takes its place.

    fsi-NAME                the live index: an alias, moved in one step
    fsi-NAME.previous       the one before it, kept for a rollback
    fsi-NAME.building       one that is not whole yet; an ingestion that was killed is continued there
    fsi-NAME.v-TIME-RANDOM  the indexes behind them

Readers ask the alias, so they see the old index or the new one, never a half.

The manifest an index was created with is in its mapping's `_meta`; one that was written later (a calibration) is a document
beside the rows. Updating `_meta` would do, but on 2.19 any update of a mapping with an exact vector field fails the shard
(opensearch-project/k-NN issue 2540).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from rag.errors import IndexMismatch, IndexMissing, StoreError
from rag.stores.base import SCHEMA, Manifest
from rag.stores.opensearch.client import Connection
from rag.stores.opensearch.mapping import NODE, SPACE, VECTOR, body

PREFIX: Final = "fsi-"
_MANIFEST: Final = "manifest"
"""The `_id` of that document; a row's begins with another letter (`documents.key`)."""


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """An index as it is on the server. `exact`: it has no graph; `space`: what its scores mean."""

    index: str
    manifest: Manifest
    exact: bool
    space: str


def alias(name: str, role: str = "") -> str:
    return f"{PREFIX}{name}.{role}" if role else f"{PREFIX}{name}"


def names(connection: Connection) -> list[str]:
    """Of all indexes that can be opened, sorted."""
    found = connection.request("GET", f"/{PREFIX}*/_alias")
    live = {each for entry in found.values() for each in entry["aliases"]}
    return sorted(each.removeprefix(PREFIX) for each in live if each.startswith(PREFIX) and "." not in each)


def look_up(connection: Connection, name: str, role: str = "") -> IndexInfo:
    """The index in this role. Raises IndexMissing, and IndexMismatch for one of another schema."""
    found = connection.request("GET", f"/{alias(name, role)}/_mapping", params={"ignore_unavailable": "true"})
    if not found:
        raise _missing(connection, name)
    if len(found) > 1:
        raise StoreError(f"{alias(name, role)} stands for several indexes ({', '.join(found)}): delete all but one")
    ((index, entry),) = found.items()
    written = connection.request("GET", f"/{index}/_doc/{_MANIFEST}", params={"ignore": 404})
    return _described(index, name, entry["mappings"], written.get("_source", {}).get(NODE))


def create(connection: Connection, name: str, manifest: Manifest, *, role: str = "", exact: bool = True) -> None:
    """A new, empty index in this role. Raises StoreError where there is one."""
    if alias(name, role) in _roles(connection, name):
        raise StoreError(f"index {name!r} exists already at {connection.url}: open it, or delete it first")
    create_version(connection, name, manifest, roles=(role,), exact=exact)


def create_version(
    connection: Connection, name: str, manifest: Manifest, *, roles: Sequence[str] = (), exact: bool = True
) -> str:
    """A new, empty index, which nobody finds before it has a role. Returns its own name."""
    index = f"{alias(name)}.v-{datetime.now(UTC):%Y%m%d%H%M%S}-{uuid4().hex[:8]}"
    content = body(manifest, connection.layout, exact=exact) | {"aliases": {alias(name, role): {} for role in roles}}
    connection.request("PUT", f"/{index}", content)
    return index


def give_role(connection: Connection, name: str, index: str, role: str) -> None:
    """To a version that has none."""
    _assign(connection, {}, {alias(name, role): index})


def put_manifest(connection: Connection, found: IndexInfo, manifest: Manifest) -> None:
    content = json.dumps(manifest.as_json(), ensure_ascii=False)
    connection.request("PUT", f"/{found.index}/_doc/{_MANIFEST}", {NODE: content}, params={"refresh": "true"})


def swap_in(connection: Connection, name: str) -> None:
    """Make the building index the live one in one step, keep the live one as the previous, remove older ones."""
    roles = _roles(connection, name)
    built = roles.get(alias(name, "building"))
    if built is None:
        raise IndexMissing(f"no new version of index {name!r} is being built at {connection.url}")
    wanted = {alias(name): built}
    if live := roles.get(alias(name)):
        wanted[alias(name, "previous")] = live
    _assign(connection, roles, wanted)
    _remove(connection, name, keep=set(wanted.values()))


def rollback(connection: Connection, name: str) -> None:
    """Exchange the live index with the previous one. Raises StoreError if there is none."""
    roles = _roles(connection, name)
    live, previous = roles.get(alias(name)), roles.get(alias(name, "previous"))
    if live is None:
        raise _missing(connection, name)
    if previous is None:
        raise StoreError(f"index {name!r} has no earlier version to go back to")
    _assign(connection, roles, {alias(name): previous, alias(name, "previous"): live})


def delete(connection: Connection, name: str) -> None:
    """Remove every version. Raises IndexMissing if there is none."""
    if alias(name) not in _roles(connection, name):
        raise _missing(connection, name)
    _remove(connection, name, keep=set())


def discard(connection: Connection, name: str) -> None:
    """Remove what is being built, if anything is."""
    if index := _roles(connection, name).get(alias(name, "building")):
        connection.request("DELETE", f"/{index}")


def _missing(connection: Connection, name: str) -> IndexMissing:
    return IndexMissing(
        f"there is no index {name!r} at {connection.url}: build it with `python -m rag ingest PATH --index {name}`"
    )


def _described(index: str, name: str, mappings: Mapping[str, Any], written: str | None) -> IndexInfo:
    found = mappings.get("_meta", {})
    if "manifest" not in found:
        raise StoreError(f"the index behind {name!r} is none of this program: ingest into another index")
    content = json.loads(written or found["manifest"])
    if content.get("schema") != SCHEMA:
        raise IndexMismatch(
            f"index {name!r} was built with schema {content.get('schema')!r}, this version reads {SCHEMA!r}: "
            f"ingest its files again with `python -m rag ingest PATH --index {name}`"
        )
    space = mappings["properties"].get(VECTOR, {}).get("method", {}).get("space_type", SPACE)
    return IndexInfo(index, Manifest(**content), found["exact"], space)


def _roles(connection: Connection, name: str) -> dict[str, str]:
    """The index behind each alias of this name."""
    found = connection.request("GET", f"/{alias(name)}.v-*/_alias")
    return {each: index for index, entry in found.items() for each in entry["aliases"]}


def _assign(connection: Connection, roles: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Let the aliases point where wanted and nowhere else, in one step."""
    actions = [{"remove": {"index": index, "alias": each}} for each, index in roles.items()]
    actions += [{"add": {"index": index, "alias": each}} for each, index in wanted.items()]
    connection.request("POST", "/_aliases", {"actions": actions})


def _remove(connection: Connection, name: str, keep: set[str]) -> None:
    """Delete the versions that no role needs: each by its name, for wildcards may be forbidden."""
    for index in connection.request("GET", f"/{alias(name)}.v-*/_alias"):
        if index not in keep:
            connection.request("DELETE", f"/{index}")
