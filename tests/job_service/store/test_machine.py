"""What always holds of jobs, whatever people, Slurm and the network do, in any order."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from job_service.errors import QuotaExceeded, WrongStage
from job_service.record import JobRecord
from job_service.stages import Stage
from job_service.store import rows
from job_service.store.accounting import Member, NewProject
from job_service.store.errors import Outdated
from job_service.store.schema import EVENTS, JOBS, LEDGER
from job_service.store.store import Store
from tests.job_service.store.builders import NOW, Time, new, within
from tests.job_service.store.scripted import Slurm, Submitter

Answer = TypeVar("Answer")
_WORDS = {
    "PENDING": ("HELD", "CANCELLED"),
    "HELD": ("PENDING", "CANCELLED"),
    "RUNNING": ("PENDING", "HELD", "COMPLETING", "COMPLETED", "FAILED", "CANCELLED"),
    "COMPLETING": ("PENDING", "COMPLETED", "FAILED", "CANCELLED"),
}
_pick = st.integers(0, 10**6)


class Jobs(RuleBasedStateMachine):
    template: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory(prefix="jobs-")
        self._url = f"sqlite:///{shutil.copy(self.template, self._folder.name)}"
        self._engine = sa.create_engine(self._url)
        self._time = Time(NOW)
        self._slurm = Slurm()
        self._open()
        self._project = self._run(self._store.projects.add(NewProject("geneva", "neuro", init_time=9000), "ruth"))
        for name in ("alice", "bob"):
            self._run(self._store.projects.add_member(self._project, Member("user", name), "ruth"))
            self._run(self._store.ledger.grant(self._project, name, 6000, "ruth"))
        self._owners: dict[str, str] = {}
        self._versions: dict[str, int] = {}

    def _run(self, wanted: Coroutine[Any, Any, Answer]) -> Answer:
        return self._loop.run(wanted)

    def _open(self) -> None:
        self._store = self._run(Store.open(self._url, self._time))
        self._submitter = Submitter(self._store, self._slurm)

    def teardown(self) -> None:
        self._run(self._store.close())
        self._loop.close()
        self._engine.dispose()
        self._folder.cleanup()

    def _all(self) -> list[JobRecord]:
        """All jobs, as they are in the file."""
        asked = sa.select(*rows.RECORD_COLUMNS).order_by(JOBS.c.id)
        return [rows.record(row._mapping) for row in self._rows(asked)]

    def _one(self, number: int, **wanted: Any) -> JobRecord | None:
        found = [job for job in self._all() if all(getattr(job, name) in of for name, of in wanted.items())]
        return found[number % len(found)] if found else None

    # -- what people do ------------------------------------------------------------------------------------

    @rule(
        owner=st.sampled_from(["alice", "bob"]), limit=st.sampled_from([1, 600, 3000, 4000]), is_ours=st.booleans()
    )
    def accept(self, owner: str, limit: int, is_ours: bool) -> None:
        wanted = replace(within(self._project) if is_ours else new(), owner=owner, limit_s=limit)
        try:
            record, _ = self._run(self._store.jobs.accept(wanted))
        except QuotaExceeded:
            return
        self._owners[record.job_id] = owner

    @rule(number=_pick)
    def is_to_be_sent(self, number: int) -> None:
        if record := self._one(number, stage={Stage.NEW}):
            self._run(self._store.jobs.change(record, {"stage": Stage.READY}, "It is to be sent."))

    @rule(number=_pick)
    def cancel(self, number: int) -> None:
        live = {stage for stage in Stage if not stage.is_over}
        record = self._one(number, stage=live)
        if record is None:
            return
        record = self._run(self._store.jobs.change(record, {"cancel_wanted": self._time.now}))
        if record.submission == "none":
            self._run(self._store.jobs.change(record, {"stage": Stage.CANCELED}, "It was cancelled."))
        elif (native := self._slurm.jobs.get(record.native_id or "")) and native.word in _WORDS:
            native.word = "CANCELLED"

    @rule(number=_pick)
    def delete(self, number: int) -> None:
        if record := self._one(number, stage={Stage.SUCCESSFUL, Stage.FAILED, Stage.CANCELED}):
            self._run(self._store.jobs.change(record, {"stage": Stage.DELETED}, "It was removed."))

    @rule(number=_pick, stage=st.sampled_from(Stage), is_old=st.booleans())
    def do_what_cannot_be(self, number: int, stage: Stage, is_old: bool) -> None:
        record = self._one(number)
        ends_twice = record and record.stage.is_over and stage is not Stage.DELETED
        if record is None or stage is record.stage or not (is_old or ends_twice):
            return
        told = replace(record, version=record.version - is_old)
        with pytest.raises((WrongStage, Outdated)):
            self._run(self._store.jobs.change(told, {"stage": stage}, "no"))

    # -- what the service does -----------------------------------------------------------------------------

    @rule(number=_pick, answer=st.sampled_from(["accepted", "refused", "lost before", "lost after", "late"]))
    def send(self, number: int, answer: str) -> None:
        if record := self._one(number, stage={Stage.READY}, submission={"none"}):
            self._run(self._submitter.send(record, answer))

    @rule(number=_pick)
    def settle(self, number: int) -> None:
        if record := self._one(number, submission={"in_doubt"}, stage={Stage.READY}):
            self._run(self._submitter.settle(record))

    @rule()
    def follow(self) -> None:
        at_slurm = [job for job in self._all() if job.submission == "sent" and not job.stage.is_over]
        assert None not in self._run(self._submitter.follow(at_slurm))

    @rule(number=_pick, is_sent=st.booleans())
    def die_while_sending(self, number: int, is_sent: bool) -> None:
        if record := self._one(number, stage={Stage.READY}, submission={"none"}):
            record = self._run(self._store.jobs.change(record, {"submission": "sending"}))
            if is_sent:
                self._slurm.sbatch(record.job_id, "accepted")
        self._run(self._store.close())
        self._open()
        for each in self._all():
            if each.submission == "sending":
                self._run(self._store.jobs.change(each, {"submission": "in_doubt"}))

    # -- what Slurm does -----------------------------------------------------------------------------------

    @precondition(lambda self: self._slurm.late)
    @rule()
    def what_hung_arrives(self) -> None:
        self._slurm.arrive()

    @rule(number=_pick, is_first=st.booleans())
    def what_hung_arrives_after_it_was_sent_again(self, number: int, is_first: bool) -> None:
        record = self._one(number, stage={Stage.READY}, submission={"none"}, cancel_wanted={None})
        if record is None or self._slurm.of(record.job_id):
            return
        record = self._run(self._submitter.send(record, "late"))
        record = self._run(self._submitter.settle(record))
        self._run(self._submitter.send(record, "accepted"))
        self._slurm.arrive()
        twins = [key for key, native in self._slurm.jobs.items() if native.mark == record.job_id]
        for key in twins if is_first else reversed(twins):
            self._slurm.start(key)

    @precondition(lambda self: self._slurm.jobs)
    @rule(number=_pick, seconds=st.integers(0, 5000))
    def start_or_run(self, number: int, seconds: int) -> None:
        key = sorted(self._slurm.jobs)[number % len(self._slurm.jobs)]
        native = self._slurm.jobs[key]
        if native.word == "PENDING":
            self._slurm.start(key)
        elif native.word == "RUNNING":
            native.elapsed += seconds

    @precondition(lambda self: self._slurm.jobs)
    @rule(number=_pick, word=_pick)
    def change_at_slurm(self, number: int, word: int) -> None:
        native = self._slurm.jobs[sorted(self._slurm.jobs)[number % len(self._slurm.jobs)]]
        if words := _WORDS.get(native.word):
            native.word = words[word % len(words)]

    @rule(seconds=st.integers(1, 100_000))
    def wait(self, seconds: int) -> None:
        self._time.passes(seconds=seconds)

    # -- what always holds ---------------------------------------------------------------------------------

    @invariant()
    def it_has_ended_if_it_is_over(self) -> None:
        for job in self._all():
            assert (job.ended is not None) == job.stage.is_over, job

    @invariant()
    def it_has_a_number_if_it_was_sent(self) -> None:
        for job in self._all():
            assert (job.native_id is not None) == (job.submission == "sent"), job

    @invariant()
    def owners_and_job_ids_stay_and_versions_grow(self) -> None:
        jobs = self._all()
        assert {job.job_id: job.owner for job in jobs} == self._owners
        for job in jobs:
            assert job.version >= self._versions.get(job.job_id, 1)
            self._versions[job.job_id] = job.version

    @invariant()
    def at_most_one_native_job_has_run_for_each(self) -> None:
        ran = Counter(native.mark for native in self._slurm.jobs.values() if native.has_run)
        assert all(count == 1 for count in ran.values()), ran

    @invariant()
    def the_history_leads_to_the_stage_and_failed_is_the_outcome(self) -> None:
        history: dict[int, list[Stage]] = {}
        for row in self._rows(sa.select(EVENTS.c.job, EVENTS.c.stage).order_by(EVENTS.c.id)):
            history.setdefault(row.job, []).append(row.stage)
        for job in self._all():
            stages = history[job.id]
            assert stages[0] is Stage.NEW
            assert stages[-1] is job.stage
            assert all(before.may_become(after) for before, after in pairwise(stages))
            assert all(after is Stage.DELETED for before, after in pairwise(stages) if before.is_over)
            assert job.failed == (Stage.FAILED in stages)

    @invariant()
    def what_is_held_is_given_back_once_and_charged_at_most_once(self) -> None:
        entries: dict[int, dict[str, int]] = {}
        for row in self._rows(sa.select(LEDGER.c.job, LEDGER.c.kind, LEDGER.c.seconds).where(LEDGER.c.job > 0)):
            assert row.kind not in entries.setdefault(row.job, {})
            entries[row.job][row.kind] = row.seconds
        ours = {row.id: row.project_id for row in self._rows(sa.select(JOBS.c.id, JOBS.c.project_id))}
        for job in self._all():
            kept = entries.get(job.id, {})
            assert ("hold" in kept) == (ours[job.id] is not None)
            if not kept:
                continue
            assert kept["hold"] == -job.held_s
            assert ("release" in kept) == job.stage.is_over
            assert kept.get("release", job.held_s) == job.held_s
            used = min(job.held_s, job.elapsed_s or 0) if job.stage.is_over else 0
            assert kept.get("charge", 0) == -used

    @invariant()
    def nobody_uses_more_than_they_have(self) -> None:
        quotas = self._run(self._store.ledger.quotas_of(self._project))
        assert all(quota.time_left >= 0 and quota.project.time_left >= 0 for quota in quotas)

    def _rows(self, asked: Any) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(asked).all()


@pytest.mark.uncounted
def test_what_always_holds_of_jobs(sqlite: str) -> None:
    Jobs.template = Path(sa.make_url(sqlite).database or "")
    run_state_machine_as_test(
        Jobs,
        settings=settings(
            max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
