"""Whether a hub is set up for our spawner: its name, its pages, and that its servers outlive it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kerberos_auth.outcome import Outcome, State
from kerberos_auth.roles import groups_and_roles
from slurm_ssh.job import is_hub_name
from slurm_ssh_spawner.sentences import settings as sentences

# Of use where people have tickets.
_OF_TICKETS = "kerberos_auth"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class HubSettings:
    """What is looked at of a hub; see the settings of these names.  `has_tickets`: its authenticator keeps some.
    `manages_groups`: the authenticator says who is in which group; `load_groups` and `load_roles` are those of the
    configuration.

    `our_templates` are the folders that have to be in `template_paths`, by the package that they are of.
    """

    hub_name: str
    has_tickets: bool
    template_paths: tuple[str, ...]
    our_templates: dict[str, Path]
    template_vars: Collection[str]
    cleanup_servers: bool
    concurrent_spawn_limit: int
    api_url: str
    manages_groups: bool
    load_groups: Collection[str]
    load_roles: Sequence[Mapping[str, Any]]


def hub(told: HubSettings) -> Iterator[Outcome]:
    """Yield what cannot work, then what people or admins would miss."""
    owner = "SlurmSSHSpawner"
    if not is_hub_name(told.hub_name):
        said = sentences.NO_HUB_NAME.format(name=repr(told.hub_name[:100]))
        yield Outcome("A11", State.FAIL, said, sentences.HUB_NAMES, (owner, "hub_name"))
    yield from groups_and_roles(told.load_groups if told.manages_groups else (), told.load_roles)
    yield from _pages(told)
    if told.cleanup_servers:
        setting = ("JupyterHub", "cleanup_servers")
        yield Outcome("A11", State.WARN, sentences.SERVERS_END, sentences.KEEP_SERVERS, setting)
    if told.concurrent_spawn_limit:
        said = sentences.SPAWNS_LIMITED.format(count=told.concurrent_spawn_limit)
        setting = ("JupyterHub", "concurrent_spawn_limit")
        yield Outcome("A11", State.WARN, said, sentences.NO_SPAWN_LIMIT, setting)


def _pages(told: HubSettings) -> Iterator[Outcome]:
    there = {Path(path).resolve() for path in told.template_paths}
    for package, folder in told.our_templates.items():
        if folder.resolve() not in there and (told.has_tickets or package != _OF_TICKETS):
            said = sentences.NO_TEMPLATES.format(package=package)
            fix = sentences.ADD_TEMPLATES.format(package=package)
            yield Outcome("A11", State.WARN, said, fix, ("JupyterHub", "template_paths"))
    for name in ("ticket_notice", "launch_notices") if told.has_tickets else ("launch_notices",):
        if name not in told.template_vars:
            said, fix = sentences.NO_BANNER.format(name=name), sentences.ADD_BANNER[name]
            yield Outcome("A11", State.WARN, said, fix, ("JupyterHub", "template_vars"))


def reached_by_nodes(api_url: str, sites_without_url: Collection[str]) -> Iterator[Outcome]:
    """Yield a warning if jobs at some sites would be told to reach the hub where only its own machine does."""
    if sites_without_url and urlsplit(api_url).hostname in _LOOPBACK:
        named = {"url": api_url, "sites": ", ".join(sites_without_url)}
        setting = ("JupyterHub", "hub_bind_url")
        yield Outcome("C3", State.WARN, sentences.ONLY_FROM_HERE.format(**named), sentences.SET_HUB_URL, setting)
