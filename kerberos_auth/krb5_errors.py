"""What libkrb5's errors mean: to a person, and to whoever decides whether to try again."""

from gssapi.raw.misc import GSSError

from . import sentences
from .errors import AuthFailed, ClocksDiffer, LoginRefused, LoginServersUnreachable, PasswordExpired

# Codes of libkrb5 (krb5.h); the names are those of the MIT documentation.
_BAD_INTEGRITY = -1765328353  # KRB5KRB_AP_ERR_BAD_INTEGRITY
_EXPIRED = -1765328361  # KRB5KDC_ERR_KEY_EXP
_CLOCK_SKEW = -1765328347  # KRB5KRB_AP_ERR_SKEW
_REFUSED = {
    -1765328360,  # KRB5KDC_ERR_PREAUTH_FAILED: wrong password
    -1765328366,  # KRB5KDC_ERR_CLIENT_REVOKED: locked
    -1765328378,  # KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN
    -1765328383,  # KRB5KDC_ERR_NAME_EXP: account expired
}
_UNREACHABLE = {
    -1765328164,  # KRB5_REALM_CANT_RESOLVE
    -1765328228,  # KRB5_KDC_UNREACH
    -1765328230,  # KRB5_REALM_UNKNOWN: no KDC known for the realm
    -1765328355,  # KRB5KDC_ERR_SVC_UNAVAILABLE
}
_NOT_VERIFIED = {
    -1765328340,  # KRB5KRB_AP_ERR_BADKEYVER: the KDC's key is not the one in the keytab
    -1765328377,  # KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN: the KDC does not know the keytab's principal
    -1765328203,  # KRB5_KT_NOTFOUND
    -1765328171,  # KRB5_KEYTAB_BADVNO: not a keytab
    2,  # ENOENT
    13,  # EACCES
}


def translate(error: GSSError) -> AuthFailed:
    """Return what an error of a login or of a service's ticket means."""
    code, detail = _code(error), text(error)
    # Wrong password where the KDC wants no pre-authentication, or a KDC that lacks the keytab's key.
    # Both are refused; the English word only chooses the sentence.
    if code in _REFUSED or (code == _BAD_INTEGRITY and "keytab" not in detail):
        return LoginRefused(detail)
    if code == _EXPIRED:
        return PasswordExpired(detail)
    if code in _UNREACHABLE:
        return LoginServersUnreachable(detail)
    if code in _NOT_VERIFIED or code == _BAD_INTEGRITY:
        return AuthFailed(sentences.SERVER_NOT_VERIFIED, detail)
    if code == _CLOCK_SKEW:
        return ClocksDiffer(detail)
    return AuthFailed(sentences.NO_TICKET_GIVEN, detail)


def _code(error: GSSError) -> int:
    """The minor code as libkrb5 writes it; GSSAPI carries it unsigned."""
    code = int(error.min_code)
    return code - 2**32 if code >= 2**31 else code


def text(error: GSSError) -> str:
    """Return code and words, for the log."""
    return f"krb5 {_code(error)}: {error}"
