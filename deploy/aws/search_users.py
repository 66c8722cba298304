"""The search server's users: the page's, which can only search, and the ingester's. Each has its password as a secret of its own.

They are no resources of AWS's but of the server's: made over HTTP as the master user, who does nothing else, and gone with
the domain. A user is made again where its secret has another version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from deploy.aws.search import VERSION_TAG, Password
from deploy.aws.session import AwsSession
from deploy.policy import search_role
from deploy.search_probe import Server
from deploy.stack import Stack

API = "/_plugins/_security/api"
PURPOSES = {"ingest": "ingest-role", "page": "page-role"}
"""What a user is for, and its role in deploy/policies."""


@dataclass(frozen=True, slots=True)
class SearchUser:
    """`name` is the user's, its role's and its mapping's."""

    name: str
    role: str
    password: Password


def search_users(aws: AwsSession, stack: Stack) -> dict[str, SearchUser]:
    """By purpose; none where there is no domain, or where IAM says who asks."""
    if not stack.opensearch or stack.opensearch.access == "role":
        return {}
    return {
        purpose: SearchUser(
            f"{stack.opensearch.user}-{purpose}",
            role,
            Password(aws, f"fsi/{aws.stack_name}/{purpose}", stack.kms_key),
        )
        for purpose, role in PURPOSES.items()
    }


def make(server: Server, users: Iterable[SearchUser]) -> Iterator[str]:
    """Make what is missing or differs, as the master user; a line for each user. Raises DeployError."""
    for user in users:
        version = user.password.version()
        desired: dict[str, dict[str, Any]] = {
            "roles": search_role(user.role),
            "internalusers": {"attributes": {VERSION_TAG: version}},
            "rolesmapping": {"users": [user.name]},
        }
        changed = False
        for kind, body in desired.items():
            existing = (server.find(f"{API}/{kind}/{user.name}") or {}).get(user.name)
            if existing is None or not _same(existing, body):
                secret = {"password": user.password.read()[0]} if kind == "internalusers" else {}
                server.request("PUT", f"{API}/{kind}/{user.name}", {**body, **secret})
                changed = True
        yield f"{'made' if changed else 'kept'}: search user {user.name}"


def _same(existing: Any, desired: Any) -> bool:
    """Whether all of `desired` is there and nothing else is said: the server adds fields of its own, empty ones."""
    if isinstance(desired, dict) and isinstance(existing, dict):
        return all(
            _same(value, desired[name]) if name in desired else not value for name, value in existing.items()
        ) and all(name in existing for name in desired)
    if isinstance(desired, list) and isinstance(existing, list):
        return len(existing) == len(desired) and all(map(_same, existing, desired))
    return bool(existing == desired)
