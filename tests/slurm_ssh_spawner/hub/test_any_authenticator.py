"""A hub whose people log in by an authenticator that knows no Kerberos, and come to a front end by certificate."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jupyterhub.auth import DummyAuthenticator
from traitlets.config import Config

from kerberos_auth.store import TicketStore
from slurm_ssh_spawner.hub import launch_notices
from slurm_ssh_spawner.spawner import SlurmSSHSpawner
from tests.support import builders, sshd
from tests.support.authority import Authority
from tests.support.hub import NoProxy
from tests.support.launching import REFUSED_BY_SLURM, LaunchingHub, site
from tests.support.local import LocalSite


@pytest.mark.usefixtures("no_krb5")
async def test_people_start_servers_without_a_ticket_anywhere(
    hub_app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    local, authority = LocalSite(tmp_path), Authority(tmp_path / "ca")
    local.install_slurm()
    local.tell("refusal", "sbatch: error: Batch job submission failed: Nothing runs here\n")
    async with sshd.running_for_key(tmp_path, authority=authority.public) as front_end:
        login = {"kind": "certificate", "ca_key": str(authority.path)}
        entry = site(local, front_ends=[front_end.front_end.model_dump(mode="json")], login=login)
        (tmp_path / "catalogue.yaml").write_text(builders.written(sites={"geneva": entry}))
        config = {
            "JupyterHub": {
                "proxy_class": NoProxy,
                "spawner_class": SlurmSSHSpawner,
                "authenticator_class": DummyAuthenticator,
                "template_paths": [str(files("slurm_ssh_spawner.hub") / "templates")],
                "template_vars": {"launch_notices": launch_notices},
                "tornado_settings": {"slow_spawn_timeout": 600},
            },
            "Authenticator": {"allow_all": True},
            "SlurmSSHSpawner": {
                "catalogue_file": str(tmp_path / "catalogue.yaml"),
                "records_url": f"sqlite:///{tmp_path}/launches.sqlite",
            },
        }
        hub = LaunchingHub(await hub_app(Config(config)), local)
        alice = await hub.person("alice")
        assert "Geneva" in (await alice.page("spawn")).text
        status, said = await alice.call("POST")
        assert (status, said.partition(":")[0]) == (400, REFUSED_BY_SLURM)
        assert "jupyterhub-singleuser" in local.told("sbatch.stdin")
        assert set(front_end.tried) == {"alice"}
        await hub.close()
        await hub.core.close()


@pytest.fixture
def no_krb5(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know no realm, and fail whoever asks for tickets all the same."""

    def asked(*_: Any) -> None:
        raise AssertionError("nobody has a ticket here")

    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent/krb5.conf")
    monkeypatch.setattr(TicketStore, "__init__", asked)
