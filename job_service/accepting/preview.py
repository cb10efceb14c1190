"""What would become of a job that nobody has sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from job_service import charges
from job_service.accepting.gate import Decided
from job_service.store.accounting import Quota
from job_service.store.values import NotAccepted
from profiles.form import preview
from slurm_ssh.facts.forecasts import Known

# Slurm says "in a year" of what it cannot foresee, such as the end of a job without a limit.
_FORESEEN = timedelta(days=300)


@dataclass(frozen=True)
class Preview:
    """What would become of a job that nobody has sent.

    `limit_s` are seconds, `cores`, `memory_mib` and `gpus` are for each of `nodes`.  `cost_s` is what it would
    hold of its project, in the project's seconds, `left_s` what the person has left of them; they are 0 and None
    for a project without a quota.  `script` is what Slurm would get, zeros for the job's id in it.  `begins` is
    when Slurm expects it to start, None if that is not known; with `ask_again` it may be in some seconds.
    `obstacles` are the sentences why it would not be accepted now, or not by Slurm.  `costs` is the sentence what
    all of it costs as the catalogue weighs it, "" where it weighs nothing.  Of several `jobs` for datasets this is
    the first, and `total_cost_s` what all would hold; `errors` says of which datasets there would be none.
    """

    type: str
    system: str
    project: str
    account: str | None
    partition: str | None
    title: str
    nodes: int
    cores: int
    memory_mib: int
    gpus: int
    limit_s: int
    cost_s: int
    left_s: int | None
    script: str
    begins: datetime | None
    ask_again: bool
    obstacles: tuple[str, ...]
    jobs: int = 1
    total_cost_s: int = 0
    errors: tuple[NotAccepted, ...] = ()
    costs: str = ""

    @classmethod
    def of(
        cls,
        decided: Decided,
        script: str,
        quota: Quota | None,
        known: Known,
        obstacles: tuple[str, ...],
        now: datetime,
        jobs: int = 1,
        errors: tuple[NotAccepted, ...] = (),
    ) -> Self:
        """Return what is said of a job that has passed the gate, with what is known of its start."""
        launch, forecast = decided.launch, known.forecast
        cost = _cost(decided, quota)
        begins = forecast.begins if forecast else None
        refused = forecast.refused if forecast else ""
        return cls(
            type=launch.type_key,
            system=launch.site_key,
            project=decided.charged.name,
            account=launch.project,
            partition=launch.partition,
            title=decided.title,
            nodes=launch.nodes,
            cores=launch.cores,
            memory_mib=launch.memory_mib,
            gpus=launch.gpus,
            limit_s=decided.limit_s,
            cost_s=cost,
            left_s=quota.time_left if quota else None,
            script=script,
            begins=begins if begins and begins - now < _FORESEEN else None,
            ask_again=known.is_due,
            obstacles=(*obstacles, *([refused] if refused else [])),
            jobs=jobs,
            total_cost_s=cost * jobs,
            errors=errors,
            costs=preview.costs(launch, jobs),
        )


def _cost(decided: Decided, quota: Quota | None) -> int:
    """Return what the job would hold of a quota, in seconds of its project; 0 where there is none."""
    if quota is None:
        return 0
    launch = decided.launch
    return charges.hold(quota.project.charge, decided.limit_s, launch.nodes, launch.cores)
