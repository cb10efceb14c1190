from datetime import timedelta

import pytest

from profiles.form import page as form
from profiles.form import told
from profiles.offer.choices import Choices
from profiles.offer.offer import Person
from tests.support import builders

_OFFER = builders.catalogue(
    profiles={
        "one": builders.profile(
            name="Thalamus",
            category="Neuroscience",
            description="For **neuroscientists**.",
            modules=["neuron/7.5"],
            parameters={"atlas": {"title": "Atlas", "options": ["v1", "v2"]}},
            kernels=[{"name": "Thalamus 3.11", "requirements": ["numpy==1.26.4", "pandas"]}],
        ),
        "two": builders.profile(servers_max=1),
    }
)


@pytest.mark.parametrize(
    "word", ["thalamus", "neuroscience", "for neuroscientists", "neuron/7.5", "atlas", "numpy"]
)
def test_a_profile_is_found_by_what_is_in_it(word: str) -> None:
    profiles = told.data(builders.offer(_OFFER))["profiles"]
    assert [key for key in profiles if word in profiles[key]["search"]] == ["one"]


def test_what_is_asked_of_one_profile_says_nothing_of_the_others() -> None:
    data = told.looked_at(builders.offer(_OFFER), Choices({"profile": "two", "time": "2h"}))
    assert list(data["profiles"]) == ["two"]
    assert "2 h" in data["preview"]["summary"]


def test_a_cluster_for_others_alone_is_nowhere() -> None:
    sites = {"geneva": builders.site(), "secret": builders.site(title="Sesame")}
    hidden = builders.profile(sites=["secret"], visible_to={"groups": ["x"]})
    what = builders.catalogue(sites=sites, profiles={"one": builders.profile(sites=["geneva"]), "two": hidden})
    offer = builders.offer(what)
    for data in (told.data(offer), told.looked_at(offer, Choices({"profile": "one"}))):
        assert "Sesame" not in str(data)


def test_a_profile_of_which_one_more_is_too_many_says_so() -> None:
    profiles = told.data(builders.offer(_OFFER, person=Person("alice", running={"two": 1})))["profiles"]
    assert profiles["two"]["full"].startswith("You already have 1 server of JupyterLab")
    assert profiles["one"]["full"] == ""


def test_a_card_has_the_beginning_of_a_long_description() -> None:
    what = builders.catalogue(profiles={"one": builders.profile(description="<b>Many</b> *words* " * 30)})
    short = told.data(builders.offer(what))["profiles"]["one"]["short"]
    assert (len(short), "*" in short) == (121, False)


def test_a_card_says_what_a_launch_gets_if_nothing_is_chosen() -> None:
    resources = {"cores": 2, "memory": "512M", "gpus": 1, "nodes": 2, "time": "90m"}
    what = builders.catalogue(profiles={"one": builders.profile(resources=resources)})
    gets = told.data(builders.offer(what))["profiles"]["one"]["gets"]
    assert gets == "2 cores, 512 MB, 1 GPU, on each of 2 nodes, 1 h 30 min"


def test_moments_are_left_to_the_readers_clock() -> None:
    now, later = builders.NOW - timedelta(hours=1), builders.NOW + timedelta(hours=9)
    pause = {"ends": f"{later:%Y-%m-%d %H:%M}+00:00", "text": "New disks."}
    under_way = builders.site(maintenance=[pause | {"begins": f"{now:%Y-%m-%d %H:%M}+00:00"}])
    to_come = builders.site(title="Bern", maintenance=[pause | {"begins": "2026-03-02 12:30+00:00"}])
    offer = builders.offer(builders.catalogue(sites={"geneva": under_way, "bern": to_come}))
    data = told.data(offer)
    assert data["places"][0]["news"] == "in maintenance until {2026-03-02T19:00:00+00:00}"
    hints = [each["hint"] for each in data["fields"] if each["name"] == "time"]
    assert hints[1].endswith("The maintenance of Bern begins at {2026-03-02T12:30:00+00:00}.")
    asked = told.looked_at(offer, Choices({"site": "bern", "time": "8h"}))["preview"]
    assert asked["problems"]["time"].endswith("begins at {2026-03-02T12:30:00+00:00}.")
    # Without the script the page says them itself.
    page = form.render(offer, {}, addresses=form.Addresses("main.js", "offer"))
    assert "in maintenance until 19:00)</option>" in page
    assert "in maintenance until {2026-03-02T19:00:00+00:00}" in page.partition('id="launch-offer"')[2]
