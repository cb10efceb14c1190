"""`jupyterhub-sites docs`: the pages of the version that is installed."""

import re
import sysconfig
from pathlib import Path

import pytest

from slurm_ssh_spawner.cli import main, pages
from tests.support.distribution import ROOTS
from tests.support.folders import TREE


def _printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main.main(["docs", *words]) == 0
    return capsys.readouterr().out


def test_all_pages_are_listed_with_what_they_are_called(capsys: pytest.CaptureFixture[str]) -> None:
    lines = _printed(capsys).splitlines()
    assert str(TREE / "docs") in lines[0]
    listed = dict(line.split(maxsplit=1) for line in lines[2:])
    assert listed.keys() == {path.stem for path in (TREE / "docs").glob("*.md")}
    assert listed["first-hub"] == "Your first hub in an hour"


@pytest.mark.parametrize("name", ["hub", "hub.md", "docs/hub.md"])
def test_a_page_is_printed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _printed(capsys, name).rstrip() == (TREE / "docs/hub.md").read_text(encoding="utf-8").rstrip()


def test_so_is_one_part_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    said = _printed(capsys, "doctor#g2")
    assert said.startswith("### G2\n")
    assert "G3" not in said
    assert _printed(capsys, "first-hub#8-start-the-hub").startswith("## 8. Start the hub\n")
    # A part has its own parts with it, and a comment in an example is no heading.
    assert "### A1\n" in _printed(capsys, "doctor#a-the-machine")
    assert "renew_lifetime" in _printed(capsys, "first-hub#3-make-the-machine-a-client-of-kerberos")


@pytest.mark.parametrize("name", ["huub", "../README", "hub#nothing", "/etc/passwd", ""])
def test_one_that_there_is_not(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["docs", name]) == (0 if not name else 1)
    said = capsys.readouterr()
    assert not name or (not said.out and "`jupyterhub-sites docs" in said.err)


@pytest.mark.parametrize("where", ["data", "target"])
def test_they_are_found_where_pip_puts_them(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an environment, and where `pip install --target` puts packages and data into one folder."""
    beside = tmp_path / "share/jupyterhub-sites/docs"
    beside.mkdir(parents=True)
    (beside / "first-hub.md").write_text("# A page\n", encoding="utf-8")
    if where == "data":
        monkeypatch.setattr(sysconfig, "get_path", lambda *_: str(tmp_path))
    else:
        monkeypatch.setattr(pages, "_PACKAGES", tmp_path)
    assert pages.folder() == beside


def test_where_none_are_installed_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda *_: str(tmp_path))
    monkeypatch.setattr(pages, "_PACKAGES", tmp_path)
    assert main.main(["docs"]) == 1
    assert "The pages are not installed" in capsys.readouterr().err


def test_files_that_are_made_and_sentences_name_pages_by_this_command() -> None:
    """Whoever installed by pip has no folder `docs/` at hand."""
    written = [
        *(path for root in ROOTS for path in root.rglob("sentences/*.py")),
        *(path for root in ROOTS for path in root.rglob("templates/*.jinja")),
        *(path for path in (TREE / "examples").rglob("*") if path.is_file()),
        TREE / "jupyterhub_config.py",
    ]
    texts = {path: path.read_text(encoding="utf-8") for path in written}
    assert [path for path, text in texts.items() if re.search(r"docs/[\w-]+\.md", text)] == []
    named = {name for text in texts.values() for name in re.findall(r"jupyterhub-sites docs ([a-z][\w-]*)", text)}
    assert len(named) > 5
    assert {name for name in named if not (TREE / f"docs/{name}.md").is_file()} == set()
