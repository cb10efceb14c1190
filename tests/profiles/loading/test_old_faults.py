"""What was wrong with the job portal, and is not so here; each test is named after its fault."""

import tracemalloc

import pytest

from profiles.errors import ChoiceRefused
from profiles.loading import portal_types
from profiles.offer.choices import JOB_FIELDS, Choices
from profiles.offer.launch import resolve_job
from profiles.offer.offer import Offer, Person
from tests.support import builders

_MEMORY_FOR_EACH_BYTE = 4
_TYPE = builders.job_type(
    run=["/opt/recon"],
    parameters={
        "size": {"title": "Size", "min": 1, "max": 9, "argument": "--size"},
        "label": {"title": "Label", "text": {"longest": 40}, "argument": "--label"},
    },
)
_MENU = builders.catalogue(
    sites={"geneva": builders.site(jobs={"folder": "/scratch/{owner}/jobs"})}, job_types={"recon": _TYPE}
).jobs
_OFFER = Offer(_MENU, {}, Person("alice"), builders.NOW)


def _program(**chosen: str) -> tuple[str, ...]:
    given = {"type": "recon", **{f"param.{name}": value for name, value in chosen.items()}}
    program = resolve_job(_OFFER, Choices.of(given, JOB_FIELDS)).program
    assert program is not None
    return program


def test_5_0_for_integers() -> None:
    assert _program(size="5") == ("/opt/recon", "--size", "5")
    with pytest.raises(ChoiceRefused, match=r"Size: 5\.0 is not offered"):
        _program(size="5.0")


def test_two_words_as_one_argument() -> None:
    assert _program(label="two words") == ("/opt/recon", "--size", "1", "--label", "two words")


def test_unknown_xml_ignored() -> None:
    text = "<jobType><name>A</name><executable>/a</executable><type>batch</type><optoins>x</optoins></jobType>"
    found = portal_types.read(text, "a.xml")
    assert found.root is None
    assert [(each.line, each.column) for each in found.problems] == [(1, text.index("<optoins") + 1)]


@pytest.mark.parametrize(
    "text",
    [
        "<jobType>" * 1_000_000,
        "<jobType>" + "<name/>" * 1_000_000,
        "<jobType><name>" + "x" * 10_000_000,
        "<jobType " + "a" * 10_000_000,
        "<jobType>" + "<!-- -->" * 1_000_000,
        "<!DOCTYPE a ["
        + "".join(f'<!ENTITY a{n} "{"&a0;" * 50}">' for n in range(20_000))
        + "]><jobType>&a1;</jobType>",
    ],
    ids=["deep", "elements", "text", "attribute", "comments", "entities"],
)
def test_ten_megabytes_of_xml_are_a_problem_with_its_line_and_little_memory(text: str) -> None:
    tracemalloc.start()
    try:
        found = portal_types.read(text, "a.xml")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.root is None
    assert {each.line for each in found.problems} == {1}
    assert peak < _MEMORY_FOR_EACH_BYTE * len(text)
