"""What is kept of a batch job.  Frozen values; times have a zone and are UTC."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from job_service.spec import JobSpec
from job_service.stages import Stage
from profiles.catalogue.identity import Identity, whom

Kind = Literal["batch", "array", "task"]
"""What a job is: one of its own, an array of Slurm's, or a task of one, which has a row too."""

Submission = Literal["none", "sending", "in_doubt", "sent"]
"""Whether its system has the job.  in_doubt: it was sent, and nobody knows what became of that."""


# With more than 30 attributes, each would have a dict with their names: 1.3 KB for each job that is not over.
@dataclass(frozen=True, slots=True)
class JobRecord:
    """A batch job: what was asked for, and what is known of it.

    `job_id` are 12 hex digits, its name for ever; `id` counts up, for the old paths.  `owner` is a name on the
    hub, `login` the one at the site; at a gateway, where nobody has one, the same.  `project` is a project of
    the service, `account` Slurm's to charge (None: its default).  `..._s` are seconds, `memory_mib` MiB;
    `cores`, `memory_mib` and `gpus` are for each of `nodes`; `held_s` are seconds of the project's.
    `native_id` is Slurm's number as text, or what a gateway calls it; a gateway also says where its files are,
    so `folder` is "" there.  `reason` is a sentence: why it waits, failed or was cancelled.  `observed` is
    when Slurm last spoke of it, to the minute; `observed_by` had asked when it last changed.  `version` grows
    with each change, but not with `observed` alone.  Jobs that one request has made for datasets have its
    `group`, the job id of the first of them.  A `task` of an array has a `parent`, whose folder it shares, and
    the number of Slurm's in it.  With the `identity` "service" it runs as the account that its site has for
    people without one, whose login that is then.
    """

    id: int
    job_id: str
    owner: str
    login: str
    system: str
    project: str
    account: str | None
    spec: JobSpec
    title: str
    nodes: int
    cores: int
    memory_mib: int
    gpus: int
    limit_s: int
    held_s: int
    folder: str
    created: datetime
    stage: Stage = Stage.NEW
    submission: Submission = "none"
    attempts: int = 0
    sent: datetime | None = None
    native_id: str | None = None
    native_state: str = ""
    reason: str = ""
    exit_code: int | None = None
    signal: int | None = None
    failed: bool = False
    cancel_wanted: datetime | None = None
    remove_after: datetime | None = None
    removed: datetime | None = None
    queued: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    elapsed_s: int | None = None
    observed: datetime | None = None
    observed_by: str = ""
    group: str | None = None
    kind: Kind = "batch"
    parent: str | None = None
    task: int | None = None
    identity: Identity = "person"

    @property
    def whom(self) -> str:
        """As whom its site is reached for it: under this name tickets, connections and errands are kept.

        Whatever is done there is done so.  What it is counted for, and who sees it, is its `owner`'s.
        """
        return whom(self.identity, self.owner, self.system)

    @property
    def is_at_gateway(self) -> bool:
        """Whether it was accepted for a gateway, whatever the catalogue calls its system by now."""
        return not self.folder

    @property
    def sent_as(self) -> str:
        """The job id in whose name Slurm has the job: of a task that of its array."""
        return self.parent or self.job_id

    version: int = 1

    @property
    def type(self) -> str:
        """The key of its job type."""
        return self.spec.type
