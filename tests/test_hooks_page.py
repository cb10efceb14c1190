"""The example in docs/hooks.md is installed as a site would install it, read from a catalogue, and run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from profiles.loading import load
from profiles.loading.problems import CatalogueInvalid
from slurm_ssh_spawner.launch import script
from tests.support import builders, shells
from tests.support.hooks_page import block, installed, written


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[None]:
    """The example is installed."""
    with installed(tmp_path / "site-packages"):
        yield


def run(tmp_path: Path, root: Path, server: str) -> shells.Ended:
    """Run the job script of the page's profile with a shell line in place of the server."""
    offered = load.parse(written(root=str(root)), "catalogue.yaml")
    request = script.build(builders.launch(offered), builders.LAUNCH_ID, "mark", builders.process(), ())
    text = request.script.replace("/scratch/alice", str(tmp_path))
    for name, line in {"python3": server, "curl": "exit 0"}.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{line}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "jupyter").mkdir()
    (tmp_path / "job.sh").write_text(text)
    environ = {
        "HOME": str(tmp_path),
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "JUPYTERHUB_API_TOKEN": "token",
    }
    return shells.run(["bash", str(tmp_path / "job.sh")], environ=environ)


@pytest.mark.usefixtures("hook")
def test_the_page_s_own_catalogue_is_accepted() -> None:
    tree = yaml.safe_load(block("yaml"))
    read = load.parse(yaml.safe_dump({"sites": {"geneva": builders.site()}, **tree}), "catalogue.yaml")
    assert read.profiles["analysis"].hooks["scratch"].model_dump() == {"root": "/tmp"}


@pytest.mark.usefixtures("hook")
@pytest.mark.parametrize("ending", ["exit 7", "kill $PPID; sleep 9"])
def test_the_folder_is_there_for_the_server_and_gone_after_it(tmp_path: Path, ending: str) -> None:
    root = tmp_path / "a folder's 'name'"
    root.mkdir()
    answer = run(tmp_path, root, f'stat -c "%a %n" "$SCRATCH"; touch "$SCRATCH/file"; {ending}')
    assert f"700 {root}/scratch-{builders.LAUNCH_ID}" in answer.lines
    assert any("scratch: Making a scratch folder" in line for line in answer.lines)
    assert not list(root.iterdir())


@pytest.mark.usefixtures("hook")
def test_a_folder_that_cannot_be_made_ends_the_launch_with_a_sentence(tmp_path: Path) -> None:
    answer = run(tmp_path, tmp_path / "nowhere", "echo the server")
    assert answer.status == 1
    assert "No scratch folder could be made on" in answer.stdout.decode()
    assert "the server" not in answer.lines


@pytest.mark.usefixtures("hook")
@pytest.mark.parametrize("settings", [{}, {"root": "tmp"}, {"root": "/tmp", "size": "10G"}])
def test_wrong_settings_are_wrong_in_the_catalogue(settings: dict[str, object]) -> None:
    with pytest.raises(CatalogueInvalid) as caught:
        load.parse(written(**settings), "catalogue.yaml")
    assert "profiles.analysis.hooks.scratch" in str(caught.value)


def test_without_it_the_catalogue_says_which_hooks_there_are() -> None:
    with pytest.raises(CatalogueInvalid, match=r"there is no such hook; write one of `init-cluster`, `spark`"):
        load.parse(written(root="/tmp"), "catalogue.yaml")


def test_the_example_is_some_thirty_lines() -> None:
    assert len(block("python").splitlines()) <= 32
