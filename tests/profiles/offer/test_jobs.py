"""The gate for batch jobs: the same as that of notebooks, with another menu."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.errors import ChoiceRefused
from profiles.offer.choices import FIELDS, JOB_FIELDS, Choices
from profiles.offer.launch import BatchLaunch, resolve, resolve_job
from profiles.offer.offer import Offer, Person, sites_for
from tests.support import builders

_SITES = {
    "geneva": builders.site(jobs={"folder": "/scratch/{owner}/jobs"}, login_name={"judy": "jmeier"}),
    "bern": builders.site(title="Bern"),
}


def _offer(person: Person | None = None, **types: dict[str, Any]) -> Offer:
    catalogue = builders.catalogue(sites=_SITES, job_types=types or {"recon": builders.job_type()})
    return Offer(catalogue.jobs, {}, person or Person("alice"), builders.NOW)


_OFFER = _offer()
_PROGRAMS = [("/opt/recon", f"--method={method}", str(n)) for method in ("fast", "full") for n in range(1, 11)]


def _job(chosen: dict[str, str], offer: Offer | None = None) -> BatchLaunch:
    return resolve_job(offer or _offer(), Choices.of(chosen, JOB_FIELDS))


def _refused(chosen: dict[str, str], offer: Offer | None = None) -> ChoiceRefused:
    with pytest.raises(ChoiceRefused) as found:
        _job(chosen, offer)
    return found.value


def test_nothing_chosen_means_the_defaults_of_the_first_type() -> None:
    job = _job({})
    assert (job.type_key, job.site_key, job.partition, job.project) == ("recon", "geneva", "normal", "physics")
    assert (job.time_minutes, job.nodes, job.cores, job.memory_mib) == (60, 1, 1, 1024)
    assert job.program == ("/opt/recon", "--method=fast", "5")
    assert (job.tasks, job.requeue) == ("node", False)
    assert (job.jobs.folder, job.jobs.active_max) == ("/scratch/{owner}/jobs", 200)


def test_what_is_chosen_is_in_the_words_of_the_program() -> None:
    job = _job({"type": "recon", "param.method": "full", "param.quality": "7", "nodes": "2", "cores": "8"})
    assert job.program == ("/opt/recon", "--method=full", "7")
    assert (job.nodes, job.cores) == (2, 8)


def test_a_value_stays_one_word_whatever_is_in_it() -> None:
    odd = {"title": "Odd", "options": ["$(id) 'x' --y", "{param.method}"]}
    offer = _offer(odd=builders.job_type(run=["tool", "{param.odd}", "a{param.odd}b"], parameters={"odd": odd}))
    assert _job({}, offer).program == ("tool", "$(id) 'x' --y", "a$(id) 'x' --yb")
    assert _job({"param.odd": "{param.method}"}, offer).program == ("tool", "{param.method}", "a{param.method}b")


def test_a_line_of_the_person_s_own_is_no_program_of_the_catalogue() -> None:
    assert _job({}, _offer(command=builders.job_type(run=None, command="any"))).program is None


def test_a_job_has_its_own_environment_and_not_that_of_notebooks() -> None:
    needs = {"modules": ["recon/{param.method}"], "environment": {"DEEP": "{param.quality}"}}
    job = _job({"param.method": "full"}, _offer(recon=builders.job_type(**needs, directives={"nice": 5})))
    (environment,) = job.environments
    assert (environment.modules, environment.variables) == (("recon/full",), {"DEEP": "5"})
    assert job.directives == {"nice": "5"}


def test_the_owner_is_who_they_are_at_the_site() -> None:
    job = _job({}, _offer(Person("judy")))
    assert (job.user, job.owner) == ("judy", "jmeier")


@pytest.mark.parametrize(
    ("chosen", "field", "said"),
    [
        ({"type": "other"}, "type", "Job type: other is not offered. Choose one of: recon."),
        ({"profile": "jupyterlab"}, "profile", "There is no choice named profile. Choices are type, site, "),
        ({"site": "bern"}, "site", "Cluster: bern is not offered. Choose one of: geneva."),
        ({"cores": "9"}, "cores", "Cores: 9 is not offered. Choose 1 to 8."),
        ({"param.method": "slow"}, "param.method", "Method: slow is not offered. Choose one of: fast, full."),
        (
            {"param.x": "1"},
            "param.x",
            "Reconstruction has no parameter named x. Its parameters are: method",
        ),
    ],
)
def test_what_cannot_be_had_is_refused_with_what_can(chosen: dict[str, str], field: str, said: str) -> None:
    refused = _refused(chosen)
    assert refused.field == field
    assert refused.message.startswith(said)


_NAMES = st.sampled_from((*JOB_FIELDS, "param.method", "param.quality")) | st.text(max_size=20)
_VALUES = st.sampled_from(("recon", "geneva", "fast", "7", "1h", "2")) | st.text(max_size=30) | st.none()


def _answer(chosen: dict[str, Any]) -> BatchLaunch | ChoiceRefused:
    try:
        return resolve_job(_OFFER, Choices.of(chosen, JOB_FIELDS))
    except ChoiceRefused as refused:
        return refused


@given(st.dictionaries(_NAMES, _VALUES, max_size=5))
def test_hostile_choices_are_refused_or_give_only_what_is_offered(chosen: dict[str, Any]) -> None:
    match _answer(chosen):
        case BatchLaunch() as job:
            assert job.program in _PROGRAMS
            assert (job.site_key, job.owner) == ("geneva", "alice")
            assert job.nodes in (1, 2)
            assert 1 <= job.cores <= 8
            assert 1 <= job.time_minutes <= 12 * 60
        case refused:
            assert (refused.message + refused.field).isprintable()


def test_a_type_for_others_is_one_that_there_is_not() -> None:
    staff = builders.job_type(visible_to={"groups": ["staff"]})
    offer = _offer(recon=builders.job_type(), staff=staff)
    assert _refused({"type": "staff"}, offer).message == _refused({"type": "nonsense"}, offer).message.replace(
        "nonsense", "staff"
    )
    theirs = _offer(Person("ruth", frozenset({"staff"})), recon=builders.job_type(), staff=staff)
    assert _job({"type": "staff"}, theirs).type_key == "staff"
    assert _refused({}, _offer(staff=staff)).field == "type"


def test_a_job_type_is_no_profile() -> None:
    offer = builders.offer(builders.catalogue(sites=_SITES, job_types={"recon": builders.job_type()}))
    with pytest.raises(ChoiceRefused, match="Profile: recon is not offered"):
        resolve(offer, Choices.of({"profile": "recon"}))
    with pytest.raises(ChoiceRefused, match="There is no choice named type"):
        Choices.of({"type": "recon"}, FIELDS)


def test_only_sites_that_take_jobs_are_asked_about_jobs() -> None:
    assert sites_for(_offer().menu, Person("alice")) == {"geneva"}
