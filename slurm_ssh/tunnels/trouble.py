"""Why clients of a tunnel do not get through, and what they are told of it.  Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from languages import timed
from slurm_ssh.errors import LaunchError, Refused, SiteUnreachable
from slurm_ssh.sentences import tunnels as sentences
from slurm_ssh.ssh.connection import ForwardingForbidden
from slurm_ssh.ssh.transport import ConnectionLost
from slurm_ssh.tunnels.route import Route, Way


@dataclass(frozen=True)
class Trouble:
    """What is in the way: a sentence with its names, and `since` when it is (in local time)."""

    sentence: str
    names: Mapping[str, str]
    since: datetime

    @classmethod
    def of(cls, error: LaunchError | ConnectionLost, site: Way, route: Route, now: datetime) -> Self:
        """Return what an attempt to get through ran into."""
        names = {"site": site.title, "node": route.node}
        match error:
            case SiteUnreachable():
                return cls(sentences.SITE_AWAY_SINCE, names, now)
            case ForwardingForbidden():
                forbidden = sentences.FORWARDING_FORBIDDEN.format(**names)
                return cls(sentences.CUT_OFF_SINCE, {"problem": forbidden}, now)
            case ConnectionLost():
                return cls(sentences.NODE_SILENT_SINCE, names, now)
            case Refused():
                return cls(sentences.SERVER_CUT_OFF, {"problem": error.message}, now)
        return cls(sentences.CUT_OFF_SINCE, {"problem": error.message}, now)

    def after(self, before: "Trouble | None") -> "Trouble":
        """Return the same, since the time when it began if it is what was in the way `before`."""
        is_same = before and (before.sentence, before.names) == (self.sentence, self.names)
        return replace(self, since=before.since) if before and is_same else self

    def said(self, now: datetime) -> str:
        """Return what a client is told."""
        is_today = self.since.date() == now.date()
        since = (sentences.AT_TIME if is_today else sentences.AT_TIME_OF_DAY).format(moment=self.since)
        return self.sentence.format(**self.names, since=timed(since, self.since))
