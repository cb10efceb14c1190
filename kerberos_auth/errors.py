"""What can go wrong between a typed password and a stored ticket."""

from languages import for_log

from . import sentences


class AuthFailed(Exception):  # noqa: N818 - errors here are named by what happened
    """Base of every error of this package.

    Raised itself when neither typing again nor waiting helps and only an administrator can fix it: the
    KDC cannot be verified, the ticket folder is unsafe, a code nobody foresaw.

    `message` is one or two sentences, safe to show to the person; `detail` is for the administrators' log
    and never holds a password.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(for_log(message))
        self.message = message
        self.detail = detail

    def __str__(self) -> str:
        said = for_log(self.message)
        return f"{said} ({self.detail})" if self.detail else said


class LoginRefused(AuthFailed):
    """Wrong or unusable password, unknown or locked account: the person is never told which."""

    def __init__(self, detail: str) -> None:
        super().__init__(sentences.LOGIN_REFUSED, detail)


class NameRefused(LoginRefused):
    """The name can never belong to a user of this hub; nobody was asked and no file was touched."""


class PasswordExpired(AuthFailed):
    """The account is good, its password must be changed first."""

    def __init__(self, detail: str) -> None:
        super().__init__(sentences.PASSWORD_EXPIRED, detail)


class LoginServersUnreachable(AuthFailed):
    """PAM or the KDC did not answer, so nothing is known about the password."""

    def __init__(self, detail: str) -> None:
        super().__init__(sentences.SERVERS_UNREACHABLE, detail)


class TicketMissing(AuthFailed):
    """The store holds no ticket of this user."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(sentences.TICKET_MISSING, detail)


class TicketExpired(AuthFailed):
    """The ticket's life is over."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(sentences.TICKET_EXPIRED, detail)


class ClocksDiffer(AuthFailed):
    """A KDC refused because its clock and this machine's differ, which says nothing about the person."""

    def __init__(self, detail: str) -> None:
        super().__init__(sentences.CLOCKS_DIFFER, detail)


class RenewalRefused(AuthFailed):
    """The ticket will never be renewed, however often it is tried; a login gives a new one."""

    def __init__(self, detail: str) -> None:
        super().__init__(sentences.RENEWAL_REFUSED, detail)


class BadTicket(AuthFailed):
    """A credential cache that must not be used: damaged, tampered with, or of somebody else."""

    def __init__(self, detail: str) -> None:
        super().__init__(sentences.TICKET_UNUSABLE, detail)


class ForeignTicket(BadTicket):
    """A ticket of another `realm` than the hub's, good until `end` (epoch seconds)."""

    def __init__(self, detail: str, realm: str, end: int) -> None:
        super().__init__(detail)
        self.realm = realm
        self.end = end
