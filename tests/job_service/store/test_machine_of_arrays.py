"""What always holds of arrays, their tasks and groups, whatever people, Slurm and a restart do, in any order.

Arrays and tasks are brought in step by the same parts as in the service; Slurm is what the rules say.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, TypeVar, cast

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from job_service.errors import JobError, KeyReused, QuotaExceeded, TooMany, WrongStage
from job_service.record import JobRecord
from job_service.running import observing, wishes
from job_service.running.arrays import Arrays
from job_service.running.board import Board, Change
from job_service.running.clock import Clock
from job_service.running.places import Places
from job_service.stages import Stage
from job_service.store import rows
from job_service.store.accounting import Member, NewProject
from job_service.store.schema import EVENTS, JOBS, LEDGER
from job_service.store.store import Store
from job_service.store.values import Changes, Group, IdempotencyKey, JobFilter, NewJob
from profiles.catalogue.dataset import Dataset
from tests.job_service.store.builders import NOW, SPEC, Time, within

Answer = TypeVar("Answer")
_KEEP = timedelta(days=28)
_ACTIVE_MAX = 9
_NEXT = {
    "PENDING": ("RUNNING", "HELD", "CANCELLED"),
    "HELD": ("PENDING",),
    "RUNNING": ("RUNNING", "PENDING", "COMPLETED", "FAILED", "CANCELLED"),
}
_STAGES = {
    "PENDING": Stage.QUEUED,
    "HELD": Stage.HELD,
    "RUNNING": Stage.RUNNING,
    "COMPLETED": Stage.SUCCESSFUL,
    "FAILED": Stage.FAILED,
    "CANCELLED": Stage.CANCELED,
}
_pick = st.integers(0, 10**6)
_owners = st.sampled_from(["alice", "bob"])


class _Now(Clock):
    def __init__(self, time: Time) -> None:
        self.now = time

    async def wait(self, _seconds: float) -> None:
        raise AssertionError("nothing is brought in step by itself here")


class _Geneva:
    def title(self, _system: str) -> str:
        return "Geneva"


class Machine(RuleBasedStateMachine):
    make: ClassVar[Callable[[], str]]

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.Runner()
        self._url, self._time = type(self).make(), Time(NOW)
        self._engine = sa.create_engine(self._url.replace("postgresql:", "postgresql+psycopg:"))
        self._open()
        wanted = NewProject("geneva", "neuro", init_time=20_000)
        self._project = self._run(self._store.projects.add(wanted, "ruth"))
        for name in ("alice", "bob"):
            self._run(self._store.projects.add_member(self._project, Member("user", name), "ruth"))
            self._run(self._store.ledger.grant(self._project, name, 12_000, "ruth"))
        self._groups: dict[str, tuple[list[NewJob], NewJob | None, Group]] = {}
        # What Slurm says of each job and task that it has, by job id, and for how long it has run.
        self._words: dict[str, str] = {}
        self._ran: dict[str, int] = {}

    def _run(self, wanted: Coroutine[Any, Any, Answer]) -> Answer:
        return self._loop.run(wanted)

    def _open(self) -> None:
        self._store = self._run(Store.open(self._url, self._time))
        self._jobs, self._board = self._store.jobs, Board(self._store.jobs)
        places = cast(Places, _Geneva())
        self._arrays = Arrays(self._board, self._jobs, places, lambda _: _KEEP, _Now(self._time))

    def teardown(self) -> None:
        self._run(self._store.close())
        self._loop.close()
        self._engine.dispose()

    def _rows(self, asked: Any) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(asked).all()

    def _all(self, **wanted: Any) -> list[JobRecord]:
        asked = sa.select(*rows.RECORD_COLUMNS).order_by(JOBS.c.id)
        found = [rows.record(row._mapping) for row in self._rows(asked)]
        return [job for job in found if all(getattr(job, name) in of for name, of in wanted.items())]

    def _one(self, number: int, **wanted: Any) -> JobRecord | None:
        found = self._all(**wanted)
        return found[number % len(found)] if found else None

    # -- what people do ------------------------------------------------------------------------------------

    @rule(owner=_owners, count=st.integers(1, 6), limit=st.sampled_from([600, 3000]), is_array=st.booleans())
    def accept(self, owner: str, count: int, limit: int, is_array: bool) -> None:
        datasets = [Dataset(f"demo:{at}", str(at), "scan", f"/data/{at}") for at in range(count)]

        def new(*of: Dataset) -> NewJob:
            spec = replace(SPEC, datasets=tuple(each.id for each in of), mode="array" if is_array else "each")
            told = {"owner": owner, "limit_s": limit, "active_max": _ACTIVE_MAX}
            return within(self._project, spec=spec, datasets=of, **told)

        wanted, array = [new(each) for each in datasets], new(*datasets) if is_array else None
        left, reason = self._room(owner, limit)
        key = IdempotencyKey(f"key {len(self._groups)}", "digest")
        before = len(self._all())
        try:
            group, is_new = self._run(self._jobs.accept_group(wanted, (), key, array))
        except JobError as error:
            assert (left, type(error)) == (0, reason)  # noqa: PT017 - which it is depends on what is left
            assert len(self._all()) == before
            return
        assert is_new
        accepted = min(left, count)
        assert [each.dataset for each in group.errors] == [each.id for each in datasets[accepted:]]
        assert {each.code for each in group.errors} <= {reason.code}
        assert len(self._all()) == before + accepted + is_array
        assert len(group.jobs) == (1 if is_array else accepted)
        self._groups[key.key] = wanted, array, group

    def _room(self, owner: str, limit: int) -> tuple[int, type[JobError]]:
        """Return how many more jobs of somebody can be accepted, and what the next one would be refused for."""
        live = [job for job in self._all(owner={owner}) if job.kind != "array" and not job.stage.is_over]
        quota = self._run(self._store.ledger.quota(self._project, owner))
        by_time = min(quota.time_left, quota.project.time_left) // limit
        by_count = max(0, _ACTIVE_MAX - len(live))
        return (by_count, TooMany) if by_count <= by_time else (by_time, QuotaExceeded)

    @rule(number=_pick, is_same=st.booleans())
    def repeat(self, number: int, is_same: bool) -> None:
        if not self._groups:
            return
        name = sorted(self._groups)[number % len(self._groups)]
        wanted, array, group = self._groups[name]
        key, before = IdempotencyKey(name, "digest" if is_same else "another"), len(self._all())
        try:
            again, is_new = self._run(self._jobs.accept_group(wanted, (), key, array))
        except KeyReused:
            assert not is_same
        else:
            assert (is_new, again.id, again.errors) == (False, group.id, group.errors)
            assert [each.job_id for each in again.jobs] == [each.job_id for each in group.jobs]
        assert len(self._all()) == before

    @rule(number=_pick)
    def start(self, number: int) -> None:
        if record := self._one(number, stage={Stage.NEW}, kind={"batch", "array"}):
            self._run(self._board.change(record, lambda job: wishes.started(job, "Geneva")))

    @rule(number=_pick)
    def cancel_one(self, number: int) -> None:
        live = {stage for stage in Stage if not stage.is_over}
        record = self._one(number, stage=live, kind={"batch", "task"})
        if record is None:
            return
        others = [each for each in self._all(parent={record.parent}) if record.parent and each.id != record.id]
        self._run(self._board.change(record, lambda job: wishes.cancelled(job, self._time.now, _KEEP)))
        for each in others:
            assert self._run(self._jobs.get(each.job_id)).cancel_wanted == each.cancel_wanted

    @rule(number=_pick)
    def cancel_all(self, number: int) -> None:
        record = self._one(number, kind={"array"})
        if record is None:
            return
        try:
            self._run(self._arrays.cancel(record, self._time.now))
        except WrongStage:
            assert record.stage.is_over

    @rule(number=_pick)
    def delete(self, number: int) -> None:
        over = {Stage.SUCCESSFUL, Stage.FAILED, Stage.CANCELED}
        if record := self._one(number, stage=over, kind={"batch", "array"}):
            self._run(self._board.change(record, lambda job: wishes.removed(job, self._time.now)))

    @rule(number=_pick)
    def do_with_a_task_what_only_its_array_can(self, number: int) -> None:
        if record := self._one(number, kind={"task"}):
            with pytest.raises(WrongStage):
                wishes.started(record, "Geneva")
            with pytest.raises(WrongStage):
                wishes.removed(record, self._time.now)

    # -- what the service and Slurm do ---------------------------------------------------------------------

    @rule(number=_pick, is_refused=st.booleans())
    def send(self, number: int, is_refused: bool) -> None:
        record = self._one(number, stage={Stage.READY}, submission={"none"}, kind={"batch", "array"})
        if record is None:
            return
        sending: Changes = {"submission": "sending", "attempts": record.attempts + 1}
        record = self._run(self._jobs.change(record, sending))
        if is_refused and number % 3 == 0:
            refused: Changes = {"submission": "none", "stage": Stage.FAILED, "reason": "Slurm refused it."}
            self._run(self._jobs.change(record, refused, "Slurm refused it."))
            return
        native = str(100 + record.id)
        self._run(self._board.change(record, lambda _: observing.adopted(native, self._time.now, "Geneva")))
        for each in self._all(parent={record.job_id}) if record.kind == "array" else [record]:
            self._words[each.job_id] = "PENDING"

    @rule(picks=st.lists(st.tuples(_pick, _pick), max_size=12), seconds=st.integers(0, 2000))
    def go_on_at_slurm(self, picks: list[tuple[int, int]], seconds: int) -> None:
        for which, word in picks:
            going = sorted(job_id for job_id, said in self._words.items() if said in _NEXT)
            if not going:
                return
            job_id = going[which % len(going)]
            if self._words[job_id] == "RUNNING":
                self._ran[job_id] = self._ran.get(job_id, 0) + seconds
            self._words[job_id] = _NEXT[self._words[job_id]][word % len(_NEXT[self._words[job_id]])]

    @rule()
    def obey(self) -> None:
        """Slurm does what is wanted of it: tasks and jobs that are to be cancelled are."""
        for each in self._all(submission={"sent"}):
            if each.cancel_wanted and self._words.get(each.job_id) in _NEXT:
                self._words[each.job_id] = "CANCELLED"

    @rule()
    def follow(self) -> None:
        wanted: list[tuple[JobRecord, Change]] = []
        for record in self._all(submission={"sent"}, kind={"batch", "task"}):
            word = self._words[record.job_id]
            stage = _STAGES[word]
            if record.stage.is_over or stage is record.stage:
                continue
            changes: Changes = {"stage": stage, "native_state": word}
            if stage.is_over:
                changes["elapsed_s"] = self._ran.get(record.job_id, 0)
            wanted.append((record, Change(changes, f"Slurm says {word}.")))
        self._run(self._board.change_all(wanted))

    @rule(seconds=st.integers(1, 10_000))
    def wait(self, seconds: int) -> None:
        self._time.passes(seconds=seconds)

    @rule()
    def restart(self) -> None:
        self._run(self._store.close())
        self._open()

    def check_invariants(self, *arguments: Any, **named: Any) -> None:
        """Bring arrays in step with their tasks, as the service does after each change; then they hold."""
        for array in self._all(kind={"array"}):
            for _ in range(8):
                before = [each.version for each in self._family(array)]
                self._run(self._arrays.bring_in_step(array.job_id))
                if [each.version for each in self._family(array)] == before:
                    break
            else:
                raise AssertionError(f"{array.job_id} does not come to rest")
        super().check_invariants(*arguments, **named)

    def _family(self, array: JobRecord) -> list[JobRecord]:
        return [self._run(self._jobs.get(array.job_id)), *self._all(parent={array.job_id})]

    # -- what always holds ---------------------------------------------------------------------------------

    @invariant()
    def an_array_is_over_when_its_tasks_are_and_as_they_are(self) -> None:
        for array in self._all(kind={"array"}):
            found = self._all(parent={array.job_id})
            stages = {each.stage for each in found}
            assert array.stage.is_over == all(each.is_over for each in stages), (array.stage, stages)
            if array.stage is Stage.DELETED:
                assert stages == {Stage.DELETED}
            elif array.stage.is_over:
                ends = (Stage.FAILED, Stage.CANCELED, Stage.SUCCESSFUL)
                assert array.stage is next(each for each in ends if each in stages)
            if array.submission == "sent":
                assert {each.native_id for each in found} == {f"{array.native_id}_{each.task}" for each in found}

    @invariant()
    def tasks_are_numbered_and_share_what_is_their_arrays(self) -> None:
        for array in self._all(kind={"array"}):
            found = self._run(self._jobs.tasks(array.job_id))
            assert [each.task for each in found] == list(range(len(found)))
            assert {(each.owner, each.folder) for each in found} == {(array.owner, array.folder)}
            assert tuple(each.id for each in self._run(self._jobs.datasets(array.job_id))) == array.spec.datasets
            assert len(found) == len(array.spec.datasets)
            is_any = frozenset(Stage)
            assert self._run(self._jobs.count(JobFilter(parent=array.job_id, stages=is_any))) == len(found)
        listed = self._run(self._jobs.page(JobFilter(stages=frozenset(Stage)), 500)).items
        assert {each.kind for each in listed} <= {"batch", "array"}

    @invariant()
    def each_task_and_job_settles_for_itself_and_arrays_hold_nothing(self) -> None:
        entries: dict[int, dict[str, int]] = {}
        for row in self._rows(sa.select(LEDGER.c.job, LEDGER.c.kind, LEDGER.c.seconds).where(LEDGER.c.job > 0)):
            assert row.kind not in entries.setdefault(row.job, {})
            entries[row.job][row.kind] = row.seconds
        used = {"alice": 0, "bob": 0}
        for job in self._all():
            kept = entries.get(job.id, {})
            if job.kind == "array":
                assert not kept
                continue
            expected = {"hold": -job.limit_s}
            if job.stage.is_over:
                expected["release"] = job.limit_s
                if charged := min(job.limit_s, job.elapsed_s or 0):
                    expected["charge"] = -charged
            assert kept == expected, job
            used[job.owner] += sum(expected.values())
        quotas = {each.user: each for each in self._run(self._store.ledger.quotas_of(self._project))}
        assert {user: quota.time_left for user, quota in quotas.items()} == {
            user: 12_000 + spent for user, spent in used.items()
        }
        assert quotas["alice"].project.time_left == 20_000 + sum(used.values())
        assert min(quota.time_left for quota in quotas.values()) >= 0

    @invariant()
    def each_history_leads_to_the_stage(self) -> None:
        last = {row.job: row.stage for row in self._rows(sa.select(EVENTS).order_by(EVENTS.c.id))}
        assert last == {job.id: job.stage for job in self._all()}


@pytest.mark.uncounted
@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 5), ("postgresql", 2)])
def test_what_always_holds_of_arrays(request: pytest.FixtureRequest, kind: str, examples: int) -> None:
    if kind == "sqlite":
        Machine.make = staticmethod(request.getfixturevalue("make_file"))
    else:
        Machine.make = staticmethod(request.getfixturevalue("make_database"))
    run_state_machine_as_test(
        Machine,
        settings=settings(
            phases=[Phase.generate],
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
