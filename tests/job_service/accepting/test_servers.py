"""Interactive job types: which server is asked of the hub, and what is refused before."""

from dataclasses import replace
from typing import Any

import pytest

from job_service.accepting import again, servers
from job_service.accepting.servers import Server
from job_service.accepting.worked_on import Chosen
from job_service.errors import Interactive, Invalid
from job_service.spec import JobSpec
from profiles.catalogue.dataset import Dataset
from profiles.errors import ChoiceRefused
from profiles.offer.choices import JOB_FIELDS, Choices
from profiles.offer.launch import resolve_job, resolved
from profiles.offer.offer import Offer, Person
from tests.job_service.accepting import deciding
from tests.support import builders

KNOWS = {"title": "Datasets", "text": {}, "variable": "DATASETS"}
THEME = {"title": "Theme", "options": ["light", "dark"], "variable": "THEME"}
PROFILES = {
    "jupyterlab": builders.profile(parameters={"datasets": KNOWS, "theme": THEME}),
    "staff": builders.profile(visible_to={"groups": ["staff"]}),
}
LOOK = {"name": "Look at scans", "profile": "jupyterlab", "datasets": {"types": ["scan"], "max": 2}}
TYPES = {
    "look": LOOK,
    "plain": {"name": "A notebook", "profile": "jupyterlab"},
    "staff": {"name": "For staff", "profile": "staff"},
    **deciding.TYPES,
}
CATALOGUE = builders.catalogue(
    sites=deciding.SITES,
    job_types=TYPES,
    profiles=PROFILES,
    datasets={"demo": {"list": [{"id": "a", "type": "scan", "location": "/data/a"}]}},
)
OFFER = deciding.offer(CATALOGUE)
SCANS = {
    "demo:a": Dataset("demo:a", "A", "scan", "/data/a", {}),
    "demo:b": Dataset("demo:b", "B", "scan", "/data/b", {}, "zurich"),
    "demo:c": Dataset("demo:c", "C", "mesh", "/data/c", {}),
}
ASKED = JobSpec("look", datasets=("demo:a",))


def _decided(spec: JobSpec, offer: Offer = OFFER, key: str = "key") -> Server:
    chosen = Chosen(SCANS, len(spec.datasets))
    return servers.decide(offer, chosen.placed(spec), chosen, key)


def _refused(spec: JobSpec) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        _decided(spec)
    return dict(refused.value.fields)


def test_a_server_has_the_choices_of_its_profile_and_the_path_of_its_list() -> None:
    spec = replace(ASKED, choices={"time": "2h", "cores": "4", "param.theme": "dark"}, project="physics")
    found = _decided(spec)
    assert (found.type_key, found.title, found.system) == ("look", "Look at scans", "geneva")
    assert found.path.startswith("/scratch/alice/jobs/.servers/")
    assert found.options == {
        "profile": "jupyterlab",
        "site": "geneva",
        "project": "physics",
        "time": "2h",
        "cores": "4",
        "param.theme": "dark",
        "param.datasets": found.path,
    }
    assert found.datasets == (SCANS["demo:a"],)
    # The hub takes them as they are.
    assert dict(Choices.of(found.options).values) == found.options


def test_a_server_is_started_where_its_datasets_are_and_as_who_one_is_there() -> None:
    assert _decided(replace(ASKED, datasets=("demo:b",))).system == "zurich"
    judy = _decided(ASKED, replace(OFFER, person=Person("judy")))
    assert judy.path.startswith("/scratch/jmeier/jobs/")


def test_the_same_request_with_the_same_key_has_the_same_list() -> None:
    first = _decided(ASKED).path
    assert _decided(ASKED).path == first
    assert _decided(ASKED, key="other").path != first
    assert _decided(replace(ASKED, datasets=("demo:b",), system="zurich")).path != first


def test_a_type_without_datasets_has_no_list() -> None:
    found = _decided(JobSpec("plain"))
    assert found.path == ""
    assert found.options == {"profile": "jupyterlab", "site": "geneva"}


@pytest.mark.parametrize(
    ("spec", "field", "said"),
    [
        (JobSpec("recon"), "type", "is a batch job"),
        (JobSpec("nothing"), "type", "nothing"),
        (JobSpec("staff"), "type", "staff"),
        (JobSpec("look"), "datasets", "needs more datasets"),
        (JobSpec("look", datasets=("demo:a", "demo:b", "demo:c")), "datasets", "takes fewer"),
        (JobSpec("look", datasets=("demo:c",)), "datasets", "is of the type mesh"),
        (JobSpec("look", datasets=("demo:gone",)), "datasets", "There is no dataset"),
        (JobSpec("plain", datasets=("demo:a",)), "datasets", "takes no datasets"),
        (replace(ASKED, system="lugano", datasets=("demo:b",)), "datasets", "is at Zurich"),
        (replace(ASKED, system="bern"), "system", "bern"),
        (replace(ASKED, choices={"cores": "99"}), "choices.cores", ""),
        (replace(ASKED, choices={"param.datasets": "/etc/passwd"}), "choices.param.datasets", ""),
        (replace(ASKED, choices={"profile": "staff"}), "choices.profile", ""),
        (replace(ASKED, project="nobodys"), "project", "nobodys"),
        (replace(ASKED, mode="each"), "mode", ""),
    ],
)
def test_what_cannot_be_had_is_refused_at_its_field(spec: JobSpec, field: str, said: str) -> None:
    assert said in _refused(spec)[field]


def test_a_batch_job_of_an_interactive_type_is_refused_with_what_to_do() -> None:
    error = deciding.refused(replace(ASKED, command="hostname", arguments=("a",)), OFFER)
    assert isinstance(error, Interactive)
    assert (error.code, list(error.fields)) == ("interactive", ["type"])
    assert "/servers" in error.hint


def test_no_batch_job_can_be_made_of_an_interactive_type_in_any_way() -> None:
    choices = Choices.of({"type": "look", "site": "geneva"}, JOB_FIELDS)
    with pytest.raises(ChoiceRefused, match="is interactive"):
        resolve_job(OFFER, choices)
    assert resolved(OFFER, choices).entry_key == "look"


def test_a_job_whose_type_has_become_interactive_is_not_sent() -> None:
    record = deciding.record(deciding.decided(JobSpec("recon")))
    changed: dict[str, Any] = {**TYPES, "recon": {"name": "Recon", "profile": "jupyterlab"}}
    menu = builders.catalogue(
        sites=deciding.SITES,
        job_types=changed,
        profiles=PROFILES,
        datasets={"demo": {"list": [{"id": "a", "type": "scan", "location": "/data/a"}]}},
    ).jobs
    with pytest.raises(ChoiceRefused, match="is interactive"):
        again.launch(menu, record)
