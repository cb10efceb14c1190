"""What gateways are asked for, made of records: the script is made once, kept, and sent as it is kept."""

from dataclasses import replace

from job_service.gateways import ordering
from job_service.gateways.backend import Handle, Order, handle_of
from job_service.record import JobRecord
from job_service.running.scripts import Launches
from job_service.sentences import running as say
from job_service.store.jobs import Jobs
from profiles.errors import ChoiceRefused
from profiles.offer.launch import GatewayLaunch
from slurm_ssh.errors import Refused


class Orders:
    """Makes them; `service` is the name in the marks of its jobs."""

    def __init__(self, jobs: Jobs, launches: Launches, service: str) -> None:
        self._jobs = jobs
        self._launches = launches
        self._service = service

    def handle(self, record: JobRecord) -> Handle:
        """Return the job as its gateway may know it."""
        return handle_of(record, self._service)

    async def of(self, record: JobRecord) -> Order:
        """Return what is asked for a job, and keep its script.

        Raises Refused if that cannot be told any more, StoreAway, NotFound.
        """
        made = await self._made(record)
        kept = await self._jobs.text(record.job_id)
        if kept is None:
            await self._jobs.keep_texts({record.job_id: made.script})
            return made
        return replace(made, script=kept, files={**made.files, made.script_path: kept.encode()})

    async def script(self, record: JobRecord) -> str:
        """Return the script of a job, as it would be now if it was never wanted for sending.  Raises likewise."""
        return await self._jobs.text(record.job_id) or (await self._made(record)).script

    async def _made(self, record: JobRecord) -> Order:
        try:
            launch = await self._launches(record)
        except ChoiceRefused as error:
            raise Refused(say.TYPE_GONE.format(problem=error.message)) from error
        spec = record.spec
        datasets = await self._jobs.datasets(record.job_id) if spec.datasets else ()
        try:
            if not isinstance(launch, GatewayLaunch):
                raise ValueError("it is no gateway")
            return ordering.order(
                launch,
                self.handle(record),
                record.title,
                datasets,
                spec.command,
                spec.inputs,
                spec.inputs if spec.unpack else (),
            )
        except ValueError as error:
            raise Refused(say.CANNOT_BE_SENT, f"{record.type} at {record.system}: {error}") from error
