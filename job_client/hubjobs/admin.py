"""What admins ask of the service, as `calls` has what everybody may.  Pure; give them to `Jobs.do`."""

from collections.abc import Mapping, Sequence

from hubjobs import models
from hubjobs.calls import Call, items_of, job_path, new_key, nothing, one_of, part, query


def jobs(
    *,
    owner: str | None = None,
    stage: str | Sequence[str] | None = None,
    system: str | None = None,
    project: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Call[models.Page]:
    """Ask for everybody's jobs, newest first."""
    asked = query(owner=owner, stage=stage, system=system, project=project, limit=limit, cursor=cursor)
    return Call("GET", "admin/jobs", one_of(models.Page), asked)


def job(job_id: str) -> Call[models.Job]:
    """Ask for anybody's job."""
    return Call("GET", f"admin/{job_path(job_id)}", one_of(models.Job))


def events(job_id: str) -> Call[tuple[models.Event, ...]]:
    """Ask what happened to anybody's job."""
    return Call("GET", f"admin/{job_path(job_id)}/events", items_of(models.Event))


def cancel(job_id: str) -> Call[models.Job]:
    """Cancel anybody's job."""
    return Call("POST", f"admin/{job_path(job_id)}/cancel", one_of(models.Job), headers=new_key())


def bans(user: str | None = None) -> Call[tuple[models.Ban, ...]]:
    """Ask for the bans that hold, of everybody's or one person's."""
    return Call("GET", "admin/bans", items_of(models.Ban), query(user=user))


def ban(user: str, system: str | None, project: str | None, reason: str) -> Call[models.Ban]:
    """Take somebody's right to send jobs, to one project or at all."""
    body = {"user": user, "system": system, "project": project, "reason": reason}
    return Call("POST", "admin/bans", one_of(models.Ban), body=body, repeats=False)


def unban(ban_id: int) -> Call[models.Ban]:
    """Lift a ban."""
    return Call("DELETE", f"admin/bans/{ban_id}", one_of(models.Ban))


def _project(system: str, project: str) -> str:
    return f"admin/projects/{part(system)}/{part(project)}"


def projects(system: str | None = None) -> Call[tuple[models.ServiceProject, ...]]:
    """Ask for all projects of the service, or those at one system."""
    return Call("GET", "admin/projects", items_of(models.ServiceProject), query(system=system))


def project(system: str, project: str) -> Call[models.ServiceProject]:
    """Ask for one project."""
    return Call("GET", _project(system, project), one_of(models.ServiceProject))


def add_project(system: str, project: str, fields: Mapping[str, object]) -> Call[models.ServiceProject]:
    """Make a project of these fields; what is left out has its default."""
    body = {"system": system, "name": project, **fields}
    return Call("POST", "admin/projects", one_of(models.ServiceProject), body=body, repeats=False)


def change_project(system: str, project: str, fields: Mapping[str, object]) -> Call[models.ServiceProject]:
    """Change these fields of a project."""
    return Call("PATCH", _project(system, project), one_of(models.ServiceProject), body=dict(fields))


def remove_project(system: str, project: str) -> Call[None]:
    """Take a project away whose jobs are all over."""
    return Call("DELETE", _project(system, project), nothing, repeats=False)


def audit(
    actor: str | None = None, target: str | None = None, limit: int | None = None
) -> Call[tuple[models.Deed, ...]]:
    """Ask what was done, by somebody or to something, the newest first."""
    asked = query(actor=actor, target=target, limit=limit)
    return Call("GET", "admin/audit", items_of(models.Deed), asked)


def grant(system: str, project: str, user: str | None, seconds: int, note: str) -> Call[models.Entry]:
    """Give a person, or for None the project itself, so many seconds more, or less."""
    body = {"user": user, "seconds": seconds, "note": note}
    return Call("POST", f"{_project(system, project)}/grants", one_of(models.Entry), body=body, repeats=False)


def quotas(system: str, project: str) -> Call[tuple[models.PersonalQuota, ...]]:
    """Ask what each has left of a project."""
    return Call("GET", f"{_project(system, project)}/quotas", items_of(models.PersonalQuota))


def set_quota(user: str, system: str, project: str, seconds: int, note: str) -> Call[models.PersonalQuota]:
    """Have somebody have exactly so many seconds left."""
    path = f"admin/quotas/{part(user)}/{part(system)}/{part(project)}"
    return Call("PUT", path, one_of(models.PersonalQuota), body={"time_left": seconds, "note": note})


def _members(system: str, project: str) -> str:
    return f"admin/members/{part(system)}/{part(project)}"


def members(system: str, project: str) -> Call[tuple[models.Member, ...]]:
    """Ask who may use a project."""
    return Call("GET", _members(system, project), items_of(models.Member))


def add_member(system: str, project: str, kind: str, name: str) -> Call[None]:
    """Let somebody, or a group of the hub, use a project."""
    return Call("PUT", f"{_members(system, project)}/{part(kind)}/{part(name)}", nothing)


def remove_member(system: str, project: str, kind: str, name: str) -> Call[None]:
    """Take that again."""
    return Call("DELETE", f"{_members(system, project)}/{part(kind)}/{part(name)}", nothing, repeats=False)


def systems() -> Call[tuple[models.Stand, ...]]:
    """Ask how the jobs at each system are followed."""
    return Call("GET", "admin/systems", items_of(models.Stand))
