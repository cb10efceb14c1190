"""Who has stopped a launch: what its record keeps of that, and what of it each reader is told."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from slurm_ssh_spawner.launch.endings import why_ended
from slurm_ssh_spawner.launch.records import stops
from slurm_ssh_spawner.launch.records.stops import ADMIN, OWNER, Reader
from tests.slurm_ssh_spawner.launch.test_servers import ENDED

_GUEST = Reader(is_owner=False)
_STOPS = [
    stops.STOPPED,
    stops.BY_OWNER,
    stops.BY_HUB,
    stops.by_admin("ruth"),
    stops.by_service("idle-culler"),
]


@pytest.mark.parametrize(
    ("reason", "reader", "said"),
    [
        (stops.STOPPED, OWNER, "It was stopped."),
        (stops.BY_OWNER, OWNER, "You stopped it."),
        (stops.BY_OWNER, ADMIN, "Its owner stopped it."),
        (stops.BY_OWNER, _GUEST, "Its owner stopped it."),
        (stops.BY_HUB, OWNER, "It was stopped by the hub."),
        (stops.by_admin("ruth"), OWNER, "It was stopped by an administrator of the hub."),
        (stops.by_admin("ruth"), _GUEST, "It was stopped by an administrator of the hub."),
        (stops.by_admin("ruth"), ADMIN, "It was stopped by ruth, an administrator of the hub."),
        (stops.by_admin("{x}: y"), ADMIN, "It was stopped by {x}: y, an administrator of the hub."),
        (stops.by_service("idle-culler"), OWNER, "It was stopped by idle-culler, a service of the hub."),
        ("stopped by something of a later version", OWNER, "It was stopped."),
    ],
)
def test_each_reader_is_told_what_they_may_know(reason: str, reader: Reader, said: str) -> None:
    up = replace(ENDED, end_reason=reason)
    assert why_ended(up, "Geneva", reader) == said
    start = why_ended(replace(up, node=""), "Geneva", reader)
    assert start == said.replace("You stopped it", "You cancelled the start").replace(
        "Its owner stopped it", "Its owner cancelled the start"
    ).replace("It was stopped", "The start was cancelled")


def test_programs_of_an_owner_are_told_no_administrators_name() -> None:
    assert stops.told(stops.by_admin("ruth"), OWNER) == "stopped by an administrator"
    assert stops.told(stops.by_admin("ruth"), ADMIN) == "stopped by an administrator: ruth"
    assert stops.told(stops.by_service("idle-culler"), OWNER) == "stopped by a service: idle-culler"


@pytest.mark.parametrize("reason", [*_STOPS, "", "stopped-by", "TIMEOUT", "It was stopped by ruth."])
def test_the_database_counts_the_same_as_stops(reason: str) -> None:
    with sa.create_engine("sqlite://").connect() as connection:
        found = connection.scalar(sa.select(stops.is_stop_in(sa.literal(reason))))
    assert bool(found) == stops.is_stop(reason) == (reason in _STOPS)
