"""What one person is offered, as JSON values: the systems, and the job types with their fields.  Pure.

A moment is ISO 8601, a time in seconds, a size in bytes, unless it is a sentence.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from job_service.accepting.chargeable import Chargeable, none_of
from job_service.gateways import kinds
from job_service.sentences import accepting as sentences
from job_service.store.accounting import Quota
from profiles.catalogue.gateway import Gateway
from profiles.catalogue.job_type import JobType
from profiles.catalogue.menu import Jobs
from profiles.catalogue.parameter import TRUE, Parameter
from profiles.catalogue.system import JobSettings
from profiles.form import fields
from profiles.form.fields import Field
from profiles.form.places import Place, place
from profiles.offer.offer import Offer, runs_as

CAPABILITIES = ("cancel", "files", "hold", "log")
"""What can be done with a job at a site."""


def systems(offer: Offer) -> tuple[str, ...]:
    """Return the systems where the person may have a job, by their keys, the default first."""
    seen = {site for key in offer.entries() for site in offer.sites(key)}
    return tuple(key for key in offer.menu.sites if key in seen)


def system(offer: Offer, key: str, chargeable: Sequence[Chargeable]) -> dict[str, Any]:
    """Return one of them.

    `state` is `open`, `closed` (no job is accepted, or none of theirs), `away` (it does not answer: jobs wait
    here), or `refused` (it did not let the person in lately); `reason` says why in a sentence, "" while it is
    open.  `projects` are what jobs may count against, the default first; there may be others while
    `projects_known` is false.
    """
    identities = offer.identities(key)
    if identities == {"service"} or ("service" in identities and offer.facts_of(key).refused):
        # Whom it lets in is not the person then.
        offer = offer.as_account(key)
    site, facts, news = offer.menu.sites[key], offer.facts_of(key), offer.announced(key)
    state, reason = _state(offer, key, chargeable)
    return {
        "key": key,
        "title": site.title,
        "support": site.support,
        "state": state,
        "reason": reason,
        "maintenance": {"begins": news.begins.isoformat(), "ends": news.ends.isoformat()} if news else None,
        "partitions": list(_partitions(offer, key)),
        "limits": _limits(cast(JobSettings, site.jobs)),
        "projects": [each.name for each in chargeable],
        "projects_known": offer.projects(key) is not None,
        "capabilities": list(kinds.capabilities(site.kind) if isinstance(site, Gateway) else CAPABILITIES),
        "asked_at": facts.asked_at.isoformat() if facts.asked_at else None,
        "is_stale": facts.is_stale,
    }


def project(system: str, charged: Chargeable, *, is_default: bool, quotas: Sequence[Quota]) -> dict[str, Any]:
    """Return what a person's jobs at a system may count against.

    `account` is Slurm's to charge, null for its default.  Of jobs that run as the site's account the `identity` is
    `service`, of others `person`.  `quota` is null for what has none; else it says what a
    second of a job counts (`charge`: wall, node or core), what the person has left and what the project has, both
    in such seconds, and the `limits` of one job.
    """
    own = charged.project
    quota = next((each for each in quotas if own and each.project.id == own.id), None)
    return {
        "system": system,
        "name": charged.name,
        "title": (own.title if own else "") or charged.name,
        "account": charged.account,
        "identity": charged.identity,
        "is_default": is_default,
        "quota": quota
        and {
            "charge": quota.project.charge,
            "time_left_s": quota.time_left,
            "project_time_left_s": quota.project.time_left,
            "limits": dict(quota.project.limits),
        },
    }


def _state(offer: Offer, key: str, chargeable: Sequence[Chargeable]) -> tuple[str, str]:
    site, facts = offer.menu.sites[key], offer.facts_of(key)
    if closed := offer.closed(key):
        return "closed", closed
    if facts.refused:
        return "refused", facts.refused
    if facts.unreachable_since is not None:
        time = offer.moment(facts.unreachable_since)
        return "away", sentences.AWAY.format(system=site.title, time=time)
    if not chargeable:
        return "closed", sentences.NONE_YOURS.format(system=site.title)
    return "open", ""


def _limits(jobs: JobSettings) -> dict[str, int]:
    return {
        "active_jobs": jobs.active_max,
        "upload_bytes": jobs.upload_max * 1024**2,
        "keep_s": jobs.keep * 60,
    }


def _partitions(offer: Offer, key: str) -> Iterator[dict[str, Any]]:
    """Yield the partitions that the person may choose there; else Slurm's default one, once it is known."""
    site, known = offer.menu.sites[key], offer.facts_of(key).partitions or {}
    here = [offer.offering(each, key) for each in offer.entries() if key in offer.sites(each)]
    chosen = {name: None for what in here for name in what.partitions or site.partitions}
    for name in chosen or (each for each, real in known.items() if real.is_default):
        entry, real = site.partitions.get(name), known.get(name)
        longest = [entry.time_max if entry else None, real.time_max_minutes if real else None]
        most = min((each for each in longest if each is not None), default=None)
        yield {
            "name": name,
            "title": (entry.title if entry else "") or name,
            "is_up": real.is_up if real else None,
            "time_max_s": None if most is None else most * 60,
            "nodes": sum(each.count for each in real.nodes) if real else None,
        }


def job_type(offer: Offer, key: str, charged: Mapping[str, Sequence[Chargeable]]) -> dict[str, Any]:
    """Return a job type that the person sees; `charged` is what their jobs may count against at each system.

    `runs` says what: a `program`, a `line` of the person's own, which is sent as the command, or a `server`, which
    is started and no job.  `description` is Markdown.  `systems` are those where they may have it, the default
    first, each with its `fields`: choices, and `on_line`: what parameters put on the program's command line.
    There `state` is `free` if the job would start at once, `busy` if it would wait, `closed` if none is accepted,
    or none of theirs, `away`, `refused`, or `unknown`; `news` says it in words, and `age` how old they are.
    Jobs run there as the system's account if the `identity` is `service`, else as the person.
    `datasets` says which it takes, null for none.
    """
    entry = cast(Jobs, offer.menu).entries[key]
    modes = {"modes": ["single"]} if entry.is_interactive else {}
    return {
        "key": key,
        "name": entry.name,
        "description": entry.description,
        "icon": entry.icon,
        "runs": _runs(entry),
        "systems": [_at(offer, key, site, charged[site]) for site in offer.sites(key)],
        "datasets": entry.datasets and {**entry.datasets.model_dump(mode="json"), **modes},
    }


def _runs(entry: JobType) -> str:
    if entry.is_interactive:
        return "server"
    return "program" if entry.command is None else "line"


def _at(offer: Offer, key: str, site: str, charged: Sequence[Chargeable]) -> dict[str, Any]:
    what = offer.offering(key, site)
    there, closed, identity = place(offer, site, what), offer.closed(site), runs_as(what)
    # A server counts against no project of the service.
    is_job = not cast(Jobs, offer.menu).entries[key].is_interactive
    if is_job and there.is_open and identity not in {each.identity for each in charged}:
        there = Place(there.title, "closed", none_of(identity, there.title))
    found = (*fields.fields(offer, site, what), *fields.parameters(offer, what))
    return {
        "system": site,
        "title": there.title,
        "identity": "service" if offer.is_shared(key, site) else "person",
        "state": there.state,
        "news": closed or there.news,
        "age": there.age,
        "fields": [_field(each) for each in found if each.name != "project"],
        "on_line": [
            _on_line(f"param.{name}", each)
            for name, each in what.parameters.items()
            if each.words or each.argument is not None
        ],
    }


def _on_line(name: str, parameter: Parameter) -> dict[str, Any]:
    """Return what a parameter puts on the command line: `argument` before its value, or the `words` of a value."""
    words = {TRUE: parameter.argument or ()} if parameter.flag else parameter.words
    return {
        "name": name,
        "argument": None if words or parameter.argument is None else list(parameter.argument),
        "words": {value: list(each) for value, each in words.items()},
    }


def _field(field: Field) -> dict[str, Any]:
    """Return a field: one of `options`, a number from `least` to `most`, or text as its `hint` says.

    `default` says what a job gets that leaves it out, and `usual` is the value that means the same, if one does.
    """
    options = field.options
    return {
        "name": field.name,
        "label": field.label,
        "options": None if options is None else [{"value": value, "title": title} for value, title in options],
        "least": field.least,
        "most": field.most,
        "default": field.default,
        "usual": field.usual,
        "hint": field.hint,
    }
