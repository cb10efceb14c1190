"""The scripts of jobs: made once, kept, and sent as they are kept, whatever the catalogue says later."""

import re
from collections.abc import Awaitable, Callable, Sequence

from job_service import layout, script
from job_service.record import JobRecord
from job_service.running.places import Places
from job_service.sentences import running as say
from job_service.store.jobs import Jobs
from kernels.hook import HookFailed
from profiles.catalogue.dataset import Dataset
from profiles.errors import ChoiceRefused
from profiles.offer.launch import BatchLaunch, JobLaunch
from slurm_ssh import delivery
from slurm_ssh.errors import Refused
from slurm_ssh.job_request import JobRequest
from slurm_ssh.slurm import jobs as slurm_jobs

Launches = Callable[[JobRecord], Awaitable[JobLaunch]]
"""Returns what an accepted job means as the catalogue is now, with its `arguments` behind its program.

Raises ChoiceRefused if its type, or what was chosen of it, is not offered any more.
"""

_PARTITION = re.compile(r"^#SBATCH --partition=([A-Za-z0-9_.-]{1,64})$", re.M)


class Scripts:
    """Makes the scripts of jobs, and keeps each with its job when it is first wanted for sending."""

    def __init__(self, jobs: Jobs, places: Places, launches: Launches) -> None:
        self._jobs = jobs
        self._places = places
        self._launches = launches

    async def kept(self, record: JobRecord) -> str:
        """Return the script of a job, made and kept now if there is none.

        Raises Refused if there cannot be one, StoreAway.
        """
        text = await self._jobs.text(record.sent_as)
        if text is None:
            text = await self._made(record)
            await self._jobs.keep_texts({record.job_id: text})
        return text

    async def kept_all(self, records: Sequence[JobRecord]) -> dict[str, str]:
        """Return the scripts of jobs by their ids, as `kept` does.  Raises likewise."""
        found = await self._jobs.texts([record.job_id for record in records])
        made = {record.job_id: await self._made(record) for record in records if record.job_id not in found}
        await self._jobs.keep_texts(made)
        return {**found, **made}

    async def shown(self, record: JobRecord) -> str:
        """Return the script of a job, as it would be now if it was never wanted for sending.  Raises likewise."""
        if record.parent:
            return await self.shown(await self._jobs.get(record.parent))
        return await self._jobs.text(record.job_id) or await self._made(record)

    async def datasets(self, record: JobRecord) -> tuple[Dataset, ...]:
        """Return what a job works on, as it was when the job was accepted.  Raises StoreAway."""
        return await self._jobs.datasets(record.job_id) if record.spec.datasets else ()

    async def _made(self, record: JobRecord) -> str:
        try:
            launch = await self._launches(record)
        except ChoiceRefused as error:
            raise Refused(say.TYPE_GONE.format(problem=error.message)) from error
        if not isinstance(launch, BatchLaunch):
            raise Refused(say.CANNOT_BE_SENT, f"{record.system} is no site")
        site = launch.site
        fragments = [delivery.of(site).fragment(record.login, record.job_id)]
        if record.spec.unpack:
            fragments.append(script.unpacking(record.spec.inputs))
        try:
            request = script.build(
                launch,
                record.job_id,
                self._places.mark(record),
                record.title,
                fragments,
                await self.datasets(record),
                is_array=record.kind == "array",
            )
            return slurm_jobs.batch_script(request)
        except (ValueError, HookFailed) as error:
            raise Refused(say.CANNOT_BE_SENT, f"{record.type} at {record.system}: {error}") from error


def request(record: JobRecord, mark: str, text: str) -> JobRequest:
    """Return the job whose script is made, for the one who sends it: of a batch job nothing is secret."""
    partition = _PARTITION.search(text)
    return JobRequest(
        name=mark,
        log_path=f"{record.folder}/{layout.STDOUT}",
        nodes=record.nodes,
        cores=record.cores,
        memory_mib=record.memory_mib,
        time_minutes=record.limit_s // 60,
        partition=partition[1] if partition else None,
        project=record.account,
        reservation=None,
        qos=None,
        directives={},
        script=text,
    )
