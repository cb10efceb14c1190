"""`jupyterhub-sites schema`, `show` and `script`: what a catalogue means."""

import getpass
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from profiles.catalogue import json_schema, reference_page
from profiles.catalogue.menu import Menu
from profiles.facts import Facts, SiteFacts
from profiles.loading import load
from profiles.offer import launch
from profiles.offer.choices import Choices
from profiles.offer.offer import Offer, Person
from profiles.offer.summary import summary
from slurm_ssh import schedulers
from slurm_ssh.job import LaunchId, mark
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.launch import script as job_script
from slurm_ssh_spawner.launch.script import ServerProcess

_LAUNCH_ID = LaunchId("0" * 12)


@dataclass(frozen=True)
class Asked:
    """One person before a catalogue; `projects` None means that nobody knows what they may charge."""

    file: str
    person: Person
    projects: tuple[str, ...] | None

    @classmethod
    def of(cls, file: str, user: str | None, groups: Sequence[str] | None, projects: Sequence[str] | None) -> Self:
        """Return it as a command line names it: without a name it is whoever runs it; "" is no project."""
        person = Person(user or getpass.getuser(), frozenset(groups or ()))
        return cls(file, person, None if projects is None else tuple(filter(None, projects)))


def schema(*, reference: bool) -> None:
    """Print the JSON Schema of catalogues, or the reference page."""
    if reference:
        print(reference_page.page(), end="")
    else:
        print(json.dumps(json_schema.json_schema(), indent=2))


def _offer(asked: Asked, menu: Menu) -> Offer:
    facts: Facts = {}
    if asked.projects is not None:
        facts = {key: SiteFacts(projects=asked.projects) for key in menu.sites}
    return Offer(menu, facts, asked.person, datetime.now().astimezone())


def show(asked: Asked) -> None:
    """Print what a person is offered, and why not the rest."""
    catalogue = load.read(asked.file)
    print(summary(_offer(asked, catalogue.notebooks)))
    if catalogue.job_types:
        print(f"\n{sentences.JOB_TYPES}")
        print(summary(_offer(asked, catalogue.jobs)))


def script(asked: Asked, chosen: Sequence[str]) -> None:
    """Print the job script of a person's choices, each NAME=VALUE."""
    pairs = [_pair(text) for text in chosen]
    given = dict(pairs)
    if len(given) < len(pairs):
        raise Failed(sentences.CHOICE_TWICE)
    offer = _offer(asked, load.read(asked.file).notebooks)
    decided = launch.resolve(offer, Choices.of(given))
    process = ServerProcess(
        arguments=(),
        environ={"JUPYTERHUB_USER": offer.person.name},
        secrets={},
        report_url=f"{decided.site.hub_url or 'http://HUB'}/hub/api/launches/{_LAUNCH_ID}",
    )
    request = job_script.build(decided, _LAUNCH_ID, mark("jupyter", "HUB", _LAUNCH_ID), process, ())
    print(schedulers.of(decided.site).script(decided.site, request), end="")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Failed(sentences.NOT_A_CHOICE.format(text=text))
    return name, value
