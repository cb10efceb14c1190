"""Makes the page of settings: `python -m slurm_ssh_spawner.hub.settings_page > docs/settings.md`."""

from collections.abc import Iterator
from typing import Any

from traitlets import TraitType
from traitlets.config import Configurable

from kerberos_auth.authenticator import KerberosPAMAuthenticator
from kerberos_auth.keeping import TicketKeeping
from kerberos_auth.login_help import LoginHelp
from kerberos_auth.single_sign_on import SingleSignOn
from slurm_ssh_spawner.checks.written import IGNORED
from slurm_ssh_spawner.hub.settings import SpawnerSettings

_HEAD = """# Settings of the hub

Made from the code by `python -m slurm_ssh_spawner.hub.settings_page > docs/settings.md`.

These stand in `jupyterhub_config.py`, as `c.SlurmSSHSpawner.hub_name = "hub"`. A hub reads them when it starts.
What cannot work ends the start with a sentence; what has no effect is a warning that names the line. What may be
started, and where, is no setting: it stands in [the catalogue](catalogue.md). The settings of JupyterHub itself
that matter, and why, are in [jupyterhub_config.py](../jupyterhub_config.py). The job service has
[options](job-service.md#install-it).
"""
_OF_JUPYTERHUB = """## Settings of JupyterHub's spawners

`default_url`, `notebook_dir`, `args`, `environment`, `pre_spawn_hook`, `post_stop_hook`, `http_timeout`,
`poll_interval`, `debug` and `disable_user_config` do what JupyterHub says. `environment` is for the job and all
that runs in it; what only some clusters need stands in `jupyter.variables` of a site.

These have no effect: the hub warns of each at its start.

| setting | what to use in its place |
|---|---|"""
_PLACES = (
    (SpawnerSettings, "SlurmSSHSpawner", 'What starts servers: `c.JupyterHub.spawner_class = "slurm-ssh"`.'),
    (
        KerberosPAMAuthenticator,
        "KerberosPAMAuthenticator",
        'Who may log in: `c.JupyterHub.authenticator_class = "kerberos-pam"`. A hub without Kerberos has another '
        "one, and none of the settings below: see [Sites without Kerberos](certificates.md).",
    ),
    (
        TicketKeeping,
        "TicketKeeping",
        "How long tickets stay: see [How tickets are kept](hub.md#how-tickets-are-kept).",
    ),
    (SingleSignOn, "SingleSignOn", "See [Login without a password](single-sign-on.md)."),
    (LoginHelp, "LoginHelp", "A line wherever a password is typed."),
)


def page() -> str:
    """Return the page, in Markdown."""
    parts = [_HEAD, *("\n".join(_of_class(*each)) for each in _PLACES), "\n".join(_without_effect())]
    return "\n".join(parts) + "\n"


def _of_class(kind: type[Configurable], name: str, said: str) -> Iterator[str]:
    yield f"## {name}\n\n{said}\n\n| setting | default | what |\n|---|---|---|"
    for setting, trait in sorted(kind.class_traits(config=True).items()):
        # What the class inherits is JupyterHub's, and explained there.
        if trait.this_class is kind:
            yield f"| `{setting}` | {_default(trait)} | {' '.join(str(trait.help).split())} |"
    yield ""


def _default(trait: TraitType[Any, Any]) -> str:
    value = trait.default()
    return f"`{sorted(value) if isinstance(value, set) else value!r}`"


def _without_effect() -> Iterator[str]:
    yield _OF_JUPYTERHUB
    for setting, place in IGNORED.items():
        yield f"| `{setting}` | {f'`{place}` in the catalogue' if place else '–'} |"


if __name__ == "__main__":
    print(page(), end="")
