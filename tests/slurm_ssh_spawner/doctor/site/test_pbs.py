"""A site whose jobs PBS runs: all is well, and then one thing is wrong."""

from pathlib import Path

import pytest

from kerberos_auth.outcome import State
from slurm_ssh_spawner.doctor.site import front_ends, job
from tests.slurm_ssh_spawner.doctor.site.conftest import Place, told, wrong
from tests.support.small_pbs import PbsSite

_HAS = "resources_available.{}|/|resources_available.mem=16gb|/|resources_available.ncpus=8"
_DOWN = f"Name=n0|/|Mom=n0.pbs.test|/|state=down,offline|/|{_HAS.format('host=n0')}\n"
_BUSY = f"Name=n1[0]|/|Mom=n1.pbs.test|/|state=job-busy|/|comment=a | b|/|{_HAS.format('host=n1')}\n"
_NOT_ASKED = "Not looked at: PBS cannot be asked about a job that is not submitted."


@pytest.fixture
def pbs(place: Place, tmp_path: Path) -> PbsSite:
    """The PBS of the place."""
    (tmp_path / "pbs-home").mkdir()
    site = PbsSite(tmp_path / "pbs-home")
    site.tell("listed", _DOWN + _BUSY)
    (site.folder / "pbsnodes").write_text(f"#!/bin/sh\ncat {site.folder}/listed\n")
    (site.folder / "pbsnodes").chmod(0o755)
    del place.site["slurm_path"]
    place.site |= {
        "scheduler": {"kind": "pbs", "path": str(site.folder)},
        "partitions": {"workq": {}, "short": {}},
    }
    return site


async def _found(place: Place, *, with_job: bool = False) -> tuple[str, str, str]:
    """Return check, sentence and fix with its place of the one thing that is wrong."""
    found = await place.look(with_job=with_job)
    problems = wrong(found)
    assert len(problems) == 1, told(found)
    [(check, one)] = problems.items()
    return check, str(one.sentence), f"{one.fix} ({one.place})" if one.place else str(one.fix)


async def test_all_is_well_but_what_pbs_cannot_be_asked(place: Place, pbs: PbsSite) -> None:
    found = await place.look(with_job=True)
    assert wrong(found) == {}, told(found)
    assert {each.check: str(each.sentence) for each in found if each.state is State.SKIP} == {"E9": _NOT_ASKED}
    assert {each.check for each in found} == {
        *front_ends.CHECKS,
        *("E7", "E8", "E9", "E10", "E11"),
        *job.CHECKS,
    }
    said = {each.check: str(each.sentence) for each in found}
    assert said["E7"] == "PBS 23.06.06 answers on localhost."
    assert said["E8"].startswith("PBS has what the catalogue offers at geneva; its queues are `")
    assert said["E11"] == "localhost carries connections on to n1."
    [(_, one)] = pbs.jobs.items()
    assert one["Job_Name"].startswith("doctor-hub-")
    assert one["job_state"] == "F"
    scratch = place.folder / "scratch" / "alice"
    assert [*(scratch / "jobs").iterdir(), *(scratch / "tickets").iterdir()] == []


async def test_e7_commands_that_are_elsewhere(place: Place, pbs: PbsSite) -> None:
    place.site["scheduler"]["path"] = "/opt/nowhere/bin"
    check, sentence, fix = await _found(place, with_job=True)
    assert check == "E7"
    assert sentence.startswith("localhost has no /opt/nowhere/bin/qsub, /opt/nowhere/bin/qstat, ")
    assert fix.startswith("Write scheduler: {kind: pbs, path: ")
    assert "(catalogue.yaml:" in fix
    assert not pbs.jobs


async def test_e7_a_server_that_is_away(place: Place, pbs: PbsSite) -> None:
    pbs.tell("silent")
    check, sentence, fix = await _found(place, with_job=True)
    assert (check, fix) == ("E7", f"See it by hand on localhost: {pbs.folder}/qselect -u alice")
    assert sentence == "qselect on localhost fails: `qselect: cannot connect to server pbs.test (errno=111)`."


async def test_e8_a_queue_that_there_is_not(place: Place, pbs: PbsSite) -> None:
    place.site["partitions"] = {"workq": {}, "shrot": {}}
    check, sentence, fix = await _found(place)
    assert check == "E8"
    assert sentence.startswith("sites.geneva.partitions.shrot: ")
    assert "did you mean `short`" in sentence
    assert "at the server (qmgr)" in fix


async def test_e11_of_nodes_that_pbs_does_not_name_nothing_is_said(place: Place, pbs: PbsSite) -> None:
    pbs.tell("listed", _DOWN)
    found = await place.look()
    assert wrong(found) == {}
    skipped = {each.check: str(each.sentence) for each in found if each.state is State.SKIP}
    assert skipped == {"E9": _NOT_ASKED, "E11": "PBS names no node of geneva that is up."}


async def test_f1_a_job_that_pbs_does_not_take(place: Place, pbs: PbsSite) -> None:
    pbs.tell("refusal", "qsub: Unknown queue\n")
    check, _, fix = await _found(place, with_job=True)
    assert check == "F1"
    assert "try qsub by hand" in fix


async def test_f1_a_job_that_waits(place: Place, pbs: PbsSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_QUEUE_SECONDS", 1)
    pbs.tell("full")
    check, sentence, _ = await _found(place, with_job=True)
    assert check == "F1"
    assert "waited for 1 s, and was cancelled" in sentence
    assert [one["job_state"] for one in pbs.jobs.values()] == ["F"]


async def test_g5_where_pbs_forgets_what_has_ended(place: Place, pbs: PbsSite) -> None:
    pbs.tell("forgetful")
    found = await place.look(with_job=True)
    assert wrong(found) == {}, told(found)
    assert [each.state for each in found if each.check == "G5"] == [State.OK]
