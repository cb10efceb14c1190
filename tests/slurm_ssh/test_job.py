import json
import re
from typing import Any

import pytest

from slurm_ssh import job
from slurm_ssh.job import Job
from tests.support import builders


def test_a_handle_survives_the_database() -> None:
    handle = builders.job()
    assert Job.from_state(json.loads(json.dumps(handle.to_state()))) == handle


def test_what_a_later_version_adds_is_ignored() -> None:
    assert Job.from_state({**builders.job().to_state(), "colour": "red"}) == builders.job()


@pytest.mark.parametrize("name", builders.job().to_state())
def test_a_handle_with_a_part_missing_is_none(name: str) -> None:
    state = builders.job().to_state()
    del state[name]
    assert Job.from_state(state) is None


@pytest.mark.parametrize("damaged", [None, 17, "", ["17"], {}])
def test_a_handle_with_a_damaged_part_is_none(damaged: Any) -> None:
    assert Job.from_state({**builders.job().to_state(), "job_id": damaged}) is None


@pytest.mark.parametrize("state", [{}, [], None, "17", 17, {"job": {}}])
def test_what_is_no_handle_is_none(state: Any) -> None:
    assert Job.from_state(state) is None


def test_launch_ids_are_twelve_hex_digits_and_never_the_same() -> None:
    ids = [job.new_launch_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(re.fullmatch("[0-9a-f]{12}", each) for each in ids)


def test_the_mark_names_the_hub_and_the_launch() -> None:
    assert job.mark("lab", builders.LAUNCH_ID) == "jupyter-lab-0123456789ab"
