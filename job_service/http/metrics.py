"""What Prometheus is told: how long jobs take, where they are, how systems are followed.  For admins."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from job_service.http.caller import Administering
from job_service.http.given import TheService
from job_service.http.route import router as made
from job_service.record import JobRecord
from job_service.running.stand import Stand
from job_service.service import Service
from job_service.stages import Stage
from job_service.store.values import JobFilter

router = made("admin")

_PREFIX = "jupyterhub_jobs_"
_SECONDS = (1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600, 7 * 24 * 3600)


class Tally:
    """Counts what jobs come to while the service runs; each moment of a job once, however often it changes."""

    def __init__(self, since: datetime) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._since = since
        self._counted: defaultdict[str, set[str]] = defaultdict(set)
        self._submitted = self._histogram("submit_seconds", "Seconds from a job's acceptance until Slurm has it.")
        self._waited = self._histogram("queue_seconds", "Seconds that a job was in Slurm's queue.")
        self._ended = Counter(
            f"{_PREFIX}ended", "Jobs that are over.", ("system", "stage"), registry=self.registry
        )

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(_PREFIX + name, text, ("system",), buckets=_SECONDS, registry=self.registry)

    def tell(self, record: JobRecord) -> None:
        """Take in a job that has changed."""
        if record.stage is Stage.DELETED or record.removed:
            self._counted.pop(record.job_id, None)
            return
        if self._is_first(record, "queued", record.queued):
            self._submitted.labels(record.system).observe(_between(record.created, record.queued))
        if self._is_first(record, "started", record.started):
            self._waited.labels(record.system).observe(_between(record.queued, record.started))
        if self._is_first(record, "ended", record.ended):
            self._ended.labels(record.system, record.stage).inc()

    def _is_first(self, record: JobRecord, moment: str, at: datetime | None) -> bool:
        """Return whether a moment of a job came while the service runs, and was not counted yet."""
        counted = self._counted[record.job_id]
        if at is None or at < self._since or moment in counted:
            return False
        counted.add(moment)
        return True


def _between(begin: datetime | None, end: datetime | None) -> float:
    # The clocks of a site and of the service may differ.
    return max(0.0, (end - begin).total_seconds()) if begin and end else 0.0


class _Now(Collector):
    """How things stand when they are asked for."""

    def __init__(self, stands: Iterable[Stand], stages: dict[tuple[str, Stage], int]) -> None:
        self._stands, self._stages = tuple(stands), stages

    def collect(self) -> Iterator[Metric]:
        """Give all gauges."""
        jobs = GaugeMetricFamily(
            f"{_PREFIX}in_stage", "Jobs that are not over, by stage.", labels=("system", "stage")
        )
        for (system, stage), count in self._stages.items():
            jobs.add_metric((system, stage), count)
        yield jobs
        yield self._gauge(
            "system_up", "1 while the system answers about its jobs.", lambda each: not each.is_stale
        )
        yield self._gauge(
            "survey_timestamp_seconds",
            "When the system last said how its jobs are, in seconds since 1970.",
            lambda each: each.asked.timestamp() if each.asked else None,
        )
        yield self._gauge(
            "in_doubt", "Jobs of which nobody knows whether Slurm has them.", lambda each: each.doubts
        )
        surveys = CounterMetricFamily(
            f"{_PREFIX}surveys", "Questions about all jobs at a system.", labels=("system", "answered")
        )
        seconds = CounterMetricFamily(
            f"{_PREFIX}survey_seconds", "Seconds that all these questions took.", labels=("system",)
        )
        for stand in self._stands:
            surveys.add_metric((stand.system, "yes"), stand.answered)
            surveys.add_metric((stand.system, "no"), stand.unanswered)
            seconds.add_metric((stand.system,), stand.asking_s)
        yield surveys
        yield seconds
        yield self._gauge("owed", "Cancellations and removals that are still to be done.", lambda each: each.owed)

    def _gauge(self, name: str, text: str, value: Callable[[Stand], float | None]) -> Metric:
        family = GaugeMetricFamily(_PREFIX + name, text, labels=("system",))
        for stand in self._stands:
            if (found := value(stand)) is not None:
                family.add_metric((stand.system,), found)
        return family


def begun(service: Service) -> Tally:
    """Return what counts the jobs of a service from now on."""
    tally = Tally(datetime.now(UTC))
    service.running.subscribe(tally.tell)
    return tally


async def _tally(request: Request) -> Tally:
    tally: Tally = request.app.state.tally
    return tally


@router.get("/metrics", response_class=Response, summary="Metrics for Prometheus")
async def metrics(_: Administering, service: TheService, tally: Annotated[Tally, Depends(_tally)]) -> Response:
    """In its text format."""
    systems = service.catalogue.current.jobs.taking
    now = CollectorRegistry()
    now.register(_Now(map(service.running.stand, systems), await _stages(service, systems)))
    return Response(generate_latest(tally.registry) + generate_latest(now), media_type=CONTENT_TYPE_LATEST)


async def _stages(service: Service, systems: Iterable[str]) -> dict[tuple[str, Stage], int]:
    """Return how many jobs are where, of those that are not over."""
    jobs, live = service.store.jobs, [stage for stage in Stage if not stage.is_over]
    return {
        (system, stage): await jobs.count(JobFilter(stages=frozenset({stage}), system=system))
        for system in systems
        for stage in live
    }
