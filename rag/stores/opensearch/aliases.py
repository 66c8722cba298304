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

from rag.errors import IndexMissing, StoreError
from rag.stores.base import Manifest
from rag.stores.opensearch.client import Connection
from rag.stores.opensearch.mapping import NODE, SPACE, VECTOR, body

PREFIX: Final = "fsi-"
_MANIFEST: Final = "manifest"
"""The `_id` of that document; a row's begins with another letter (`mapping.key`)."""


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """An index as it is on the server. `exact`: it has no graph; `space`: what its scores mean."""

    index: str
    manifest: Manifest
    exact: bool
    space: str


def alias(name: str, role: str = "") -> str:
    """The alias of an index; `role` "" is the live one, see above."""
    return f"{PREFIX}{name}.{role}" if role else f"{PREFIX}{name}"


def names(connection: Connection) -> list[str]:
    """Of all indexes that can be opened, sorted."""
    answer = connection.request("GET", f"/{PREFIX}*/_alias")
    present = {each for entry in answer.values() for each in entry["aliases"]}
    # A dot begins a role or a version; a name has none.
    return sorted(each.removeprefix(PREFIX) for each in present if each.startswith(PREFIX) and "." not in each)


def look_up(connection: Connection, name: str, role: str = "") -> IndexInfo:
    """The index in this role. Raises IndexMissing, and IndexMismatch for one of another schema."""
    # ignore_unavailable: a missing alias is an empty answer then, where a 404 might mean anything along the way.
    entries = connection.request("GET", f"/{alias(name, role)}/_mapping", params={"ignore_unavailable": "true"})
    if not entries:
        raise _missing(connection, name)
    if len(entries) > 1:
        raise StoreError(f"{alias(name, role)} stands for several indexes ({', '.join(entries)}): delete all but one")
    ((index, entry),) = entries.items()
    # By id, which needs no refresh: a manifest just written is seen.
    document = connection.request("GET", f"/{index}/_doc/{_MANIFEST}", params={"ignore": 404})
    return _index_info(index, name, entry["mappings"], document.get("_source", {}).get(NODE))


def create(connection: Connection, name: str, manifest: Manifest, *, role: str = "", exact: bool = True) -> None:
    """A new, empty index in this role. Raises StoreError where there is one."""
    if alias(name, role) in _roles(connection, name):
        raise StoreError(f"index {name!r} exists already at {connection.url}: open it, or delete it first")
    create_version(connection, name, manifest, roles=(role,), exact=exact)


def create_version(
    connection: Connection, name: str, manifest: Manifest, *, roles: Sequence[str] = (), exact: bool = True
) -> str:
    """A new, empty index, which nobody finds before it has a role. Returns its own name."""
    # The time is for people who list the indexes; the random part keeps two of one second apart.
    index = f"{alias(name)}.v-{datetime.now(UTC):%Y%m%d%H%M%S}-{uuid4().hex[:8]}"
    content = body(manifest, connection.layout, exact=exact) | {"aliases": {alias(name, role): {} for role in roles}}
    connection.request("PUT", f"/{index}", content)
    return index


def give_role(connection: Connection, name: str, index: str, role: str) -> None:
    """To a version that has none."""
    _assign(connection, {}, {alias(name, role): index})


def put_manifest(connection: Connection, info: IndexInfo, manifest: Manifest) -> None:
    """Store another manifest of this index; seen at once."""
    content = json.dumps(manifest.as_json(), ensure_ascii=False)
    connection.request("PUT", f"/{info.index}/_doc/{_MANIFEST}", {NODE: content}, params={"refresh": "true"})


def swap_in(connection: Connection, name: str) -> None:
    """Make the building index the live one in one step, keep the live one as the previous, remove older ones.

    Raises IndexMissing where none is being built.
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


def _index_info(index: str, name: str, mappings: Mapping[str, Any], written_later: str | None) -> IndexInfo:
    meta = mappings.get("_meta", {})
    if "manifest" not in meta:
        raise StoreError(f"the index behind {name!r} is not an index of this program: ingest into another index")
    manifest = Manifest.from_json(json.loads(written_later or meta["manifest"]), index=name)
    # Indexes of earlier versions compare by the cosine itself; those without a graph name no space.
    space = mappings["properties"].get(VECTOR, {}).get("method", {}).get("space_type", SPACE)
    return IndexInfo(index, manifest, meta["exact"], space)


def _roles(connection: Connection, name: str) -> dict[str, str]:
    """The index behind each alias of this name."""
    answer = connection.request("GET", f"/{alias(name)}.v-*/_alias")
    return {each: index for index, entry in answer.items() for each in entry["aliases"]}


def _assign(connection: Connection, roles: Mapping[str, str], assigned: Mapping[str, str]) -> None:
    """Take all aliases of `roles` away and set those `assigned`, in one step."""
    # One request is carried out as a whole: no question can fall between removing and adding.
    actions = [{"remove": {"index": index, "alias": each}} for each, index in roles.items()]
    actions += [{"add": {"index": index, "alias": each}} for each, index in assigned.items()]
    connection.request("POST", "/_aliases", {"actions": actions})


def _remove(connection: Connection, name: str, keep: set[str]) -> None:
    """Delete the versions that no role needs: each by its name, for wildcards may be forbidden."""
    for index in connection.request("GET", f"/{alias(name)}.v-*/_alias"):
        if index not in keep:
            connection.request("DELETE", f"/{index}")
