"""The service as it is put together."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from job_service.running.clock import Clock
from job_service.service import Settings, opened
from job_service.stages import Stage
from job_service.store.upgrading import upgrade
from tests.job_service.running.service import catalogue
from tests.job_service.store.builders import new


async def test_a_machine_whose_clock_was_ahead_for_a_while_ends_no_job_that_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kerberos_auth.reader.default_realm", lambda: "EXAMPLE.ORG")
    right = Clock.now
    # It does not go back with the machine's.
    monkeypatch.setattr(Clock, "now", lambda self: right(self) + timedelta(days=2))
    catalogue(tmp_path)
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
