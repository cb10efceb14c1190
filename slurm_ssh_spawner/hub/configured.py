"""Reads the configuration of a hub without starting it: nothing is opened, asked or changed, and a hub may run.

The file is Python and is run, as a start of the hub does.
"""

import logging
import re
import sys
import traceback
from collections.abc import Collection
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyterhub.app import JupyterHub
from traitlets import TraitError
from traitlets.config import Configurable
from traitlets.config.loader import PyFileConfigLoader

from kerberos_auth.authenticator import KerberosPAMAuthenticator
from kerberos_auth.outcome import Outcome
from kerberos_auth.passwords import PasswordLogin
from slurm_ssh.text import one_line
from slurm_ssh_spawner.checks import configuration
from slurm_ssh_spawner.checks.configuration import Configuration
from slurm_ssh_spawner.checks.hub import HubSettings
from slurm_ssh_spawner.checks.machine import Files
from slurm_ssh_spawner.hub import checking
from slurm_ssh_spawner.hub.composition import Settings
from slurm_ssh_spawner.hub.settings import SpawnerSettings
from slurm_ssh_spawner.sentences import doctor as sentences

_LONGEST = 400
_ALL_ADDRESSES = (None, "", "0.0.0.0", "::")  # noqa: S104 - what is listened at
# <jupyterhub.app.JupyterHub object at 0x7fcf4e76fe10>
_OBJECT = re.compile(r"<(?:\w+\.)*(\w+) object at 0x[0-9a-f]+>")
# "The 'bind_url' trait of a JupyterHub instance expected ...", and "SlurmSSHSpawner.tunnel_ports: ..." of our own.
_SETTINGS = (
    re.compile(r"The '(?P<name>\w+)' trait of an? (?P<owner>\w+) instance"),
    re.compile(r"(?P<owner>\w+)\.(?P<name>\w+): "),
)


class CannotRead(Exception):  # noqa: N818 - named by what happened
    """A configuration cannot be used; its text says why, `place` is the `file:line` or "", `fix` what to do."""

    def __init__(self, sentence: str, place: str = "", fix: str = "") -> None:
        super().__init__(sentence)
        self.place = place
        self.fix = fix


@dataclass(frozen=True)
class Logins:
    """How people log in, where that is by `kerberos-pam`.

    `outcomes` is what its settings and this machine's files say; `denied` are names that nobody has here.
    """

    authenticator: KerberosPAMAuthenticator = field(repr=False)
    outcomes: tuple[Outcome, ...]
    realm: str
    pam_service: str
    keytab: str
    sign_on_keytab: str
    ticket_folder: Path
    denied: Collection[str]

    def passwords(self, folder: Path) -> PasswordLogin:
        """Return the hub's own way from a password to a ticket; `folder` is nobody else's.  Raises AuthFailed."""
        return self.authenticator.password_login(folder)


@dataclass(frozen=True)
class Addresses:
    """Where hub and proxy are reached; see the settings of JupyterHub and its proxy of these names.

    `proxy_api` is "" for a proxy that is no configurable-http-proxy; `token` is "" if it is not known here.
    """

    bind_url: str
    public_url: str
    subdomain_host: str
    base_url: str
    hub_bind_url: str
    proxy_api: str
    proxy_is_ours: bool
    token: str = field(repr=False)

    @property
    def bound(self) -> tuple[str, int]:
        """Where this machine reaches the proxy."""
        parts = urlsplit(self.bind_url)
        host = "127.0.0.1" if parts.hostname in _ALL_ADDRESSES else str(parts.hostname)
        return host, parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def public(self) -> str:
        """Where browsers reach the hub, as far as the configuration says, with its base URL."""
        if url := self.public_url or self.subdomain_host:
            parts = urlsplit(url)
            return f"{parts.scheme}://{parts.netloc}{self.base_url}"
        host, port = self.bound
        return f"{urlsplit(self.bind_url).scheme}://{f'[{host}]' if ':' in host else host}:{port}{self.base_url}"


@dataclass(frozen=True)
class Configured:
    """What the configuration of a hub says, with the defaults of what it does not say.

    `logins` is None where people log in by something else than `kerberos-pam`.
    """

    configuration: Configuration
    settings: Settings
    hub: HubSettings
    files: Files
    addresses: Addresses
    db_url: str = field(repr=False)
    manage_groups: bool
    logins: Logins | None


def configured(file: Path) -> Configured:
    """Return what the configuration in a file says.  Raises CannotRead."""
    app = JupyterHub(log_level=logging.CRITICAL)
    try:
        _load(app, file)
        return _told(app)
    except TraitError as error:
        raise _of_trait(error, app.config_file) from error


def _load(app: Any, file: Path) -> None:
    if not file.is_file():
        raise CannotRead(sentences.NO_CONFIGURATION.format(file=file), "", sentences.NAME_CONFIGURATION)
    app.config_file = str(file.absolute())
    try:
        # Standard output is for what is found.
        with redirect_stdout(sys.stderr):
            found = PyFileConfigLoader(file.name, path=str(file.absolute().parent)).load_config()
    except (Exception, SystemExit) as error:  # whatever an admin wrote
        raise _of_python(error, app.config_file) from error
    app.update_config(found)


def _of_python(error: BaseException, file: str) -> CannotRead:
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == file else None
    for frame in traceback.extract_tb(error.__traceback__):
        line = frame.lineno if frame.filename == file else line
    said = one_line(f"{type(error).__name__}: {error}", _LONGEST)
    fix = sentences.RUN_AS_THE_HUB if isinstance(error, PermissionError) else sentences.MEND_LINE
    return CannotRead(sentences.NOT_RUN.format(reason=said), f"{file}:{line}" if line else file, fix)


def _of_trait(error: TraitError, file: str) -> CannotRead:
    said = one_line(_OBJECT.sub(r"a \1", str(error)), _LONGEST)
    found = next((found for each in _SETTINGS if (found := each.search(said))), None)
    line = configuration.lines(file).get((found["owner"], found["name"])) if found else None
    return CannotRead(sentences.NOT_A_VALUE.format(reason=said), f"{file}:{line}" if line else file)


def _told(app: Any) -> Configured:
    told = checking.told(app)
    if not issubclass(app.spawner_class, SpawnerSettings):
        line = configuration.lines(told.file).get(("JupyterHub", "spawner_class"))
        place = f"{told.file}:{line}" if line else told.file
        raise CannotRead(sentences.ANOTHER_SPAWNER, place, sentences.SET_SPAWNER)
    app.init_hub()
    settings = app.spawner_class(parent=app).settings
    logins = _logins(app)
    tickets = logins.ticket_folder if logins else None
    manages_groups = bool(_unstarted(app.authenticator_class, app).manage_groups)
    return Configured(
        told,
        settings,
        checking.of_hub(app, settings, logins is not None, manages_groups),
        checking.files_of(app, settings, tickets),
        _addresses(app),
        app.db_url,
        manages_groups,
        logins,
    )


def _logins(app: Any) -> Logins | None:
    if not issubclass(app.authenticator_class, KerberosPAMAuthenticator):
        return None
    found: KerberosPAMAuthenticator = _unstarted(app.authenticator_class, app)
    return Logins(
        found,
        found.check_settings(),
        found.realm,
        found.pam_service,
        "" if found.verify_kdc == "off" else found.keytab,
        str(found.config.SingleSignOn.get("keytab", "")),
        Path(found.ticket_folder),
        frozenset(found.denied_users | found.blocked_users),
    )


def _unstarted(kind: type[Configurable], app: Any) -> Any:
    """Return the settings of what is not made: an authenticator would take the running hub's folder."""
    found = kind.__new__(kind)
    Configurable.__init__(found, parent=app)
    return found


def _addresses(app: Any) -> Addresses:
    proxy = _unstarted(app.proxy_class, app)
    proxy.app = app
    is_ours = bool(getattr(proxy, "should_start", False))
    return Addresses(
        app.bind_url,
        app.public_url,
        app.subdomain_host,
        app.base_url,
        app.hub.bind_url,
        getattr(proxy, "api_url", ""),
        is_ours,
        # One that the hub starts has a new one each time.
        "" if is_ours else getattr(proxy, "auth_token", ""),
    )
