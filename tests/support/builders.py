"""Values for tests: a Catalogue, a Launch, a Job, a JobRequest, a ServerProcess.  Each call gives a new one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from kerberos_auth.tickets import Ticket
from profiles.catalogue.catalogue import Catalogue
from profiles.facts import Facts
from profiles.loading import load
from profiles.loading.live import LiveCatalogue
from profiles.offer.choices import Choices
from profiles.offer.launch import NotebookLaunch, resolve
from profiles.offer.offer import Offer, Person
from slurm_ssh.job import Job, LaunchId, mark
from slurm_ssh.job_request import JobRequest
from slurm_ssh_spawner.launch.script import ServerProcess

LAUNCH_ID = LaunchId("0123456789ab")
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDVgo6BZVy8AwU2yZ3cVYBqZqjKnPvYH1b0cFJ3yGm6k"


def site(**changed: Any) -> dict[str, Any]:
    """Return a site as the catalogue's YAML has it, with every kind of thing to choose from."""
    return {
        "title": "Geneva",
        "front_ends": [{"host": "login1.geneva.test", "host_keys": [HOST_KEY]}],
        "job_folder": "/scratch/{owner}/jupyter",
        "ticket_folder": "/scratch/{owner}/tickets",
        "module_init": "/etc/profile.d/modules.sh",
        "jupyter": {"module_paths": ["/opt/modulefiles"], "modules": ["jupyterlab"]},
        "ticket": {"delivery": "copy"},
        "partitions": {"normal": {"time_max": "8h"}, "debug": {"title": "Debug", "time_max": "10m"}},
        "projects": ["physics", "chemistry"],
        "reservations": ["school"],
        "qos": ["high"],
        **changed,
    }


def profile(**changed: Any) -> dict[str, Any]:
    """Return a profile as the catalogue's YAML has it, with bounds on every resource."""
    return {
        "name": "JupyterLab",
        "description": "One core and 1 GB",
        "resources": {
            "cores": {"default": 1, "max": 8},
            "memory": {"default": "1G", "max": "4G"},
            "gpus": {"default": 0, "max": 2},
            "time": {"default": "1h", "max": "12h"},
        },
        **changed,
    }


def job_type(**changed: Any) -> dict[str, Any]:
    """Return a job type as the catalogue's YAML has it: a program with two parameters, and bounds on most."""
    return {
        "name": "Reconstruction",
        "run": ["/opt/recon", "--method={param.method}", "{param.quality}"],
        "resources": {
            "cores": {"default": 1, "max": 8},
            "nodes": {"default": 1, "max": 2},
            "time": {"default": "1h", "max": "12h"},
        },
        "parameters": {
            "method": {"title": "Method", "options": {"fast": "Fast", "full": "Full"}},
            "quality": {"title": "Quality", "min": 1, "max": 10, "default": 5},
        },
        **changed,
    }


def gateway(**changed: Any) -> dict[str, Any]:
    """Return a gateway as the catalogue's YAML has it: a UNICORE server."""
    return {
        "title": "Daint",
        "kind": "unicore",
        "url": "https://daint.test:8080/DAINT/rest/core",
        "credentials": "/etc/jupyterhub/daint",
        **changed,
    }


def written(**sections: Any) -> str:
    """Return a catalogue as YAML; `sites` and `profiles` replace those two parts, others are added."""
    data = {"sites": {"geneva": site()}, "profiles": {"jupyterlab": profile()}, **sections}
    return yaml.safe_dump(data, sort_keys=False)


def catalogue(**sections: Any) -> Catalogue:
    """Return a catalogue, read from YAML as a real one is; for `sections` see `written`."""
    return load.parse(written(**sections), "catalogue.yaml")


def live(folder: Path, **sections: Any) -> LiveCatalogue:
    """Return a catalogue that is read from `catalogue.yaml` in a folder, where it is put first."""
    path = folder / "catalogue.yaml"
    path.write_text(written(**sections))
    return LiveCatalogue(str(path))


NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def offer(
    what: Catalogue | None = None, facts: Facts | None = None, person: Person | None = None, now: datetime = NOW
) -> Offer:
    """Return a catalogue as somebody (alice, in no group, with no servers) sees it at NOW."""
    return Offer((what or catalogue()).notebooks, facts or {}, person or Person("alice"), now)


def launch(
    what: Catalogue | None = None, choices: dict[str, str] | None = None, user: str = "alice"
) -> NotebookLaunch:
    """Return what the choices (none by default) mean for a user."""
    return resolve(offer(what, person=Person(user)), Choices.of(choices or {}))


def job(**changed: Any) -> Job:
    """Return the handle of a submitted job of alice at geneva."""
    facts = {
        "launch_id": LAUNCH_ID,
        "job_id": "17",
        "mark": mark("jupyter", "hub", LAUNCH_ID),
        "user": "alice",
        "owner": "alice",
        "site_key": "geneva",
    }
    return Job(**{**facts, **changed})


def ticket(user: str, end: int = 2**31) -> Ticket:
    """Return the facts of a ticket."""
    return Ticket(user, f"{user}@LAB.TEST", 0, end, 0, True, False, Path("/nonexistent", user))


def process(**changed: Any) -> ServerProcess:
    """Return the server that JupyterHub wants to have run."""
    facts = {
        "arguments": ("--notebook-dir=~", "--ServerApp.default_url=/lab"),
        "environ": {"JUPYTERHUB_USER": "alice", "JUPYTERHUB_SERVICE_PREFIX": "/user/alice/"},
        "secrets": {"JUPYTERHUB_API_TOKEN": "5ec4e7-t0ken"},
        "report_url": f"http://hub.test:8081/hub/api/launches/{LAUNCH_ID}",
    }
    return ServerProcess(**{**facts, **changed})


def request(**changed: Any) -> JobRequest:
    """Return a job of one core for an hour that does nothing."""
    facts = {
        "name": "jupyter-hub-1",
        "log_path": "/logs/1.log",
        "nodes": 1,
        "cores": 1,
        "memory_mib": 1024,
        "time_minutes": 60,
        "partition": None,
        "project": None,
        "reservation": None,
        "qos": None,
        "directives": {},
        "script": "true\n",
    }
    return JobRequest(**{**facts, **changed})
