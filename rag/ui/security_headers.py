"""Security headers of every response. Removes Gradio's CORS headers and restricts cookies to the page's site."""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.types import Message

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""No content from, requests to or framing by other hosts. Gradio itself needs 'unsafe-inline' and 'unsafe-eval'."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
}
HSTS = "max-age=31536000"

_SAME_SITE = re.compile(r";\s*(samesite=[^;]*|secure(?=;|$))", re.IGNORECASE)


def secure_response(message: Message, *, https: bool, private: bool) -> None:
    """Set the headers of an "http.response.start" message in place.

    `https`: the visitor uses https. `private`: the response belongs to a conversation, and no cache may store it.
    """
    headers = MutableHeaders(scope=message)
    # Gradio allows other origins to read its responses; this page does not.
    for name in [name for name in headers if name.startswith("access-control-")]:
        del headers[name]
    headers.update(HEADERS)
    if private:
        # Also because browsers may send a request twice that waits for the cache entry of a stream with the same URL. Gradio
        # deals a session's messages out among its streams, and the one that nobody reads would swallow half of them.
        headers["Cache-Control"] = "no-store"
    if https:
        headers["Strict-Transport-Security"] = HSTS
    cookies = headers.getlist("set-cookie")
    if cookies:
        del headers["set-cookie"]
        for cookie in cookies:
            headers.append("set-cookie", first_party(cookie, https=https))


def first_party(cookie: str, *, https: bool) -> str:
    """The value of a Set-Cookie header with SameSite=Lax, and Secure if `https`."""
    return f"{_SAME_SITE.sub('', cookie)}; SameSite=Lax{'; Secure' if https else ''}"
