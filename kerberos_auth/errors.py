"""What can go wrong between a typed password and a stored ticket."""


class AuthFailed(Exception):  # noqa: N818 - errors here are named by what happened
    """Base of every error of this package.

    Raised itself when neither typing again nor waiting helps and only an administrator can mend it: the
    KDC cannot be verified, the ticket folder is unsafe, a code nobody foresaw.

    `message` is one or two sentences, safe to show to the person; `detail` is for the administrators' log
    and never holds a password.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} ({self.detail})" if self.detail else self.message


class LoginRefused(AuthFailed):
    """Wrong or unusable password, unknown or locked account: the person is never told which."""

    def __init__(self, detail: str) -> None:
        super().__init__("Invalid username or password", detail)


class NameRefused(LoginRefused):
    """The name can never belong to a user of this hub; nobody was asked and no file was touched."""


class PasswordExpired(AuthFailed):
    """The account is good, its password must be changed first."""

    def __init__(self, detail: str) -> None:
        super().__init__("Your password has expired. Change it, then log in again.", detail)


class LoginServersUnreachable(AuthFailed):
    """PAM or the KDC did not answer, so nothing is known about the password."""

    def __init__(self, detail: str) -> None:
        super().__init__("The login servers cannot be reached. Try again in a minute.", detail)


class TicketMissing(AuthFailed):
    """The store holds no ticket of this user."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("You have no Kerberos ticket here. Log in again.", detail)


class TicketExpired(AuthFailed):
    """The ticket's life is over."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("Your Kerberos ticket has expired. Log in again.", detail)


class RenewalRefused(AuthFailed):
    """The ticket will never be renewed, however often it is tried; a login gives a new one."""

    def __init__(self, detail: str) -> None:
        super().__init__("Your Kerberos ticket cannot be renewed further. Log in again.", detail)


class BadTicket(AuthFailed):
    """A credential cache that must not be used: damaged, tampered with, or of somebody else."""

    def __init__(self, detail: str) -> None:
        super().__init__("Your Kerberos ticket cannot be used. Log in again.", detail)
