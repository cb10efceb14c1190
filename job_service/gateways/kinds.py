"""Which kinds of gateways there are, by the word for each in the catalogue."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from job_service.gateways.backend import Backend
from job_service.gateways.nsg.backend import Nsg
from job_service.gateways.opening import Open
from job_service.gateways.unicore import Unicore

_KINDS: Mapping[str, type[Backend]] = {"unicore": Unicore, "nsg": Nsg}


def kinds(inputs: Path) -> Mapping[str, Open]:
    """Return them all; in the folder `inputs` lie files for those that take none before their job is sent."""
    return {"unicore": Unicore, "nsg": partial(Nsg, inputs=inputs)}


def capabilities(kind: str) -> tuple[str, ...]:
    """Return what can be done with a job at a gateway of a kind."""
    return tuple(sorted(_KINDS[kind].capabilities)) if kind in _KINDS else ()
