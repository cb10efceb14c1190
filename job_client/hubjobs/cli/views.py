"""How what the service says looks."""

from collections.abc import Iterable, Iterator, Sequence

from hubjobs import models, sentences
from hubjobs.cli import words
from hubjobs.cli.output import Cell, Row, Screen, stage

_STATES = {"open": "green", "free": "green", "busy": "yellow", "away": "red", "refused": "red", "closed": "yellow"}


def jobs(screen: Screen, found: Sequence[models.Job], *, owners: bool = False) -> None:
    """Write jobs as a table; why one waits, failed or was cancelled stands below it."""
    columns = ["JOB", "STAGE", *(["OWNER"] if owners else []), "SYSTEM", "TYPE", "AGE", "RAN/LIMIT", "TITLE"]
    rows = [Row(_job_cells(job, owners=owners), _note(job)) for job in found]
    screen.table(columns, rows, cut="TITLE", note="REASON")


def _job_cells(job: models.Job, *, owners: bool) -> tuple[str | Cell, ...]:
    owner = (job.owner,) if owners else ()
    ran = f"{words.span(ran_s(job))}/{words.span(job.limit_s)}"
    return (job.job_id, stage(job.stage), *owner, job.system, job.type, words.age(job.created), ran, job.title)


def ran_s(job: models.Job) -> int | None:
    """Return for how long a job has run, as far as that is known."""
    if job.elapsed_s is not None or job.started is None:
        return job.elapsed_s
    until = job.ended or job.observed
    return max(0, round((until - job.started).total_seconds())) if until else None


def tasks(screen: Screen, found: Sequence[models.Job]) -> None:
    """Write the tasks of an array as a table; why one waits, failed or was cancelled stands below it."""
    rows = [
        Row((str(each.task), each.job_id, stage(each.stage), words.span(ran_s(each)), each.title), _note(each))
        for each in found
    ]
    screen.table(["TASK", "JOB", "STAGE", "RAN", "TITLE"], rows, cut="TITLE", note="REASON")


def _note(job: models.Job) -> str:
    stale = (
        sentences.STALE.format(moment=words.moment(job.observed) or "?") if job.stale and not job.is_over else ""
    )
    return " ".join(each for each in (job.reason, stale) if each)


def datasets(screen: Screen, found: Sequence[models.Dataset]) -> None:
    """Write datasets as a table."""
    rows = [Row((each.id, each.type, each.system or "-", each.name, each.location)) for each in found]
    screen.table(["DATASET", "TYPE", "SYSTEM", "NAME", "LOCATION"], rows, cut="NAME")


def job(screen: Screen, found: models.Job) -> None:
    """Write all that is known of a job."""
    named = f"job {found.native_id}" if found.native_id else ""
    native = ": ".join(each for each in (named, found.native_state.lower()) if each)
    status = "" if found.exit_code is None else str(found.exit_code)
    signal = f" (signal {found.signal})" if found.signal else ""
    screen.pairs(
        [
            ("Job", found.job_id),
            ("Title", found.title),
            ("Stage", stage(found.stage)),
            ("Reason", _note(found)),
            ("Exit status", f"{status}{signal}".strip()),
            ("Type", found.type),
            ("System", found.system),
            ("Project", found.project),
            ("Owner", found.owner),
            ("Asked for", _resources(found)),
            ("Created", words.moment(found.created)),
            ("Queued", words.moment(found.queued)),
            ("Started", words.moment(found.started)),
            ("Ended", words.moment(found.ended)),
            ("Ran", words.span(seconds) if (seconds := ran_s(found)) is not None else ""),
            (f"At {found.system}", native),
            ("Folder", found.folder),
        ]
    )


def _resources(of: models.Job | models.Preview) -> str:
    def counted(count: int | None, one: str, many: str) -> str:
        return "" if not count else f"{count} {one if count == 1 else many}"

    each = [counted(of.cores, "core", "cores"), counted(of.gpus, "GPU", "GPUs")]
    each.append(f"{of.memory_mib / 1024:.1f} GiB" if of.memory_mib else "")
    per_node = ", ".join(part for part in each if part)
    nodes = counted(of.nodes, "node", "nodes")
    there = f"{nodes} with {per_node}" if nodes and per_node else nodes or per_node
    return ", ".join(part for part in (there, words.span(of.limit_s) if of.limit_s else "") if part)


def events(screen: Screen, found: Iterable[models.Event]) -> None:
    """Write the history of a job."""
    rows = [Row((words.moment(each.at), stage(each.stage), each.text)) for each in found]
    screen.table(["WHEN", "STAGE", "WHAT"], rows, cut="WHAT")


def files(screen: Screen, found: models.Files) -> None:
    """Write what lies in a job's folder."""
    rows = [Row((_size(each), words.moment(each.modified), each.path)) for each in found.items]
    screen.table(["SIZE", "MODIFIED", "PATH"], rows)
    if found.is_cut:
        screen.sentence(sentences.MORE_FILES)


def _size(file: models.File) -> str:
    return words.size(file.size) if file.kind == "file" else file.kind


def systems(screen: Screen, found: Sequence[models.System]) -> None:
    """Write where jobs can run."""
    rows = [
        Row(
            (each.key, Cell(each.state, _STATES.get(each.state, "")), ", ".join(each.projects), each.title),
            each.reason,
        )
        for each in found
    ]
    screen.table(["SYSTEM", "STATE", "PROJECTS", "TITLE"], rows, cut="TITLE", note="REASON")


def projects(screen: Screen, found: Sequence[models.Project]) -> None:
    """Write what jobs may count against, and what is left of it."""
    rows = [Row((each.system, each.name, *_left(each.quota), _named(each))) for each in found]
    screen.table(["SYSTEM", "PROJECT", *sentences.LEFT, "COUNTS", "TITLE"], rows, cut="TITLE")


def _left(quota: models.Quota | None) -> tuple[str, str, str]:
    if quota is None:
        return "no limit", "no limit", "-"
    counts = {"wall": "hours", "node": "node hours", "core": "core hours"}.get(quota.charge, quota.charge)
    return words.hours(quota.time_left_s), words.hours(quota.project_time_left_s), counts


def _named(project: models.Project) -> str:
    return " ".join(each for each in (project.title, "(default)" if project.is_default else "") if each)


def types(screen: Screen, found: Sequence[models.JobType]) -> None:
    """Write what can be run."""
    rows = [Row((each.key, each.runs, ", ".join(at.system for at in each.systems), each.name)) for each in found]
    screen.table(["TYPE", "RUNS", "SYSTEMS", "NAME"], rows, cut="NAME")


def job_type(screen: Screen, found: models.JobType) -> None:
    """Write one job type, with what can be chosen at each system."""
    screen.pairs(
        [
            ("Type", found.key),
            ("Name", found.name),
            ("Runs", sentences.RUNS.get(found.runs, found.runs)),
            *_wanted(found),
        ]
    )
    if found.description:
        screen.line("")
        screen.block(found.description)
    for at in found.systems:
        screen.line("")
        state = Cell(" ".join(each for each in (at.state, at.news) if each), _STATES.get(at.state, ""))
        runs_as = sentences.THE_ACCOUNT if at.identity == "service" else ""
        where = f"{at.system} ({at.title})" if at.title else at.system
        screen.pairs([("At", where), ("Runs as", runs_as), ("State", state)])
        rows = [Row((f"--set {each.name}=", each.default, _allowed(each))) for each in at.fields]
        screen.table(["CHOICE", "DEFAULT", "ALLOWED"], rows, cut="ALLOWED")


def _wanted(job_type: models.JobType) -> Iterator[tuple[str, str]]:
    """Yield which datasets a type takes, and what becomes of several: all go into one server."""
    if wanted := job_type.datasets:
        types = ", ".join(wanted.types) or sentences.ANY_TYPE
        yield "Datasets", sentences.WANTED_DATASETS.format(least=wanted.min, most=wanted.max, types=types)
        if job_type.runs != "server":
            yield "Of several", ", ".join(sentences.WITH_SEVERAL.get(each, each) for each in wanted.modes)


def _allowed(choice: models.Choice) -> str:
    if choice.options is not None:
        return ", ".join(each.value or '""' for each in choice.options)
    if choice.least is None and choice.most is None:
        return choice.hint
    return " ".join(
        f"{word} {end}" for word, end in (("from", choice.least), ("to", choice.most)) if end is not None
    )


def preview(screen: Screen, found: models.Preview) -> None:
    """Write what would become of a job."""
    cost = words.span(found.cost_s) if found.cost_s else ""
    left = sentences.OF_WHAT_IS_LEFT.format(time=words.span(found.left_s)) if found.left_s is not None else ""
    screen.pairs(
        [
            ("Type", found.type),
            ("System", found.system),
            ("Project", found.project),
            ("Asks for", _resources(found)),
            ("Costs", " ".join(each for each in (cost, left) if each)),
            ("All jobs", _all_of(found)),
            ("Price", found.costs),
            ("Begins", words.moment(found.begins)),
            *(("Not now", each) for each in found.obstacles),
            *((each.dataset, each.detail) for each in found.errors),
        ]
    )


def _all_of(found: models.Preview) -> str:
    """Return how many jobs a preview is of, and what they cost, if they are several."""
    cost = words.span(found.total_cost_s) if found.total_cost_s else ""
    return "" if found.jobs == 1 else ", ".join(each for each in (str(found.jobs), cost) if each)


def stands(screen: Screen, found: Sequence[models.Stand]) -> None:
    """Write how the jobs at each system are followed."""
    rows = [
        Row(
            (
                each.key,
                each.observer or "-",
                words.age(each.asked),
                str(each.live),
                str(each.doubts),
                str(each.owed),
            ),
            each.reason,
        )
        for each in found
    ]
    screen.table(["SYSTEM", "ASKED AS", "AGO", "LIVE", "DOUBTS", "OWED"], rows, note="REASON")


def all_projects(screen: Screen, found: Sequence[models.ServiceProject]) -> None:
    """Write projects as a table, as admins see them."""
    rows = [
        Row(
            (
                f"{each.system}/{each.name}",
                words.hours(each.time_left),
                words.hours(each.init_time),
                words.hours(each.user_time),
                each.charge,
                _who(each),
                each.title,
            )
        )
        for each in found
    ]
    columns = ["PROJECT", "LEFT", "OF", "EACH GETS", "COUNTS", "FOR", "TITLE"]
    screen.table(columns, rows, cut="TITLE")


def _who(project: models.ServiceProject) -> str:
    return sentences.EVERYBODY if project.is_open else sentences.ITS_MEMBERS


def service_project(screen: Screen, found: models.ServiceProject) -> None:
    """Write all that is known of a project, as admins see it."""
    limits = (f"{name} {words.span(most) if name == 'time' else most}" for name, most in found.limits.items())
    screen.pairs(
        [
            ("Project", f"{found.system}/{found.name}"),
            ("Title", found.title),
            ("For", _who(found)),
            ("Runs as", sentences.THE_ACCOUNT if found.identity == "service" else ""),
            ("Default", sentences.YES if found.is_default else ""),
            ("Slurm's account", found.account or ""),
            ("Counts", found.charge),
            ("In all", words.hours(found.init_time)),
            ("Left", words.hours(found.time_left)),
            ("Each gets", words.hours(found.user_time)),
            ("At most", ", ".join(limits)),
        ]
    )


def deeds(screen: Screen, found: Iterable[models.Deed]) -> None:
    """Write what admins did."""
    rows = [Row((words.moment(each.at), each.actor, each.action, each.target), each.detail) for each in found]
    screen.table(["WHEN", "WHO", "WHAT", "TO"], rows, cut="TO", note="MORE")
