"""Interactive job types: from what somebody asks for to the server that the hub is to start.  Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from job_service import layout
from job_service.accepting import asked, gate, worked_on
from job_service.accepting.worked_on import Chosen
from job_service.accepting.wrong import Wrong
from job_service.datasets import chosen
from job_service.sentences import accepting as sentences
from job_service.spec import JobSpec
from profiles.catalogue.dataset import Dataset
from profiles.catalogue.menu import DATASETS, Jobs
from profiles.catalogue.site import SiteJobs
from profiles.errors import ChoiceRefused
from profiles.offer.choices import Choices
from profiles.offer.launch import Launch, resolve_server
from profiles.offer.offer import Offer

PATH = f"param.{DATASETS}"
"""The choice of a server that is the path of the file with its datasets."""


@dataclass(frozen=True)
class Server:
    """A server that the hub is to start: `options` are the choices of its profile.

    `path` is the file with its datasets at the system, "" for a type that takes none.
    """

    type_key: str
    title: str
    system: str
    options: Mapping[str, str]
    path: str
    datasets: tuple[Dataset, ...]


def decide(offer: Offer, spec: JobSpec, datasets: Chosen, key: str) -> Server:
    """Return the server of an interactive type for the person whom `offer`, of jobs, is for.

    The same `key` and description mean the same file.  Raises Invalid with every field that is wrong.
    """
    wrong = Wrong(asked.problems(spec))
    choices = gate.choices_of(spec, wrong)
    type_key, site = gate.where(offer, spec, choices, wrong)
    if type_key is None or site is None:
        raise wrong.error()
    menu = cast(Jobs, offer.menu)
    entry = menu.entries[type_key]
    if entry.profile is None:
        wrong.add("type", sentences.NOT_INTERACTIVE.format(type=entry.name))
        raise wrong.error()
    worked_on.check(offer, type_key, site, spec, datasets, wrong)
    picked = {name: value for name, value in choices.values.items() if name not in {"type", "site"}}
    launch = _launch(offer, Choices({**picked, "type": type_key, "site": site}), wrong)
    jobs = offer.menu.sites[site].jobs
    if launch is None or not isinstance(jobs, SiteJobs) or wrong.fields:
        raise wrong.error()
    options, path = {"profile": entry.profile, "site": site, **picked}, ""
    if menu.offering(type_key, site).datasets is not None:
        name = hashlib.sha256(f"{offer.person.name}\n{key}\n{asked.digest(spec)}".encode()).hexdigest()[:12]
        path = chosen.place(layout.parent(jobs, launch.owner), name)
        options[PATH] = path
    return Server(type_key, entry.name, site, options, path, datasets.of(spec))


def _launch(offer: Offer, choices: Choices, wrong: Wrong) -> Launch | None:
    try:
        return resolve_server(offer, choices)
    except ChoiceRefused as refused:
        wrong.take(refused)
        return None
