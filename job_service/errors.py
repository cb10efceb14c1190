"""What can go wrong with what somebody asks of the service; each error is a sentence for them.

What goes wrong at a site is a LaunchError of `slurm_ssh`.  Texts that a site or a person wrote are cut and
printable before they come here.
"""

from collections.abc import Mapping
from typing import ClassVar


class JobError(Exception):
    """Base of them all: `code` is the word for programs, `hint` a sentence on what to do, "" for none."""

    code: ClassVar[str]

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


class Invalid(JobError):  # noqa: N818
    """What was sent means nothing, or cannot be had: `fields` are all that are wrong, each with a sentence."""

    code = "invalid"

    def __init__(self, message: str, fields: Mapping[str, str], hint: str = "") -> None:
        self.fields = fields
        super().__init__(message, hint)


class NotAFile(Invalid):
    """A path leads to a folder, or to something else that cannot be sent as a file."""


class NotFound(JobError):  # noqa: N818
    """There is no such thing, or it is somebody else's: which of them, nobody learns."""

    code = "not_found"


class NotMade(NotFound):
    """The folder of a job is made later: with its first file, or when the job is sent."""


class QuotaExceeded(JobError):  # noqa: N818
    """A job may need more than is left: `needed` and `left` are seconds of the project's."""

    code = "quota_exceeded"

    def __init__(self, message: str, needed: int, left: int, hint: str = "") -> None:
        self.needed, self.left = needed, left
        super().__init__(message, hint)


class Banned(JobError):  # noqa: N818
    """An admin has taken somebody's right to send jobs, to a project or at all."""

    code = "banned"


class NotAMember(JobError):  # noqa: N818
    """The project is not theirs, or takes no jobs."""

    code = "not_a_member"


class TooMany(JobError):  # noqa: N818
    """They have as many jobs, or transfers, as one person may have at once."""

    code = "too_many"


class KeyReused(JobError):  # noqa: N818
    """An idempotency key came again, with another request."""

    code = "idempotency_key_reused"


class TicketNeeded(JobError):  # noqa: N818
    """They have no ticket, or one that ends in a moment."""

    code = "ticket_needed"


class WrongStage(JobError):  # noqa: N818
    """The job is not, or no longer, where that can be done."""

    code = "wrong_stage"


class IsArray(JobError):  # noqa: N818
    """It is an array, and only its tasks have what was asked for."""

    code = "is_array"


class TooLarge(JobError):  # noqa: N818
    """A file is larger than the site takes."""

    code = "too_large"


class NoSpace(JobError):  # noqa: N818
    """The disk, or the owner's quota at the site, is full."""

    code = "no_space"


class Interactive(Invalid):
    """The job type starts a server, and was asked for as a batch job."""

    code = "interactive"


class ScopeMissing(JobError):  # noqa: N818
    """The token may not do it at the hub."""

    code = "scope_missing"


class NoServer(JobError):  # noqa: N818
    """The hub did not start a server."""

    code = "no_server"


class HubUnavailable(JobError):  # noqa: N818
    """The hub does not answer."""

    code = "hub_unavailable"


class HubBusy(JobError):  # noqa: N818
    """The hub starts as many servers as it can."""

    code = "hub_busy"


class StoreAway(JobError):  # noqa: N818
    """The service's database does not answer at present."""

    code = "store_away"
