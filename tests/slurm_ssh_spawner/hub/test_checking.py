"""A hub that starts with wrong settings says so: it ends with a sentence, or warns and goes on."""

import logging
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from batchspawner import SlurmSpawner
from jupyterhub.app import JupyterHub

from slurm_ssh_spawner.checks.written import IGNORED
from slurm_ssh_spawner.hub import checking
from slurm_ssh_spawner.hub.composition import Settings
from slurm_ssh_spawner.spawner import SlurmSSHSpawner


@pytest.fixture
def started(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Any:
    """Looks at what a configuration file says; returns the warnings."""

    def look(text: str) -> list[str]:
        file = tmp_path / "jupyterhub_config.py"
        file.write_text(f"c = get_config()\n{text}\n")
        app = JupyterHub(log=logging.getLogger("a hub"))
        app.config_file = str(file)
        app.load_config_file(app.config_file)
        app.spawner_class = "slurm-ssh"
        app.authenticator_class = "kerberos-pam"
        caplog.clear()
        with caplog.at_level(logging.WARNING, "a hub"):
            checking.look_at_what_is_written(app)
        return [each.getMessage().replace(str(file), "FILE") for each in caplog.records]

    return look


def test_the_reference_deployment_has_nothing_that_is_not_read(started: Any, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("token")
    text = Path("jupyterhub_config.py").read_text().replace("/etc/jupyterhub/jobs-token", str(token))
    assert started(text) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "c.SlurmSSHSpawner.hub_nam = 'hub'",
            "There is no setting c.SlurmSSHSpawner.hub_nam. Did you mean c.SlurmSSHSpawner.hub_name? (FILE:2)",
        ),
        (
            "c.SlurmSSHSpawner.catalog_file = 'x'",
            "There is no setting c.SlurmSSHSpawner.catalog_file. Did you mean c.SlurmSSHSpawner.catalogue_file?",
        ),
        (
            "c.KerberosPAMAuthenticator.verfy_kdc = 'off'",
            "c.KerberosPAMAuthenticator.verfy_kdc. Did you mean c.KerberosPAMAuthenticator.verify_kdc? (FILE:2)",
        ),
        ("c.TicketKeeping.colour = 'red'", "There is no setting c.TicketKeeping.colour. Remove it. (FILE:2)"),
        (
            "c.SlurmSshSpawner.hub_name = 'hub'",
            "c.SlurmSshSpawner is read by nothing: there is no class of that name. Did you mean c.SlurmSSHSpawner",
        ),
        ("c.JupyterHubb.port = 1", "c.JupyterHubb is read by nothing"),
    ],
)
def test_a_misspelt_setting_ends_the_start(started: Any, line: str, said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        started(line)
    assert str(ended.value).startswith("JupyterHub cannot start: ")
    assert said in str(ended.value).replace(str(ended.value).rpartition("(")[2].partition(":")[0], "FILE")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "c.SlurmSSHSpawner.cmd = ['jupyter']",
            "c.SlurmSSHSpawner.cmd has no effect: SlurmSSHSpawner does not use it. "
            "Write `sites.<key>.jupyter` in the catalogue instead. (FILE:2)",
        ),
        (
            "c.BatchSpawnerBase.req_partition = 'normal'",
            "c.BatchSpawnerBase.req_partition has no effect: SlurmSSHSpawner does not use it. "
            "Write `profiles.<key>.partitions` in the catalogue instead. (FILE:2)",
        ),
        (
            "c.Spawner.start_timeout = 600",
            "c.Spawner.start_timeout has no effect: SlurmSSHSpawner does not use it. "
            "Write `profiles.<key>.queue_wait` in the catalogue instead. (FILE:2)",
        ),
        (
            "c.SlurmSpawner.req_runtime = '8:00:00'",
            "c.SlurmSpawner.req_runtime has no effect: this hub's spawner is SlurmSSHSpawner. "
            "Write `profiles.<key>.resources.time` in the catalogue instead. (FILE:2)",
        ),
        (
            "c.ProfilesSpawner.profiles = []",
            "c.ProfilesSpawner.profiles has no effect: this hub's spawner is SlurmSSHSpawner. "
            "Write `profiles` in the catalogue instead. (FILE:2)",
        ),
        (
            "c.SlurmSSHSpawner.port = 8888",
            "c.SlurmSSHSpawner.port has no effect: SlurmSSHSpawner does not use it. Remove it. (FILE:2)",
        ),
    ],
)
def test_what_does_nothing_is_one_warning_that_says_where_it_belongs(started: Any, line: str, said: str) -> None:
    assert started(line) == [said]


@pytest.mark.parametrize(
    "line",
    ["c.Spawner.environment = {}", "c.SlurmSSHSpawner.pre_spawn_hook = print", "c.SomethingOfASite.value = 1"],
)
def test_what_is_read_or_of_others_is_no_warning(started: Any, line: str) -> None:
    assert started(line) == []


def test_every_setting_of_batchspawner_that_is_ignored_has_its_place() -> None:
    of_batch = set(SlurmSpawner.class_trait_names(config=True))
    used = {"args", "auth_state_hook", "consecutive_failure_limit", "cookie_options"}
    batch = {name for name in of_batch if name.startswith(("req_", "batch_", "state_"))} - used
    assert batch <= set(IGNORED)
    assert {"cmd", "start_timeout", "exec_prefix"} <= set(SlurmSSHSpawner.class_trait_names(config=True))


def _app(folder: Path, **changed: Any) -> Any:
    """Return what is looked at of a JupyterHub whose records are in a folder."""
    common = {
        "authenticator": SimpleNamespace(credentials=object(), service_ticket_folder=None, manage_groups=False),
        "template_paths": [str(files(each) / "templates") for each in ("slurm_ssh_spawner.hub", "kerberos_auth")],
        "template_vars": {"ticket_notice": "", "launch_notices": ""},
        "cleanup_servers": False,
        "concurrent_spawn_limit": 0,
        "load_groups": {},
        "load_roles": [],
        "hub": SimpleNamespace(api_url="http://hub.example.org:8081/hub/api"),
        "cookie_secret_file": str(folder / "cookie_secret"),
        "db_url": f"sqlite:///{folder}/jupyterhub.sqlite",
        "config_file": str(folder / "jupyterhub_config.py"),
        "log": logging.getLogger("a hub"),
    }
    return SimpleNamespace(**{**common, **changed})


def _settings(folder: Path, **changed: Any) -> Settings:
    return replace(Settings("", "hub", 60, range(1), f"sqlite:///{folder}/launches.sqlite", 90, ""), **changed)


def _warned(app: Any, settings: Settings, caplog: pytest.LogCaptureFixture) -> list[str]:
    with caplog.at_level(logging.WARNING, "a hub"):
        checking.look_at_settings(app, settings)
    return [each.getMessage() for each in caplog.records if "runs as root" not in each.getMessage()]


def test_a_hub_in_order_starts_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert _warned(_app(tmp_path), _settings(tmp_path), caplog) == []
    assert _warned(_app(tmp_path, db_url="sqlite://"), _settings(tmp_path), caplog) == []


def test_what_has_a_flaw_is_a_warning_with_its_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "jupyterhub_config.py").write_text("c.JupyterHub.concurrent_spawn_limit = 5\n")
    said = _warned(_app(tmp_path, concurrent_spawn_limit=5), _settings(tmp_path), caplog)
    assert said == [
        "Only 5 servers may start at once, and those that wait in a queue count. "
        f"Set c.JupyterHub.concurrent_spawn_limit = 0. ({tmp_path}/jupyterhub_config.py:1)"
    ]


@pytest.mark.parametrize(
    ("app", "settings", "said"),
    [
        ({}, {"hub_name": "My Hub"}, "SlurmSSHSpawner.hub_name, 'My Hub', cannot stand in the names of jobs"),
        ({}, {"records_url": "sqlite:////nope/x.sqlite"}, "There is no folder /nope for a database."),
        ({"db_url": "sqlite:////nope/x.sqlite"}, {}, "There is no folder /nope for a database."),
    ],
)
def test_what_cannot_work_ends_the_start(
    tmp_path: Path, app: dict[str, Any], settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        checking.look_at_settings(_app(tmp_path, **app), _settings(tmp_path, **settings))
    assert str(ended.value).startswith("JupyterHub cannot start: ")
    assert said in str(ended.value)
