"""The files that a hub needs, as texts.  Pure, but for the tokens, which are new each time."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import jinja2

from slurm_ssh_spawner.cli import yaml_text
from slurm_ssh_spawner.cli.init.answers import Answers, Pam
from slurm_ssh_spawner.sentences import command_line as sentences

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("slurm_ssh_spawner.cli.init"),
    undefined=jinja2.StrictUndefined,
    # Configuration and units are no HTML.
    autoescape=False,  # noqa: S701
    trim_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters["python"] = lambda text: json.dumps(str(text))

PUBLIC, PRIVATE, FOLDER = 0o644, 0o600, 0o700


@dataclass(frozen=True)
class New:
    """A file, or a folder (None for its text), with its mode; `is_hubs`: it belongs to the hub's account."""

    path: str
    text: str | None
    mode: int
    is_hubs: bool = False


def files(answers: Answers, catalogue: str) -> tuple[New, ...]:
    """Return what is to be made, each folder before what lies in it."""
    config = answers.config
    found = [
        New(config, None, 0o755),
        New("/var/lib/jupyterhub", None, FOLDER, is_hubs=True),
        New(f"{config}/proxy.env", f"CONFIGPROXY_AUTH_TOKEN={secrets.token_hex(32)}\n", PRIVATE),
        New(f"{config}/jupyterhub_config.py", filled("jupyterhub_config.py", answers), PUBLIC),
        New(f"{config}/catalogue.yaml", catalogue, PUBLIC),
        *(New(f"/etc/systemd/system/{unit}", filled(unit, answers), PUBLIC) for unit in units(answers)),
    ]
    if answers.jobs:
        found.append(New("/var/lib/jupyterhub-jobs", None, FOLDER, is_hubs=True))
        found.append(New(f"{config}/jobs-token", f"{secrets.token_hex(32)}\n", PRIVATE, is_hubs=True))
    if answers.pam is not Pam.NONE:
        found.append(New("/etc/pam.d/jupyterhub", filled(f"pam-{answers.pam}", answers), PUBLIC))
    return tuple(found)


def units(answers: Answers) -> tuple[str, ...]:
    """Return the names of the units, in the order in which they start."""
    more = [*(["tunnels"] if answers.tunnels else []), "", *(["jobs"] if answers.jobs else [])]
    return tuple(f"jupyterhub{name and '-'}{name}.service" for name in ("proxy", *more))


def filled(template: str, answers: Answers) -> str:
    """Return one of the templates with the answers in it."""
    values = {**asdict(answers), "ip": answers.ip, "port": answers.port}
    return _TEMPLATES.get_template(f"{template}.jinja").render(values)


def catalogue(key: str, site: Mapping[str, Any], comments: yaml_text.Comments) -> str:
    """Return the catalogue of one cluster with one profile."""
    bounds = {
        "cores": {"default": 1, "max": 4},
        "memory": {"default": "2G", "max": "8G"},
        "time": {"default": "2h", "max": "8h"},
    }
    profile = {"name": "JupyterLab", "resources": bounds}
    tree = {"sites": {key: dict(site)}, "profiles": {"jupyterlab": profile}}
    said = {**comments, ("profiles", "jupyterlab", "resources"): (sentences.REVIEW_BOUNDS,)}
    return f"{yaml_text.comment(sentences.CATALOGUE_HEAD)}\n{yaml_text.written(tree, said)}"
