"""Which names are options of sbatch, and what others may have been meant as."""

import pytest

from profiles.catalogue import sbatch


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("constrain", "constraint"),
        ("exclu", None),
        ("reserv", "reservation"),
        ("mem", None),
        ("co", None),
        ("zz", None),
    ],
)
def test_what_is_short_for_one_option(name: str, meant: str | None) -> None:
    assert sbatch.whole(name) == meant


@pytest.mark.parametrize(
    ("name", "meant"), [("consraint", "constraint"), ("exlusive", "exclusive"), ("gpus", None)]
)
def test_what_is_nearly_an_option(name: str, meant: str | None) -> None:
    assert sbatch.misspelt(name) == meant


@pytest.mark.parametrize(
    "name",
    [
        "auks",
        "spank-x11",
        "container-image",
        "container-mounts",
        "container-name",
        "container-workdir",
        "image",
        "volume",
    ],
)
def test_options_of_plug_ins_are_left_alone(name: str) -> None:
    """Of auks, pyxis and shifter."""
    assert sbatch.whole(name) is None
    assert sbatch.misspelt(name) is None
