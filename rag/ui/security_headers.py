"""What every response carries, and what is taken out of Gradio's: leave for other origins, cookies that travel."""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.types import Message

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
"""Browsers then refuse to load from, send to or be framed by another host. Gradio itself needs inline and eval."""

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


def secure_response(message: Message, *, https: bool) -> None:
    """Change the start of a response in place."""
    headers = MutableHeaders(scope=message)
    # Gradio lets other origins read its answers; this page has none.
    for name in [name for name in headers if name.startswith("access-control-")]:
        del headers[name]
    headers.update(HEADERS)
    if https:
        headers["Strict-Transport-Security"] = HSTS
    cookies = headers.getlist("set-cookie")
    if cookies:
        del headers["set-cookie"]
        for cookie in cookies:
            headers.append("set-cookie", first_party(cookie, https=https))


def first_party(cookie: str, *, https: bool) -> str:
    """A Set-Cookie header's value for a cookie that no other site's page makes a browser send."""
    return f"{_SAME_SITE.sub('', cookie)}; SameSite=Lax{'; Secure' if https else ''}"
