"""Which kinds of gateways there are, by the word for each in the catalogue."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from job_service.gateways.nsg.backend import Nsg
from job_service.gateways.opening import Open
from job_service.gateways.unicore import Unicore


def kinds(inputs: Path) -> Mapping[str, Open]:
    """Return them all; in the folder `inputs` lie files for those that take none before their job is sent."""
    return {"unicore": Unicore, "nsg": partial(Nsg, inputs=inputs)}
