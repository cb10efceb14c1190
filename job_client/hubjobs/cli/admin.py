"""What admins do: hubjobs admin ..."""

from typing import Annotated

import typer

from hubjobs import admin, models, sentences
from hubjobs.cli import admin_projects, following, output, views, words
from hubjobs.cli.admin_projects import Of
from hubjobs.cli.admin_projects import parts as _project
from hubjobs.cli.guard import client, guarded, shown
from hubjobs.cli.options import JobId, JobIds, Json, Limit, Stages
from hubjobs.cli.output import Row

app = typer.Typer(help="What admins do; log in with: hubjobs login --admin", no_args_is_help=True)
app.add_typer(admin_projects.app)

User = Annotated[str, typer.Argument(metavar="USER", show_default=False)]
Note = Annotated[str, typer.Option("--note", help="Why; it is kept.")]
Member = Annotated[str, typer.Argument(metavar="NAME", help="A person, or with --group a group.")]
IsGroup = Annotated[bool, typer.Option("--group", help="It is a group of the hub.")]
OnlyOf = Annotated[
    str | None, typer.Option("--project", "-p", metavar="SYSTEM/PROJECT", help="Only this project.")
]


@app.command("jobs")
@guarded
def jobs(
    owner: Annotated[str | None, typer.Option("--owner", "-u", help="Only this person's.")] = None,
    stage: Stages = None,
    system: Annotated[str | None, typer.Option("--system", "-s", help="Only jobs at this system.")] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """Show everybody's jobs, the newest first."""
    call = admin.jobs(owner=owner, stage=[each.upper() for each in stage or []], system=system, limit=limit)
    with client() as found:
        shown(found, call, lambda page: views.jobs(output.out(), page.items, owners=True), json=json)


@app.command("job")
@guarded
def job(
    job_id: JobId,
    events: Annotated[bool, typer.Option("--events", help="Show only what happened to it.")] = False,
    json: Json = False,
) -> None:
    """Show all that is known of anybody's job, and what happened to it."""
    with client() as there:
        if not events:
            shown(there, admin.job(job_id), lambda found: views.job(output.out(), found), json=json)
        if events or not json:
            shown(there, admin.events(job_id), lambda found: views.events(output.out(), found), json=json)


@app.command("audit")
@guarded
def audit(
    actor: Annotated[str | None, typer.Option("--by", help="Only what this admin did.")] = None,
    target: Annotated[str | None, typer.Option("--to", help="Only what was done to this.")] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """Show what admins did, the newest first."""
    with client() as there:
        found = admin.audit(actor, target, limit)
        shown(there, found, lambda deeds: views.deeds(output.out(), deeds), json=json)


@app.command("cancel")
@guarded
def cancel(job_ids: JobIds, json: Json = False) -> None:
    """Cancel anybody's jobs."""
    following.on_each(job_ids, admin.cancel, json=json)


@app.command("bans")
@guarded
def bans(json: Json = False) -> None:
    """Show who may send no jobs."""

    def see(found: tuple[models.Ban, ...]) -> None:
        rows = [Row((each.user, _where(each), each.by, words.moment(each.at)), each.reason) for each in found]
        output.out().table(["USER", sentences.MAY_NOT_USE, "BY", "SINCE"], rows, note="REASON")

    with client() as there:
        shown(there, admin.bans(), see, json=json)


def _where(ban: models.Ban) -> str:
    return f"{ban.system}/{ban.project}" if ban.project else sentences.ANYTHING


@app.command("ban")
@guarded
def ban(
    user: User,
    project: OnlyOf = None,
    reason: Annotated[str, typer.Option("--reason", help="A sentence that they read.")] = "",
) -> None:
    """Keep somebody from sending jobs, to a project or at all; jobs that are there go on."""
    system, name = _project(project) if project else (None, None)
    with client() as there:
        there.do(admin.ban(user, system, name, reason))
    output.err().sentence(sentences.BANNED.format(user=user, where=project or sentences.ANYTHING))


@app.command("unban")
@guarded
def unban(user: User, project: OnlyOf = None) -> None:
    """Let somebody send jobs again: lift all their bans, or that from a project."""
    with client() as there:
        found = [
            each for each in there.do(admin.bans(user)) if each.user == user and project in {None, _where(each)}
        ]
        for each in found:
            there.do(admin.unban(each.id or 0))
            output.err().sentence(sentences.UNBANNED.format(user=user, where=_where(each)))
    if not found:
        output.err().sentence(sentences.NO_BAN.format(user=user))


@app.command("grant")
@guarded
def grant(
    project: Of,
    time: Annotated[str, typer.Argument(metavar="TIME", help="Such as 100h, or -100h to take it back.")],
    user: Annotated[
        str | None, typer.Option("--user", "-u", help="To this person; without: to the project.")
    ] = None,
    note: Note = "",
) -> None:
    """Give a person, or a project itself, more time; write -- before a time that is negative."""
    seconds = words.seconds(time)
    with client() as there:
        there.do(admin.grant(*_project(project), user, seconds, note))
    said = sentences.TAKEN_BACK if seconds < 0 else sentences.GRANTED
    all_of_it = sentences.ALL_OF_IT[seconds < 0]
    output.err().sentence(said.format(who=user or all_of_it, time=words.hours(abs(seconds)), project=project))


@app.command("quotas")
@guarded
def quotas(project: Of, json: Json = False) -> None:
    """Show what each has left of a project."""

    def see(found: tuple[models.PersonalQuota, ...]) -> None:
        output.out().table(["USER", "HAS LEFT"], [Row((each.user, words.hours(each.time_left))) for each in found])

    with client() as there:
        shown(there, admin.quotas(*_project(project)), see, json=json)


@app.command("set-quota")
@guarded
def set_quota(
    user: User,
    project: Of,
    time: Annotated[str, typer.Argument(metavar="TIME", help="Such as 100h.")],
    note: Note = "",
) -> None:
    """Set how much somebody has left of a project."""
    with client() as there:
        now = there.do(admin.set_quota(user, *_project(project), words.seconds(time), note))
    output.err().sentence(sentences.LEFT_NOW.format(user=user, time=words.hours(now.time_left), project=project))


@app.command("members")
@guarded
def members(project: Of, json: Json = False) -> None:
    """Show who may use a project."""

    def see(found: tuple[models.Member, ...]) -> None:
        output.out().table(["KIND", "NAME"], [Row((each.kind, each.name)) for each in found])

    with client() as there:
        shown(there, admin.members(*_project(project)), see, json=json)


@app.command("add-member")
@guarded
def add_member(project: Of, name: Member, group: IsGroup = False) -> None:
    """Let somebody use a project."""
    with client() as there:
        there.do(admin.add_member(*_project(project), "group" if group else "user", name))


@app.command("remove-member")
@guarded
def remove_member(project: Of, name: Member, group: IsGroup = False) -> None:
    """Let somebody use a project no longer; jobs that are there go on."""
    with client() as there:
        there.do(admin.remove_member(*_project(project), "group" if group else "user", name))


@app.command("systems")
@guarded
def systems(json: Json = False) -> None:
    """Show how the jobs at each system are followed."""
    with client() as there:
        shown(there, admin.systems(), lambda found: views.stands(output.out(), found), json=json)
