"""Looks at the settings of a hub when it starts: what cannot work ends it, what has a flaw is a warning."""

import logging
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from traitlets.config import Config

from kerberos_auth.keeping import TicketKeeping
from kerberos_auth.login_help import LoginHelp
from kerberos_auth.outcome import Outcome, State
from kerberos_auth.single_sign_on import SingleSignOn
from languages import for_log
from slurm_ssh_spawner.checks import configuration
from slurm_ssh_spawner.checks.catalogue import by_path, catalogue
from slurm_ssh_spawner.checks.configuration import Configuration
from slurm_ssh_spawner.checks.hub import HubSettings, hub, reached_by_nodes
from slurm_ssh_spawner.checks.machine import Files, machine
from slurm_ssh_spawner.checks.written import written
from slurm_ssh_spawner.hub.composition import Settings
from slurm_ssh_spawner.hub.shared import Hub
from slurm_ssh_spawner.launch.records import urls
from slurm_ssh_spawner.sentences import settings as sentences

_PACKAGES = ("slurm_ssh_spawner.hub", "kerberos_auth")
_MEMORY = (None, "", ":memory:")


def look_at_what_is_written(app: Any) -> None:
    """Raise SystemExit with a sentence for a misspelt setting; log those that do nothing.  `app`: a JupyterHub."""
    _enforce(app, written(told(app)))


def look_at_settings(app: Any, settings: Settings) -> None:
    """Do the same for what the settings of the hub and of its spawner are, and for the machine."""
    authenticator = app.authenticator
    has_tickets = getattr(authenticator, "credentials", None) is not None
    tickets = getattr(authenticator, "service_ticket_folder", None)
    _enforce(
        app,
        (
            *hub(of_hub(app, settings, has_tickets, authenticator.manage_groups)),
            *machine(files_of(app, settings, tickets)),
        ),
    )


def of_hub(app: Any, settings: Settings, has_tickets: bool, manages_groups: bool) -> HubSettings:
    """Return what is looked at of a JupyterHub application, which need not have started."""
    return HubSettings(
        settings.hub_name,
        has_tickets,
        tuple(map(str, app.template_paths)),
        {package: Path(str(files(package) / "templates")) for package in _PACKAGES},
        app.template_vars,
        app.cleanup_servers,
        app.concurrent_spawn_limit,
        app.hub.api_url if app.hub else "",
        manages_groups,
        app.load_groups,
        app.load_roles,
    )


def files_of(app: Any, settings: Settings, tickets: Path | None) -> Files:
    """Return where such an application keeps what; `tickets` is the folder of people's tickets."""
    return Files(_folders(app.db_url, settings.records_url), tickets, (Path(app.cookie_secret_file),))


def look_at_catalogue(app: Any, settings: Settings, shared: Hub) -> None:
    """Log what the catalogue says of this machine that is not so."""
    read, file = shared.catalogue.current, settings.catalogue_file
    without = [key for key, site in read.sites.items() if site.hub_url is None]
    url = app.hub.api_url if app.hub else ""
    found = catalogue(read, shared.catalogue.files, by_path(file), has_groups=app.authenticator.manage_groups)
    _enforce(app, (*reached_by_nodes(url, without), *found))


def told(app: Any) -> Configuration:
    """Return what the configuration of a JupyterHub says, with the settings that its classes have."""
    of_logins = (LoginHelp, SingleSignOn, TicketKeeping)
    classes = [app.spawner_class, app.authenticator_class, app.proxy_class, type(app), *of_logins]
    known: dict[str, set[str]] = {}
    for each in (*app.classes, *classes):
        for name in each.section_names():
            known.setdefault(name, set()).update(each.class_trait_names(config=True))
    ours = {parent.__name__ for each in classes for parent in each.mro() if _is_ours(parent)}
    settings = {owner: dict(section) for owner, section in app.config.items() if isinstance(section, Config)}
    return Configuration(
        settings,
        {owner: frozenset(names) for owner, names in known.items()},
        frozenset(app.spawner_class.section_names()),
        frozenset(ours),
        app.config_file,
    )


def _is_ours(kind: type) -> bool:
    return kind.__module__.split(".")[0] in ("slurm_ssh_spawner", "kerberos_auth")


def _folders(*named: str) -> tuple[Path, ...]:
    """Return the folders of databases that are files."""
    found = []
    for url in named:
        try:
            parts = urls.read(url)
        except SQLAlchemyError:
            continue
        if parts.get_backend_name() == "sqlite" and parts.database not in _MEMORY:
            found.append(Path(str(parts.database)).absolute().parent)
    return tuple(found)


def _enforce(app: Any, outcomes: Iterable[Outcome]) -> None:
    lines = configuration.lines(app.config_file)
    found = [configuration.placed(each, app.config_file, lines) for each in outcomes]
    log: logging.Logger = app.log
    for each in found:
        if each.state is State.FAIL:
            raise SystemExit(for_log(sentences.SETTINGS_WRONG.format(problem=each.text)))
        if each.state is State.WARN:
            log.warning("%s", for_log(each.text))
