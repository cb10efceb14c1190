"""The service, composed as it is served."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from job_service.gateways.unicore import Unicore
from job_service.record import JobRecord
from job_service.running.clock import Clock
from job_service.service import Settings, opened
from job_service.spec import JobSpec
from job_service.stages import Stage
from job_service.store.upgrading import upgrade
from kerberos_auth.errors import AuthFailed
from profiles.offer.offer import Person
from tests.job_service.running.service import catalogue
from tests.job_service.store.builders import new
from tests.support import builders, gateway_kinds, gateways
from tests.support.gateway_kinds import UNICORE, There
from tests.support.waiting import until


async def test_a_machine_whose_clock_was_ahead_for_a_while_ends_no_job_that_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kerberos_auth.gss.default_realm", lambda: "EXAMPLE.ORG")
    right = Clock.now
    # It does not go back with the machine's.
    monkeypatch.setattr(Clock, "now", lambda self: right(self) + timedelta(days=2))
    catalogue(tmp_path, {})
    for name in ("tickets", "run"):
        (tmp_path / name).mkdir(mode=0o700)
    database = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    await asyncio.to_thread(upgrade, database)
    settings = Settings(
        str(tmp_path / "catalogue.yaml"), tmp_path / "tickets", tmp_path / "run", database, "hub", 100
    )
    async with opened(settings) as service:
        record, _ = await service.store.jobs.accept(new(stage=Stage.NEW))
        service.running.wake(record)
        await service.running._routine._end_forgotten()
        assert (await service.store.jobs.get(record.job_id)).stage is Stage.NEW


@pytest.mark.parametrize("kind", ["kerberos", "certificate"])
async def test_the_service_of_a_hub_without_tickets_needs_no_folder_of_them(tmp_path: Path, kind: str) -> None:
    login = {"kind": "certificate", "ca_key": "/etc/jupyterhub/ca"} if kind == "certificate" else {}
    jobs = {"folder": "/scratch/{owner}/jobs"}
    site = builders.site(login=login, ticket={}, jobs=jobs)
    (tmp_path / "catalogue.yaml").write_text(builders.written(sites={"geneva": site}))
    (tmp_path / "run").mkdir(mode=0o700)
    database = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    await asyncio.to_thread(upgrade, database)
    settings = Settings(
        str(tmp_path / "catalogue.yaml"), tmp_path / "nowhere", tmp_path / "run", database, "hub", 100
    )
    if kind == "kerberos":
        with pytest.raises(AuthFailed):
            async with opened(settings):
                pass
        return
    async with opened(settings) as service:
        assert service.core.can_act("alice", "geneva")
        with pytest.raises(AuthFailed):
            service.tickets.get("alice")


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[There]:
    with gateways.running("unicore", tmp_path / "gateway") as running:
        yield gateway_kinds.of_standin(UNICORE, running, tmp_path)


@pytest.fixture
def settings(tmp_path: Path, standin: There) -> Settings:
    command = {"name": "Command", "command": "any", "sites": ["daint"], "resources": {"time": {"default": "1h"}}}
    gateway = {"own_lines": True, **standin.entry}
    (tmp_path / "catalogue.yaml").write_text(
        builders.written(gateways={"daint": gateway}, job_types={"command": command})
    )
    for name in ("tickets", "run", "database"):
        (tmp_path / name).mkdir(mode=0o700)
    database = f"sqlite:///{tmp_path}/database/jobs.sqlite"
    upgrade(database)
    return Settings(
        str(tmp_path / "catalogue.yaml"), tmp_path / "tickets", tmp_path / "run", database, "hub", upload_max_mib=1
    )


async def test_it_runs_a_job_for_somebody_without_a_ticket(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Unicore, "pause_s", 0.05)
    over: list[JobRecord] = []
    async with opened(settings) as service:
        service.running.subscribe(lambda job: over.append(job) if job.stage.is_over else None)
        spec = JobSpec("command", "daint", command='echo "$JOB_TITLE"', title="a title")
        record, _ = await service.accepting.accept(Person("heidi"), spec)
        service.running.wake(record)
        await until(lambda: bool(over))
        assert (over[0].job_id, over[0].stage) == (record.job_id, Stage.SUCCESSFUL)
        async with service.files.get(over[0], "stdout") as (found, chunks):
            assert b"".join([chunk async for chunk in chunks]) == b"a title\n"
        assert found.size == len("a title\n")
