"""The users in the OpenSearch domain: one for the page, which can only search, and one for ingestion.

They are created over HTTP by the master user, which is used for nothing else, and deleted with the domain. Each password is a
secret of its own; a user is updated when the version of its secret changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from deploy import names
from deploy.aws.search import VERSION_TAG, Password
from deploy.aws.session import AwsSession
from deploy.policy import search_role
from deploy.search_probe import Server
from deploy.stack import Stack

API = "/_plugins/_security/api"
PURPOSES = {"ingest": "ingest-role", "page": "page-role"}
"""Purposes of users, and the role of each in deploy/policies."""


@dataclass(frozen=True, slots=True)
class SearchUser:
    """A user in the domain. `name`: of the user, its role and its role mapping; `role`: a file of deploy/policies."""

    name: str
    role: str
    password: Password


def search_users(aws: AwsSession, stack: Stack) -> dict[str, SearchUser]:
    """Users by purpose; empty without a domain, or with access by an IAM role."""
    if not stack.opensearch or stack.opensearch.access == "role":
        return {}
    return {
        purpose: SearchUser(
            f"{stack.opensearch.user}-{purpose}",
            role,
            Password(aws, names.secret(aws.stack_name, purpose), stack.kms_key),
        )
        for purpose, role in PURPOSES.items()
    }


def create_search_users(server: Server, users: Iterable[SearchUser]) -> Iterator[str]:
    """Create or update users, roles and mappings as the master user; yields a line for each user. Raises DeployError."""
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
        yield f"{'created' if changed else 'unchanged'}: search user {user.name}"


def _same(existing: Any, desired: Any) -> bool:
    """Whether `existing` equals `desired` apart from empty fields, which the server adds."""
    if isinstance(desired, dict) and isinstance(existing, dict):
        return all(
            _same(value, desired[name]) if name in desired else not value for name, value in existing.items()
        ) and all(name in existing for name in desired)
    if isinstance(desired, list) and isinstance(existing, list):
        return len(existing) == len(desired) and all(map(_same, existing, desired))
    return bool(existing == desired)
