"""Whoever asks a site for everybody has a shell of their own, which may say anything of the jobs of others."""

import re
from collections.abc import Callable

import pytest

from job_service.stages import Stage
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.transport import Completed
from tests.job_service.running.crowd import Crowd, FastClock, SlurmJob
from tests.job_service.running.service import Service, holds, project_of_all

NUMBER = "4242"


class Lied(Crowd):
    """A site where `aaron`, who is asked first, says what `lies` makes of rows about alice, and `adds` some."""

    lies: Callable[[str], str] = staticmethod(lambda row: row)
    adds = ""

    def _squeue(self, login: Login, program: str, data: bytes) -> Completed:
        said = super()._squeue(login, program, data)
        if login.owner != "aaron":
            return said
        rows = [self.lies(row) if "|alice|" in row else row for row in said.stdout.splitlines(keepends=True)]
        return Completed(said.status, "".join((*rows[:-1], self.adds, rows[-1])), said.stderr)


@pytest.fixture
async def site(clock: FastClock) -> Lied:
    """The site, for the service of these tests."""
    site = Lied(clock)
    site.waits = 100_000
    return site


def over(word: str) -> Callable[[str], str]:
    """Return what says of a job that it ran for its whole time and is over."""
    return lambda row: re.sub(r"\|PENDING\|(.*\|)0:00\|0\|", rf"|{word}|\g<1>1:00:00|256|", row)


async def is_asked(service: Service) -> None:
    """Have the liar be the one who is asked."""
    record = await service.accept("aaron")
    await service.until(record, lambda job: job.native_state == "PENDING")


async def asks(site: Crowd, times: int = 5) -> None:
    """Return once the liar was asked so many times more."""
    before = site.asked["aaron"]
    await holds(lambda: site.asked["aaron"] > before + times)


@pytest.mark.parametrize("word", ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"])
async def test_nobody_ends_or_charges_the_job_of_another(service: Service, site: Lied, word: str) -> None:
    number = await project_of_all(service)
    await is_asked(service)
    record = await service.accept("alice", project="neuro", project_id=number, limit_s=3600)
    await service.until(record, lambda job: job.native_state == "PENDING")
    site.lies = over(word)
    await asks(site)
    assert (await service.get(record)).stage is Stage.QUEUED
    site.lasts = 20
    site.begin(site.of(record.job_id)[0], site.clock.now())
    done = await service.over(record)
    assert (done.stage, done.elapsed_s) == (Stage.SUCCESSFUL, 20)
    project = await service.store.projects.get("geneva", "neuro")
    assert (await service.store.ledger.quota(project, "alice")).time_left == 10**7 - 20


async def test_nobody_says_that_slurm_has_the_job_of_another(service: Service, site: Lied) -> None:
    await is_asked(service)
    site.mishap = lambda login, program: "before" if login.owner == "alice" and "/sbatch" in program else ""
    record = await service.accept("alice")
    await service.until(record, lambda job: job.submission == "in_doubt")
    site.adds = site._row(SlurmJob(0, record.job_id, "alice", site.clock.now()), int(NUMBER), "N/A")
    await asks(site)
    site.mishap = lambda *_: ""
    sent = await service.until(record, lambda job: job.submission == "sent")
    assert [sent.native_id] == [job.native for job in site.of(record.job_id)]


async def test_nobody_makes_two_of_the_job_of_another(service: Service, site: Lied) -> None:
    await is_asked(service)
    record = await service.accept("alice")
    before = await service.until(record, lambda job: job.native_state == "PENDING")
    site.lies = lambda row: over("COMPLETED")(row) + re.sub(r"^[0-9]+\|PENDING", f"{NUMBER}|RUNNING", row)
    await asks(site)
    assert (await service.get(record)).native_id == before.native_id
    assert site.of(record.job_id)[0].word == "PENDING"


async def test_who_is_lied_about_is_asked_themselves_but_seldom(service: Service, site: Lied) -> None:
    await is_asked(service)
    record = await service.accept("alice")
    await service.until(record, lambda job: job.native_state == "PENDING")
    site.lies = over("COMPLETED")
    site.asked.clear()
    began = site.clock.now()
    await holds(lambda: (site.clock.now() - began).total_seconds() > 300)
    assert 0 < site.asked["alice"] <= 1 + 300 / 30


async def test_without_a_ticket_the_end_is_known_at_the_next_login(service: Service, site: Lied) -> None:
    await is_asked(service)
    record = await service.accept("alice")
    await service.until(record, lambda job: job.native_state == "PENDING")
    service.reader.missing = {"alice"}
    site.lasts = 20
    site.begin(site.of(record.job_id)[0], site.clock.now())
    await holds(lambda: site.of(record.job_id)[0].word == "COMPLETED")
    await service.until(record, service.running.is_stale)
    assert not (await service.get(record)).stage.is_over
    service.reader.missing, service.reader.ends = set(), {"alice": 2**31 - 5}
    assert (await service.over(record)).stage is Stage.SUCCESSFUL
