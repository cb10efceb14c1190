"""Which fields there are, and what may be picked."""

from typing import Any

import pytest

from profiles.catalogue.catalogue import Catalogue
from profiles.errors import ChoiceRefused
from profiles.facts import Facts, SiteFacts
from profiles.form import page as form
from profiles.form import told
from profiles.form.table import Pairs
from profiles.loading import load
from profiles.offer.choices import Choices
from profiles.offer.offer import Person
from tests.profiles.form.shown import ADDRESSES, FIELDS, Page, opened
from tests.support import builders
from tests.support.folders import DATA

# -- projects -------------------------------------------------------------------------------------------


def _form(facts: Facts, typed: dict[str, str] | None = None, **projects: object) -> Page:
    """Return the form of a catalogue whose sites have these projects."""
    sites = {name: builders.site(title=name.title(), projects=asked) for name, asked in projects.items()}
    return Page(form.render(builders.offer(builders.catalogue(sites=sites), facts), typed or {}))


def test_where_no_site_charges_projects_nobody_is_asked_for_one() -> None:
    assert not [each for _, each in _form({}, geneva="none").elements if each.get("name") == "project"]


def test_the_hint_of_the_projects_names_the_sites_that_charge_them() -> None:
    assert "Only at Lugano, Bern." in _form({}, geneva="none", lugano="accounting", bern=["a"]).text
    assert "only" not in _form({}, lugano="accounting", bern=["a"]).text.lower()


def test_known_projects_can_be_picked_or_left_to_the_site() -> None:
    page = _form({"lugano": SiteFacts(projects=("proj3", "proj12"))}, lugano="accounting", bern=["proj5", "proj3"])
    assert page.options("project") == ["", "proj3", "proj12", "proj5"]
    assert "Your default project" in page.text


@pytest.mark.parametrize("facts", [{}, {"lugano": SiteFacts()}])
def test_projects_that_are_not_known_yet_are_typed(facts: Facts) -> None:
    page = _form(facts, {"project": 'proj"3'}, lugano="accounting", bern=["proj5"])
    assert (page.field("project")["type"], page.field("project")["value"]) == ("text", 'proj"3')


def test_who_has_no_project_is_told_so() -> None:
    page = _form({"lugano": SiteFacts(projects=())}, lugano="accounting")
    assert page.options("project") == [""]
    assert "You have no project there" in page.text


def test_projects_of_the_accounting_are_text_and_not_markup() -> None:
    page = _form({"lugano": SiteFacts(projects=('"><b>x',))}, lugano="accounting")
    assert page.options("project") == ["", '"><b>x']
    assert not page.all("b")


def test_a_refused_project_stands_above_a_form_that_has_no_field_for_it() -> None:
    offer = builders.catalogue(sites={"geneva": builders.site(projects="none")})
    page = Page(form.render(builders.offer(offer), {}, ChoiceRefused("project", "Leave the project out.")))
    assert page.text.strip().startswith("Leave the project out.")


def test_all_refused_fields_are_marked_and_the_first_has_the_focus() -> None:
    refused = ChoiceRefused("time", "Not so long.", [ChoiceRefused("memory", "Which unit?")])
    page = opened({"time": "99h"}, refused)
    assert {name for name in FIELDS if page.field(name).get("aria-invalid")} == {"time", "memory"}
    assert [name for name in FIELDS if "autofocus" in page.field(name)] == ["time"]
    assert page.field("memory")["aria-describedby"] == "memory-hint memory-problem"
    assert "Not so long." in page.text
    assert "Which unit?" in page.text


def test_the_catalogue_is_text_and_not_markup() -> None:
    page = opened({"profile": "big"})
    assert {"script", "b"}.isdisjoint(tag for tag, _ in page.elements)
    assert "Big & <b>bold</b>" in page.text
    assert "Lugano <script>" in page.text
    assert "One of them <leads>." in page.text


# -- only what may be changed ---------------------------------------------------------------------------


def _fields_of(profile: dict[str, Any], **site: Any) -> list[str | None]:
    sites = {
        "geneva": builders.site(**{"partitions": {}, "projects": "none", "reservations": [], "qos": [], **site})
    }
    page = Page(form.render(builders.offer(builders.catalogue(sites=sites, profiles={"one": profile})), {}))
    return [each["name"] for _, each in page.elements if "name" in each][2:]


def test_what_is_fixed_is_not_asked_for() -> None:
    assert _fields_of(builders.profile(resources={"time": "1h", "cores": 4})) == []
    one_of_each = {"version": {"title": "V", "options": ["a"]}, "n": {"title": "N", "min": 3, "max": 3}}
    assert _fields_of(builders.profile(resources={"time": "1h"}, parameters=one_of_each)) == []


def test_what_may_be_changed_is_asked_for() -> None:
    more = {"cores": {"options": [1, 4]}, "nodes": {"default": 1, "max": 2}, "time": "1h"}
    gpus = {"gpus": {"default": 0, "max": 1}, "gpu_types": ["a100", "t4"]}
    assert _fields_of(builders.profile(resources={**more, **gpus})) == ["cores", "gpus", "gpu_type", "nodes"]


def test_a_partition_is_asked_for_only_where_there_is_a_choice() -> None:
    fixed = builders.profile(resources={"time": "1h"})
    assert _fields_of(fixed, partitions={"normal": {}}) == []
    assert _fields_of(fixed, partitions={"normal": {}, "debug": {}}) == ["partition"]


def test_a_partition_is_offered_by_its_title_and_its_limit() -> None:
    texts = " ".join(opened().texts("partition"))
    assert "normal (at most 8 h)" in texts
    assert "Debug (at most 10 min)" in texts


def test_where_partitions_have_defaults_of_their_own_the_field_names_all_of_them() -> None:
    partitions = {"normal": {}, "gpu": {"title": "GPUs", "defaults": {"cores": 4, "memory": "2G"}}}
    catalogue = builders.catalogue(sites={"geneva": builders.site(partitions=partitions)})
    pairs = Pairs.of(builders.offer(catalogue))
    (cores,), (memory,), (time,) = (pairs.named(name) for name in ("cores", "memory", "time"))
    assert (cores.usual, cores.default, cores.hint) == (
        "",
        "As the partition has it",
        "1 to 8. Default: 1 in normal, 4 in GPUs.",
    )
    assert memory.hint == "256 MB to 4 GB. Default: 1 GB in normal, 2 GB in GPUs."
    assert time.usual == "1h"


def test_options_are_a_list_and_a_range_is_a_number_with_its_bounds() -> None:
    page = opened({"profile": "big"})
    assert page.options("param.version") == ["", "2024a", "2024b"]
    assert "Default: Autumn" in page.text
    workers = page.field("param.workers")
    assert (workers["type"], workers["min"], workers["max"], workers["placeholder"]) == ("number", "1", "9", "1")
    assert (page.field("cores")["min"], page.field("cores")["max"]) == ("1", "8")


def test_a_hidden_profile_is_nowhere_in_the_page() -> None:
    profiles = {
        "open": builders.profile(),
        "secret": builders.profile(name="Sesame", visible_to={"groups": ["x"]}),
    }
    what = builders.catalogue(profiles=profiles)
    for typed in ({}, {"profile": "secret"}):
        page = form.render(builders.offer(what), typed, addresses=ADDRESSES)
        assert "secret" not in page
        assert "Sesame" not in page
    assert "Sesame" in form.render(builders.offer(what, person=Person("alice", frozenset({"x"}))), {})


def _shown(catalogue: Catalogue) -> list[object]:
    """Return all that the form shows and tells its script, at first and after a refusal."""
    offer = builders.offer(catalogue, person=Person("alice", frozenset({"staff"})))
    typed = {"profile": "short", "time": "99d"}
    pages = [
        form.render(offer, {}, None, ADDRESSES),
        form.render(offer, typed, ChoiceRefused("time", "No."), ADDRESSES),
    ]
    return [*pages, told.data(offer), told.looked_at(offer, Choices.of(typed))]


def test_job_types_change_nothing_of_the_form() -> None:
    everything = load.read(DATA / "catalogues" / "good" / "everything.yaml")
    sites = {key: site.model_copy(update={"jobs": None}) for key, site in everything.sites.items()}
    assert everything.job_types
    assert _shown(everything) == _shown(everything.model_copy(update={"job_types": {}, "sites": sites}))


def test_who_sees_nothing_is_told_so() -> None:
    what = builders.catalogue(profiles={"secret": builders.profile(visible_to={"groups": ["x"]})})
    assert "Nothing is offered to you here" in form.render(builders.offer(what), {})
