"""A site for looks: a real front end by ticket, a Slurm with one node that really runs jobs, and a hub's API."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from kerberos_auth.outcome import Outcome, State
from profiles.loading import load
from profiles.offer.offer import Person
from slurm_ssh.ssh.login import Login
from slurm_ssh_spawner.doctor.site import forwarding, front_ends, job, look
from slurm_ssh_spawner.doctor.site.visit import Visit
from tests.support import builders, hub_api
from tests.support.one_node import OneNode
from tests.support.sshd import Sshd
from tests.support.wallet import Wallet

SECONDS = 60


@dataclass
class Place:
    """Where everything is; `site` and `profiles` are as the catalogue's YAML will have them."""

    folder: Path
    front_end: Sshd
    slurm: OneNode
    wallet: Wallet
    site: dict[str, Any]
    profiles: dict[str, Any]
    api_url: str
    user: str = "alice"
    changed: dict[str, Any] = field(default_factory=dict)

    def visit(self) -> Visit:
        """Return a look at the site as it is written now."""
        path = self.folder / "catalogue.yaml"
        path.write_text(builders.written(sites={"geneva": self.site}, profiles=self.profiles))
        loaded = load.loaded(path)

        def where(steps: tuple[str, ...]) -> str:
            return f"catalogue.yaml:{loaded.problem(steps, '').line}"

        site = loaded.catalogue.sites["geneva"]
        owner = site.login_of(self.user)
        ticket = self.wallet.store.get(self.user)
        read = self.wallet.store.read(self.user)
        visit = Visit(
            "geneva",
            site,
            loaded.catalogue,
            Person(self.user),
            Login(self.user, owner, "geneva"),
            where,
            "hub",
            self.api_url,
            ticket,
            read,
        )
        return replace(visit, **self.changed)

    async def look(self, *, with_job: bool = False) -> list[Outcome]:
        """Return what is found."""
        found = await look.looked(self.visit(), SECONDS, with_job=with_job)
        assert not re.search(r"\{[a-z_]+\}", told(found)), told(found)
        return found


def wrong(found: list[Outcome]) -> dict[str, Outcome]:
    """Return what is not as it should be, by check."""
    return {each.check: each for each in found if each.state in (State.WARN, State.FAIL)}


def told(found: list[Outcome]) -> str:
    """Return everything, for a test that fails."""
    return "\n".join(f"{each.state} {each.check} {each.text}" for each in found)


@pytest.fixture
def hub_url() -> Iterator[str]:
    with hub_api.listening() as url:
        yield url


@pytest.fixture
async def place(
    login1: Sshd, wallet: Wallet, tmp_path: Path, hub_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Place]:
    monkeypatch.setattr(job, "_PAUSE_SECONDS", 0.05)
    for module in (front_ends, forwarding):  # a busy machine has time
        monkeypatch.setattr(module, "_SECONDS", 60)
    slurm = OneNode(tmp_path / "slurm")
    prefix = tmp_path / "jupyter"
    (prefix / "bin").mkdir(parents=True)
    server = prefix / "bin" / "jupyterhub-singleuser"
    server.write_text(f"#!/bin/sh\necho {version('jupyterhub')}\n")
    server.chmod(0o755)
    site = {
        "title": "Geneva",
        "front_ends": [{"host": "localhost", "port": login1.port, "host_keys": [login1.host_key]}],
        "slurm_path": str(slurm.folder),
        # No catalogue may name loopback.
        "hub_url": "http://hub.lab.test:8081",
        "job_folder": f"{tmp_path}/scratch/{{owner}}/jobs",
        "ticket_folder": f"{tmp_path}/scratch/{{owner}}/tickets",
        "jupyter": {"prefix": str(prefix)},
        "tunnel": {"kind": "ssh"},
        "ticket": {"delivery": "copy"},
        "partitions": {"normal": {}},
    }
    profiles = {"lab": {"name": "JupyterLab", "resources": {"cores": 1, "memory": "1G", "time": "1h"}}}
    yield Place(tmp_path, login1, slurm, wallet, site, profiles, f"{hub_url}/hub/api")
    slurm.stop()
