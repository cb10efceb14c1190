"""`jupyterhub-sites schema`, `show` and `script`: what a catalogue means."""

import argparse
import getpass
import json
from datetime import datetime

from profiles.catalogue import json_schema, reference_page
from profiles.catalogue.menu import Menu
from profiles.facts import Facts, SiteFacts
from profiles.loading import load
from profiles.offer import launch
from profiles.offer.choices import Choices
from profiles.offer.offer import Offer, Person
from profiles.offer.summary import summary
from slurm_ssh.job import LaunchId, mark
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch import script as job_script
from slurm_ssh_spawner.launch.script import ServerProcess

_LAUNCH_ID = LaunchId("0" * 12)


class Failed(Exception):  # noqa: N818
    """What was asked cannot be done; the text says why."""


def schema(asked: argparse.Namespace) -> int:
    """Print the JSON Schema of catalogues, or the reference page."""
    if asked.reference:
        print(reference_page.page(), end="")
    else:
        print(json.dumps(json_schema.json_schema(), indent=2))
    return 0


def _offer(asked: argparse.Namespace, menu: Menu) -> Offer:
    facts: Facts = {}
    if asked.projects is not None:
        facts = {key: SiteFacts(projects=tuple(asked.projects)) for key in menu.sites}
    person = Person(asked.user or getpass.getuser(), frozenset(asked.groups))
    return Offer(menu, facts, person, datetime.now().astimezone())


def show(asked: argparse.Namespace) -> int:
    """Print what a person is offered, and why not the rest."""
    catalogue = load.read(asked.file)
    print(summary(_offer(asked, catalogue.notebooks)))
    if catalogue.job_types:
        print(f"\n{sentences.JOB_TYPES}")
        print(summary(_offer(asked, catalogue.jobs)))
    return 0


def script(asked: argparse.Namespace) -> int:
    """Print the job script of a person's choices."""
    pairs = [_pair(text) for text in asked.choice]
    pairs += [(name, key) for name in ("profile", "site") if (key := getattr(asked, name))]
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
    print(slurm_jobs.batch_script(request), end="")
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Failed(sentences.NOT_A_CHOICE.format(text=text))
    return name, value
