"""What there is to choose in tests of starts, and what became of a choice."""

from typing import Any

from tests.support import builders, launching
from tests.support.launching import REFUSED_BY_SLURM, LaunchingHub, Person
from tests.support.local import LocalSite

TWO_HOURS = {"profile": "few", "time": "2h"}


def catalogue(local: LocalSite, **few: Any) -> dict[str, Any]:
    return {
        "sites": {"geneva": launching.site(local)},
        "profiles": {
            "usual": builders.profile(),
            "few": builders.profile(name="Few", **few),
            "secret": builders.profile(name="Sesame", visible_to={"groups": ["neuro"]}),
        },
    }


def time_of_the_job(hub: LaunchingHub) -> str:
    """Return the time that the last submitted script asks for."""
    script = hub.local.told("sbatch.stdin")
    return next((line.split("=")[1] for line in script.splitlines() if "--time=" in line), "")


async def accepted(person: Person, server: str = "", **body: Any) -> None:
    """Start a server: what is chosen is accepted, though this Slurm takes no job."""
    status, said = await person.call("POST", server, **body)
    assert REFUSED_BY_SLURM in said, (status, said)
