"""Gateways: who offers something there, and what may not be."""

from typing import Any

import pytest

from profiles.catalogue.catalogue import Catalogue
from profiles.loading.problems import CatalogueInvalid
from profiles.offer.choices import Choices
from profiles.offer.launch import BatchLaunch, GatewayLaunch, resolve_job
from profiles.offer.offer import Offer, Person
from tests.support import builders

_NSG = {"title": "NSG", "kind": "nsg", "url": "https://nsg.test/cipresrest/v1", "tools": {"PY_EXPANSE": None}}


def _catalogue(gateway: dict[str, Any] | None = None, **job_type: Any) -> Catalogue:
    sites = {"geneva": builders.site(jobs={"folder": "/scratch/{owner}/jobs"})}
    gateways = {"daint": builders.gateway(**gateway or {}), "nsg": builders.gateway(**_NSG)}
    types = {"recon": builders.job_type(**job_type)}
    return builders.catalogue(sites=sites, gateways=gateways, job_types=types)


def _problem(gateway: dict[str, Any] | None = None, **job_type: Any) -> str:
    with pytest.raises(CatalogueInvalid) as found:
        _catalogue(gateway, **job_type)
    assert len(found.value.problems) == 1
    return str(found.value).partition(" ")[2]


def test_a_type_is_offered_at_a_gateway_that_it_names_and_at_no_other() -> None:
    assert _catalogue().jobs.sites_of("recon") == ("geneva",)
    menu = _catalogue(sites={"daint": {"run": ["/apps/recon"]}, "geneva": None}).jobs
    assert menu.sites_of("recon") == ("daint", "geneva")
    assert menu.offering("recon", "daint").run == ("/apps/recon",)
    assert menu.taking == ("geneva", "daint", "nsg")


def test_a_job_there_is_another_launch_than_one_at_a_site() -> None:
    gateway = {"partitions": {"large": None, "small": None}, "projects": ["csstaff"]}
    menu = _catalogue(gateway, sites=["daint", "geneva"]).jobs
    offer = Offer(menu, {}, Person("alice"), builders.NOW)
    there = resolve_job(offer, Choices({"type": "recon", "partition": "small", "time": "90"}))
    assert isinstance(there, GatewayLaunch)
    assert (there.site.kind, there.partition, there.project, there.time_minutes) == (
        "unicore",
        "small",
        "csstaff",
        90,
    )
    assert (there.jobs.keep, there.jobs.upload_max, there.jobs.active_max) == (28 * 1440, 1024, 50)
    assert there.program == ("/opt/recon", "--method=fast", "5")
    assert isinstance(resolve_job(offer, Choices({"type": "recon", "site": "geneva"})), BatchLaunch)


def test_notebooks_are_not_offered_there() -> None:
    assert _catalogue().notebooks.sites_of("jupyterlab") == ("geneva",)
    profile = builders.profile(sites=["daint"])
    with pytest.raises(CatalogueInvalid, match="there is no site `daint`"):
        builders.catalogue(gateways={"daint": builders.gateway()}, profiles={"jupyterlab": profile})


def test_a_server_is_not_started_there() -> None:
    """Where a type that starts one names a gateway, that is told: nobody would be offered it."""
    for sites in (["daint"], ["geneva", "daint"], {"daint": None}):
        site = builders.site(jobs={"folder": "/scratch/{owner}/jobs"})
        look = {"name": "Look", "profile": "jupyterlab", "sites": sites}
        with pytest.raises(CatalogueInvalid, match=r"look\.sites.*: means nothing at daint, which is no site"):
            builders.catalogue(
                sites={"geneva": site}, gateways={"daint": builders.gateway()}, job_types={"look": look}
            )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"url": "http://daint.test/rest/core"}, "gateways.daint.url: `http://daint.test/rest/core` is not the"),
        (
            {"url": "https://robot:secret@daint.test/rest"},
            "begins with https://, without a password",
        ),
        ({"url": "https://daint.test/rest?x=1"}, "and without ?"),
        ({"kind": "arc"}, "not one of unicore, nsg"),
        ({"kind": "nsg"}, "gateways.daint.kind: is nsg, but no tool is named"),
        ({"tools": {"PY": None}}, "gateways.daint.tools: are for `kind: nsg`"),
        ({"projects": "accounting"}, "gateways.daint.projects: is accounting; write a list of projects, or none"),
        ({"credentials": "passwords"}, "gateways.daint.credentials"),
        ({"jobs": {}}, "there is no such key"),
        (
            {"umbrella": {"application": "a", "email": "{owner}@a.b"}},
            "gateways.daint.umbrella: is for `kind: nsg`",
        ),
        ({"old_name": "geneva"}, "gateways.daint.old_name: is the name of another system too"),
        ({"old_name": "nsg"}, "gateways.daint.old_name: is the name of another system too"),
        (
            {**_NSG, "umbrella": {"application": "a", "email": "all@a.b"}},
            "is no mail address that differs for everybody",
        ),
        (
            {**_NSG, "umbrella": {"application": "a", "email": "{owner}@a.b", "country": "Swiss"}},
            "`Swiss` is not a country; write its two",
        ),
    ],
)
def test_a_gateway_is_written_rightly(changed: dict[str, Any], said: str) -> None:
    assert said in _problem(changed)


def test_a_gateway_and_a_site_have_different_names() -> None:
    with pytest.raises(CatalogueInvalid, match=r"gateways\.geneva: is the name of a site too"):
        builders.catalogue(gateways={"geneva": builders.gateway()})


def test_a_name_that_means_nothing_is_a_problem_that_names_gateways() -> None:
    assert "there is no site `dant`; did you mean `daint`?" in _problem(sites=["dant"])


_LINE: dict[str, Any] = {"run": None, "command": "any", "parameters": {}}


def test_nobody_writes_what_runs_as_an_account_of_all_unless_its_admin_says_so() -> None:
    assert "recon.command: lets people write what runs at daint" in _problem(sites=["daint"], **_LINE)
    assert "free_arguments: lets people write" in _problem(sites=["daint"], free_arguments=2)
    there = {"daint": {"free_arguments": 2}}
    assert "sites.daint.free_arguments: lets people write" in _problem(sites=there)
    assert _catalogue({"own_lines": True}, sites=["daint"], **_LINE).jobs.sites_of("recon") == ("daint",)


def test_what_belongs_to_slurm_means_nothing_there() -> None:
    assert "container: means nothing at daint" in _problem(sites=["daint"], container="/images/a.sif")
    assert "hooks: means nothing at daint" in _problem(sites=["daint"], hooks={"spark": {"workers": 1}})


def test_a_partition_there_has_a_name() -> None:
    said = _problem({"partitions": {"large": None}}, sites=["daint"], partitions=["lage"])
    assert "daint has no partition `lage`; did you mean `large`?" in said


def test_what_runs_at_nsg_is_a_tool_of_it() -> None:
    run = {"run": ["PY_EXPANS"], "parameters": {}}
    assert "recon.run.0: nsg has no tool `PY_EXPANS`; did you mean `PY_EXPANSE`?" in _problem(sites=["nsg"], **run)
    assert "command: means nothing at nsg" in _problem_of_all(sites=["nsg"], **_LINE)
    chosen = {
        "run": ["{param.tool}"],
        "parameters": {"tool": {"title": "Tool", "options": {"PY_EXPANSE": "Python"}}},
    }
    words = {**chosen, "run": ["{param.tool}", "--fast"]}
    assert "recon.run: has words behind the tool, but nsg does not say" in _problem(sites=["nsg"], **words)
    assert _catalogue(sites=["nsg"], **chosen).jobs.sites_of("recon") == ("nsg",)


def _problem_of_all(**job_type: Any) -> str:
    with pytest.raises(CatalogueInvalid) as found:
        _catalogue(None, **job_type)
    return str(found.value)


def test_a_gateway_that_is_wrong_hides_nothing_and_accuses_nobody() -> None:
    with pytest.raises(CatalogueInvalid) as found:
        _catalogue({"url": "ftp://daint"}, sites=["daint"], container="/images/a.sif", **_LINE)
    assert [each.path for each in found.value.problems] == [
        "gateways.daint.url",
        "job_types.recon.container",
    ]
