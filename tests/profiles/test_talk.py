"""The four applications of examples/talk-profiles.yaml, as what each of them launches."""

from datetime import UTC, datetime

import pytest

from profiles.loading import load
from profiles.offer.choices import Choices
from profiles.offer.launch import NotebookLaunch, resolve
from profiles.offer.offer import Offer, Person
from tests.support.folders import TREE

_TALK = TREE / "examples" / "talk.yaml"


def _launch(profile: str, **choices: str) -> NotebookLaunch:
    offer = Offer(load.read(_TALK).notebooks, {}, Person("beche"), datetime(2017, 9, 12, 15, 16, tzinfo=UTC))
    return resolve(offer, Choices.of({"profile": profile, **choices}))


@pytest.mark.parametrize(
    ("profile", "name", "cores", "memory_mib", "script", "modules"),
    [
        (
            "synthesis_pipeline",
            "Synthesis Pipeline",
            1,
            1024,
            "/gpfs/project/proj1/synthesis/install.sh",
            ("nix/nse/morphsyn/9040c",),
        ),
        (
            "bluepy",
            "BluePy",
            8,
            65536,
            "source /opt/rh/python27/enable && /gpfs/project/proj2/bluepy/install.sh",
            (),
        ),
        (
            "thalamus",
            "Thalamus",
            2,
            4096,
            "/gpfs/project/proj3/thalamus/2.7.sh && /gpfs/project/proj3/thalamus/3.4.sh",
            ("nix/hpc/neuron/7.5-201707", "nix/viz/rtneuron/2.13.0-201707"),
        ),
        (
            "pyspark",
            "PySpark",
            1,
            1024,
            "/gpfs/home/beche/make_pyspark-venv.sh && init-cluster proj3 cloud 5",
            ("spark",),
        ),
    ],
)
def test_what_each_application_gets(
    profile: str, name: str, cores: int, memory_mib: int, script: str, modules: tuple[str, ...]
) -> None:
    launch = _launch(profile)
    assert load.read(_TALK).profiles[launch.profile_key].name == name
    assert (launch.site_key, launch.partition) == ("geneva", "interactive")
    assert (launch.cores, launch.memory_mib, launch.time_minutes) == (cores, memory_mib, 60)
    assert [kernel.script for kernel in launch.kernels] == [script]
    assert launch.environments[1].modules == modules


def test_a_project_is_charged_in_lugano_alone() -> None:
    assert _launch("thalamus").project is None
    assert _launch("thalamus", site="lugano", project="proj3").project == "proj3"
