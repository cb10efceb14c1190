"""Whatever a job is called, chooses and runs: a refusal that names the field, or a script with one other value."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernels.shell import quote
from tests.job_service.http.support import client
from tests.job_service.http.test_jobs import COMMAND, V1

_ODD = st.sampled_from(
    [
        "$(id)",
        "`id`",
        "'; id; '",
        '"; id; "',
        "\n#SBATCH -A root",
        "\0",
        "a\u2028b",
        "\x1b[31m",
        "--wrap=id",
        "%j",
        "ü",
    ]
)
_TEXTS = st.text(max_size=40) | st.builds("".join, st.lists(_ODD | st.text(max_size=5), max_size=3))


@pytest.fixture
async def alice(app: FastAPI) -> Any:
    async with client(app, "alice:read") as found:
        yield found


async def _script(alice: httpx.AsyncClient, job: dict[str, Any]) -> str | None:
    """Return a job's script, None if it is refused by its fields."""
    got = await alice.post(f"{V1}/preview", json=job)
    body = got.json()
    if got.status_code == 200:
        script: str = body["script"]
        return script
    assert got.status_code in {403, 422}, got.text
    assert got.status_code == 403 or all(said for said in body["fields"].values())
    assert body["detail"].isprintable()
    return None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=_TEXTS, command=_TEXTS)
async def test_a_title_and_a_line_change_one_value_of_the_script(
    alice: httpx.AsyncClient, title: str, command: str
) -> None:
    plain = await _script(alice, {**COMMAND, "title": "PLAIN"})
    assert plain
    assert plain.count("PLAIN") == 1
    script = await _script(alice, {**COMMAND, "title": f"<{title}>", "command": f"true {command}"})
    assert script is None or script == plain.replace("PLAIN", quote(f"<{title}>"))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    where=st.sampled_from(["type", "system", "project", "inputs", "arguments"])
    | st.sampled_from(["time", "nodes", "cores", "partition", "qos", "reservation", "memory", "param.x"])
    | _TEXTS,
    value=_TEXTS.filter(lambda text: text.strip()),
)
async def test_what_is_not_on_offer_is_in_no_script(alice: httpx.AsyncClient, where: str, value: str) -> None:
    job: dict[str, Any] = dict(COMMAND)
    if where in {"type", "system", "project"}:
        job[where] = value
    elif where in {"inputs", "arguments"}:
        job |= {where: [value], "start": "later"}
    else:
        job["choices"] = {where: value}
    plain = await _script(alice, {**COMMAND, "title": "PLAIN"})
    script = await _script(alice, {**job, "title": "PLAIN"})
    # A number may be one that is on offer.
    assert script in {None, plain} or value.strip().isalnum()
