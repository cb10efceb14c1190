"""What Slurm said last of the jobs of those who look: it is told also while their site does not answer."""

from collections.abc import Callable, Iterable, Mapping

from slurm_ssh.job import Job, JobReport, JobState, LaunchId

Latest = Callable[[Job, float], JobReport]
"""Returns the last observation of a job, at most so many seconds old, UNKNOWN if there is none; asks nobody."""

_YOUNG_SECONDS = 3600.0


class Seen:
    """Owner of the last reports, of each person's jobs that go on."""

    def __init__(self) -> None:
        self._of: dict[str, Mapping[LaunchId, JobReport]] = {}

    def of(self, user: str, jobs: Iterable[Job], latest: Latest) -> Mapping[LaunchId, JobReport]:
        """Return what was said last of these jobs of a person, and forget all others of theirs."""
        before, found = self._of.get(user, {}), {}
        for job in jobs:
            report = latest(job, _YOUNG_SECONDS)
            if report.state is JobState.UNKNOWN:
                report = before.get(job.launch_id, report)
            found[job.launch_id] = report
        if found:
            self._of[user] = found
        else:
            self._of.pop(user, None)
        return found
