"""People and bans, how systems stand, and what admins did."""

from fastapi import Query

from job_service.errors import NotFound
from job_service.http.admin import models
from job_service.http.admin.actor import Actor
from job_service.http.admin.models import Listed, listed, paged
from job_service.http.admin.projects import Cursor, Limit
from job_service.http.caller import Administering
from job_service.http.given import A_LIST, TheService
from job_service.http.route import router as made
from job_service.http.v1.jobs import Word
from job_service.sentences import admin as sentences
from job_service.store.accounting import AuditEntry, Person

router = made("admin")


@router.get("/people", summary="People", dependencies=[A_LIST])
async def people(
    _: Administering, service: TheService, q: Word | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Listed[Person]:
    """List who has used the service, those who came last first; with `q` those whose names hold it."""
    return paged(await service.administration.people(limit, cursor, q))


@router.get("/people/{name}", summary="One person")
async def person(_: Administering, service: TheService, name: Word) -> models.PersonInFull:
    """Show one of them."""
    found = await service.store.people.get(name)
    quotas = await service.store.ledger.quotas(name, frozenset())
    return models.PersonInFull(
        name=found.name,
        number=found.number,
        first_seen=found.first_seen,
        last_seen=found.last_seen,
        bans=[models.Ban.of(each) for each in await service.administration.bans(name)],
        quotas=[models.QuotaOf.of(each) for each in quotas],
    )


@router.get("/bans", summary="Bans")
async def bans(
    _: Administering,
    service: TheService,
    user: Word | None = None,
    *,
    lifted: bool = Query(False, description="Whether to list those as well that were lifted."),
) -> Listed[models.Ban]:
    """List who may not send jobs, the newest first."""
    found = await service.administration.bans(user, lifted=lifted)
    return listed(tuple(models.Ban.of(each) for each in found))


@router.post("/bans", status_code=201, summary="Ban somebody")
async def ban(actor: Actor, service: TheService, new: models.NewBan) -> models.Ban:
    """Take somebody's right to send jobs, to one project or at all; their jobs go on."""
    return models.Ban.of(await service.administration.ban(actor, new.user, new.system, new.project, new.reason))


@router.delete("/bans/{ban_id}", summary="Lift a ban")
async def unban(actor: Actor, service: TheService, ban_id: int) -> models.Ban:
    """Lift one ban."""
    for each in await service.administration.bans():
        if each.id == ban_id:
            system, project = (each.project.system, each.project.name) if each.project else (None, None)
            return models.Ban.of(await service.administration.unban(actor, each.user, system, project))
    raise NotFound(sentences.NO_SUCH_BAN)


@router.get("/systems", summary="How systems are followed")
async def systems(_: Administering, service: TheService) -> Listed[models.FollowedSystem]:
    """Show how the jobs at each system are followed."""
    stands = (service.running.stand(key) for key in service.catalogue.current.jobs.taking)
    return listed(tuple(models.FollowedSystem.of(each) for each in stands))


@router.get("/audit", summary="What admins did", dependencies=[A_LIST])
async def audit(
    _: Administering,
    service: TheService,
    actor: Word | None = None,
    target: Word | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Listed[AuditEntry]:
    """Show what was done, by an admin or to something if given, the newest first."""
    return paged(await service.administration.audit(limit, cursor, actor, target))
