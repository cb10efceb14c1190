"""What can go wrong with a launch, in three families by what its reader can do.

`message` is a sentence safe to show to the person, `quoted` further lines to show as they are, `detail` is for the
admin's log, whose lines are English, as is `str` of an error.  The last two may be what a site said: they are cut,
and made printable.
"""

from languages import for_log, together
from slurm_ssh.text import lines, one_line

_LONGEST_DETAIL = 2000
_LONGEST_QUOTE = 8000
_LONGEST_QUOTE_IN_LINE = 500


class LaunchError(Exception):
    """Base of all errors that leave the core; drivers translate the three families below once each.

    `is_ticket_removed`: of a submission that came to nothing, its ticket is not at the site any more, for good.
    """

    is_ticket_removed = False

    def __init__(self, message: str, detail: str = "", *, quoted: str = "") -> None:
        self.message = message
        self.detail = one_line(detail, _LONGEST_DETAIL)
        self.quoted = lines(quoted, _LONGEST_QUOTE)
        parts = (for_log(message), f"[{self.detail}]" if self.detail else "", self.quoted)
        super().__init__(" ".join(part for part in parts if part))

    @property
    def in_one_line(self) -> str:
        """`message`, and the end of what is `quoted`, for where there is no place for further lines."""
        quoted = one_line(self.quoted[-_LONGEST_QUOTE_IN_LINE:], _LONGEST_QUOTE_IN_LINE)
        return together((self.message, quoted))


class Refused(LaunchError):  # noqa: N818
    """The person can do something about it, as `message` says."""


class Unavailable(LaunchError):  # noqa: N818
    """Something outside does not answer at present; the same launch may work later."""


class KdcSilent(Unavailable):
    """No KDC answers, so nobody gets anywhere."""


class Broken(LaunchError):  # noqa: N818
    """An admin has to fix something; `detail` says what was seen."""


class SubmitRefused(Refused):
    """Slurm, or the person's own account at the site, did not accept the job.

    `choice` names what it was refused for (`project`, `partition`, `time`, `qos`, `reservation`), "" for others.
    """

    def __init__(self, message: str, detail: str = "", *, choice: str = "") -> None:
        super().__init__(message, detail)
        self.choice = choice


class AnswerUnreadable(Refused):
    """What a program at a site answers cannot be read, because of the login shell; it may have done its work."""


class AnswerTooLong(AnswerUnreadable):
    """A program at a site, or the login shell, says more than is read."""


class JobEnded(Refused):
    """The job ended before its server was up; `message` has the last lines of its log."""


class SiteUnreachable(Unavailable):
    """No front end of the site could be connected to."""


class NoSuchHost(SiteUnreachable):
    """No front end of the site has a name that there is: until an admin has mended that, waiting does not help."""


class NoAnswer(Unavailable):
    """A program at a site has not ended in time, and may do its work yet; `heard` is what it had said."""

    def __init__(self, message: str, heard: str = "") -> None:
        self.heard = heard
        super().__init__(message)


class TransferStalled(Unavailable):
    """Data were on their way to or from a site, and none moved any more."""


class TransfersBusy(Unavailable):
    """A person has as many transfers at a site at once as there may be, and none of them ends."""


class SubmissionLost(Unavailable):
    """A job was submitted, and whether Slurm has it is not known."""


class SubmissionAbsent(Unavailable):
    """A job was submitted, and Slurm says again and again that it does not have it."""


class InDoubt(LaunchError):  # noqa: N818
    """A job may have been sent to Slurm, and nobody knows whether Slurm has it: never send it again on a guess.

    `otherwise` is what to tell if it does not; it is hardly there if it is not `is_likely`; `meanwhile` is a
    sentence for the person until that is found out, "" for none.  Whoever sends jobs settles it; no person meets
    this error.
    """

    def __init__(self, otherwise: LaunchError, *, is_likely: bool = True, meanwhile: str = "") -> None:
        self.otherwise = otherwise
        self.is_likely = is_likely
        self.meanwhile = meanwhile
        super().__init__(otherwise.message, otherwise.detail, quoted=otherwise.quoted)


class FrontEndRefused(Refused):
    """A front end answered but did not let the person in with a valid ticket."""
