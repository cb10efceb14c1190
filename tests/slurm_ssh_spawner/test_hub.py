from typing import Any

import pytest

from profiles.errors import ChoiceRefused
from slurm_ssh_spawner.hub import Hub
from tests.support import builders, loopback


@pytest.fixture
def hub() -> Hub:
    launcher: Any = None
    return Hub(builders.catalogue(), launcher)


def test_a_sent_form_becomes_the_choices_that_are_kept(hub: Hub) -> None:
    sent = {"_xsrf": ["x"], "profile": ["jupyterlab"], "time": ["2h"], "site": [""]}
    assert hub.read_form("alice", sent) == {"profile": "jupyterlab", "time": "2h"}


def test_after_a_refusal_a_person_finds_what_was_typed_once(hub: Hub) -> None:
    with pytest.raises(ChoiceRefused):
        hub.read_form("alice", {"time": ["99h"], "site": ["geneva"]})
    assert 'value="99h"' in hub.render_form("alice")
    assert 'value="99h"' not in hub.render_form("alice")


def test_what_one_person_typed_is_not_shown_to_another(hub: Hub) -> None:
    with pytest.raises(ChoiceRefused):
        hub.read_form("alice", {"time": ["99h"]})
    assert 'value="99h"' not in hub.render_form("bob")


def test_a_form_of_another_shape_can_be_shown_again(hub: Hub) -> None:
    with pytest.raises(ChoiceRefused):
        hub.read_form("alice", {"time": ["<b>", "2h"], "site": [{"body": b"file"}], "profile": []})
    assert "&lt;b&gt;" in hub.render_form("alice")


async def test_any_answer_of_a_server_is_an_answer(hub: Hub) -> None:
    with loopback.listening(loopback.Hub()) as server:
        assert await hub.answers(f"http://127.0.0.1:{server.port}/take/{loopback.free_port()}")
        gone = server.port
    assert not await hub.answers(f"http://127.0.0.1:{gone}/")
