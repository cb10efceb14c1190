"""Whatever is asked, no answer says that the service broke.  Requests are made from the OpenAPI document."""

import os
import warnings
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.job_service.http.serving import Serving
from tests.job_service.http.support import client
from tests.job_service.http.test_jobs import sent

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis

EXAMPLES = int(os.environ.get("EXAMPLES", "3"))
"""Requests of each kind for each operation: EXAMPLES=50 in the environment tries more."""

STREAMS = {"/api/v1/events"}
"""What answers only as something happens."""


def requests(app: FastAPI) -> list[Any]:
    """Return the operations of the document, each with what makes requests for it."""
    found = schemathesis.openapi.from_dict(app.openapi()).get_all_operations()
    return [each.ok() for each in found if each.ok().path not in STREAMS]


@pytest.mark.long
async def test_no_request_breaks_the_service(app: FastAPI, service: Serving) -> None:
    service.files.most = 10_000
    async with client(app, "alice:admin") as alice:
        job_id = await sent(alice)
        answered, tried = 0, 0
        for operation in requests(app):
            for case in cases(operation):
                tried += 1
                got = await asked(alice, case, job_id)
                answered += got is not None
                assert got is None or got.status_code < 500, (case.method, case.formatted_path, got.text)
        # Some cannot be sent at all.
        assert answered > 200
        assert answered > tried * 0.8


def cases(operation: Any) -> list[Any]:
    """Return some requests for an operation, the same ones every time: right and wrong ones."""
    made: list[Any] = []
    modes = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
    for mode in modes:

        @seed(1)
        @settings(
            max_examples=EXAMPLES,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode))
        def collect(case: Any) -> None:
            made.append(case)

        try:
            collect()
        except Exception as error:  # nothing can be wrong in an operation that takes nothing
            if "Unsatisfiable" not in type(error).__name__ and "Skip" not in type(error).__name__:
                raise
    return made


async def asked(alice: httpx.AsyncClient, case: Any, job_id: str) -> httpx.Response | None:
    """Return the answer to a request about a job that there is, if it is about one; None if it cannot be sent."""
    if "job_id" in (case.path_parameters or {}):
        case.path_parameters["job_id"] = job_id
    try:
        sent = case.as_transport_kwargs(base_url="http://hub.test/services/jobs")
        sent.pop("cookies", None)
        headers = {
            name: value for name, value in dict(sent.pop("headers") or {}).items() if name != "Authorization"
        }
        if isinstance(sent.get("data"), bytes | str):
            sent["content"] = sent.pop("data")
        return await alice.request(**sent, headers=headers)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeEncodeError, TypeError):
        return None
