"""Values of parameters pass the gate, and become the words of a program in the file's order."""

from typing import Any

import pytest

from profiles.conditions import Values
from profiles.errors import ChoiceRefused
from profiles.offer.alike import alike
from profiles.offer.choices import JOB_FIELDS, Choices
from profiles.offer.launch import BatchLaunch, resolve_job
from profiles.offer.offer import Offer, Person
from profiles.offer.summary import summary
from tests.support import builders

_PARAMETERS = {
    "quality": {"title": "Quality", "min": 1, "max": 10, "default": 5, "argument": "--quality"},
    "method": {"title": "Method", "options": {"fast": "Fast", "full": "Full"}, "argument": "--method"},
    "cutoff": {
        "title": "Cut-off",
        "decimal": {"min": 0, "max": 1},
        "argument": "--cutoff",
        "when": "channels > 1",
    },
    "tracks": {"title": "Without tracks", "flag": True, "argument": "--no-tracks"},
    "label": {"title": "Label", "text": {"longest": 40, "pattern": "[A-Za-z0-9 ]*"}, "argument": "--label"},
    "channel": {
        "title": "Channel",
        "options": {"": "None", "r": "Red", "g": "Green"},
        "words": {"r": ["--reg", "--red"], "g": ["--reg", "--green"]},
    },
    "unused": {"title": "Unused", "decimal": {}, "variable": "UNUSED"},
}
_TYPE = builders.job_type(run=["/opt/recon", "--out", "{param.label}"], parameters=_PARAMETERS, free_arguments=2)
_SITES = {"geneva": builders.site(jobs={"folder": "/scratch/{owner}/jobs"})}
_TWO = ({"channels": 2}, {"channels": 3})


def _offer(datasets: tuple[Values, ...] = (), **changed: Any) -> Offer:
    catalogue = builders.catalogue(sites=_SITES, job_types={"recon": {**_TYPE, **changed}})
    return Offer(catalogue.jobs, {}, Person("alice"), builders.NOW, datasets)


def _job(offer: Offer | None = None, *arguments: str, **chosen: str) -> BatchLaunch:
    choices = {f"param.{name}": value for name, value in chosen.items()}
    return resolve_job(offer or _offer(), Choices.of(choices, JOB_FIELDS), arguments)


def _program(offer: Offer | None = None, *arguments: str, **chosen: str) -> str:
    return " ".join(
        f"<{word}>" if " " in word else word for word in _job(offer, *arguments, **chosen).program or ()
    )


def _refused(offer: Offer | None = None, *arguments: str, **chosen: str) -> ChoiceRefused:
    with pytest.raises(ChoiceRefused) as found:
        _job(offer, *arguments, **chosen)
    return found.value


def test_nothing_chosen_gives_the_defaults_and_no_words_for_nothing() -> None:
    assert _program() == "/opt/recon --out  --quality 5 --method fast"


def test_words_stand_in_the_order_of_the_file_whatever_the_order_of_the_choices() -> None:
    chosen = {"channel": "g", "label": "a b", "tracks": "true", "cutoff": "0.50", "method": "full", "quality": "7"}
    assert _program(_offer(_TWO), **chosen) == (
        "/opt/recon --out <a b> --quality 7 --method full --cutoff 0.50 --no-tracks --label <a b> --reg --green"
    )


def test_numbers_are_as_they_were_typed() -> None:
    assert _program(_offer(_TWO), cutoff="1", quality="5").endswith("--quality 5 --method fast --cutoff 1")
    assert "--cutoff 1e-3" in _program(_offer(_TWO), cutoff="1e-3")


def test_a_condition_decides_what_is_offered_and_given() -> None:
    assert "--cutoff 0" in _program(_offer(_TWO))
    assert "--cutoff" not in _program(_offer((*_TWO, {"channels": 1})))
    assert _refused(_offer((*_TWO, {"channels": 1})), cutoff="0.5").message == (
        "Cut-off is not offered for all of these datasets. Omit it, or choose other datasets."
    )
    refused = _refused(cutoff="0.5")
    assert (refused.field, refused.message) == (
        "param.cutoff",
        "Cut-off is offered for some datasets only. Omit it, or choose datasets.",
    )


def test_what_is_not_offered_sets_no_variable_and_leaves_its_place_empty() -> None:
    cutoff = {**_PARAMETERS["cutoff"], "variable": "CUTOFF"}
    changed = {"run": ["/opt/recon", "x{param.cutoff}y"], "parameters": {"cutoff": cutoff}}
    without, there = _job(_offer(**changed)), _job(_offer(_TWO, **changed))
    assert (without.program, without.environments[0].variables) == (("/opt/recon", "xy"), {})
    assert (there.program, there.environments[0].variables) == (
        ("/opt/recon", "x0y", "--cutoff", "0"),
        {"CUTOFF": "0"},
    )


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"quality": "11"}, "Quality: 11 is not offered. Choose a whole number from 1 to 10."),
        ({"quality": "5.0"}, "Quality: 5.0 is not offered. Choose a whole number from 1 to 10."),
        ({"tracks": "maybe"}, "Without tracks: maybe is not offered. Choose one of: true, false."),
        ({"channel": "blue"}, "Channel: blue is not offered. Choose one of: r, g."),
        ({"unused": "nan"}, "Unused: nan is not offered. Choose a decimal number such as 0.5."),
        (
            {"label": "a;b"},
            "Label: a;b is not offered. Choose at most 40 characters, of the pattern [A-Za-z0-9 ]*.",
        ),
    ],
)
def test_what_is_refused_is_told_with_what_is_accepted(chosen: dict[str, str], said: str) -> None:
    (name,) = chosen
    refused = _refused(**chosen)
    assert (refused.field, refused.message) == (f"param.{name}", said)
    several = _refused(**chosen, method="slow")
    assert {each.field for each in several.all} == {f"param.{name}", "param.method"}


def test_a_cut_off_out_of_range_is_told_with_its_ends() -> None:
    said = _refused(_offer(_TWO), cutoff="1.01").message
    assert said == "Cut-off: 1.01 is not offered. Choose a decimal number from 0 to 1."


def test_free_arguments_stand_behind_all_others() -> None:
    assert _program(None, "gggg", "-x $(id)").endswith("--method fast gggg <-x $(id)>")


@pytest.mark.parametrize(
    ("arguments", "most", "said"),
    [
        (("a", "b", "c"), 2, "This job type takes at most 2 further arguments. Omit the others."),
        (("a", "b"), 1, "This job type takes at most 1 further argument. Omit the others."),
        (("a",), 0, "This job type takes no further arguments. Choose among its parameters."),
        (("a\nb",), 2, "Each argument must be one line of text with at most 200 characters."),
        (("a" * 201,), 2, "Each argument must be one line of text with at most 200 characters."),
    ],
)
def test_free_arguments_are_as_many_as_the_type_takes(arguments: tuple[str, ...], most: int, said: str) -> None:
    refused = _refused(_offer(free_arguments=most), *arguments, method="slow")
    assert [each.field for each in refused.all] == ["param.method", "arguments"]
    assert refused.all[1].said == said


@pytest.mark.parametrize(("typed", "restored"), [("mine", "mine"), ("", None), ("-r x", "-r x")])
def test_people_may_name_a_collection_of_modules_of_their_own(typed: str, restored: str | None) -> None:
    collection = {"title": "Collection", "text": {}, "default": ""}
    profile = builders.profile(parameters={"collection": collection}, module_collection="{param.collection}")
    launch = builders.launch(builders.catalogue(profiles={"lab": profile}), {"param.collection": typed})
    assert launch.environments[-1].module_collection == restored


def test_offers_for_other_datasets_are_not_alike() -> None:
    """For Python, 1 and true are the same, and 1.0 is too."""
    offers = [_offer(({"channels": value},)) for value in (1, True, 1.0, "1")]
    menu = offers[0].menu
    keys = {alike(Offer(menu, {}, each.person, each.now, each.datasets)).key for each in offers}
    assert len(keys) == 4
    assert alike(offers[0]).offer.datasets == ({"channels": 1},)


def test_an_admin_reads_what_may_be_picked() -> None:
    shown = summary(_offer(_TWO)).splitlines()
    assert "    cutoff: a decimal number from 0 to 1, default 0" in shown
    assert "      for datasets with channels > 1" in shown
    assert "    tracks: true or false, default false" in shown
    assert "    label: at most 40 characters, of the pattern [A-Za-z0-9 ]*, default nothing" in shown
    assert "    channel: nothing, r or g, default nothing" in shown
