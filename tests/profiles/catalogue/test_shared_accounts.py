"""What runs as an account that people share: a program of the admins', of which nobody else says what it is."""

from typing import Any

import pytest

from profiles.catalogue.catalogue import Catalogue
from profiles.loading.problems import CatalogueInvalid
from tests.support import builders

_RUN_AS = {"principal": "jobs@LAB.TEST", "keytab": "/etc/jobs.keytab", "login": "svcjobs"}
_ANY_TEXT = {"title": "Program", "text": {}}


def _catalogue(run_as: dict[str, Any] | None = _RUN_AS, **job_type: Any) -> Catalogue:
    site = builders.site(jobs={"folder": "/scratch/{owner}/jobs", **({"run_as": run_as} if run_as else {})})
    scans = {"folder": "/scratch/{owner}/scans", "type": "scan"}
    return builders.catalogue(
        sites={"geneva": site},
        gateways={"daint": builders.gateway()},
        datasets={"scans": scans},
        job_types={"recon": builders.job_type(**job_type)},
    )


def _problem(run_as: dict[str, Any] | None = _RUN_AS, **job_type: Any) -> str:
    with pytest.raises(CatalogueInvalid) as found:
        _catalogue(run_as, **job_type)
    assert len(found.value.problems) == 1
    return str(found.value).partition(" ")[2]


def test_a_program_may_run_as_the_account_of_a_site_that_has_one() -> None:
    assert _catalogue(identity="service").jobs.offering("recon", "geneva").identity == "service"
    assert "recon.identity: geneva has no account for that" in _problem(None, identity="service")
    there = {"geneva": {"identity": "service"}}
    assert "sites.geneva.identity: geneva has no account" in _problem(None, sites=there)


def test_nobody_writes_what_runs_as_it() -> None:
    line = {"run": None, "command": "any", "parameters": {}}
    assert "recon.identity: is service, but people would run what they like" in _problem(
        identity="service", **line
    )
    there = {"geneva": {"identity": "service"}}
    assert "sites.geneva.identity: is service, but" in _problem(sites=there, **line)
    said = _problem(identity="service", free_arguments=100)
    assert "recon.free_arguments: lets people write words of their own" in said
    assert "recon.free_arguments: lets" in _problem(sites=there, free_arguments=100)
    assert "sites.geneva.free_arguments: lets" in _problem(
        identity="service", sites={"geneva": {"free_arguments": 1}}
    )


@pytest.mark.parametrize("where", ["geneva", "daint"])
@pytest.mark.parametrize("program", ["{param.program}", "/opt/{param.program}", "{dataset}"])
def test_nobody_picks_the_program_by_a_text_or_a_dataset(where: str, program: str) -> None:
    wanted = {"types": ["scan"], "modes": ["each"]} if program == "{dataset}" else None
    parameters = {"program": _ANY_TEXT} if wanted is None else {}
    identity = "service" if where == "geneva" else "person"
    values = {"parameters": parameters, "datasets": wanted, "sites": {where: {"identity": identity}}}
    said = "recon.run.0: lets people say which program runs as an account that they share"
    assert said in _problem(run=[program, "--fast"], **values)
    # As themselves they may.
    values["sites"] = {"geneva": None}
    assert _catalogue(run=[program, "--fast"], **values)


@pytest.mark.parametrize("of", [{"options": ["fast", "full"]}, {"text": {"pattern": "[a-z]+"}}])
def test_a_program_may_be_one_of_those_that_admins_have_thought_of(of: dict[str, Any]) -> None:
    values = {"identity": "service", "parameters": {"program": {"title": "Program", **of}}}
    assert _catalogue(run=["/opt/{param.program}"], **values)
