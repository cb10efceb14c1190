"""A hub whose people log in by an authenticator that knows no Kerberos, and come to a front end by certificate."""

import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyterhub.auth import DummyAuthenticator
from traitlets.config import Config, PyFileConfigLoader

from kerberos_auth.store import TicketStore
from lab.plain_http import NO_TLS
from slurm_ssh_spawner.hub import launch_notices
from slurm_ssh_spawner.spawner import SlurmSSHSpawner
from tests.support import builders, sshd
from tests.support.authority import Authority
from tests.support.folders import TREE
from tests.support.hub import NoProxy
from tests.support.launching import REFUSED_BY_SLURM, LaunchingHub, Person, site
from tests.support.local import LocalSite
from tests.support.provider import providing
from tests.support.sshd import Sshd


@dataclass(frozen=True)
class Geneva:
    """A site that knows no Kerberos: its Slurm and its front end, and a hub's settings for it."""

    local: LocalSite
    front_end: Sshd
    config: dict[str, Any]

    @property
    def script(self) -> str:
        """The job script that its Slurm was sent."""
        return self.local.told("sbatch.stdin")


@pytest.fixture
async def geneva(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Geneva]:
    """Give a site whose Slurm takes no job."""
    monkeypatch.chdir(tmp_path)
    local, authority = LocalSite(tmp_path), Authority(tmp_path / "ca")
    local.install_slurm()
    local.tell("refusal", "sbatch: error: Batch job submission failed: Nothing runs here\n")
    async with sshd.running_for_key(tmp_path, authority=authority.public) as front_end:
        login = {"kind": "certificate", "ca_key": str(authority.path)}
        entry = site(local, front_ends=[front_end.front_end.model_dump(mode="json")], login=login)
        (tmp_path / "catalogue.yaml").write_text(builders.written(sites={"geneva": entry}))
        yield Geneva(local, front_end, _config(tmp_path))


def _config(folder: Path) -> dict[str, Any]:
    return {
        "JupyterHub": {
            "proxy_class": NoProxy,
            "spawner_class": SlurmSSHSpawner,
            "template_paths": [str(files("slurm_ssh_spawner.hub") / "templates")],
            "template_vars": {"launch_notices": launch_notices},
            "tornado_settings": {"slow_spawn_timeout": 600},
        },
        "Authenticator": {"allow_all": True},
        "SlurmSSHSpawner": {
            "catalogue_file": str(folder / "catalogue.yaml"),
            "records_url": f"sqlite:///{folder}/launches.sqlite",
        },
    }


@pytest.mark.usefixtures("no_krb5")
async def test_people_start_servers_without_a_ticket_anywhere(hub_app: Any, geneva: Geneva) -> None:
    geneva.config["JupyterHub"]["authenticator_class"] = DummyAuthenticator
    hub = LaunchingHub(await hub_app(Config(geneva.config)), geneva.local)
    alice = await hub.person("alice")
    assert "Geneva" in (await alice.page("spawn")).text
    status, said = await alice.call("POST")
    assert (status, said.partition(":")[0]) == (400, REFUSED_BY_SLURM)
    assert "jupyterhub-singleuser" in geneva.script
    assert set(geneva.front_end.tried) == {"alice"}
    await hub.close()
    await hub.core.close()


@pytest.mark.usefixtures("no_krb5")
async def test_people_of_an_identity_provider_start_servers(hub_app: Any, geneva: Geneva) -> None:
    with providing("alice") as provider:
        config = PyFileConfigLoader("oauth_config.py", str(TREE / "examples")).load_config()
        for name in ("bind_url", "hub_bind_url", "db_url", "cookie_secret_file"):
            del config.JupyterHub[name]
        del geneva.config["Authenticator"]
        config.merge(Config(geneva.config, GenericOAuthenticator=provider.settings))
        app = await hub_app(config)
        # Known only now that the hub listens.
        app.authenticator.oauth_callback_url = f"{app.hub.url}oauth_callback"
        async with httpx.AsyncClient(verify=NO_TLS, trust_env=False, timeout=60, follow_redirects=True) as browser:
            form = await browser.get(f"{app.hub.url}oauth_login", params={"next": f"{app.hub.base_url}spawn"})
            assert (form.status_code, form.url.path.endswith("/hub/spawn")) == (200, True)
            assert "Geneva" in form.text
            alice = Person(app, app.users["alice"], browser)
            answer = await alice.send([("profile", "jupyterlab")])
        assert "Nothing runs here" in answer.text
        assert "jupyterhub-singleuser" in geneva.script
        assert set(geneva.front_end.tried) == {"alice"}
        await LaunchingHub(app, geneva.local).core.close()


_BLOCKED = """
import sys
from importlib.abc import MetaPathFinder

class Blocked(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in ("gssapi", "pam"):
            raise ImportError(name)

sys.meta_path.insert(0, Blocked())
import job_service.service
import slurm_ssh.tunnels.daemon
import slurm_ssh_spawner.spawner
"""


def test_what_reaches_sites_needs_neither_gssapi_nor_pam_before_there_is_a_ticket() -> None:
    done = subprocess.run([sys.executable, "-c", _BLOCKED], cwd=TREE, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def no_krb5(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know no realm, and fail whoever asks for tickets all the same."""

    def asked(*_: Any) -> None:
        raise AssertionError("nobody has a ticket here")

    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent/krb5.conf")
    monkeypatch.setattr(TicketStore, "__init__", asked)
