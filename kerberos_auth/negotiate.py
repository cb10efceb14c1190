"""What the `Authorization: Negotiate` header of a browser proves: login without a password.  Knows no HTTP."""

import base64
import binascii
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from . import names, sentences
from .ccache import parse
from .errors import AuthFailed, BadTicket, NameRefused
from .taken import Taken

MAX_HEADER = 48 * 1024  # tickets with an Active Directory PAC are large; tornado takes 64 KiB of headers in all

_NTLM = b"NTLMSSP\0"


class SignOnRefused(AuthFailed):
    """The browser's ticket lets nobody in; sending the same again will not help, the message says what will."""


class NotDelegated(SignOnRefused):
    """The browser keeps its ticket to itself."""


@dataclass(frozen=True)
class SignedOn(Taken):
    """A user whose browser proved who it is and passed a ticket on.

    `answer` is the value of a WWW-Authenticate header by which this service proves itself in return.
    """

    answer: str = field(repr=False)


def read_header(value: str) -> bytes | None:
    """Return the token in the value of an Authorization header, None when that is not of the scheme Negotiate.

    Raises SignOnRefused for a token that is too large, damaged, or NTLM.
    """
    scheme, _, text = value.partition(" ")
    if scheme.lower() != "negotiate":
        return None
    if len(value) > MAX_HEADER:
        raise SignOnRefused(sentences.TOKEN_TOO_LARGE, f"a header of {len(value)} characters")
    try:
        token = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignOnRefused(sentences.TOKEN_DAMAGED, str(error)) from error
    if token.startswith(_NTLM):
        raise SignOnRefused(sentences.TOKEN_IS_NTLM, "an NTLM token")
    return token


def sign_on(token: bytes, keytab: str, into: Path, realm: str, denied: Collection[str]) -> SignedOn:
    """Check a token with the service keys in the file `keytab` and return whose it is, with the ticket passed on.

    Blocks for milliseconds and asks no KDC.  `into` is a folder that nobody else may write to.  Only people of
    `realm` are users, and nobody in `denied`.  Raises SignOnRefused, or AuthFailed when the keytab is of no use.
    """
    # Named in settings that every hub reads, also one without libkrb5.
    from . import gss  # noqa: PLC0415

    try:
        accepted = gss.accept(token, keytab, into)
    except BadTicket as error:
        raise SignOnRefused(sentences.NOT_BELIEVED, error.detail) from error
    user = _user_of(accepted.principal, realm, denied)
    if accepted.cache is None:
        raise NotDelegated(sentences.NOT_DELEGATED, f"{accepted.principal} passed no ticket on")
    if not _is_forwardable(accepted.cache):
        raise SignOnRefused(sentences.NOT_FORWARDABLE, f"the ticket of {accepted.principal} is not forwardable")
    answer = base64.b64encode(accepted.answer).decode()
    return SignedOn(user, accepted.principal, accepted.cache, f"Negotiate {answer}")


def _user_of(principal: str, realm: str, denied: Collection[str]) -> str:
    theirs = principal.rpartition("@")[2]
    if theirs != realm:
        raise SignOnRefused(sentences.OTHER_REALM.format(realm=realm), f"{principal} is of {theirs}")
    try:
        user = names.user_of(principal, realm)
    except NameRefused as error:
        raise SignOnRefused(sentences.NOBODY_HERE, f"{principal}: {error.detail}") from error
    if user in denied:
        raise SignOnRefused(sentences.NOBODY_HERE, f"{principal} is on the deny list")
    return user


def _is_forwardable(cache: bytes) -> bool:
    try:
        return parse(cache).forwardable
    except BadTicket as error:
        raise SignOnRefused(sentences.NOT_BELIEVED, error.detail) from error
