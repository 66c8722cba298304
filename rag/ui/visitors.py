"""Who sends a request: the browser's cookie and login, and the address that a stated proxy gives.

A page's conversation is named by a `session_hash` that the browser chooses, and it stands in the logs of every proxy. Here it
is made one with its owner before Gradio sees it, so that the name alone opens nobody's conversation.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import Scope

from rag.errors import InputError

KEEP = "fsi-keep"
"""The page's script sets this cookie to 0 on a shared computer: nothing is then kept."""
COOKIE = "fsi-visitor"
"""Holds 128 random bits; set with the page, readable by no script."""
HOST_COOKIE = "__Host-fsi-visitor"
"""The same over https: browsers take one of this name from the page's own host alone, not from one beside or above it, which
could give a visitor a cookie that it knows."""
LOGIN_COOKIE = "access-token"
"""What the names of Gradio's cookies for a login begin with."""
FORWARDED = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-gradio-server", "x-real-ip")
"""Headers in which a proxy says what it was asked; anybody else can write them too."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Visitor:
    """One browser or program. `owner` is a digest, `host` and `https` are what it asked for."""

    owner: str
    address: str
    host: str
    https: bool
    new: bool
    """Whether it has no cookie of ours yet."""
    token: str = ""
    """The cookie, where chats may be kept under it: not where the visitor wants nothing kept."""
    forwarded: bool = False
    """Whether a proxy, or who wants to be taken for one, has sent the request on."""

    @property
    def cookie(self) -> str:
        """The name of this visitor's cookie."""
        return HOST_COOKIE if self.https else COOKIE

    def session(self, name: str) -> str:
        """The name under which Gradio keeps the session `name` of this visitor, and of no other."""
        return hashlib.blake2b(name.encode("utf-8", "replace"), key=self.owner.encode(), digest_size=16).hexdigest()


class Visitors:
    """Tells visitors apart. `proxies`: addresses or networks whose forwarded headers are believed. Raises InputError."""

    def __init__(self, proxies: Sequence[str] = ()) -> None:
        self._secret = secrets.token_bytes(32)
        try:
            self._proxies: list[Network] = [ipaddress.ip_network(each, strict=False) for each in proxies]
        except ValueError as exc:
            raise InputError(
                f"wrong proxy address: {exc}; set FSI_UI__TRUSTED_PROXIES to addresses or networks such as 10.0.0.0/8"
            ) from exc

    def of(self, scope: Scope) -> Visitor:
        """The visitor of an HTTP request; forwarded headers of anybody but a stated proxy are taken out of it."""
        peer = str((scope.get("client") or ("", 0))[0])
        headers = Headers(scope=scope)
        address, host, https = peer, headers.get("host", ""), scope.get("scheme") == "https"
        forwarded = any(name in headers for name in FORWARDED)
        if self.trusts(peer):
            address = self._client(headers, peer)
            host = _first(headers.get("x-forwarded-host")) or host
            https = (_first(headers.get("x-forwarded-proto")) or scope.get("scheme")) == "https"
        else:
            changed = MutableHeaders(scope=scope)
            for name in FORWARDED:
                del changed[name]
        cookies, name = parse_cookies(headers), HOST_COOKIE if https else COOKIE
        given = cookies.get(name, "")[:64]
        # Programs keep no cookie: theirs is the address.
        token = given or f"address {address_group(address)}"
        # After a login the same browser is another owner: what was asked before is not opened by whoever logs in.
        logins = sorted(value[:64] for name, value in cookies.items() if name.startswith(LOGIN_COOKIE))
        kept = "" if cookies.get(KEEP) == "0" else given
        owner = hashlib.blake2b("\n".join([token, *dict.fromkeys(logins)]).encode(), key=self._secret, digest_size=16)
        return Visitor(owner.hexdigest(), address_group(address), host, https, name not in cookies, kept, forwarded)

    def trusts(self, address: str) -> bool:
        """Whether it is a stated proxy's."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._proxies)

    def _client(self, headers: Headers, peer: str) -> str:
        """The last address in X-Forwarded-For that no stated proxy has: what stands before it is the visitor's own word."""
        hops = [hop.strip() for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]
        for hop in reversed(hops):
            try:
                ipaddress.ip_address(hop)
            except ValueError:
                break
            if not self.trusts(hop):
                return hop
        return peer


def person_id(secret: bytes, visitor: Visitor, user: str) -> str:
    """Under which a visitor's chats are kept: by the cookie and the login's name. Empty: nothing is kept."""
    if not visitor.token:
        return ""
    return hashlib.blake2b(f"{visitor.token}\n{user}".encode(), key=secret, digest_size=16).hexdigest()


def new_cookie() -> str:
    """A value for COOKIE."""
    return secrets.token_urlsafe(16)


def address_group(address: str) -> str:
    """An IPv6 address counts with its /64, which is one connection's."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


def parse_cookies(headers: Headers) -> dict[str, str]:
    """As Starlette and Gradio read them: one that is malformed hides none of the others."""
    return cookie_parser("; ".join(headers.getlist("cookie")))


def _first(value: str | None) -> str:
    return (value or "").split(",")[0].strip()
