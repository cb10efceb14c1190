"""Servers of interactive job types."""

from fastapi import Request, Response

from job_service.http import answers, models, starting
from job_service.http.caller import Submitting
from job_service.http.given import A_JOB, TheKept
from job_service.http.route import router as made
from job_service.http.v1.jobs import IdempotencyKey

router = made("servers")


@router.post(
    "/servers",
    response_model=models.Server,
    status_code=201,
    summary="Start a server of an interactive job type",
    dependencies=[A_JOB],
)
async def start(
    body: models.NewServer,
    request: Request,
    caller: Submitting,
    kept: TheKept,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """The hub starts it with your token, which needs `servers!user`; `url` leads to it.

    What the profile of the type lets you choose are `choices`. The list of the datasets is a file at the system,
    whose path the server has. With an `Idempotency-Key` that came before for the same body, a server that runs for
    it is the answer; of a type without datasets it is one with the same choices.
    """
    found = await starting.start(request, kept, caller, body.spec(), idempotency_key)
    server = models.Server(
        name=found.name,
        type=found.server.type_key,
        system=found.server.system,
        datasets=[each.id for each in found.server.datasets],
        url=found.path,
    )
    return answers.of(server, 201, Location=found.path)
