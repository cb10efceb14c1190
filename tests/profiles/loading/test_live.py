import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from profiles.loading import live
from profiles.loading.live import LiveCatalogue
from profiles.loading.problems import CatalogueInvalid
from tests.support import builders, hooks
from tests.support.folders import TREE


def _write(path: Path, **sections: Any) -> None:
    """Put a catalogue in place as editors do: a new file under the old name."""
    new = path.with_suffix(".new")
    new.write_text(builders.written(**sections))
    new.replace(path)


def _offers(*names: str) -> dict[str, Any]:
    return {name: builders.profile(name=name.title()) for name in names}


_DEEP = """
from pydantic import model_validator
from kernels.fragment import Fragment
from kernels.hook import Hook

class Deep(Hook):
    @model_validator(mode="before")
    @classmethod
    def _deeper(cls, data):
        return cls._deeper(data)

    def fragment(self, job):
        return Fragment()
"""


def _fails(*_: Any, **__: Any) -> None:
    raise LookupError("a bug")


async def _until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not seen():  # noqa: ASYNC110 - the files are looked at, nothing tells
            await asyncio.sleep(0.01)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.yaml"
    _write(path, profiles=_offers("one"))
    return path


async def test_an_edit_is_in_the_next_form(path: Path) -> None:
    catalogue = LiveCatalogue(str(path))
    _write(path, profiles=_offers("one", "two"))
    assert list((await catalogue.refreshed()).profiles) == ["one", "two"]
    assert catalogue.problem is None


async def test_an_edit_of_job_types_is_taken_up_and_a_wrong_one_told(path: Path) -> None:
    catalogue = LiveCatalogue(str(path))
    sites = {"geneva": builders.site(jobs={"folder": "/scratch/{owner}/jobs"})}
    _write(path, sites=sites, profiles=_offers("one"), job_types={"recon": builders.job_type()})
    assert list((await catalogue.refreshed()).jobs.entries) == ["recon"]
    _write(path, profiles=_offers("one"), job_types={"recon": builders.job_type()})
    assert list((await catalogue.refreshed()).jobs.entries) == ["recon"]
    assert "no site takes jobs" in str(catalogue.problem)


async def test_an_edit_of_the_same_size_in_the_same_file_is_noticed(path: Path) -> None:
    catalogue = LiveCatalogue(str(path))
    path.write_text(path.read_text().replace("One", "Two"))
    os.utime(path, ns=(1, 1))
    assert (await catalogue.refreshed()).profiles["one"].name == "Two"


async def test_what_did_not_change_is_not_read_again(path: Path) -> None:
    catalogue = LiveCatalogue(str(path))
    assert await catalogue.refreshed() is await catalogue.refreshed()


async def test_a_bad_edit_keeps_the_last_good_one_and_is_told_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue = LiveCatalogue(str(path))
    path.write_text(path.read_text().replace("name: One", "nam: One"))
    for _ in range(3):
        assert list((await catalogue.refreshed()).profiles) == ["one"]
    (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert told == catalogue.problem
    assert f"{path}:" in told
    assert "jupyterhub-sites check" in told


@pytest.mark.parametrize("mend", [True, False])
async def test_the_problem_goes_when_the_file_is_right_again(path: Path, mend: bool) -> None:
    good = path.read_text()
    catalogue = LiveCatalogue(str(path))
    path.unlink()
    await catalogue.refreshed()
    assert "cannot be read" in str(catalogue.problem)
    if mend:
        path.write_text(good)
    await catalogue.refreshed()
    assert (catalogue.problem is None) is mend


async def test_a_site_that_was_taken_out_stays_known_but_is_not_offered(path: Path) -> None:
    catalogue = LiveCatalogue(str(path))
    sites = catalogue.sites
    _write(path, sites={"lugano": builders.site(title="Lugano")}, profiles=_offers("one"))
    assert list((await catalogue.refreshed()).sites) == ["lugano"]
    assert set(sites) == {"geneva", "lugano"}


async def test_a_file_that_is_wrong_at_the_start_is_not_served(path: Path) -> None:
    path.write_text("sites: 1")
    with pytest.raises(CatalogueInvalid):
        LiveCatalogue(str(path))


async def test_many_who_ask_at_once_read_an_edit_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger=live.__name__)
    catalogue = LiveCatalogue(str(path))
    _write(path, profiles=_offers("one", "two"))
    got = await asyncio.gather(*(catalogue.refreshed() for _ in range(20)))
    assert all("two" in each.profiles for each in got)
    said = [record.getMessage() for record in caplog.records]
    assert [each for each in said if "was read again" in each] == [f"The catalogue {path} was read again."]


async def test_admins_hear_of_a_bad_edit_before_anybody_asks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    catalogue = LiveCatalogue(str(path))
    catalogue.follow()
    path.write_text("sites: 1")
    await _until(lambda: catalogue.problem is not None)
    await catalogue.close()


async def test_whatever_reading_brings_forms_get_the_last_good_one_and_admins_hear_of_it(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also what nobody foresaw: here the interpreter itself gives up on the depth of what a hook checks."""
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    with hooks.installed(tmp_path / "site-packages", {"deep": f"{hooks.MODULE}:Deep"}, _DEEP):
        catalogue = LiveCatalogue(str(path))
        catalogue.follow()
        _write(path, profiles={"two": builders.profile(hooks={"deep": None})})
        await _until(lambda: catalogue.problem is not None)
        assert list((await catalogue.refreshed()).profiles) == ["one"]
    # It is looked at still.
    _write(path, profiles=_offers("three"))
    await _until(lambda: catalogue.problem is None)
    assert list((await catalogue.refreshed()).profiles) == ["three"]
    await catalogue.close()


async def test_an_error_of_our_own_is_told_once_and_survived(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    catalogue = LiveCatalogue(str(path))
    catalogue.follow()
    with monkeypatch.context() as broken:
        broken.setattr(Path, "stat", _fails)
        await _until(lambda: catalogue.problem is not None)
        assert list((await catalogue.refreshed()).profiles) == ["one"]
        assert "could not be read (LookupError)" in str(catalogue.problem)
    await _until(lambda: catalogue.problem is None)
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
    await catalogue.close()


async def test_while_the_files_hang_every_form_waits_a_little_and_gets_the_last_good_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(live, "HANG_SECONDS", 0.01)
    catalogue = LiveCatalogue(str(path))
    answers = threading.Event()
    stat = Path.stat

    def hangs(self: Path, **asked: Any) -> os.stat_result:
        assert answers.wait(60)
        return stat(self, **asked)

    monkeypatch.setattr(Path, "stat", hangs)
    _write_now = builders.written(profiles=_offers("two"))
    for _ in range(100):
        assert list((await catalogue.refreshed()).profiles) == ["one"]
    assert sum(thread.name == "catalogue" for thread in threading.enumerate()) == 1
    catalogue.follow()
    await _until(lambda: catalogue.problem is not None)
    assert "its file system does not answer" in str(catalogue.problem)
    path.write_text(_write_now)
    answers.set()
    await _until(lambda: catalogue.problem is None and "two" in catalogue.current.profiles)
    await catalogue.close()


async def test_a_hub_ends_while_the_files_hang(path: Path) -> None:
    """In a process of its own: Python waits at its end for every thread that is not a daemon."""
    program = (
        "import asyncio, pathlib, threading\n"
        "from profiles.loading import live\n"
        "live.PATIENCE_SECONDS = 0.01\n"
        "async def main():\n"
        f"    catalogue = live.LiveCatalogue({str(path)!r})\n"
        "    pathlib.Path.stat = lambda *_, **__: threading.Event().wait()\n"
        "    await catalogue.refreshed()\n"
        "    await catalogue.close()\n"
        "asyncio.run(main())\n"
    )
    ended = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=TREE)
    async with asyncio.timeout(60):
        assert await ended.wait() == 0


async def test_files_that_are_included_are_looked_at_too(path: Path) -> None:
    _write(path, include=["more/*.yaml"], profiles=_offers("one"))
    catalogue = LiveCatalogue(str(path))
    more = path.parent / "more"
    more.mkdir()
    for name in ("two", "three"):
        (more / f"{name}.yaml").write_text(yaml.safe_dump({"profiles": _offers(name)}))
        assert name in (await catalogue.refreshed()).profiles
    (more / "two.yaml").write_text("profiles: 1")
    assert "three" in (await catalogue.refreshed()).profiles
    assert "two.yaml:1:" in str(catalogue.problem)
    (more / "two.yaml").unlink()
    assert list((await catalogue.refreshed()).profiles) == ["one", "three"]
