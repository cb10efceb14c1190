"""A site where all is well, and that nothing stays of a look."""

from pathlib import Path

from kerberos_auth.outcome import State
from slurm_ssh_spawner.doctor.site import front_ends, job
from tests.slurm_ssh_spawner.doctor.site.conftest import Place, told
from tests.support.folders import TREE

_AFTER_LOGIN = {"E7", "E8", "E9", "E10", "E11"}


async def test_all_checks_are_made_and_well(place: Place) -> None:
    found = await place.look(with_job=True)
    assert {each.state for each in found} == {State.OK}, told(found)
    (reported,) = (str(each.sentence) for each in found if each.check == "G4")
    assert "reached the hub with its token" in reported
    checks = {each.check for each in found}
    assert checks == {*front_ends.CHECKS, *_AFTER_LOGIN, *job.CHECKS}
    page = (TREE / "docs/doctor.md").read_text()
    assert [each for each in checks if f"\n### {each}\n" not in page] == []


async def test_nothing_stays_of_it(place: Place) -> None:
    await place.look(with_job=True)
    scratch = place.folder / "scratch" / "alice"
    assert [*(scratch / "jobs").iterdir(), *(scratch / "tickets").iterdir()] == []
    assert place.slurm.told("ended")
    assert [each.name for each in Path(place.front_end.home).iterdir()] == []
    assert not place.front_end.connections
