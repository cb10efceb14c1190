"""What an admin says of a hub and its first cluster.  Values, checked before anything is made of them."""

import re
import socket
import sys
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from kerberos_auth.names import is_user
from slurm_ssh.job import is_hub_name
from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.sentences import command_line as sentences

_PATH = re.compile(r"/[A-Za-z0-9._/+-]*")
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_BIND_URL = re.compile(r"http://(?P<ip>[0-9.]+|\[[0-9a-f:]+\]):(?P<port>[0-9]{1,5})")


class Pam(StrEnum):
    """Which module of PAM decides who may log in."""

    KRB5 = "krb5"
    SSS = "sss"
    NONE = "none"


_USUAL_ENVIRONMENT = Path("/opt/jupyterhub")


def own_environment() -> str:
    """Return where this program is installed; the usual name of it where that is a link to there.

    An upgrade moves the link, and units have to follow it.
    """
    is_usual = _USUAL_ENVIRONMENT.exists() and _USUAL_ENVIRONMENT.samefile(sys.prefix)
    return str(_USUAL_ENVIRONMENT) if is_usual else sys.prefix


@dataclass(frozen=True)
class Answers:
    """How the hub is set up.  `config` is its folder, `environment` the one where it is installed; without
    `kerberos` people log in by something else, and sites let the hub in by certificate.
    """

    hub_name: str = "hub"
    account: str = "jupyterhub"
    environment: str = field(default_factory=own_environment)
    bind_url: str = "http://0.0.0.0:8000"
    pam: Pam = Pam.KRB5
    admins: tuple[str, ...] = ()
    jobs: bool = False
    tunnels: bool = False
    kerberos: bool = True
    config: str = "/etc/jupyterhub"

    def check(self) -> None:
        """Raise Failed if something of it cannot stand in a unit or a configuration."""
        wrong = [
            *([] if is_hub_name(self.hub_name) else [sentences.NO_HUB_NAME.format(name=repr(self.hub_name))]),
            *([] if _ACCOUNT.fullmatch(self.account) else [sentences.NO_ACCOUNT.format(name=repr(self.account))]),
            *(
                []
                if _PATH.fullmatch(self.environment)
                else [sentences.NO_PATH.format(path=repr(self.environment))]
            ),
            *(
                []
                if _BIND_URL.fullmatch(self.bind_url)
                else [sentences.NO_BIND_URL.format(url=repr(self.bind_url))]
            ),
            *(sentences.NO_ADMIN.format(name=repr(name)) for name in self.admins if not is_user(name)),
        ]
        if wrong:
            raise Failed("\n".join(wrong))

    @property
    def ip(self) -> str:
        """The address at which the proxy listens."""
        return (urlsplit(self.bind_url).hostname or "").strip("[]")

    @property
    def port(self) -> int:
        """The port at which the proxy listens."""
        return urlsplit(self.bind_url).port or 80


def own_hub_url() -> str:
    """Return the hub's API as nodes may reach it: by the full name of this machine."""
    return f"http://{socket.getfqdn()}:8081"
