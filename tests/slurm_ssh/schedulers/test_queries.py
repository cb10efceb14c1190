import threading
from typing import Any

import pytest

from slurm_ssh.scheduler import Row
from slurm_ssh.schedulers import queries
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from tests.support import builders
from tests.support.local import LocalSite

MARK = "jupyter-hub-1"


@pytest.mark.parametrize(("rows", "is_here"), [(1, True), (2000, False)])
async def test_a_long_answer_is_parsed_while_others_go_on(
    local: LocalSite, monkeypatch: pytest.MonkeyPatch, rows: int, is_here: bool
) -> None:
    threads, parse = [], slurm_jobs.parse_queue

    def parse_and_tell_where(text: str) -> tuple[Row, ...]:
        threads.append(threading.current_thread())
        return parse(text)

    monkeypatch.setattr(slurm_jobs, "parse_queue", parse_and_tell_where)
    local.tell("queue", f"42|RUNNING|n1|alice|None|{MARK}\n" * rows)
    site = builders.catalogue(sites={"geneva": builders.site(slurm_path=str(local.slurm))}).sites["geneva"]
    pool: Any = local
    found = await queries.list_jobs(Remote(pool, Login("alice", "alice", "geneva"), site), [MARK])
    assert found is not None
    assert len(found) == rows
    assert [thread is threading.current_thread() for thread in threads] == [is_here]


async def test_a_long_answer_that_cannot_be_read_is_no_answer(local: LocalSite) -> None:
    local.tell("queue", "maintenance until Monday\n" * 1000)
    site = builders.catalogue(sites={"geneva": builders.site(slurm_path=str(local.slurm))}).sites["geneva"]
    pool: Any = local
    assert await queries.list_jobs(Remote(pool, Login("alice", "alice", "geneva"), site), [MARK]) is None
