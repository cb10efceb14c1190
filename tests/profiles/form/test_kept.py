"""What is kept of forms is everybody's: each person gets what would be worked out for them alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

import languages
from profiles.errors import ChoiceRefused
from profiles.facts import Capacity, Nodes, PartitionFacts, Pause, Reservation, SiteFacts
from profiles.form import kept, page, told
from profiles.form.page import Addresses
from profiles.offer.alike import alike
from profiles.offer.offer import Offer, Person
from tests.support import builders

_CATALOGUE = builders.catalogue(
    sites={
        "geneva": builders.site(login_name={"bob": "robert"}),
        "lugano": builders.site(title="Lugano", projects="accounting", reservations=[]),
    },
    profiles={
        "jupyterlab": builders.profile(),
        "single": builders.profile(name="Only one", servers_max=1),
        "staff": builders.profile(name="For staff", visible_to={"groups": ["staff"]}),
        "physics": builders.profile(name="For physics", visible_to={"projects": ["physics"]}, sites=["lugano"]),
    },
)


def _partitions(free: int) -> dict[str, PartitionFacts]:
    nodes = Nodes(2, Capacity(8, 64_000), Capacity(free, 32_000))
    begins = builders.NOW + timedelta(hours=3)
    pause = Pause("upgrade", begins, begins + timedelta(hours=1))
    return {
        "normal": PartitionFacts(True, True, 600, None, (nodes,), (pause,)),
        "debug": PartitionFacts(True, False, 10, ("staff",), (nodes,)),
    }


_PARTITIONS = _partitions(8)
_KNOWN = SiteFacts(("physics",), _PARTITIONS, (), builders.NOW - timedelta(minutes=5, seconds=50))
_ENDS = builders.NOW + timedelta(days=1)


def _course(*users: str, accounts: tuple[str, ...] = ()) -> Reservation:
    return Reservation("course", "normal", users, accounts, builders.NOW, _ENDS)


def _offer(person: Person | None = None, **facts: object) -> Offer:
    known = replace(_KNOWN, **facts)  # type: ignore[arg-type]
    return builders.offer(_CATALOGUE, {"geneva": known, "lugano": known}, person or Person("alice"))


_OFFERS = {
    "alice": _offer(),
    "of a group": _offer(Person("bob", frozenset({"staff", "others"}))),
    "of another project": _offer(Person("carol"), projects=("biology",)),
    "of no project": _offer(Person("carol"), projects=()),
    "of projects not known": _offer(Person("carol"), projects=None),
    "with as many servers as one may have": _offer(Person("dave", running={"single": 1})),
    "with a reservation": _offer(Person("alice"), reservations=(_course("alice"),)),
    "with a reservation of a login": _offer(Person("bob"), reservations=(_course("robert"),)),
    "with a reservation of a project": _offer(Person("erin"), reservations=(_course(accounts=("physics",)),)),
    "kept out of a reservation": _offer(Person("dave"), reservations=(_course("-dave", accounts=("physics",)),)),
    "refused": _offer(Person("heidi"), refused="Ask Lugano for an account."),
    "with other free nodes": _offer(partitions=_partitions(1)),
    "with nothing known": _offer(partitions=None, asked_at=None),
    "with old facts": _offer(is_stale=True),
    "with younger facts": _offer(asked_at=builders.NOW - timedelta(seconds=10)),
    "with sites away": _offer(unreachable_since=builders.NOW - timedelta(hours=1)),
    "later": replace(_offer(), now=builders.NOW + timedelta(minutes=1)),
    "on another day": replace(_offer(), now=builders.NOW + timedelta(days=1)),
}
_TYPED = {"profile": "single", "site": "lugano", "time": "2h"}
_REFUSED = ChoiceRefused("time", "No such time.")


def _addresses(user: str) -> Addresses:
    return Addresses("/hub/launch-pages/0123/main.js", f"/hub/api/offer?user={user}")


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    for each in (kept._pairs, kept._data, kept._filled):
        each.cache_clear()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("typed", [{}, _TYPED])
@pytest.mark.parametrize("refused", [None, _REFUSED])
def test_each_gets_what_would_be_worked_out_for_them_alone(
    typed: dict[str, str], refused: ChoiceRefused | None, language: str
) -> None:
    for _ in range(2):
        for offer in _OFFERS.values():
            where = _addresses(offer.person.name)
            with languages.speaking(language):
                assert kept.render(offer, typed, refused, where, "Note.") == page.render(
                    offer, typed, refused, where, "Note."
                )
                assert kept.data(offer) == told.data(offer)


def test_a_changed_catalogue_is_another_one_even_with_the_same_names() -> None:
    for text in ("As it was.", "As it is now."):
        catalogue = builders.catalogue(profiles={"jupyterlab": builders.profile(description=text)})
        assert text in kept.render(builders.offer(catalogue), {}, None, _addresses("alice"))


def test_who_is_offered_the_same_shares_it() -> None:
    same = [
        _offer(),
        _offer(Person("bob", frozenset({"a group of nothing here"}), running={"jupyterlab": 3})),
        replace(_offer(), now=builders.NOW + timedelta(seconds=8)),
    ]
    assert len({id(kept.data(offer)) for offer in same}) == 1
    apart = _OFFERS.keys() - {"kept out of a reservation", "with a reservation of a project"}
    assert len({id(kept.data(_OFFERS[name])) for name in apart}) == len(apart)
    assert kept.data(_OFFERS["with a reservation of a project"]) is kept.data(_OFFERS["with a reservation"])
    for offer in same:
        kept.render(offer, _TYPED, None, _addresses(offer.person.name))
    assert kept._filled.cache_info().misses == 1


@pytest.mark.parametrize("offer", _OFFERS.values(), ids=_OFFERS)
def test_what_is_kept_names_nobody(offer: Offer) -> None:
    said = repr(replace(alike(offer).offer, menu=None, facts=dict(alike(offer).offer.facts)))  # type: ignore[arg-type]
    assert not [name for name in ("alice", "bob", "robert", "carol", "dave", "erin", "heidi") if name in said]


def test_no_more_is_kept_than_a_few() -> None:
    for each in (kept._pairs, kept._data, kept._filled):
        assert each.cache_parameters()["maxsize"]
