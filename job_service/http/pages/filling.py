"""The form of a job as it is shown: the catalogue's fields of its type, for the datasets that are chosen."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from fastapi import Request, Response

from job_service.errors import Invalid, JobError
from job_service.http.caller import Caller
from job_service.http.given import Kept
from job_service.http.pages import rendering, written
from job_service.http.pages.route import one
from job_service.sentences import accepting as refusals
from kerberos_auth.errors import AuthFailed
from profiles.catalogue.dataset import Dataset, WantedDatasets
from profiles.catalogue.gateway import Gateway
from profiles.catalogue.job_type import JobType
from profiles.catalogue.menu import Jobs
from profiles.errors import ChoiceRefused
from profiles.form import page
from profiles.offer.offer import Offer, runs_as
from slurm_ssh.errors import LaunchError

REFUSED = (JobError, ChoiceRefused, LaunchError, AuthFailed)
"""Why a job is not accepted, each a sentence for who wants it."""

_OURS = ("title", "project", "file", "unpack")
"""Fields that this page has beside the catalogue's form, whatever the type."""

Typed = Mapping[str, list[str]]


@dataclass(frozen=True)
class Refusal:
    """Why a form is shown again: `fields` are sentences by the names of fields, `message` is of no field."""

    fields: dict[str, str]
    message: str = ""
    hint: str = ""

    @classmethod
    def of(cls, error: Exception) -> "Refusal":
        """Return what an error says of a form."""
        if isinstance(error, Invalid) and not any(each.startswith("datasets.") for each in error.fields):
            return cls({_named(name): said for name, said in error.fields.items()})
        if isinstance(error, ChoiceRefused):
            return cls({each.field: each.said for each in error.all})
        message = getattr(error, "message", "") or str(error)
        return cls({}, message, getattr(error, "hint", ""))


def _named(field: str) -> str:
    name = field.removeprefix("choices.")
    return {"system": "site", "inputs": "file"}.get(name, name)


async def offered(kept: Kept, caller: Caller, kind: str) -> Offer:
    """Return the offer for somebody, in which this job type is.  Raises Invalid."""
    offer = await kept.service.accepting.offered.offer(caller.person)
    if kind not in offer.entries():
        raise Invalid(refusals.NO_JOB_TYPE.format(type=written.harmless(kind)), {})
    return offer


def wanted(offer: Offer, kind: str) -> WantedDatasets | None:
    """Return which datasets a job type takes at the first site where it takes any, None if it takes none."""
    found = (offer.menu.offering(kind, site) for site in offer.sites(kind))
    return next((each for what in found if (each := getattr(what, "datasets", None))), None)


async def known(kept: Kept, caller: Caller, ids: tuple[str, ...]) -> tuple[Mapping[str, Dataset], str]:
    """Return what is known of datasets, by id, and why not all of them could be looked for, "" if they were."""
    try:
        return await kept.service.accepting.datasets.get(caller.person, ids), ""
    except LaunchError as error:
        return {}, error.message


def _is_for(offer: Offer, kind: str, project: Mapping[str, Any]) -> bool:
    """Return whether jobs of a type can count against a project."""
    site = project["system"]
    return site in offer.sites(kind) and runs_as(offer.menu.offering(kind, site)) == project["identity"]


async def _charged(kept: Kept, caller: Caller, offer: Offer, kind: str) -> dict[str, Any]:
    """Return what jobs of a type can count against.

    `served` are the titles of systems where they run as an account of the system; `no_project` has a sentence for
    each of those at which nothing is there to count against.
    """
    found = await kept.service.accepting.offered.projects(caller.person)
    projects = [each for each in found if _is_for(offer, kind, each)]
    charged = {each["system"] for each in projects}
    served = {key: offer.menu.sites[key].title for key in offer.sites(kind) if offer.is_shared(kind, key)}
    return {
        "projects": projects,
        "served": list(served.values()),
        "no_project": [
            refusals.NONE_YOURS_OF_SERVICE.format(system=title)
            for key, title in served.items()
            if key not in charged
        ],
    }


async def form(
    request: Request,
    kept: Kept,
    caller: Caller,
    fields: Typed,
    refusal: Refusal | None = None,
    *,
    told: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """Return the page with the form of a type, filled in, with what is refused of it.  Raises Invalid."""
    kind, ids = one(fields, "type"), written.chosen(fields)
    offer = await offered(kept, caller, kind)
    found, away = await known(kept, caller, ids)
    offer = replace(offer, datasets=tuple(found[each].parameters if each in found else {} for each in ids))
    entry = cast(Jobs, offer.menu).entries[kind]
    typed = written.typed(fields)
    typed["site"] = typed.get("site") or typed.get("system", "") or _place(found)
    wrong = dict(refusal.fields) if refusal else {}
    wants = wanted(offer, kind)
    return rendering.page(
        request,
        "new.html",
        status,
        **_about(entry, kind),
        wanted=wants,
        chosen=[found.get(each) or Dataset(each, each, "", "") for each in ids],
        away=away,
        form=page.of_entry(offer, kind, typed, _refused(wrong), _around(entry, wants, ids)),
        **await _charged(kept, caller, offer, kind),
        gateways={key for key, site in offer.menu.sites.items() if isinstance(site, Gateway)},
        titles={key: site.title for key, site in offer.menu.sites.items()},
        typed=typed,
        wrong=wrong,
        refusal=refusal,
        told=told,
        key=typed.get("key") or secrets.token_urlsafe(16),
    )


def _about(entry: JobType, kind: str) -> dict[str, Any]:
    """Return what the page says of a type, whatever is chosen."""
    return {
        "type": kind,
        "name": entry.name,
        "description": entry.description,
        "takes_line": entry.command is not None,
        "is_server": entry.is_interactive,
    }


def _around(entry: JobType, wants: WantedDatasets | None, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fields that the page has around the catalogue's form of a type."""
    more = {"command": entry.command is not None, "datasets": wants or ids, "mode": wants and ids}
    ours = () if entry.is_interactive else _OURS
    return (*ours, *(name for name, is_here in more.items() if is_here))


def _refused(wrong: Mapping[str, str]) -> ChoiceRefused | None:
    refused = [ChoiceRefused(name, said) for name, said in wrong.items()]
    return ChoiceRefused(refused[0].field, refused[0].said, refused[1:]) if refused else None


def _place(found: Mapping[str, Dataset]) -> str:
    """Return the site where datasets are, "" if that is none or several."""
    places = {each.system for each in found.values()} - {None}
    return places.pop() or "" if len(places) == 1 else ""
