"""Jobs on datasets: one with all of them, or one for each; what can be accepted is, and the rest is told."""

from dataclasses import replace
from typing import Any

import pytest

from job_service.accepting import asked, gate
from job_service.accepting.gate import Decided
from job_service.accepting.worked_on import Chosen
from job_service.errors import Invalid, JobError, KeyReused, NotAMember, QuotaExceeded
from job_service.running.places import Places
from job_service.running.scripts import Scripts
from job_service.spec import JobSpec
from job_service.store.values import Group, JobFilter
from profiles.catalogue.dataset import Dataset
from profiles.facts import SiteFacts
from profiles.offer.offer import Offer, Person
from tests.job_service.accepting import deciding
from tests.job_service.accepting.deciding import ALICE, TYPES
from tests.job_service.accepting.serving import Service
from tests.support import builders

_SCANS = [
    {"id": f"s{at}", "type": "scan", "location": f"/data/it's {at}", "parameters": {"at": at}} for at in range(40)
]
_SOURCES: dict[str, Any] = {
    "demo": {"list": [*_SCANS, {"id": "mesh", "type": "mesh", "location": "/data/mesh"}]},
}
_IDS = tuple(f"demo:s{at}" for at in range(40))
_ONE = builders.job_type(
    run=["/opt/recon", "--in={dataset}", "{param.quality}"],
    datasets={"types": ["scan"], "modes": ["each", "array"]},
)
_ALL = builders.job_type(datasets={"types": ["scan"], "min": 2, "max": 5, "modes": ["single"]})
_CUT = builders.job_type(
    run=["/opt/cut", "--datasetIds={dataset_ids}"],
    parameters={"cutoff": {"title": "Cut-off", "decimal": {}, "argument": "--cutoff", "when": "at > 1"}},
    datasets={"types": ["scan"], "modes": ["single", "each"]},
)
_EACH = JobSpec("one", "geneva", datasets=_IDS, mode="each")


@pytest.fixture(autouse=True)
def _offered(service: Service) -> None:
    service.offers({**TYPES, "one": _ONE, "all": _ALL, "cut": _CUT}, _SOURCES)


async def _group(service: Service, spec: JobSpec = _EACH, person: Person = ALICE, key: str | None = None) -> Group:
    group, are_new = await service.accepting.accept_each(person, spec, key)
    assert are_new
    return group


async def _refused(service: Service, spec: JobSpec) -> JobError:
    accept: Any = service.accepting.accept_each if spec.mode != "single" else service.accepting.accept
    with pytest.raises(JobError) as found:
        await accept(ALICE, spec)
    return found.value


async def _jobs(service: Service) -> int:
    return await service.store.jobs.count(JobFilter())


async def test_forty_datasets_have_forty_jobs_each_with_its_own(service: Service) -> None:
    group = await _group(service, replace(_EACH, title="a title"))
    assert (len(group.jobs), group.errors) == (40, ())
    assert group.id == group.jobs[0].job_id
    assert {each.group for each in group.jobs} == {group.id}
    assert [each.spec.datasets for each in group.jobs] == [(id_,) for id_ in _IDS]
    assert group.jobs[7].title == "a title: s7"
    (known,) = await service.store.jobs.datasets(group.jobs[7].job_id)
    assert (known.id, known.location) == ("demo:s7", "/data/it's 7")


async def test_the_program_of_each_has_the_place_of_its_dataset(service: Service) -> None:
    group = await _group(service)
    record = group.jobs[7]
    scripts = Scripts(service.store.jobs, Places(None, {}, "hub"), service.accepting.launch)
    text = await scripts.shown(record)
    assert """attend /opt/recon '--in=/data/it'"'"'s 7' 5\n""" in text
    assert f"export JOB_DATASETS=/scratch/alice/jobs/{record.job_id}/.job/datasets.json\n" in text


async def test_what_can_be_accepted_is_and_for_each_other_it_is_told_why(service: Service) -> None:
    await service.project("proj1", "alice")
    spec = replace(
        _EACH, project="proj1", choices={"time": "2h"}, datasets=("demo:mesh", "no:x", "demo:x", *_IDS[:4])
    )
    group = await _group(service, spec)
    assert [each.spec.datasets for each in group.jobs] == [("demo:s0",), ("demo:s1",)]
    assert [(each.dataset, each.code) for each in group.errors] == [
        ("demo:mesh", "invalid"),
        ("no:x", "invalid"),
        ("demo:x", "invalid"),
        ("demo:s2", "quota_exceeded"),
        ("demo:s3", "quota_exceeded"),
    ]
    assert "mesh" in group.errors[0].detail
    assert "7200" in group.errors[3].detail
    (quota,) = await service.accepting.offered.quotas(ALICE)
    assert quota.time_left == 18_000 - 2 * 7200


async def test_if_none_can_be_accepted_the_request_is_refused(service: Service) -> None:
    await service.project("small", "alice", init_time=10)
    assert isinstance(await _refused(service, replace(_EACH, project="small")), QuotaExceeded)
    assert isinstance(await _refused(service, replace(_EACH, project="none")), NotAMember)
    unlike = await _refused(service, replace(_EACH, datasets=("demo:mesh", "demo:x")))
    assert isinstance(unlike, Invalid)
    assert list(unlike.fields) == ["datasets.demo:mesh", "datasets.demo:x"]
    assert await _jobs(service) == 0


async def test_no_more_jobs_are_accepted_than_may_be_under_way(service: Service) -> None:
    await service.project("few", "alice", limits={"active": 3})
    group = await _group(service, replace(_EACH, project="few", choices={"time": "1m"}))
    assert len(group.jobs) == 3
    assert {each.code for each in group.errors} == {"too_many"}
    assert len(group.errors) == 37


async def test_a_repeated_request_has_the_same_answer(service: Service) -> None:
    spec = replace(_EACH, datasets=("demo:x", *_IDS[:3]))
    group = await _group(service, spec, key="k")
    assert await service.accepting.accept_each(ALICE, spec, "k") == (group, False)
    assert len(group.errors) == 1
    with pytest.raises(KeyReused):
        await service.accepting.accept_each(ALICE, replace(spec, datasets=_IDS[:3]), "k")
    with pytest.raises(KeyReused):
        await service.accepting.accept(ALICE, JobSpec("recon", "geneva"), "k")
    assert await _jobs(service) == 3


async def test_a_single_job_has_all_of_them(service: Service) -> None:
    record, _ = await service.accepting.accept(ALICE, JobSpec("all", "geneva", datasets=_IDS[:3]))
    assert record.group is None
    assert [each.id for each in await service.store.jobs.datasets(record.job_id)] == list(_IDS[:3])
    again, _ = await service.accepting.resubmit(ALICE, record)
    assert await service.store.jobs.datasets(again.job_id) == await service.store.jobs.datasets(record.job_id)


async def test_a_job_of_a_group_can_be_sent_again(service: Service) -> None:
    record = (await _group(service)).jobs[3]
    again, _ = await service.accepting.resubmit(ALICE, record)
    assert (again.spec.datasets, again.title) == (record.spec.datasets, record.title)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (JobSpec("recon", "geneva", datasets=_IDS[:1]), "datasets"),
        (JobSpec("all", "geneva", datasets=_IDS[:1]), "datasets"),
        (JobSpec("all", "geneva"), "datasets"),
        (JobSpec("all", "geneva", datasets=_IDS[:6]), "datasets"),
        (JobSpec("all", "geneva", datasets=(_IDS[0], _IDS[0])), "datasets"),
        (JobSpec("all", "geneva", datasets=(_IDS[0], "demo:x")), "datasets"),
        (JobSpec("all", "geneva", datasets=tuple(map(str, range(1001)))), "datasets"),
        (JobSpec("all", "geneva", datasets=_IDS[:3], mode="each"), "mode"),
        (JobSpec("one", "geneva", datasets=_IDS[:1]), "mode"),
        (JobSpec("one", "geneva", mode="each"), "datasets"),
        (JobSpec("one", "geneva", datasets=_IDS[:1], mode="none"), "mode"),
        (replace(_EACH, choices={"cores": "many"}), "choices.cores"),
    ],
)
async def test_what_is_wrong_is_told_by_its_name(service: Service, spec: JobSpec, field: str) -> None:
    error = await _refused(service, spec)
    assert isinstance(error, Invalid)
    assert field in error.fields
    assert await _jobs(service) == 0


async def test_a_preview_says_what_they_cost_as_the_catalogue_weighs_it(service: Service) -> None:
    spec = replace(_EACH, choices={"time": "2h", "cores": "3"}, datasets=_IDS[:4])
    assert (await service.accepting.preview(ALICE, spec)).costs == ""
    weighed = {"normal": {"cost": {"cores": 1, "unit": "CPU hours"}}}
    sites = {**deciding.SITES, "geneva": {**deciding.SITES["geneva"], "partitions": weighed}}
    service.offers({"one": _ONE, "all": _ALL}, _SOURCES, sites=sites)
    for mode in ("each", "array"):
        told = await service.accepting.preview(ALICE, replace(spec, mode=mode))
        assert told.costs == "Together they cost 24 CPU hours if each runs for all of its time."
    told = await service.accepting.preview(ALICE, replace(spec, type="all", mode="single"))
    assert told.costs == "It costs 6 CPU hours if it runs for all of its time."


async def test_a_preview_shows_what_all_would_cost_and_keeps_nothing(service: Service) -> None:
    await service.project("proj1", "alice")
    spec = replace(_EACH, project="proj1", datasets=("demo:x", *_IDS[:4]))
    seen = await service.accepting.preview(ALICE, spec)
    assert (seen.jobs, seen.cost_s, seen.total_cost_s, len(seen.errors)) == (4, 3600, 14_400, 1)
    assert """'--in=/data/it'"'"'s 0'""" in seen.script
    assert await _jobs(service) == 0


async def test_where_a_dataset_is_the_job_runs(service: Service, tmp_path: Any) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "a.nii").touch()
    source = {"own": {"folder": str(folder), "type": "scan", "sites": ["geneva"]}}
    service.offers({"one": {**_ONE, "sites": ["zurich", "geneva"]}}, source)
    spec = JobSpec("one", datasets=("own:geneva/a.nii",), mode="each")
    group = await _group(service, spec)
    assert group.jobs[0].system == "geneva"
    error = await _refused(service, replace(spec, system="zurich"))
    assert "Zurich" in error.message


def test_a_title_stays_as_long_as_one_may_be() -> None:
    assert len(asked.cut("x" * 1000)) == asked.TITLE_LONGEST


async def test_what_is_offered_for_some_datasets_is_had_with_these_alone(service: Service) -> None:
    spec = JobSpec("cut", "geneva", datasets=_IDS[2:4], choices={"param.cutoff": "0.50"})
    record, _ = await service.accepting.accept(ALICE, spec)
    scripts = Scripts(service.store.jobs, Places(None, {}, "hub"), service.accepting.launch)
    assert "attend /opt/cut --datasetIds=demo:s2,demo:s3 --cutoff 0.50\n" in await scripts.shown(record)
    refused = await _refused(service, replace(spec, datasets=_IDS[:4]))
    assert isinstance(refused, Invalid)
    assert refused.fields == {
        "choices.param.cutoff": "Cut-off is not offered for all of these datasets. "
        "Omit it, or choose other datasets."
    }
    group = await _group(service, replace(spec, datasets=_IDS[:4], mode="each"))
    assert [each.spec.datasets for each in group.jobs] == [("demo:s2",), ("demo:s3",)]
    assert [each.dataset for each in group.errors] == ["demo:s0", "demo:s1"]


async def test_an_array_holds_task_by_task_and_has_what_can_be_accepted(service: Service) -> None:
    project = await service.project("proj1", "alice")
    ids = ("demo:mesh", *_IDS[:5])
    spec = replace(_EACH, mode="array", project="proj1", choices={"time": "1h"}, datasets=ids)
    group = await _group(service, spec, key="k")
    (array,) = group.jobs
    assert (array.kind, array.held_s, array.spec.datasets) == ("array", 0, _IDS[:5])
    assert [each.dataset for each in group.errors] == ["demo:mesh"]
    tasks = await service.store.jobs.tasks(array.job_id)
    assert [(each.task, each.kind, each.held_s) for each in tasks] == [(at, "task", 3600) for at in range(5)]
    assert {each.folder for each in tasks} == {array.folder}
    assert await _jobs(service) == 1
    assert await service.store.jobs.count(JobFilter(parent=array.job_id)) == 5
    assert (await service.store.ledger.quota(project, "alice")).time_left == 0
    assert await service.accepting.accept_each(ALICE, spec, "k") == (group, False)
    scripts = Scripts(service.store.jobs, Places(None, {}, "hub"), service.accepting.launch)
    text = await scripts.shown(tasks[2])
    assert text == await scripts.shown(array)
    assert "#SBATCH --array=0-4\n" in text
    assert """attend /opt/recon --in="$dataset" 5\n""" in text


@pytest.mark.parametrize(
    ("most", "says"), [(None, ""), (40, ""), (39, "up to 39 tasks, and this has 40"), (0, "takes no arrays")]
)
def test_an_array_has_no_more_tasks_than_slurm_takes(most: int | None, says: str) -> None:
    sources = {"demo": {"list": [{"id": f"s{at}", "type": "scan", "location": "/x"} for at in range(40)]}}
    catalogue = builders.catalogue(sites=deciding.SITES, job_types={"one": _ONE}, datasets=sources)
    offer = Offer(catalogue.jobs, {"geneva": SiteFacts(array_most=most)}, ALICE, builders.NOW)
    known = {id_: Dataset(id_, id_, "scan", "/x") for id_ in _IDS}

    def decide() -> Decided:
        return gate.decide(offer, replace(_EACH, mode="array"), (), frozenset(), Chosen(known, 40))

    if not says:
        assert len(decide().datasets) == 40
        return
    with pytest.raises(Invalid) as found:
        decide()
    assert says in found.value.fields["datasets"]


async def test_an_array_has_no_more_tasks_than_its_project_lets_it_have(service: Service) -> None:
    await service.project("few", "alice", limits={"array": 3})
    spec = replace(_EACH, mode="array", project="few", choices={"time": "1m"})
    error = await _refused(service, spec)
    assert isinstance(error, Invalid)
    assert "3" in error.fields["datasets"]
    (array,) = (await _group(service, replace(spec, datasets=_IDS[:3]))).jobs
    again, _ = await service.accepting.resubmit(ALICE, array)
    assert (again.kind, again.spec.datasets) == ("array", _IDS[:3])
    seen = await service.accepting.preview(ALICE, replace(spec, datasets=_IDS[:3]))
    assert (seen.jobs, seen.total_cost_s) == (3, 180)
    assert isinstance(await _refused(service, replace(spec, unpack=True)), Invalid)
