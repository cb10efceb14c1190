from datetime import timedelta
from typing import Any

import pytest

from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.work import Work
from profiles.errors import ChoiceRefused
from profiles.facts import Facts, Reservation, SiteFacts
from profiles.form.table import Pairs
from profiles.offer.alike import alike
from profiles.offer.choices import Choices
from profiles.offer.launch import resolve
from profiles.offer.offer import Offer, Person, sites_for
from profiles.offer.summary import summary
from tests.support import builders

_HIDDEN = {
    "everybody": builders.profile(name="Everybody"),
    "neuro": builders.profile(name="Neuro", visible_to={"groups": ["neuro", "brain"]}),
    "fusion": builders.profile(name="Fusion", visible_to={"projects": ["proj3"]}),
    "either": builders.profile(name="Either", visible_to={"groups": ["neuro"], "projects": ["proj3"]}),
}
_SITES = {
    "geneva": builders.site(),
    "lugano": builders.site(title="Lugano", projects="accounting", login_name={"judy": "jmeier"}),
    "bern": builders.site(title="Bern", projects="none"),
}
_CATALOGUE = builders.catalogue(sites=_SITES, profiles=_HIDDEN)


def _offer(facts: Facts | None = None, *groups: str) -> Offer:
    return builders.offer(_CATALOGUE, facts, Person("alice", frozenset(groups)))


def _known(*projects: str) -> Facts:
    return {"lugano": SiteFacts(projects=projects)}


@pytest.mark.parametrize(
    ("offer", "seen"),
    [
        (_offer(), ("everybody",)),
        (_offer(None, "brain"), ("everybody", "neuro")),
        (_offer(None, "neuro"), ("everybody", "neuro", "either")),
        (_offer(_known("proj3")), ("everybody", "fusion", "either")),
        (_offer(_known("proj12")), ("everybody",)),
        (_offer(_known("proj3"), "neuro"), tuple(_HIDDEN)),
    ],
)
def test_a_person_sees_what_is_for_a_group_of_hers_or_a_project_of_hers(offer: Offer, seen: tuple[str]) -> None:
    assert offer.entries() == seen


def test_what_a_project_shows_is_seen_only_where_that_project_may_be_charged() -> None:
    assert _offer(_known("proj3")).sites("fusion") == ("lugano",)
    assert _offer(None, "neuro").sites("either") == ("geneva", "lugano", "bern")


def test_projects_that_a_site_lists_are_everybodys() -> None:
    sites = {"geneva": builders.site(projects=["proj3"])}
    assert builders.offer(builders.catalogue(sites=sites, profiles=_HIDDEN)).sites("fusion") == ("geneva",)


def test_while_projects_are_not_known_what_they_show_stays_hidden() -> None:
    offer = _offer({"lugano": SiteFacts()})
    assert offer.sites("fusion") == ()
    assert offer.why_not("fusion", "lugano") == (
        "alice does not see Fusion at Lugano: it is for people who may charge proj3. "
        "Which projects alice may charge there is not known."
    )


def test_a_site_may_say_otherwise_who_sees_a_profile_there() -> None:
    profile = builders.profile(sites={"geneva": {}, "lugano": {"visible_to": {"groups": ["neuro"]}}})
    catalogue = builders.catalogue(sites=_SITES, profiles={"lab": profile})
    assert builders.offer(catalogue).sites("lab") == ("geneva",)


@pytest.mark.parametrize(
    ("profile", "site", "sentence"),
    [
        ("matlab", "geneva", "There is no profile matlab."),
        ("everybody", "zug", "There is no site zug."),
        ("neuro", "geneva", "alice does not see Neuro at Geneva: it is for members of neuro or brain."),
        (
            "either",
            "bern",
            "alice does not see Either at Bern: it is for members of neuro and for people who may charge proj3.",
        ),
        ("everybody", "geneva", None),
    ],
)
def test_an_administrator_reads_why_somebody_cannot_start_something(
    profile: str, site: str, sentence: str | None
) -> None:
    assert _offer(_known()).why_not(profile, site) == sentence


def test_an_administrator_reads_that_a_site_does_not_offer_it() -> None:
    catalogue = builders.catalogue(sites=_SITES, profiles={"lab": builders.profile(sites=["bern"])})
    assert builders.offer(catalogue).why_not("lab", "geneva") == "JupyterLab is not offered at Geneva."


def _paused(**more: Any) -> Offer:
    pauses = [
        {"begins": "2026-03-05 08:00+00:00", "ends": "2026-03-06 08:00+00:00", "text": "New disks."},
        {"begins": "2026-03-03 08:00+00:00", "ends": "2026-03-03 18:00+00:00"},
    ]
    sites = {"geneva": builders.site(maintenance=pauses), "bern": builders.site(title="Bern")}
    return builders.offer(builders.catalogue(sites=sites), **more)


def test_before_a_maintenance_a_site_is_open_and_the_next_one_is_announced() -> None:
    offer = _paused()
    assert offer.why_not("jupyterlab", "geneva") is None
    pause = offer.announced("geneva")
    assert pause is not None
    assert offer.clock(pause.begins) == "2026-03-03 08:00"
    assert offer.announced("bern") is None


def test_an_administrator_is_shown_the_next_maintenance() -> None:
    said = "Geneva will be in maintenance from 2026-03-03 08:00 UTC to 2026-03-03 18:00 UTC."
    assert summary(_paused()).splitlines()[-2:] == ["", said]
    later = summary(_paused(now=builders.NOW + timedelta(days=2))).splitlines()
    assert (
        later[-1] == "Geneva will be in maintenance from 2026-03-05 08:00 UTC to 2026-03-06 08:00 UTC. New disks."
    )
    assert "will be in maintenance" not in summary(_paused(now=builders.NOW + timedelta(days=3)))


def test_during_a_maintenance_nothing_can_be_started_there() -> None:
    offer = _paused(now=builders.NOW + timedelta(days=3))
    assert offer.sites("jupyterlab") == ("geneva", "bern")
    assert (
        offer.why_not("jupyterlab", "geneva") == "Geneva is in maintenance until 2026-03-06 08:00 UTC (New disks)."
    )
    assert offer.why_not("jupyterlab", "bern") is None


def test_the_end_of_a_maintenance_of_today_is_a_time() -> None:
    offer = _paused(now=builders.NOW + timedelta(days=1))
    assert offer.why_not("jupyterlab", "geneva") == "Geneva is in maintenance until 18:00 UTC."


def test_when_a_maintenance_ends_the_site_is_open() -> None:
    assert _paused(now=builders.NOW + timedelta(days=1, hours=8)).closed("geneva") is None


def _reservation(name: str, hours: int = 1, **who: tuple[str, ...]) -> Reservation:
    whom = {"users": (), "accounts": (), **who}
    return Reservation(name, None, begins=builders.NOW, ends=builders.NOW + timedelta(hours=hours), **whom)


def test_reservations_for_a_person_or_a_project_of_hers_are_offered_beside_those_listed() -> None:
    reserved = (
        _reservation("mine", users=("bob", "jmeier")),
        _reservation("ours", accounts=("proj3",)),
        _reservation("theirs", users=("judy",), accounts=("proj12",)),
        _reservation("without-her", users=("-jmeier",), accounts=("proj3",)),
        _reservation("over", hours=0, users=("jmeier",)),
        _reservation("school", users=("jmeier",)),
    )
    facts = {"lugano": SiteFacts(projects=("proj3",), reservations=reserved)}
    offer = builders.offer(_CATALOGUE, facts, Person("judy"))
    assert tuple(offer.reservations("lugano", Work())) == ("school", "mine", "ours")
    assert tuple(offer.reservations("geneva", Work())) == ("school",)


_COURSES = {
    "course": {"title": "Course of May", "visible_to": {"groups": ["students"], "users": ["teacher"]}},
    "open": {},
}


@pytest.mark.parametrize(
    ("person", "titles"),
    [
        (Person("teacher"), ["Course of May", "open"]),
        (Person("eve", frozenset({"students"})), ["Course of May", "open"]),
        (Person("alice"), ["open"]),
    ],
)
def test_reservations_of_a_profile_are_for_it_and_for_whom_they_name(person: Person, titles: list[str]) -> None:
    profiles = {"course": builders.profile(reservations=_COURSES), "other": builders.profile()}
    site = builders.site(reservations=[])
    offer = builders.offer(builders.catalogue(sites={"geneva": site}, profiles=profiles), person=person)
    pairs = Pairs.of(offer)
    shown = [each for each in pairs.of_pair("course", "geneva") if each.name == "reservation"]
    assert [title for _, title in shown[0].options or ()] == titles
    assert not [each for each in pairs.of_pair("other", "geneva") if each.name == "reservation"]
    asked = Choices.of({"profile": "course", "reservation": "course"})
    if "Course of May" in titles:
        assert resolve(offer, asked).reservation == "course"
    else:
        with pytest.raises(ChoiceRefused, match="Choose one of: open"):
            resolve(offer, asked)
    with pytest.raises(ChoiceRefused, match="is not offered"):
        resolve(offer, Choices.of({"profile": "other", "reservation": "course"}))


def test_a_reservation_of_a_site_may_be_for_a_group() -> None:
    site = builders.site(reservations={"school": {"visible_to": {"groups": ["school"]}}})
    catalogue = builders.catalogue(sites={"geneva": site})
    seen = builders.offer(catalogue, person=Person("eve", frozenset({"school"})))
    assert tuple(seen.reservations("geneva", Work())) == ("school",)
    assert not builders.offer(catalogue).reservations("geneva", Work())
    assert alike(seen).key != alike(builders.offer(catalogue)).key


def test_a_site_is_for_those_who_may_be_offered_something_there() -> None:
    sites = {name: builders.site() for name in ("open", "staffs", "projects", "idle")}
    profiles = {
        "all": builders.profile(sites=["open"]),
        "staff": builders.profile(sites=["staffs", "open"], visible_to={"groups": ["staff"]}),
        "some": builders.profile(sites=["projects"], visible_to={"groups": ["staff"], "projects": ["physics"]}),
    }
    catalogue = builders.catalogue(sites=sites, profiles=profiles)
    assert sites_for(catalogue.notebooks, Person("alice")) == {"open", "projects"}
    staff = Person("alice", frozenset({"staff"}))
    assert sites_for(catalogue.notebooks, staff) == {"open", "projects", "staffs"}


def _named(**more: list[str]) -> Catalogue:
    profile = builders.profile(visible_to={"users": ["alice", "bob"], **more})
    return builders.catalogue(profiles={"lab": profile})


@pytest.mark.parametrize(("user", "seen"), [("alice", True), ("bob", True), ("carol", False), ("alic", False)])
def test_people_who_are_named_see_a_profile(user: str, seen: bool) -> None:
    offer = builders.offer(_named(), person=Person(user))
    assert (offer.entries() == ("lab",), bool(sites_for(offer.menu, offer.person))) == (seen, seen)


def test_who_is_named_beside_groups_sees_it_without_being_in_one() -> None:
    catalogue = _named(groups=["staff"])
    assert builders.offer(catalogue, person=Person("carol", frozenset({"staff"}))).entries() == ("lab",)
    assert builders.offer(catalogue, person=Person("bob")).entries() == ("lab",)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "it is for alice or bob."),
        ({"groups": ["staff"]}, "it is for members of staff. It is for alice or bob too."),
    ],
)
def test_an_administrator_reads_who_is_named(more: dict[str, list[str]], said: str) -> None:
    offer = builders.offer(_named(**more), person=Person("carol"))
    assert offer.why_not("lab", "geneva") == f"carol does not see JupyterLab at Geneva: {said}"


def test_what_is_worked_out_for_many_is_not_that_of_somebody_who_is_named() -> None:
    menu = _named().notebooks
    keys = {name: alike(Offer(menu, {}, Person(name), builders.NOW)) for name in ("alice", "bob", "carol", "dave")}
    assert keys["carol"].key == keys["dave"].key
    assert len({each.key for each in keys.values()}) == 3
    assert [name for name, each in keys.items() if each.offer.entries()] == ["alice", "bob"]
