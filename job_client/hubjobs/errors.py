"""What goes wrong: each error is a sentence for a person, most with a hint on what to do.

Texts of the service are cut and printable before they come here.  No error ever holds a token.
"""

from collections.abc import Mapping


class HubJobsError(Exception):
    """Base of them all: `message` is a sentence, `hint` another on what to do, "" for none."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = message, hint
        super().__init__(f"{message} {hint}".strip())


class Problem(HubJobsError):  # noqa: N818
    """The service refused: its own sentence and hint.

    `status` is HTTP's, `code` the service's word for programs such as "quota_exceeded", `fields` has a sentence
    for each field that is wrong, `quoted` are lines that a site wrote, `request_id` finds the request in its log,
    `retry_after_s` is when it wants to be asked again.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        status: int,
        code: str = "",
        fields: Mapping[str, str] | None = None,
        quoted: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        self.status, self.code, self.quoted, self.request_id = status, code, quoted, request_id
        self.fields, self.retry_after_s = dict(fields or {}), retry_after_s
        super().__init__(message, hint)


class Away(HubJobsError):  # noqa: N818
    """The service could not be reached, or said that it cannot answer now; it was tried for a while."""


class Unavailable(Problem, Away):
    """The service says itself that it, the hub or a site cannot answer now."""


class LoginRefused(HubJobsError):  # noqa: N818
    """The hub gave no token."""


class NotLoggedIn(HubJobsError):  # noqa: N818
    """No token is kept on this machine, or one that others may read."""


class Unreadable(HubJobsError):  # noqa: N818
    """What came is not what the API says: another program answers there, or the API is a newer one."""


class Untrusted(HubJobsError):  # noqa: N818
    """The server's certificate is not to be trusted, so nothing was sent."""


class WrongFile(HubJobsError):  # noqa: N818
    """A file that cannot be sent, or an archive or a name with which nothing may be written here."""
