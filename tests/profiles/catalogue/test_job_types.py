"""Job types: which sites offer them, what they are there, and what has to be written once."""

from typing import Any

import pytest

from profiles.catalogue.catalogue import Catalogue
from profiles.loading.problems import CatalogueInvalid
from profiles.offer.offer import Offer, Person, sites_for
from tests.support import builders

_JOBS = {"folder": "/scratch/{owner}/jobs"}


def _catalogue(**job_type: Any) -> Catalogue:
    """Return one in which two of three sites take jobs."""
    sites = {
        "geneva": builders.site(title="Geneva", jobs=_JOBS),
        "bern": builders.site(title="Bern"),
        "lugano": builders.site(title="Lugano", jobs={**_JOBS, "keep": "7d", "upload_max": "2G", "active_max": 5}),
    }
    return builders.catalogue(sites=sites, job_types={"recon": builders.job_type(**job_type)})


def _problem(**job_type: Any) -> str:
    with pytest.raises(CatalogueInvalid) as found:
        _catalogue(**job_type)
    return str(found.value).partition(" ")[2]


def test_a_job_type_without_sites_is_offered_where_jobs_are_taken() -> None:
    assert _catalogue().jobs.sites_of("recon") == ("geneva", "lugano")


def test_sites_may_be_named() -> None:
    assert _catalogue(sites=["lugano"]).jobs.sites_of("recon") == ("lugano",)


def test_profiles_are_offered_everywhere_all_the_same() -> None:
    assert _catalogue().notebooks.sites_of("jupyterlab") == ("geneva", "bern", "lugano")


def test_a_catalogue_without_job_types_has_none() -> None:
    assert builders.catalogue().jobs.entries == {}


def test_what_differs_at_a_site_takes_the_place_of_the_type_s_own() -> None:
    there = {"run": ["/gpfs/recon"], "tasks": "core", "requeue": True, "keep": "1d", "core": 4}
    menu = _catalogue(tasks="node", keep="3d", sites={"geneva": None, "lugano": there}).jobs
    mine, theirs = menu.offering("recon", "geneva"), menu.offering("recon", "lugano")
    assert mine.run == ("/opt/recon", "--method={param.method}", "{param.quality}")
    assert (mine.tasks, mine.requeue, mine.keep) == ("node", False, 3 * 1440)
    assert (theirs.run, theirs.tasks, theirs.requeue, theirs.keep) == (("/gpfs/recon",), "core", True, 1440)
    assert theirs.resources.cores.most == 4
    assert set(theirs.parameters) == {"method", "quality"}


def test_a_site_says_how_much_it_takes() -> None:
    sites = _catalogue().sites
    usual, own = sites["geneva"].jobs, sites["lugano"].jobs
    assert usual is not None
    assert own is not None
    assert (usual.keep, usual.upload_max, usual.active_max) == (28 * 1440, 10 * 1024, 200)
    assert (own.keep, own.upload_max, own.active_max) == (7 * 1440, 2048, 5)


def test_a_type_says_once_what_runs() -> None:
    assert "does not say what runs; write `run` with" in _problem(run=None)
    assert "recon.command: has no meaning beside `run`; remove" in _problem(command="any")
    beside = {"command": "any", "run": None, "sites": {"geneva": {"run": ["hostname"]}}}
    assert "sites.geneva.run: has no meaning beside `command: any`" in _problem(**beside)
    nothing_there = _problem(sites={"geneva": {"run": None}})
    assert "sites.geneva.run: does not say what runs" in nothing_there
    assert _catalogue(command="any", run=None).job_types["recon"].command == "any"


@pytest.mark.parametrize(
    ("option", "instead"),
    [
        ("ntasks", "`tasks`"),
        ("ntasks-per-node", "`tasks`"),
        ("requeue", "`requeue`"),
        ("no-requeue", "`requeue`"),
        ("output", "`jobs: {folder: }` of the site"),
        ("error", "`jobs: {folder: }` of the site"),
        ("time", "`resources: {time: }`"),
    ],
)
def test_an_option_of_sbatch_that_a_key_decides_is_told_with_it(option: str, instead: str) -> None:
    said = _problem(directives={option: "1"})
    assert said == f"job_types.recon.directives.{option}: is set by the launch itself; write {instead} instead"


def test_what_is_wrong_with_a_site_is_not_said_of_the_job_types_there() -> None:
    sites = {"geneva": builders.site(jobs={"folder": "jobs"})}
    with pytest.raises(CatalogueInvalid) as found:
        builders.catalogue(sites=sites, job_types={"recon": builders.job_type(sites=["geneva"])})
    assert [each.path for each in found.value.problems] == ["sites.geneva.jobs.folder"]


def test_what_is_wrong_with_one_site_of_a_type_hides_nothing_else() -> None:
    wrong = {"sites": {"geneva": {"tasks": "cpu"}, "lugano": {"partitions": ["gpu"]}}, "modules": ["{param.x}"]}
    with pytest.raises(CatalogueInvalid) as found:
        _catalogue(**wrong)
    assert {each.path for each in found.value.problems} == {
        "job_types.recon.sites.geneva.tasks",
        "job_types.recon.sites.lugano.partitions.0",
        "job_types.recon.modules.0",
    }


# -- interactive ones -------------------------------------------------------------------------------------------

_KNOWS = {"datasets": {"title": "Datasets", "text": {}, "variable": "DATASETS"}}


def _interactive(profile: dict[str, Any], **job_type: Any) -> Catalogue:
    sites = {
        "geneva": builders.site(jobs=_JOBS),
        "bern": builders.site(title="Bern"),
        "lugano": builders.site(title="Lugano", jobs=_JOBS),
    }
    profiles = {"jupyterlab": builders.profile(parameters=_KNOWS, **profile)}
    look = {"name": "Look", "profile": "jupyterlab", **job_type}
    recon = builders.job_type(visible_to={"groups": ["cosmology"]})
    return builders.catalogue(
        sites=sites,
        profiles=profiles,
        job_types={"look": look, "recon": recon},
        datasets={"own": {"folder": "/data", "type": "scan"}},
    )


def test_an_interactive_type_is_offered_where_its_profile_is_and_jobs_are_taken() -> None:
    assert _interactive({}).jobs.sites_of("look") == ("geneva", "lugano")
    assert _interactive({"sites": ["bern", "lugano"]}).jobs.sites_of("look") == ("lugano",)
    assert _interactive({}, sites=["lugano", "geneva"]).jobs.sites_of("look") == ("lugano", "geneva")


def test_an_interactive_type_is_what_its_profile_is_there() -> None:
    there = {"geneva": {"core": 2}, "lugano": {"core": 4, "parameters": {"a": {"title": "A", "flag": True}}}}
    menu = _interactive({"sites": there}, datasets={"types": ["scan"]}).jobs
    mine, theirs = menu.offering("look", "geneva"), menu.offering("look", "lugano")
    assert (mine.resources.cores.most, theirs.resources.cores.most) == (2, 4)
    assert (list(mine.parameters), list(theirs.parameters)) == ([], ["a"])
    assert mine.run is None
    assert mine.datasets is not None
    assert mine.datasets.modes == ("single",)


def test_an_interactive_type_is_for_those_who_see_both_it_and_its_profile() -> None:
    both = _interactive({"visible_to": {"groups": ["neuro"]}}, visible_to={"groups": ["guests"]})
    assert both.jobs.groups == {"neuro", "guests", "cosmology"}
    for groups, seen in (({"neuro"}, False), ({"guests"}, False), ({"neuro", "guests"}, True)):
        person = Person("alice", frozenset(groups))
        assert ("look" in Offer(both.jobs, {}, person, builders.NOW).entries()) is seen
        assert (sites_for(both.jobs, Person("alice", frozenset(groups))) == {"geneva", "lugano"}) is seen
    offer = Offer(both.jobs, {}, Person("alice", frozenset({"guests"})), builders.NOW)
    assert "neuro" in (offer.why_not("look", "geneva") or "")
