from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from profiles.facts import PartitionFacts, Queue, SiteFacts
from profiles.offer.choices import Choices
from profiles.offer.offer import Offer
from slurm_ssh.scheduler import Forecast
from slurm_ssh_spawner.launch import forecast, script
from slurm_ssh_spawner.launch.forecast import Said
from slurm_ssh_spawner.sentences import forecast as sentences
from tests.support import builders, translations

_CATALOGUE = builders.catalogue(
    sites={key: builders.site(title=key.capitalize(), projects="none") for key in ("geneva", "lugano", "bern")}
)
_NORMAL = PartitionFacts(is_up=True, is_default=True, time_max_minutes=None, groups=None, nodes=())


def _offer(**facts: SiteFacts) -> Offer:
    return builders.offer(_CATALOGUE, facts)


def _sites(offer: Offer, connected: set[str], **choices: str) -> list[str]:
    found = forecast.launches(offer, Choices({"profile": "jupyterlab", **choices}), connected)
    return [launch.site_key for launch in found]


def test_the_site_picked_is_asked_and_others_to_which_there_is_a_connection() -> None:
    assert _sites(_offer(), set(), site="lugano") == ["lugano"]
    assert _sites(_offer(), {"bern", "lugano"}, site="lugano") == ["lugano", "bern"]
    assert _sites(_offer(), {"bern"}) == ["geneva", "bern"]


def test_what_is_of_one_site_is_not_asked_of_another() -> None:
    choices = Choices({"profile": "jupyterlab", "site": "geneva", "partition": "normal", "time": "2h"})
    _, other = forecast.launches(_offer(), choices, {"bern"})
    assert (other.site_key, other.choices.get("partition"), other.time_minutes) == ("bern", None, 120)


def test_what_cannot_be_had_is_not_asked() -> None:
    assert _sites(_offer(), {"bern"}, site="geneva", partition="nosuch") == ["bern"]
    assert _sites(_offer(), {"bern"}, site="geneva", time="99h") == []
    assert _sites(_offer(), {"bern"}, profile="nothing") == []


@pytest.mark.parametrize("facts", [{"refused": "No."}, {"unreachable_since": builders.NOW}])
def test_who_does_not_answer_or_let_them_in_is_not_asked(facts: Any) -> None:
    offer = _offer(geneva=SiteFacts(**facts), bern=SiteFacts(**facts))
    assert _sites(offer, {"bern", "lugano"}, site="geneva") == ["lugano"]


def _said(minutes: float, facts: SiteFacts | None = None) -> Said:
    offer = _offer(geneva=facts or SiteFacts())
    launch = builders.launch(_CATALOGUE, {"site": "geneva"})
    return forecast.said(offer, launch, Forecast(builders.NOW + timedelta(minutes=minutes)))


@pytest.mark.parametrize("minutes", [-3, 0, 0.9])
def test_what_slurm_would_start_now_starts_at_once(minutes: float) -> None:
    assert _said(minutes) == Said("Slurm would start it at once.")


def test_of_another_moment_each_reader_has_a_clock() -> None:
    begins = builders.NOW + timedelta(minutes=90)
    ends = begins + timedelta(hours=1)
    assert _said(90) == Said("Slurm expects it to start at about {begins}.", begins, ends)


@pytest.mark.parametrize(
    ("waiting", "text"),
    [
        ({"normal": 3}, " 3 jobs already wait there."),
        ({"normal": 1, "gpu": 7}, " 1 job already waits there."),
        ({"gpu": 7}, ""),
        ({}, ""),
    ],
)
def test_who_already_waits_in_that_partition_is_said_if_it_is_known(waiting: Any, text: str) -> None:
    facts = SiteFacts(partitions={"normal": _NORMAL}, asked_at=builders.NOW, queue=Queue(waiting, {}))
    expected = "Slurm expects it to start at about {begins}."
    assert _said(90, facts).text == f"{expected}{text}"
    assert _said(90, replace(facts, is_stale=True)).text == expected
    assert _said(0, facts).text == "Slurm would start it at once."


@pytest.mark.parametrize(
    ("job", "reason", "place", "said"),
    [
        ("17", "Priority", 3, "3 jobs are before yours."),
        ("18", "Resources", 1, "1 job is before yours."),
        ("19", "Resources", 0, "Yours is the next one in the queue of its partition."),
    ],
)
def test_a_job_that_waits_for_its_turn_has_a_place(job: str, reason: str, place: int, said: str) -> None:
    facts = SiteFacts(asked_at=builders.NOW, queue=Queue({"normal": 4}, {"17": 3, "18": 1, "19": 0}))
    assert forecast.place(facts, job, reason) == place
    assert forecast.before(place) == said


def test_any_other_has_none_nor_has_one_of_which_nobody_tells() -> None:
    facts = SiteFacts(asked_at=builders.NOW, queue=Queue({"normal": 4}, {"17": 3}))
    assert forecast.place(facts, "17", "AssocGrpCpuLimit") is None
    assert forecast.place(facts, "18", "Priority") is None
    assert forecast.place(replace(facts, is_stale=True), "17", "Priority") is None
    assert forecast.place(SiteFacts(), "17", "Priority") is None


def test_what_slurm_cannot_foresee_is_not_said() -> None:
    assert _said(60 * 24 * 365) == Said()
    launch = builders.launch(_CATALOGUE)
    assert forecast.said(_offer(), launch, None) == Said()


def test_a_refusal_is_said_as_it_is() -> None:
    launch = builders.launch(_CATALOGUE)
    assert forecast.said(_offer(), launch, Forecast(refused="No {begins}.")) == Said(
        "No {begins}.", is_refused=True
    )


def test_slurm_is_asked_for_all_that_the_job_itself_asks() -> None:
    launch = builders.launch(_CATALOGUE, {"time": "2h", "gpus": "1"})
    real = script.build(launch, builders.LAUNCH_ID, "mark", builders.process(), ())
    asked = script.asked(launch, builders.LAUNCH_ID, "mark", ":\n")
    assert asked == replace(real, script=":\n", secrets={})


def test_every_sentence_is_whole_and_names_its_placeholders() -> None:
    for name, text in translations.texts(sentences):
        assert text.endswith("."), name
        assert all(each.isidentifier() for each in translations.placeholders(text)), name
