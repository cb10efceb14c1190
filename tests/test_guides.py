"""What the guides tell admins to type is what there is: commands with their options, settings, YAML, metrics."""

import re
import shutil
import sqlite3
import subprocess
import tarfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
import yaml
from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator
from jupyterhub.proxy import ConfigurableHTTPProxy
from jupyterhub.spawner import Spawner
from traitlets.config import Config, Configurable

from job_service.cli.main import app as jobs_command
from kerberos_auth.authenticator import KerberosPAMAuthenticator
from kerberos_auth.keeping import TicketKeeping
from kerberos_auth.login_help import LoginHelp
from kerberos_auth.single_sign_on import SingleSignOn
from profiles.loading import load
from slurm_ssh_spawner.checks import configuration
from slurm_ssh_spawner.cli.main import app as sites_command
from slurm_ssh_spawner.spawner import SlurmSSHSpawner
from tests.support import builders
from tests.support.folders import TREE

_PAGES = sorted([*(TREE / "docs").glob("*.md"), TREE / "README.md"])
_CLASSES: tuple[type[Configurable], ...] = (
    JupyterHub,
    Authenticator,
    Spawner,
    ConfigurableHTTPProxy,
    SlurmSSHSpawner,
    KerberosPAMAuthenticator,
    TicketKeeping,
    SingleSignOn,
    LoginHelp,
)
# Of a distribution that is not installed here.
_ELSEWHERE = {"HubOAuth", "GenericOAuthenticator"}


def _blocks(page: Path, language: str) -> list[str]:
    found = re.findall(
        rf"^( *)```{language}\n(.*?)^\1```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return [textwrap.dedent(text) for _, text in found]


def _settings(page: Path, folder: Path) -> set[configuration.Setting]:
    """Return what is set on a page: in blocks of Python, and in a line such as `c.Class.name = value`."""
    text = page.read_text(encoding="utf-8")
    found = set(re.findall(r"\bc\.([A-Z]\w+)\.([a-z]\w+)", text))
    for number, block in enumerate(_blocks(page, "python")):
        file = folder / f"{number}.py"
        file.write_text(block, encoding="utf-8")
        found |= set(configuration.lines(str(file)))
    return found


def test_every_setting_that_a_page_names_exists(tmp_path: Path) -> None:
    known = {kind.__name__: set(kind.class_trait_names(config=True)) for kind in _CLASSES}
    # A hub reads what is written for a base class, too.
    known["Spawner"] |= known["SlurmSSHSpawner"]
    named = {(page.name, *setting) for page in _PAGES for setting in _settings(page, tmp_path)}
    assert len(named) > 30
    ours = {(page, owner, name) for page, owner, name in named if owner not in _ELSEWHERE}
    others = {"SlurmSpawner", "BatchSpawnerBase", "ProfilesSpawner", "MOSlurmSpawner"}
    assert {each for each in ours if each[1] not in others and each[2] not in known.get(each[1], ())} == set()


@pytest.mark.parametrize("page", ["culling.md", "metrics.md", "operations.md"])
def test_what_a_guide_adds_to_a_configuration_can_stand_at_its_end(page: str, tmp_path: Path) -> None:
    """It neither needs nor removes what stands before: two guides may be followed one after the other."""
    for name in ("prometheus-token", "watch-token"):
        (tmp_path / name).write_text("a token\n", encoding="utf-8")
    blocks = [text.replace("/etc/jupyterhub", str(tmp_path)) for text in _blocks(TREE / "docs" / page, "python")]
    added = sum("services.append" in block for block in blocks)
    assert added
    for before in ([], [{"name": "jobs"}]):
        config = Config()
        if before:
            config.JupyterHub.services = list(before)
        for block in blocks:
            exec(compile(block, page, "exec"), {"c": config})  # noqa: S102 - what an admin is told to write
        services = JupyterHub(config=config).services
        assert (services[: len(before)], len(services)) == (before, len(before) + added)


_COMMANDS = {"jupyterhub-sites": sites_command, "jupyterhub-jobs": jobs_command}
_TYPED = re.compile(r"\b(jupyterhub-sites|jupyterhub-jobs) ([a-z][\w-]*)((?: [^`|\n;&]*)?)")


def _shown(text: str) -> list[str]:
    """Return the lines that stand in fences, or are indented as code is."""
    fenced = re.findall(r"^( *)```\w*\n(.*?)^\1```", text, re.MULTILINE | re.DOTALL)
    indented = [line for line in text.splitlines() if line.startswith("    ")]
    return [*indented, *(line for _, block in fenced for line in block.splitlines())]


def _typed() -> Iterator[tuple[str, str, str, str]]:
    for page in _PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        lines = [line for line in _shown(text) if not re.match(r"\s*(#|jupyterhub-sites \.\.\.)", line)]
        for typed in (*lines, *re.findall(r"`([^`]+)`", text)):
            for command, verb, rest in _TYPED.findall(typed):
                yield page.name, command, verb, rest


def test_every_command_that_a_page_shows_has_these_options() -> None:
    groups = {name: typer.main.get_group(app) for name, app in _COMMANDS.items()}
    seen = 0
    for page, command, verb, rest in _typed():
        known = groups[command].commands.get(verb)
        assert known is not None, f"{command} {verb} in {page}"
        options = {option for each in known.params for option in (*each.opts, *each.secondary_opts)} | {"--help"}
        used = set(re.findall(r"(?<!\S)(--[a-z-]+|-[a-zA-Z]\b)", rest))
        assert used <= options, f"{command} {verb} in {page}"
        seen += 1
    assert seen > 40


@pytest.mark.parametrize("page", ["courses.md", "maintenance.md"])
def test_what_stands_in_the_catalogue_of_a_guide_is_accepted(page: str) -> None:
    site = {**builders.site(), "partitions": ["normal"]}
    for block in _blocks(TREE / "docs" / page, "yaml"):
        told = yaml.safe_load(block)
        profiles = told.get("profiles", {"jupyterlab": {"name": "JupyterLab"}})
        sites = {"geneva": {**site, **told.get("sites", {}).get("geneva", {})}}
        read = load.parse(yaml.safe_dump({"sites": sites, "profiles": profiles}), "catalogue.yaml")
        assert set(read.profiles) == set(profiles)


def test_every_metric_of_an_alarm_is_one_that_is_explained() -> None:
    explained = (TREE / "docs/operations.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in _blocks(TREE / "docs/metrics.md", "yaml")]
    rules = next(block for block in blocks if "groups" in block)["groups"][0]["rules"]
    used = {name for rule in rules for name in re.findall(r"jupyterhub_sites_(\w+)", rule["expr"])}
    assert len(used) > 4
    assert {name for name in used if f"`{name}`" not in explained} == set()


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no shellcheck")
def test_the_script_of_the_backup_is_sound() -> None:
    (script,) = _blocks(TREE / "docs/backup.md", "sh")
    done = subprocess.run(["shellcheck", "-"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="no sqlite3")
def test_the_script_of_the_backup_leaves_out_what_is_kept_apart(tmp_path: Path) -> None:
    config, data = tmp_path / "etc/jupyterhub", tmp_path / "var/lib/jupyterhub"
    config.mkdir(parents=True)
    data.mkdir(parents=True)
    for name in ("catalogue.yaml", "krb5.keytab", "zurich_ca", "zurich_ca.pub"):
        (config / name).write_text(name, encoding="utf-8")
    sqlite3.connect(data / "launches.sqlite").execute("create table launches (id)").connection.close()
    (script,) = _blocks(TREE / "docs/backup.md", "sh")
    here = script.replace("/var/", f"{tmp_path}/var/").replace("cd /\n", f"cd {tmp_path}\n")
    subprocess.run(["sh", "-c", here], check=True)
    (made,) = (tmp_path / "var/backups/jupyterhub").iterdir()
    assert {path.name for path in made.iterdir()} == {"launches.sqlite", "etc.tar"}
    with tarfile.open(made / "etc.tar") as kept:
        assert set(kept.getnames()) == {
            "etc/jupyterhub",
            "etc/jupyterhub/catalogue.yaml",
            "etc/jupyterhub/zurich_ca.pub",
        }


@pytest.mark.parametrize("is_link", [True, False])
def test_an_upgrade_switches_to_the_new_environment_and_back(tmp_path: Path, is_link: bool) -> None:
    for name in ("jupyterhub-0.1", "jupyterhub-0.2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "version").write_text(name[-3:], encoding="utf-8")
    used = tmp_path / "jupyterhub"
    if is_link:
        used.symlink_to(tmp_path / "jupyterhub-0.1")
    else:
        (tmp_path / "jupyterhub-0.1").rename(used)
    text = (TREE / "docs/upgrade.md").read_text(encoding="utf-8")
    switch = re.findall(r"^ +((?:\[ -L|ln -sfn) .*)$", text, re.MULTILINE)
    (back,) = re.findall(r"`(ln -sfn\s[^`]*)`", text)
    for lines, version in ((switch, "0.2"), ([" ".join(back.split())], "0.1")):
        here = "\n".join(lines).replace("/opt/", f"{tmp_path}/")
        subprocess.run(["sh", "-ec", here], check=True)
        assert (used / "version").read_text(encoding="utf-8") == version
