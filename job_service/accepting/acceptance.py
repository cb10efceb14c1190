"""Whether somebody may have a job."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, cast

from job_service.accepting import again, asked, gate, groups, new_jobs, servers, shown
from job_service.accepting.gate import Decided
from job_service.accepting.offered import Offered
from job_service.accepting.preview import Preview
from job_service.accepting.servers import Server
from job_service.accepting.worked_on import Chosen
from job_service.datasets.datasets import Datasets
from job_service.errors import Banned, Invalid, JobError, StoreAway, TicketNeeded
from job_service.record import JobRecord
from job_service.sentences import accepting as sentences
from job_service.spec import JobSpec
from job_service.store.store import Store
from job_service.store.values import Group, IdempotencyKey, NotAccepted, new_job_id
from kerberos_auth.errors import AuthFailed
from profiles.catalogue.dataset import MOST
from profiles.catalogue.identity import whom
from profiles.facts import UNKNOWN
from profiles.loading.live import LiveCatalogue
from profiles.offer.launch import BatchLaunch, JobLaunch
from profiles.offer.offer import Person
from profiles.sentences import shown as harmless
from slurm_ssh.credentials import Credentials
from slurm_ssh.facts.availability import Availability
from slurm_ssh.facts.forecasts import Forecasts, Known
from slurm_ssh.job_request import JobRequest
from slurm_ssh.ssh.login import Login

TICKET_LEAST = timedelta(minutes=10)
"""For how long a ticket has to be good with which a job is sent."""

_FORECAST_SECONDS = 2
# What a job does has no part in when it starts: one answer is enough for as many as possible.
_ANYTHING = ":\n"


class Acceptance:
    """Decides, for one service; keeps nothing by itself.

    `service` is the name in the marks of its jobs; `now` returns the moment, in the zone in which people read
    it; `away` are gateways that do not answer.
    """

    def __init__(
        self,
        store: Store,
        catalogue: LiveCatalogue,
        availability: Availability,
        forecasts: Forecasts,
        credentials: Credentials,
        datasets: Datasets,
        service: str,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        away: Mapping[str, datetime] = MappingProxyType({}),
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._availability = availability
        self._forecasts = forecasts
        self._credentials = credentials
        self.datasets = datasets
        self._service = service
        self._now = now
        self.offered = Offered(store, catalogue, availability, credentials, away, now)

    async def accept(
        self, person: Person, spec: JobSpec, key: str | None = None, sent: str = ""
    ) -> tuple[JobRecord, bool]:
        """Return the job that is kept from now on, and True; with a key that came before, its job and False.

        A key is for one description, and for one file that comes with it, of which `sent` says what is known.
        Raises Invalid with every field that is wrong, NotAMember, TicketNeeded, and what `store.jobs.accept`
        raises.
        """
        kept = _key(spec, key, sent)
        # A repeated request is answered as the first one was, whatever has changed since.
        if kept and (known := await self._store.jobs.known(person.name, kept)):
            return known, False
        decided = await self._decided(person, spec)
        await self._see_inputs(spec, decided)
        self._see_whom(person.name, decided)
        return await self._store.jobs.accept(new_jobs.of(person, decided), kept)

    async def accept_each(self, person: Person, spec: JobSpec, key: str | None = None) -> tuple[Group, bool]:
        """Return a job for each dataset that can have one, or an array, why others cannot, and whether it is new.

        With a key that came before it is what was made then.  Raises as `accept` does, if there is none at all.
        """
        kept = _key(spec, key, "")
        if kept and (known := await self._store.jobs.known_group(person.name, kept)):
            return known, False
        decided, errors, array = await self._each(person, spec)
        await self._see_inputs(spec, decided[0])
        self._see_whom(person.name, decided[0])
        wanted = [new_jobs.of(person, each) for each in decided]
        whole = new_jobs.of(person, array) if array else None
        return await self._store.jobs.accept_group(wanted, errors, kept, whole)

    async def type(self, person: Person, key: str, datasets: Sequence[str]) -> dict[str, Any]:
        """Return a job type with what can be chosen for all of these datasets; see `offers.job_type`.

        Raises NotFound, Invalid for a dataset that there is not, and what looking for datasets does.
        """
        if len(datasets) > MOST:
            said = sentences.MOST_DATASETS.format(most=MOST)
            raise Invalid(said, {"dataset": said})
        known = await self.datasets.get(person, datasets)
        if missing := [each for each in datasets if each not in known]:
            said = sentences.NO_DATASET.format(dataset=harmless(missing[0]))
            raise Invalid(said, {"dataset": said})
        return await self.offered.type(person, key, tuple(known[each].parameters for each in datasets))

    async def server(self, person: Person, spec: JobSpec, key: str | None = None) -> Server:
        """Return the server that an interactive type is to start, with the list of its datasets at its site.

        With a `key` that came before for the same description the list is that of then.  Raises Invalid with every
        field that is wrong, Banned, TicketNeeded, and LaunchError for what goes wrong at the site.
        """
        await self._see_no_ban(person.name)
        known = _key(spec, key, "")
        chosen = await self._chosen(person, spec)
        spec = chosen.placed(spec)
        offer = await self.offered.offer(person, spec.system)
        server = servers.decide(offer, spec, chosen, known.key if known else new_job_id())
        self._see_ticket(person.name)
        if server.path:
            await self.datasets.write(person.name, server.system, server.path, server.datasets)
        return server

    async def _each(
        self, person: Person, spec: JobSpec
    ) -> tuple[list[Decided], list[NotAccepted], Decided | None]:
        """Return what a job is for each dataset of a description, why others have none, and what an array is."""
        groups.check(spec)
        chosen = await self._chosen(person, spec)
        offer = await self.offered.offer(person, chosen.placed(spec).system)
        projects, theirs = await self.offered.charged(person)

        def decide(one: JobSpec) -> Decided:
            return gate.decide(offer, chosen.placed(one), projects, theirs, chosen)

        decided, errors = await groups.each(spec, decide)
        if spec.mode != "array":
            return decided, errors, None
        return decided, errors, decide(replace(spec, datasets=tuple(each.datasets[0].id for each in decided)))

    async def _chosen(self, person: Person, spec: JobSpec) -> Chosen:
        """Return what is known of the datasets of a description; those are not looked for that are too many."""
        if len(spec.datasets) > MOST:
            return Chosen()
        return Chosen(await self.datasets.get(person, spec.datasets), len(spec.datasets))

    async def resubmit(self, person: Person, record: JobRecord, key: str | None = None) -> tuple[JobRecord, bool]:
        """Return a new job that is asked for as that one was, with its inputs.  Raises as `accept` does."""
        if record.spec.inputs:
            spec = replace(record.spec, inputs_of=record.job_id, start="when-complete")
        else:
            spec = replace(record.spec, start="now")
        if spec.mode == "array":
            group, is_new = await self.accept_each(person, spec, key)
            return group.jobs[0], is_new
        return await self.accept(person, spec, key)

    async def launch(self, record: JobRecord) -> JobLaunch:
        """Return what an accepted job is, to send it.  Raises ChoiceRefused, as `again.launch` does."""
        datasets = await self._store.jobs.datasets(record.job_id) if record.spec.datasets else ()
        return again.launch((await self._catalogue.refreshed()).jobs, record, datasets)

    async def preview(self, person: Person, spec: JobSpec) -> Preview:
        """Return what would become of a job, or of the first of several; writes nothing.

        Raises Invalid, NotAMember, Broken, StoreAway, and what looking for datasets does.
        """
        errors: list[NotAccepted] = []
        array: Decided | None = None
        if spec.mode == "single":
            found = [await self._decided(person, spec)]
        else:
            found, errors, array = await self._each(person, spec)
        decided = array or found[0]
        script, request = shown.text(
            decided.launch, self._service, decided.title, spec, decided.datasets, is_array=array is not None
        )
        project = decided.charged.project
        quota = await self._store.ledger.quota(project, person.name) if project else None
        obstacles = await self._obstacles(person, decided)
        known = await self._forecast(person.name, decided.launch, request) if request else Known()
        return Preview.of(decided, script, quota, known, obstacles, self._now(), len(found), tuple(errors))

    async def _decided(self, person: Person, spec: JobSpec) -> Decided:
        chosen = await self._chosen(person, spec)
        spec = chosen.placed(spec)
        offer = await self.offered.offer(person, spec.system)
        projects, theirs = await self.offered.charged(person)
        return gate.decide(offer, spec, projects, theirs, chosen)

    async def _see_inputs(self, spec: JobSpec, decided: Decided) -> None:
        """Raise Invalid if the inputs of the job whose inputs these are cannot be copied."""
        if spec.inputs_of:
            again.see_inputs(await self._store.jobs.get(spec.inputs_of), decided.launch)

    def _see_whom(self, user: str, decided: Decided) -> None:
        """See that a job can be sent; one that its system knows by no ticket of its owner's needs none."""
        launch = decided.launch
        if isinstance(launch, BatchLaunch) and launch.identity == "person" and launch.site.login.needs_ticket:
            self._see_ticket(user)

    async def _see_no_ban(self, user: str) -> None:
        """Raise Banned for whom an admin has banned from all: what no project counts, no other ban is about."""
        for ban in await self._store.people.bans(user):
            if ban.project is None:
                raise Banned(sentences.BANNED_FROM_SERVERS.format(reason=ban.reason), sentences.ASK_ADMINS)

    def _see_ticket(self, user: str) -> None:
        try:
            ticket = self._credentials.get(user)
        except AuthFailed as error:
            raise TicketNeeded(error.message, sentences.LOG_IN) from error
        left = datetime.fromtimestamp(ticket.end, UTC) - self._now()
        if left < TICKET_LEAST:
            raise TicketNeeded(sentences.ticket_ends(left // timedelta(minutes=1)), sentences.LOG_IN)

    async def _obstacles(self, person: Person, decided: Decided) -> tuple[str, ...]:
        """Return why a job would not be accepted that is rightly described."""
        found = []
        try:
            self._see_whom(person.name, decided)
        except TicketNeeded as error:
            found.append(error.message)
        try:
            await self._store.jobs.check(new_jobs.of(person, decided))
        except StoreAway:
            raise
        except JobError as error:
            found.append(error.message)
        return tuple(found)

    async def _forecast(self, user: str, launch: JobLaunch, request: JobRequest) -> Known:
        name = whom(launch.identity, user, launch.site_key)
        facts = self._availability.facts(name).get(launch.site_key, UNKNOWN)
        if facts.refused or facts.unreachable_since:
            return Known()
        login = Login(name, launch.owner, launch.site_key)
        try:
            return await self._forecasts.of(
                login, cast(BatchLaunch, launch).site, replace(request, script=_ANYTHING), _FORECAST_SECONDS
            )
        except ValueError:
            # Of what no script can hold, its submission says more.
            return Known()


def _key(spec: JobSpec, key: str | None, sent: str) -> IdempotencyKey | None:
    if key is None:
        return None
    if not asked.is_key(key):
        sentence = sentences.KEY.format(most=asked.KEY_LONGEST)
        raise Invalid(sentence, {"Idempotency-Key": sentence})
    return IdempotencyKey(key, asked.digest(spec, sent))
