"""Identifies who sends a request, by the browser's cookie and login and by the address that a trusted proxy reports.

Gradio identifies a conversation by a `session_hash` that the browser chooses and that appears in the logs of proxies. It is
combined with its owner before Gradio sees it, so that knowing the hash does not open another visitor's conversation.
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

KEEP_COOKIE = "fsi-keep"
"""The page's script sets it to 0 if the visitor says that the computer is shared: no chats are saved then."""
COOKIE = "fsi-visitor"
"""Contains 128 random bits; set with the page, HttpOnly."""
HOST_COOKIE = "__Host-fsi-visitor"
"""Name of the same cookie over https. Browsers accept the `__Host-` prefix from the page's own host only: a sibling or parent
domain cannot set a value that it knows."""
LOGIN_COOKIE = "access-token"
"""Prefix of the names of Gradio's login cookies."""
FORWARDED = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-gradio-server", "x-real-ip")
"""Headers in which a proxy describes the original request; removed if they come from anybody else."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Visitor:
    """One browser or program.

    `owner`: a digest of the cookie and the login; of the address for a program without cookies. `address`: an
    `address_group`. `host`, `https`: of the original request, before any proxy. `new`: it has no cookie of this page yet.
    `token`: the cookie's value, if chats may be saved. `forwarded`: the request has headers of a proxy, trusted or not.
    """

    owner: str
    address: str
    host: str
    https: bool
    new: bool
    token: str = ""
    forwarded: bool = False

    @property
    def cookie(self) -> str:
        """The name of this visitor's cookie."""
        return HOST_COOKIE if self.https else COOKIE

    def session_name(self, name: str) -> str:
        """The name in Gradio for this visitor's session `name`: a digest that depends on the owner."""
        return hashlib.blake2b(name.encode("utf-8", "replace"), key=self.owner.encode(), digest_size=16).hexdigest()


class Visitors:
    """Identifies visitors.

    `proxies`: addresses or networks whose forwarded headers are trusted. Raises InputError if one is malformed.
    """

    def __init__(self, proxies: Sequence[str] = ()) -> None:
        self._secret = secrets.token_bytes(32)
        try:
            self._proxies: list[Network] = [ipaddress.ip_network(each, strict=False) for each in proxies]
        except ValueError as exc:
            raise InputError(
                f"invalid proxy address: {exc}; set FSI_UI__TRUSTED_PROXIES to addresses or networks such as 10.0.0.0/8"
            ) from exc

    def identify(self, scope: Scope) -> Visitor:
        """The visitor of an HTTP request. Removes forwarded headers from `scope` unless a trusted proxy sent them."""
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
        cookie = cookies.get(name, "")[:64]
        # Programs without cookies are identified by their address.
        token = cookie or f"address {address_group(address)}"
        # A login changes the owner, so that whoever logs in cannot open the conversation of an earlier user of the browser.
        logins = sorted(value[:64] for name, value in cookies.items() if name.startswith(LOGIN_COOKIE))
        saved_token = "" if cookies.get(KEEP_COOKIE) == "0" else cookie
        owner = hashlib.blake2b("\n".join([token, *dict.fromkeys(logins)]).encode(), key=self._secret, digest_size=16)
        return Visitor(
            owner.hexdigest(), address_group(address), host, https, name not in cookies, saved_token, forwarded
        )

    def trusts(self, address: str) -> bool:
        """Whether the address is a trusted proxy's."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._proxies)

    def _client(self, headers: Headers, peer: str) -> str:
        """The last address in X-Forwarded-For that is no trusted proxy's; earlier entries can be forged by the visitor."""
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
    """The key of a visitor's saved chats: a digest of the cookie and the user name. Empty if no chats are saved."""
    if not visitor.token:
        return ""
    return hashlib.blake2b(f"{visitor.token}\n{user}".encode(), key=secret, digest_size=16).hexdigest()


def address_group(address: str) -> str:
    """The unit in which addresses are limited: an IPv4 address, or an IPv6 /64 network, which one customer's line has.

    "unknown" for what is no address.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


def parse_cookies(headers: Headers) -> dict[str, str]:
    """The cookies of a request, parsed as Starlette and Gradio do; malformed ones do not affect the others."""
    return cookie_parser("; ".join(headers.getlist("cookie")))


def _first(value: str | None) -> str:
    return (value or "").split(",")[0].strip()
