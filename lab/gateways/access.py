"""Who asks: passwords by HTTP's Basic authentication."""

import base64
import binascii
import hmac
from collections.abc import Mapping

from starlette.requests import Request


def account(request: Request, passwords: Mapping[str, str]) -> str | None:
    """Return the account whose name and password came with a request, or None."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    known = passwords.get(name)
    return name if known is not None and hmac.compare_digest(known.encode(), password.encode()) else None
