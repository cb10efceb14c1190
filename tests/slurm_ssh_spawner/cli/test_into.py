"""`jupyterhub-sites add-site --into`: an entry comes below `sites`, and nothing else changes."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import yaml

from slurm_ssh_spawner.cli import into, main
from slurm_ssh_spawner.cli.failed import Failed
from tests.support import openssh
from tests.support.openssh import OpenSSH

_ENTRY = "sites:\n  # Review.\n  zurich:\n    title: Zurich\n"

_CATALOGUE = """\
# Ours.
sites:
  # The first one.
  geneva:
    title: Geneva
    variables: {A: "1"}  # said here
# What may be started.
profiles:
  lab: {name: Lab}
"""


@pytest.fixture
async def sshd(tmp_path: Path) -> AsyncIterator[OpenSSH]:
    async with openssh.running(tmp_path / "sshd") as running:
        yield running


def test_it_stands_behind_the_last_site_before_the_comments_of_what_comes_next() -> None:
    found = into.added(_CATALOGUE, "zurich", _ENTRY, "it")
    said = 'variables: {A: "1"}  # said here\n'
    assert found == _CATALOGUE.replace(said, f"{said}  # Review.\n  zurich:\n    title: Zurich\n")


@pytest.mark.parametrize(
    "text",
    [
        "sites:\n  geneva: {title: Geneva}",
        "profiles: {}\nsites:\n     geneva:\n          hosts:\n          - a\n          -  b\n",
        "sites:\n geneva:\n  prologue: |\n   one\n   two\n\nprofiles: {}\n",
        "sites:\n  geneva:\n    title: >-\n      Geneva\n\n      on the lake\n",
        'sites:\n  geneva:\n    title: "Geneva\n      on the lake"\n    more:\nprofiles: {}\n',
        "sites:\n  geneva:\n",
        "x-all: &all {a: 1}\nsites:\n  geneva:\n    <<: *all\n",
        "sites:\n  geneva: {a: [1,\n    2]}\n  # last\n",
    ],
)
def test_whatever_the_catalogue_looks_like(text: str) -> None:
    found = into.added(text, "zurich", _ENTRY, "it")
    before = yaml.safe_load(text)
    assert yaml.safe_load(found) == {**before, "sites": {**before["sites"], "zurich": {"title": "Zurich"}}}
    assert [
        line for line in found.splitlines() if "urich" not in line and "Review" not in line
    ] == text.splitlines()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sites: {geneva: {title: Geneva}}\n", "it has no `sites` in which"),
        ("profiles: {}\n", "it has no `sites` in which"),
        ("sites:\n", "it has no `sites` in which"),
        ("- a\n", "it has no `sites` in which"),
        ("", "it has no `sites` in which"),
        ("sites: [\n", "it is no YAML that can be read"),
        (f"sites: {'[' * 2000}{']' * 2000}\n", "it is no YAML that can be read"),
        ("sites:\n  geneva: {since: 2026-13-45}\n", "it has no `sites` in which"),
        ("sites:\n  zurich: {}\n", "it has a site zurich already"),
    ],
)
def test_where_it_cannot_be_put_nothing_changes(text: str, said: str) -> None:
    with pytest.raises(Failed, match=f"^{said}"):
        into.added(text, "zurich", _ENTRY, "it")


def test_the_file_keeps_its_mode_and_a_link_its_place(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "catalogue.yaml"
    real.write_text(_CATALOGUE, encoding="utf-8")
    real.chmod(0o640)
    link.symlink_to(real)
    into.add(link, "zurich", _ENTRY)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert "zurich" in real.read_text(encoding="utf-8")
    assert sorted(os.listdir(tmp_path)) == ["catalogue.yaml", "real.yaml"]  # noqa: PTH208 - its hidden ones too


def test_lines_end_as_they_did(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.yaml"
    text = _CATALOGUE.replace("\n", "\r\n").encode()
    file.write_bytes(text)
    into.add(file, "zurich", _ENTRY)
    said = b'variables: {A: "1"}  # said here\r\n'
    assert file.read_bytes() == text.replace(said, said + b"  # Review.\r\n  zurich:\r\n    title: Zurich\r\n")


def test_an_interrupt_in_the_middle_leaves_all_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    file = tmp_path / "catalogue.yaml"
    file.write_text(_CATALOGUE, encoding="utf-8")
    monkeypatch.setattr("shutil.copymode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        into.add(file, "zurich", _ENTRY)
    assert os.listdir(tmp_path) == ["catalogue.yaml"]  # noqa: PTH208 - its hidden ones too
    assert file.read_text(encoding="utf-8") == _CATALOGUE


def test_of_two_who_add_at_once_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one reads the file before the first has written it."""
    file, added, said = tmp_path / "catalogue.yaml", into.added, []
    file.write_text(_CATALOGUE, encoding="utf-8")

    def another(*arguments: str) -> str:
        monkeypatch.setattr(into, "added", added)
        with pytest.raises(Failed) as failed:
            into.add(file, "basel", "sites:\n  basel: {}\n")
        said.append(str(failed.value))
        return added(*arguments)

    monkeypatch.setattr(into, "added", another)
    into.add(file, "zurich", _ENTRY)
    new = tmp_path / ".catalogue.yaml.new"
    assert said == [f"{file} is being changed by somebody else. If nobody does so, remove {new}."]
    assert "zurich" in file.read_text(encoding="utf-8")


def test_what_an_editor_has_saved_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, added, edited = tmp_path / "catalogue.yaml", into.added, f"# Edited.\n{_CATALOGUE}"
    file.write_text(_CATALOGUE, encoding="utf-8")

    def while_somebody_edits(*arguments: str) -> str:
        file.write_text(edited, encoding="utf-8")
        return added(*arguments)

    monkeypatch.setattr(into, "added", while_somebody_edits)
    with pytest.raises(Failed, match="was changed by somebody else meanwhile"):
        into.add(file, "zurich", _ENTRY)
    assert file.read_text(encoding="utf-8") == edited
    assert os.listdir(tmp_path) == ["catalogue.yaml"]  # noqa: PTH208 - its hidden ones too


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_a_sentence(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "catalogue.yaml")
    with pytest.raises(Failed, match="cannot be read"):
        into.add(tmp_path / "catalogue.yaml", "zurich", _ENTRY)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="cannot be read"):
        into.add(tmp_path / "none.yaml", "zurich", _ENTRY)


async def test_a_cluster_without_kerberos_is_put_there_by_the_command(
    sshd: OpenSSH, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text(_CATALOGUE, encoding="utf-8")
    options = ["--port", str(sshd.port), "--key", "zurich", "--ca-key", "/etc/jupyterhub/zurich_ca", "--tunnel"]
    more = ["--jupyter", "lab/4 gcc", "--job-folder", "/gpfs/{owner}", "--into", str(catalogue)]
    code = await asyncio.to_thread(main.main, ["add-site", "127.0.0.1", *options, *more])
    out, err = capsys.readouterr()
    assert (code, out) == (0, "")
    assert f"zurich stands below `sites` in {catalogue} now" in err
    assert "127.0.0.1: ssh-ed25519 SHA256:" in err
    site = yaml.safe_load(catalogue.read_text(encoding="utf-8"))["sites"]["zurich"]
    assert site["login"] == {"kind": "certificate", "ca_key": "/etc/jupyterhub/zurich_ca"}
    assert site["jupyter"] == {"modules": ["lab/4", "gcc"]}
    assert (site["tunnel"], site["job_folder"]) == ({"kind": "ssh"}, "/gpfs/{owner}")
    assert "Kerberos principal" not in catalogue.read_text(encoding="utf-8")


async def test_a_key_that_is_no_path_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code = await asyncio.to_thread(main.main, ["add-site", "login1.zurich.example.org", "--ca-key", "zurich_ca"])
    assert (code, "'zurich_ca' is no path of a key" in capsys.readouterr().err) == (1, True)
