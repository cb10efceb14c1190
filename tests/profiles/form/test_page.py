import itertools
import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.catalogue.catalogue import Catalogue
from profiles.errors import ChoiceRefused
from profiles.facts import Capacity, Facts, Nodes, PartitionFacts, Pause, Reservation, SiteFacts
from profiles.form import page as form
from profiles.form import told
from profiles.form.table import Pairs
from profiles.loading import load
from profiles.offer.choices import Choices
from profiles.offer.launch import resolve
from profiles.offer.offer import Person
from tests.support import builders
from tests.support.folders import DATA

_FIELDS = (
    "profile",
    "site",
    "partition",
    "project",
    "time",
    "cores",
    "memory",
    "gpus",
    "reservation",
    "qos",
    "param.version",
    "param.workers",
)
_PARAMETERS = {
    "version": {"title": "Version", "options": {"2024a": "Spring", "2024b": "Autumn"}, "default": "2024b"},
    "workers": {"title": "Workers", "min": 1, "max": 9, "description": "One of them <leads>."},
}
_OFFER = builders.catalogue(
    sites={"geneva": builders.site(), "lugano": builders.site(title="Lugano <script>")},
    profiles={
        "jupyterlab": builders.profile(),
        "big": builders.profile(
            name="Big & <b>bold</b>", description="**More** of <b>it</b>", parameters=_PARAMETERS, icon="brain"
        ),
    },
)


_ADDRESSES = form.Addresses("/hub/launch-pages/0123/main.js", "/hub/api/offer?user=alice&server=")


class _Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.html = html
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for each, attributes in self.elements if each == tag]

    def field(self, name: str) -> dict[str, str | None]:
        (found,) = [attributes for _, attributes in self.elements if attributes.get("name") == name]
        return found

    def texts(self, name: str) -> list[str]:
        """What people read of the options of the select called `name`."""
        markup = self.html.split(f'name="{name}"', 1)[1].split("</select>", 1)[0]
        return [each.split("</option>", 1)[0] for each in markup.split("<option ")[1:]]

    def data(self) -> dict[str, Any]:
        """What the script of the form is told."""
        found: dict[str, Any] = json.loads(
            self.html.split('id="launch-offer"', 1)[1].split(">", 1)[1].split("</script>", 1)[0]
        )
        return found

    def options(self, name: str) -> list[str | None]:
        """The values that the select called `name` offers."""
        selects = [(tag, each) for tag, each in self.elements if tag in ("select", "option")]
        (start,) = [index for index, (_, each) in enumerate(selects) if each.get("name") == name]
        rest = itertools.takewhile(lambda pair: pair[0] == "option", selects[start + 1 :])
        return [each["value"] for _, each in rest]


def _page(typed: dict[str, str] | None = None, refused: ChoiceRefused | None = None) -> _Page:
    return _Page(form.render(builders.offer(_OFFER), typed or {}, refused))


def test_every_field_has_a_label() -> None:
    page = _page()
    assert {label["for"] for label in page.all("label")} == set(_FIELDS)
    assert {page.field(name)["id"] for name in _FIELDS} == set(_FIELDS)


def test_every_profile_and_site_can_be_picked() -> None:
    page = _page()
    assert (page.options("profile"), page.options("site")) == (["jupyterlab", "big"], ["geneva", "lugano"])


def test_at_first_the_defaults_are_picked_and_nothing_is_refused() -> None:
    page = _page()
    assert [option["value"] for option in page.all("option") if "selected" in option] == ["jupyterlab", "geneva"]
    assert page.field("time")["value"] == ""
    assert not [attributes for _, attributes in page.elements if attributes.get("role") == "alert"]


def test_what_was_typed_is_kept() -> None:
    page = _page({"profile": "big", "site": "lugano", "project": "chemistry", "time": "2h", "param.workers": "7"})
    picked = [option["value"] for option in page.all("option") if "selected" in option]
    assert picked == ["big", "lugano", "chemistry"]
    assert (page.field("time")["value"], page.field("param.workers")["value"]) == ("2h", "7")


@pytest.mark.parametrize("name", _FIELDS)
def test_the_refused_field_is_marked_and_described_by_its_sentence(name: str) -> None:
    page = _page({}, ChoiceRefused(name, 'Choose <less> & "other".'))
    assert page.field(name)["aria-invalid"] == "true"
    assert "is-invalid" in str(page.field(name)["class"])
    (problem,) = [each for _, each in page.elements if each.get("role") == "alert"]
    assert str(page.field(name)["aria-describedby"]).split() == [f"{name}-hint", problem["id"]]
    assert 'Choose <less> & "other".' in page.text
    assert [each for each in _FIELDS if "aria-invalid" in page.field(each)] == [name]


def test_every_field_is_described_by_its_hint() -> None:
    page = _page()
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert {page.field(name)["aria-describedby"] for name in _FIELDS} <= ids


def test_a_refusal_of_something_without_a_field_stands_above_the_form() -> None:
    page = _page({}, ChoiceRefused("param.x", "There is no <x>."))
    assert page.text.strip().startswith("There is no <x>.")
    assert not [each for each in _FIELDS if "aria-invalid" in page.field(each)]


def test_profiles_of_several_categories_stand_under_them() -> None:
    profiles = {"one": builders.profile(category="Physics <1>"), "two": builders.profile()}
    page = _Page(form.render(builders.offer(builders.catalogue(profiles=profiles)), {}))
    assert [each["label"] for each in page.all("optgroup")][:2] == ["Physics <1>", "Other"]
    assert page.options("profile") == ["one", "two"]


def test_last_times_cluster_gives_way_if_nothing_can_be_started_there() -> None:
    sites = {"geneva": builders.site(maintenance=_PAUSE), "bern": builders.site(title="Bern")}
    what = builders.offer(builders.catalogue(sites=sites))
    assert 'value="bern" selected' in form.render(what, {"site": "geneva"})
    refused = form.render(what, {"site": "geneva"}, ChoiceRefused("site", "Not there."))
    assert 'value="geneva" selected' in refused


# -- projects -------------------------------------------------------------------------------------------


def _form(facts: Facts, typed: dict[str, str] | None = None, **projects: object) -> _Page:
    """Return the form of a catalogue whose sites have these projects."""
    sites = {name: builders.site(title=name.title(), projects=asked) for name, asked in projects.items()}
    return _Page(form.render(builders.offer(builders.catalogue(sites=sites), facts), typed or {}))


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
    page = _Page(form.render(builders.offer(offer), {}, ChoiceRefused("project", "Leave the project out.")))
    assert page.text.strip().startswith("Leave the project out.")


def test_all_refused_fields_are_marked_and_the_first_has_the_focus() -> None:
    refused = ChoiceRefused("time", "Not so long.", [ChoiceRefused("memory", "Which unit?")])
    page = _page({"time": "99h"}, refused)
    assert {name for name in _FIELDS if page.field(name).get("aria-invalid")} == {"time", "memory"}
    assert [name for name in _FIELDS if "autofocus" in page.field(name)] == ["time"]
    assert page.field("memory")["aria-describedby"] == "memory-hint memory-problem"
    assert "Not so long." in page.text
    assert "Which unit?" in page.text


def test_the_catalogue_is_text_and_not_markup() -> None:
    page = _page({"profile": "big"})
    assert {"script", "b"}.isdisjoint(tag for tag, _ in page.elements)
    assert "Big & <b>bold</b>" in page.text
    assert "Lugano <script>" in page.text
    assert "One of them <leads>." in page.text


# -- descriptions ---------------------------------------------------------------------------------------


def test_a_description_is_markdown_beside_its_icon() -> None:
    page = _page({"profile": "big"})
    assert "<strong>More</strong> of &lt;b&gt;it&lt;/b&gt;" in page.html
    (icon,) = page.all("i")
    assert ("fa-brain" in str(icon["class"]), icon["aria-hidden"]) == (True, "true")
    assert not _page().all("i")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        '<a href="x" onclick="alert(1)">x</a>',
        "![x](http://elsewhere.test/spy.png)",
        "<iframe src=http://elsewhere.test></iframe>",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](irc://elsewhere.test/)",
    ],
)
def test_a_description_brings_no_scripts_and_nothing_from_elsewhere(text: str) -> None:
    what = builders.catalogue(profiles={"one": builders.profile(description=text)})
    page = _Page(form.render(builders.offer(what), {}))
    assert {"script", "img", "iframe"}.isdisjoint(tag for tag, _ in page.elements)
    assert not [each for _, each in page.elements if "onclick" in each]
    assert not [
        each for each in page.all("a") if str(each.get("href")).split(":")[0] not in ("None", "http", "https")
    ]


def test_a_description_may_link_to_the_web() -> None:
    what = builders.catalogue(profiles={"one": builders.profile(description="[help](https://help.test/)")})
    (link,) = _Page(form.render(builders.offer(what), {})).all("a")
    assert (link["href"], link["rel"]) == ("https://help.test/", "noopener noreferrer")


# -- only what may be changed ---------------------------------------------------------------------------


def _fields_of(profile: dict[str, Any], **site: Any) -> list[str | None]:
    sites = {
        "geneva": builders.site(**{"partitions": {}, "projects": "none", "reservations": [], "qos": [], **site})
    }
    page = _Page(form.render(builders.offer(builders.catalogue(sites=sites, profiles={"one": profile})), {}))
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
    texts = " ".join(_page().texts("partition"))
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
    page = _page({"profile": "big"})
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
        page = form.render(builders.offer(what), typed, addresses=_ADDRESSES)
        assert "secret" not in page
        assert "Sesame" not in page
    assert "Sesame" in form.render(builders.offer(what, person=Person("alice", frozenset({"x"}))), {})


def _shown(catalogue: Catalogue) -> list[object]:
    """Return all that the form shows and tells its script, at first and after a refusal."""
    offer = builders.offer(catalogue, person=Person("alice", frozenset({"staff"})))
    typed = {"profile": "short", "time": "99d"}
    pages = [
        form.render(offer, {}, None, _ADDRESSES),
        form.render(offer, typed, ChoiceRefused("time", "No."), _ADDRESSES),
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


# -- what is known of the sites -------------------------------------------------------------------------


def _nodes(count: int, cores: int, free: int | None) -> Nodes:
    return Nodes(count, Capacity(cores, 4096), None if free is None else Capacity(free, 4096))


def _facts(*nodes: Nodes, minutes: int = 0, **more: Any) -> Facts:
    partition = PartitionFacts(True, True, None, None, nodes)
    asked_at = builders.NOW - timedelta(minutes=minutes)
    return {"geneva": SiteFacts(partitions={"normal": partition}, asked_at=asked_at, **more)}


_PAUSE = [{"begins": "2026-03-02 09:00+00:00", "ends": "2026-03-02 18:30+00:00"}]
_TO_COME = [{"begins": "2026-03-02 12:00+00:00", "ends": "2026-03-03 18:30+00:00", "text": "New disks."}]


@pytest.mark.parametrize(
    ("facts", "label"),
    [
        ({}, "Geneva"),
        (
            _facts(_nodes(8, 4, 4), _nodes(2, 4, 1), _nodes(1, 4, None)),
            "Geneva (starts at once: 34 of 44 cores free)",
        ),
        (_facts(_nodes(1, 4, 2)), "Geneva (starts at once: 2 of 4 cores free)"),
        (_facts(_nodes(3, 4, 1)), "Geneva (likely to wait: 3 of 12 cores free)"),
        (_facts(_nodes(3, 1, 1)), "Geneva (no node is large enough)"),
        (_facts(_nodes(2, 4, 4), minutes=3), "Geneva (starts at once: 8 of 8 cores free, 3 min ago)"),
        (
            _facts(_nodes(2, 4, 4), minutes=40, is_stale=True),
            "Geneva (starts at once: 8 of 8 cores free, no news since 09:20)",
        ),
        (
            _facts(_nodes(2, 4, 4), unreachable_since=builders.NOW - timedelta(minutes=5)),
            "Geneva (unreachable since 09:55)",
        ),
    ],
)
def test_a_cluster_says_whether_the_profile_would_start_at_once(facts: Facts, label: str) -> None:
    profile = builders.profile(resources={"cores": {"default": 2, "min": 2, "max": 4}})
    what = builders.catalogue(
        sites={"geneva": builders.site(partitions={"normal": {}})}, profiles={"one": profile}
    )
    (text,) = _Page(form.render(builders.offer(what, facts), {})).texts("site")
    closed = " disabled" if "large enough" in label else ""
    assert text == f'value="geneva" selected{closed}>{label}'


def test_the_nodes_that_count_are_those_of_the_partition_that_is_asked() -> None:
    nodes = {"normal": _nodes(2, 4, 4), "debug": _nodes(9, 4, 0)}
    real = {name: PartitionFacts(True, False, None, None, (each,)) for name, each in nodes.items()}
    facts = {"geneva": SiteFacts(partitions=real)}
    page = _Page(form.render(builders.offer(builders.catalogue(), facts), {}))
    assert page.texts("site") == ['value="geneva" selected>Geneva (starts at once: 8 of 8 cores free)']


def test_a_cluster_in_maintenance_says_until_when_and_another_is_picked() -> None:
    sites = {"geneva": builders.site(maintenance=_PAUSE), "bern": builders.site(title="Bern")}
    page = _Page(form.render(builders.offer(builders.catalogue(sites=sites), _facts(_nodes(8, 4, 4))), {}))
    assert page.texts("site") == [
        'value="geneva" disabled>Geneva (in maintenance until 18:30)',
        'value="bern" selected>Bern',
    ]


def test_a_coming_maintenance_is_announced_with_its_dates() -> None:
    sites = {"geneva": builders.site(maintenance=_TO_COME)}
    page = _Page(form.render(builders.offer(builders.catalogue(sites=sites)), {}))
    assert "Geneva will be in maintenance from 12:00 UTC to 2026-03-03 18:30 UTC. New disks." in page.text
    assert "1 min to 2 h. The maintenance of Geneva begins at 12:00 UTC." in page.text
    assert "because" not in _page().text


def test_a_time_that_is_refused_for_a_maintenance_is_so_until_a_moment_of_the_readers() -> None:
    offer = builders.offer(builders.catalogue(sites={"geneva": builders.site(maintenance=_TO_COME)}))
    with pytest.raises(ChoiceRefused) as refused:
        resolve(offer, Choices({"time": "4h"}))
    page = _Page(form.render(offer, {"time": "4h"}, refused.value))
    assert "Choose 1m to 2h. The maintenance of Geneva begins at 12:00 UTC." in page.text
    problem = re.findall(r'id="time-problem"[^>]*>(.*?)</div>', page.html)
    assert problem[0].endswith('begins at <time datetime="2026-03-02T12:00:00+00:00">12:00 UTC</time>.')


def test_a_maintenance_under_way_says_until_when_and_why_as_text() -> None:
    sites = {"geneva": builders.site(maintenance=[_PAUSE[0] | {"text": "New <b>switches</b>."}])}
    page = _Page(form.render(builders.offer(builders.catalogue(sites=sites)), {}))
    assert "Geneva is in maintenance until 18:30 UTC (New <b>switches</b>)." in page.text
    assert page.all("time") == [{"datetime": "2026-03-02T18:30:00+00:00"}]
    assert not page.all("b")


def _paused(begins: timedelta, *names: str) -> Facts:
    """Return what Slurm says once `disks` is to take every node of some partitions of Geneva, so long from NOW."""
    pause = Pause("disks", builders.NOW + begins, builders.NOW + timedelta(hours=9))
    real = {
        name: PartitionFacts(
            True, name == "normal", None, None, (_nodes(2, 8, 8),), (pause,) if name in names else ()
        )
        for name in ("normal", "debug")
    }
    return {"geneva": SiteFacts(partitions=real)}


@pytest.mark.parametrize(
    ("names", "notice", "hint"),
    [
        (
            ("normal", "debug"),
            "Geneva will be in maintenance from 10:30 UTC to 19:00 UTC.",
            "1 min to 30 min. The maintenance of the partition normal begins at 10:30 UTC.",
        ),
        (("debug",), "Geneva (Debug) will be in maintenance from 10:30 UTC to 19:00 UTC.", "1 min to 8 h."),
    ],
)
def test_slurms_own_maintenance_is_announced(names: tuple[str, ...], notice: str, hint: str) -> None:
    page = _Page(form.render(builders.offer(facts=_paused(timedelta(minutes=30), *names)), {}))
    assert notice in page.text
    assert hint in page.text
    assert page.text.count("will be in maintenance from") == 1


def test_what_the_catalogue_announces_too_is_told_once() -> None:
    pause = {"begins": "2026-03-02 10:00+00:00", "ends": "2026-03-02 19:00+00:00", "text": "New disks."}
    sites = {"geneva": builders.site(maintenance=[pause | {"begins": "2026-03-02 10:29+00:00"}])}
    facts = _paused(timedelta(minutes=30), "normal", "debug")
    page = _Page(form.render(builders.offer(builders.catalogue(sites=sites), facts), {}))
    assert page.text.count("will be in maintenance from") == 1
    assert "Geneva will be in maintenance from 10:29 UTC to 19:00 UTC. New disks." in page.text


def test_slurms_own_maintenance_says_until_when() -> None:
    page = _Page(form.render(builders.offer(facts=_paused(-timedelta(minutes=30), "normal", "debug")), {}))
    assert page.texts("site") == ['value="geneva" selected>Geneva (in maintenance until 19:00)']
    page = _Page(form.render(builders.offer(facts=_paused(-timedelta(minutes=30), "debug")), {}))
    assert page.texts("site") == ['value="geneva" selected>Geneva (starts at once: 16 of 16 cores free)']
    assert "Debug (at most 10 min, in maintenance until 19:00)" in page.text


def test_a_cluster_that_does_not_offer_the_picked_profile_says_so() -> None:
    profiles = {"here": builders.profile(sites=["geneva"]), "there": builders.profile(sites=["bern"])}
    sites = {"geneva": builders.site(), "bern": builders.site(title="Bern")}
    page = _Page(form.render(builders.offer(builders.catalogue(sites=sites, profiles=profiles)), {}))
    assert page.texts("site")[1] == 'value="bern">Bern (does not offer this profile)'


def test_a_reservation_of_hers_can_be_picked() -> None:
    times = {"begins": builders.NOW, "ends": builders.NOW + timedelta(hours=1)}
    facts = {"geneva": SiteFacts(reservations=(Reservation("course", None, ("alice",), (), **times),))}
    assert _Page(form.render(builders.offer(_OFFER, facts), {})).options("reservation") == ["", "school", "course"]


# -- what the script is told ----------------------------------------------------------------------------


def _scripted(what: Catalogue, facts: Facts | None = None) -> _Page:
    return _Page(form.render(builders.offer(what, facts), {}, addresses=_ADDRESSES))


def test_the_script_is_a_file_of_its_own() -> None:
    page = _scripted(_OFFER)
    assert [each.get("src", each.get("type")) for each in page.all("script")] == [
        "application/json",
        "/hub/launch-pages/0123/main.js",
    ]
    assert not _page().all("script")


def test_without_the_script_a_field_says_who_has_it() -> None:
    assert "Only for Big & <b>bold</b>. 1 to 9. One of them <leads>." in _page().text


def test_the_script_knows_the_fields_of_each_profile_at_each_site() -> None:
    data = _told(told.data(builders.offer(_OFFER)))
    fields, pairs = data["fields"], data["profiles"]
    names = {key: [fields[index]["name"] for index in pairs[key]["sites"]["geneva"][1]] for key in pairs}
    assert names["big"] == [*names["jupyterlab"], "param.version", "param.workers"]
    assert data["places"][pairs["big"]["sites"]["lugano"][0]]["title"] == "Lugano <script>"
    assert "<strong>More</strong>" in pairs["big"]["description"]


@pytest.mark.parametrize("picked", ["jupyterlab", "big"])
def test_the_page_brings_what_it_shows_first(picked: str) -> None:
    page = _Page(form.render(builders.offer(_OFFER), {"profile": picked}, addresses=_ADDRESSES))
    brought, whole = page.data(), _told(told.data(builders.offer(_OFFER)))
    assert list(brought["profiles"]) == [picked]
    for site, (place, indexes) in whole["profiles"][picked]["sites"].items():
        at = brought["profiles"][picked]["sites"][site]
        assert brought["places"][at[0]] == whole["places"][place]
        assert [brought["fields"][index] for index in at[1]] == [whole["fields"][index] for index in indexes]
    assert brought["elsewhere"] == whole["elsewhere"]
    # A script element ends at the first `</script`, wherever it stands.
    assert "<" not in page.html.split('id="launch-offer"', 1)[1].split(">", 1)[1].split("</script>", 1)[0]


def test_a_page_grows_by_a_line_for_each_profile() -> None:
    def size(number: int) -> int:
        many = {f"p{each:04}": builders.profile(name=f"P {each:04}") for each in range(number)}
        return len(_scripted(builders.catalogue(profiles=many)).html)

    assert size(301) - size(300) == len('<option value="p0300">P 0300</option>') + len("      \n")


def test_what_a_thousand_profiles_have_in_common_is_told_once() -> None:
    many = {f"p{number}": builders.profile(name=f"P {number}") for number in range(1000)}
    data = _told(told.data(builders.offer(builders.catalogue(profiles=many))))
    assert (len(data["profiles"]), len(data["fields"]), len(data["places"])) == (1000, 8, 1)


def _told(data: dict[str, Any]) -> dict[str, Any]:
    """What the browser makes of it."""
    found: dict[str, Any] = json.loads(json.dumps(data))
    return found


# -- nothing typed is markup ----------------------------------------------------------------------------

_EMPTY = _page()
_hostile = st.text() | st.sampled_from(
    ['"><script>alert(1)</script>', "' onfocus=alert(1) x='", "</select><b>", "{{ 7*7 }}", "&quot;"]
)


@given(st.dictionaries(st.sampled_from(_FIELDS) | st.text(), _hostile), _hostile, st.sampled_from(_FIELDS))
def test_nothing_typed_becomes_markup(typed: dict[str, str], message: str, name: str) -> None:
    page = _page(typed)
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in _EMPTY.elements]
    assert set(page.field("time")) == set(_EMPTY.field("time"))
    refused = _page(typed, ChoiceRefused(name, message))
    assert [tag for tag, _ in refused.elements if tag != "div"] == [
        tag for tag, _ in _EMPTY.elements if tag != "div"
    ]


def test_a_typed_value_comes_back_as_it_was() -> None:
    assert _page({"time": '"><script>alert(1)</script>'}).field("time")["value"] == '"><script>alert(1)</script>'


def test_a_sent_form_becomes_choices() -> None:
    sent = {"_xsrf": ["2|abc"], "profile": ["big"], "site": ["geneva"], "time": [""]}
    assert form.parse(sent).values == {"profile": "big", "site": "geneva"}


def test_a_rendered_form_sends_choices_that_are_accepted() -> None:
    page = _page()
    sent = {"profile": [page.all("option")[0]["value"]], "time": [page.field("time")["value"]]}
    assert builders.launch(_OFFER, dict(form.parse(sent).values)).profile_key == "jupyterlab"  # type: ignore[arg-type]


def test_a_form_sent_as_it_came_is_accepted() -> None:
    page = _page()
    sent = {name: [str(page.field(name).get("value") or "")] for name in _FIELDS}
    launch = resolve(builders.offer(_OFFER), form.parse({**sent, "profile": ["big"], "site": ["lugano"]}))
    assert launch.choices == Choices({"profile": "big", "site": "lugano"})


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"site": ["geneva", "lugano"]}, "site"),
        ({"site": []}, "site"),
        ({"user": ["root"]}, "user"),
        ({"time_file": [{"filename": "x", "body": b"y", "content_type": "text/plain"}]}, "time_file"),
        ({"site": [{"filename": "x", "body": b"y"}]}, "site"),
        ({"site": ["a\nb"]}, "site"),
    ],
)
def test_a_form_of_another_shape_is_refused(sent: dict[str, Any], field: str) -> None:
    with pytest.raises(ChoiceRefused) as refused:
        form.parse(sent)
    assert refused.value.field == field


@given(st.dictionaries(st.text(max_size=10) | st.sampled_from(_FIELDS), st.lists(_hostile, max_size=2)))
def test_a_hostile_form_is_refused_or_becomes_choices(sent: dict[str, list[str]]) -> None:
    try:
        form.parse(sent)
    except ChoiceRefused as refused:
        form.render(builders.offer(_OFFER), {}, refused)
