"""Whatever is sent to the old paths and to those of admins: an answer, or a refusal that names what is wrong."""

import itertools
import json
import re
from typing import Any

import httpx
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = [
    "%00",
    "%0a",
    "%2e%2e",
    "..%2f..",
    "%5c",
    "%ff",
    "%F0%9F%92%A9",
    "'; DROP TABLE jobs;--",
    "0",
    "1",
    "-1",
    "9" * 40,
    "alice",
    "geneva",
    "proj1",
    "x" * 2000,
    "%",
    "%25",
    "{0}",
    "%(name)s",
]
BODIES = ["", "[]", "{}", '"x"', '{"user": "\\u0000"}', '{"name": [], "system": {}}', '{"time_left": 1e400}', "{"]
JSON = {"Content-Type": "application/json"}


async def test_no_name_in_any_path_is_too_much(
    app: FastAPI, ruth: httpx.AsyncClient, alice: httpx.AsyncClient
) -> None:
    del alice
    routes = [
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if "/v1/" not in path or "/admin/" in path
    ]
    bodies = itertools.cycle(BODIES)
    for method, path in routes:
        for at in range(len(NAMES) if "{" in path else 1):
            # Each name comes once in each place, with another one in the next.
            names = itertools.islice(itertools.cycle(NAMES), at, None, 7)
            where = re.sub(r"\{[^}]*\}", lambda _: next(names), path)  # noqa: B023 - used at once
            got = await ruth.request(method, where, content=next(bodies), headers=JSON, params={"wait": 0})
            assert got.status_code < 500, (method, where, got.text)
            if got.status_code >= 400:
                assert got.headers["Content-Type"] == "application/problem+json"
                assert len(got.text) < 3000
    assert len(routes) > 60


def _payloads() -> st.SearchStrategy[dict[str, Any]]:
    text = st.text(max_size=80) | st.sampled_from(["$(id)", "`id`", "'\n#SBATCH -A root", "\x00", "a\u2028b", "ü"])
    value = text | st.integers() | st.floats() | st.none() | st.booleans() | st.lists(text, max_size=2)
    fields = ["command", "tool", "node_number", "core_number", "runtime", "title"]
    odd = st.dictionaries(st.sampled_from(fields) | text, value, max_size=6)
    right = st.fixed_dictionaries({"command": text, "title": text})
    return odd | right


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=_payloads(), name=st.text(max_size=40), form=st.sampled_from(["{}", '"{}"', "*=UTF-8''{}"]))
async def test_a_hostile_job_is_one_or_is_refused_by_field(
    alice: httpx.AsyncClient, payload: dict[str, Any], name: str, form: str
) -> None:
    headers = [
        (b"Payload", json.dumps(payload, ensure_ascii=False).encode(errors="surrogatepass")),
        (b"Content-Disposition", f"attachment; filename={form.format(name)}".encode(errors="surrogatepass")),
    ]
    got = await alice.post("/api/jobs/geneva/", params={"wait": 0}, headers=headers, content=b"PK")
    assert got.status_code in {201, 400, 403, 422, 429}, got.text
    if got.status_code in {400, 422}:
        assert got.json()["field"]
        assert got.json()["fields"][got.json()["field"]]
