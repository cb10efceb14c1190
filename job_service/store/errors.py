"""Why a change was not made, and why the database cannot be used by this version."""


class Outdated(Exception):  # noqa: N818
    """Somebody else has changed the job since the record was read: read it again and decide anew."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        super().__init__(job_id)


class DatabaseRefused(Exception):  # noqa: N818
    """The service must not use the database as it is; its text is a sentence for an admin."""


class DatabaseBehind(DatabaseRefused):
    """It has the tables of an earlier version, or none at all: `upgrade` brings it there."""


class DatabaseNewer(DatabaseRefused):
    """It has a revision that this version does not know."""


class DatabaseOpen(DatabaseRefused):
    """Its file can be read by others, or is not this account's."""


class DatabaseUnknown(DatabaseRefused):
    """Its URL is none of a database that can be used, or what talks to that kind is not installed."""


class DatabaseTaken(DatabaseRefused):
    """Another service uses it."""
