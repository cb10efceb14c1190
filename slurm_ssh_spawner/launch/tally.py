"""How launches went, counted since the hub started.  Every label has few values, none of them anybody's text."""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime

from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import Metric

from profiles.offer.launch import NotebookLaunch
from slurm_ssh.errors import Broken, JobEnded, LaunchError, Refused, SubmissionLost, Unavailable
from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.launch.endings import GONE, NO_JOB
from slurm_ssh_spawner.launch.progress import Stage
from slurm_ssh_spawner.launch.records import LaunchRecord
from slurm_ssh_spawner.launch.records.stops import is_stop

OTHER = "other"
STAGES = ("modules", "loaded", "kernel", "spark", "starting", OTHER)
RESULTS = ("refused", "failed", "cancelled", "used")
"""Not submitted; submitted and never up; taken back before it was up; up, and over now."""

_FAMILIES = {Refused: "refused", Unavailable: "unavailable", Broken: "broken"}
# Slurm's words for the end of a job, and ours for one of which there is none.
_WORDS = {
    "BOOT_FAIL": "boot_fail",
    "CANCELLED": "cancelled",
    "COMPLETED": "completed",
    "DEADLINE": "deadline",
    "FAILED": "failed",
    "NODE_FAIL": "node_fail",
    "OUT_OF_MEMORY": "out_of_memory",
    "PREEMPTED": "preempted",
    "REVOKED": "revoked",
    "TIMEOUT": "timeout",
    GONE: "gone",
    NO_JOB: "lost",
}
REASONS = (
    *("choice", *_FAMILIES.values()),
    *("stopped", "gave_up", "unreachable"),
    *(*_WORDS.values(), OTHER),
)
"""Of a refusal: a choice, or the family of the error.  Of an end: who ended it, or Slurm's word."""

_SECONDS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 24 * 3600)
_REMEMBERED = 1000


class Tally:
    """The counts of one hub; a Prometheus collector."""

    def __init__(self) -> None:
        self._launches = Counter(
            "jupyterhub_sites_launches",
            "Launches that are over, by site, profile, result and reason.",
            ("site", "profile", "result", "reason"),
            registry=None,
        )
        self._queue = Histogram(
            "jupyterhub_sites_queue_seconds",
            "Seconds from the beginning of a launch until its job ran, of launches that came up.",
            ("site",),
            buckets=_SECONDS,
            registry=None,
        )
        self._stages = Histogram(
            "jupyterhub_sites_stage_seconds",
            "Seconds of a stage of a job, of launches that came up.",
            ("site", "stage"),
            buckets=_SECONDS,
            registry=None,
        )
        self._failing: dict[LaunchId, str] = {}
        self._counted: deque[LaunchId] = deque(maxlen=_REMEMBERED)

    def collect(self) -> Iterable[Metric]:
        """Return what Prometheus is told."""
        for metric in (self._launches, self._queue, self._stages):
            yield from metric.collect()

    def refused_choice(self) -> None:
        """Count a start whose choices were refused: what was chosen may be anything."""
        self._launches.labels("", "", "refused", "choice").inc()

    def not_submitted(self, launch: NotebookLaunch, error: BaseException) -> None:
        """Count a launch that was not submitted, if it was not: a lost one is counted at its end."""
        if isinstance(error, LaunchError) and not isinstance(error, SubmissionLost):
            self._launches.labels(launch.site_key, launch.profile_key, "refused", _family(error)).inc()

    def arrived(self, site: str, begun: datetime, stages: Sequence[Stage]) -> None:
        """Count how long a launch that came up has waited, and each of its stages has taken."""
        if stages:
            self._queue.labels(site).observe(max(0.0, (stages[0].began - begun).total_seconds()))
        for stage in stages:
            if stage.seconds is not None:
                self._stages.labels(site, stage.name if stage.name in STAGES else OTHER).observe(stage.seconds)

    def failing(self, launch_id: LaunchId, error: LaunchError) -> None:
        """Note why a launch is about to be counted as failed; of a job that ended Slurm's word says it."""
        if not isinstance(error, JobEnded):
            self._failing[launch_id] = "gave_up" if isinstance(error, Refused) else "unreachable"

    def ended(self, record: LaunchRecord, word: str) -> None:
        """Count a launch that was submitted and is over, once; `word` is Slurm's, or ours (see `endings`)."""
        failing = self._failing.pop(record.launch_id, "")
        if record.launch_id in self._counted:
            return
        self._counted.append(record.launch_id)
        is_stopped = is_stop(record.end_reason)
        result = "used" if record.node else "cancelled" if is_stopped else "failed"
        reason = "stopped" if is_stopped else failing or _WORDS.get(word, OTHER)
        self._launches.labels(record.site_key, record.profile_key, result, reason).inc()


def _family(error: LaunchError) -> str:
    return next(name for family, name in _FAMILIES.items() if isinstance(error, family))
