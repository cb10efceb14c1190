"""What `init` writes is what the tree shows as its examples."""

import ast
import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.cli.init import answers
from slurm_ssh_spawner.cli.init.answers import Answers, Pam
from slurm_ssh_spawner.cli.init.files import filled, units
from tests.support.folders import TREE

_ALL = Answers(environment="/opt/jupyterhub", jobs=True, tunnels=True)


def test_the_reference_configuration_is_what_init_writes_with_batch_jobs() -> None:
    """If not: change both, the template in slurm_ssh_spawner/cli/init/templates and the file."""
    written = filled("jupyterhub_config.py", dataclasses.replace(_ALL, tunnels=False))
    assert written == (TREE / "jupyterhub_config.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("unit", units(_ALL))
def test_the_units_among_the_examples_are_what_init_writes(unit: str) -> None:
    """If not: change both, the template in slurm_ssh_spawner/cli/init/templates and the example."""
    assert filled(unit, _ALL) == (TREE / "examples" / unit).read_text(encoding="utf-8")


@pytest.mark.parametrize("jobs", [False, True])
@pytest.mark.parametrize("tunnels", [False, True])
def test_every_configuration_is_python_that_says_what_was_asked(*, jobs: bool, tunnels: bool) -> None:
    answers = Answers(
        hub_name="hub-2",
        jobs=jobs,
        tunnels=tunnels,
        pam=Pam.NONE,
        admins=("root", "o'hara"),
        bind_url="http://[::1]:80",
    )
    text = filled("jupyterhub_config.py", answers)
    set_to = {
        ast.unparse(each.targets[0]): each.value for each in ast.parse(text).body if isinstance(each, ast.Assign)
    }
    assert ast.literal_eval(set_to["c.SlurmSSHSpawner.hub_name"]) == "hub-2"
    assert ast.literal_eval(set_to["c.Authenticator.admin_users"]) == {"root", "o'hara"}
    assert ast.literal_eval(set_to["c.KerberosPAMAuthenticator.pam_service"]) == ""
    assert ast.literal_eval(set_to["c.JupyterHub.bind_url"]) == "http://[::1]:80"
    assert ("c.SlurmSSHSpawner.tunnels_socket" in set_to) is tunnels
    assert ("c.JupyterHub.services" in set_to) is jobs
    assert ("from pathlib import Path" in text) is jobs
    assert "{%" not in text


def test_the_services_of_another_hub_have_its_names() -> None:
    answers = Answers(
        hub_name="two", account="hub2", environment="/srv/env", jobs=True, bind_url="http://[::1]:81"
    )
    assert "ExecStart=/srv/env/bin/jupyterhub-jobs serve --hub-name two\n" in filled(
        "jupyterhub-jobs.service", answers
    )
    assert "User=hub2\n" in filled("jupyterhub.service", answers)
    assert "--ip=::1 --port=81 " in filled("jupyterhub-proxy.service", answers)
    assert units(answers) == ("jupyterhub-proxy.service", "jupyterhub.service", "jupyterhub-jobs.service")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    answers = dataclasses.replace(_ALL, environment=sys.prefix, account="root")
    paths = [tmp_path / unit for unit in units(answers)]
    for path in paths:
        path.write_text(filled(path.name, answers), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "jupyterhub" in line] == []
    paths[0].write_text(paths[0].read_text(encoding="utf-8").replace("Restart=", "Retsart="), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    assert "Retsart" in done.stderr


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hub_name": "My Hub"}, "The name of a hub cannot be 'My Hub'"),
        ({"account": "hub user"}, "The name of an account cannot be 'hub user'"),
        ({"environment": "/opt/hub\nUser=root"}, "cannot stand in a unit"),
        ({"bind_url": "https://hub"}, "The proxy cannot listen at 'https://hub'"),
        ({"admins": ("a b",)}, "'a b' cannot be the name of somebody"),
    ],
)
def test_what_cannot_stand_in_them_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(Failed, match=said):
        dataclasses.replace(_ALL, **wrong).check()


def test_units_follow_the_link_to_the_environment_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, first = tmp_path / "jupyterhub", tmp_path / "jupyterhub-0.1"
    monkeypatch.setattr(answers, "_USUAL_ENVIRONMENT", usual)
    assert answers.own_environment() == sys.prefix
    first.mkdir()
    usual.symlink_to(first)
    assert answers.own_environment() == sys.prefix
    monkeypatch.setattr(sys, "prefix", str(first))
    assert answers.own_environment() == str(usual)
