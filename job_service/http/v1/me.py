"""Who calls, and with what they get to the systems."""

from datetime import UTC, datetime

from fastapi import Request, Response

from job_service.http import answers, models
from job_service.http.caller import Reading
from job_service.http.given import TheService
from job_service.http.route import router as made
from job_service.running.tickets import Tickets
from kerberos_auth.errors import AuthFailed

router = made("service")


@router.get("/", response_model=models.Me, summary="Who you are")
@router.get("", include_in_schema=False)
async def me(request: Request, caller: Reading, service: TheService) -> Response:
    """Your name and groups on the hub, what your token may, and until when your ticket lasts."""
    await service.store.people.seen(caller.name)
    return answers.of(
        models.Me(
            name=caller.name,
            groups=sorted(caller.groups),
            scopes=sorted(caller.scopes),
            is_admin=caller.is_admin,
            ticket=_ticket(service.tickets, caller.name),
            version=request.app.version,
        )
    )


def _ticket(tickets: Tickets, user: str) -> models.Ticket | None:
    try:
        ticket = tickets.get(user)
    except AuthFailed:
        return None
    until = datetime.fromtimestamp(ticket.renew_until, UTC) if ticket.renew_until else None
    return models.Ticket(
        principal=ticket.principal, expires=datetime.fromtimestamp(ticket.end, UTC), renewable_until=until
    )
