"""Which kinds of gateways there are, by the word for each in the catalogue."""

from collections.abc import Mapping

from job_service.gateways.unicore import Unicore

KINDS: Mapping[str, type[Unicore]] = {"unicore": Unicore}


def capabilities(kind: str) -> tuple[str, ...]:
    """Return what can be done with a job at a gateway of a kind."""
    return tuple(sorted(KINDS[kind].capabilities)) if kind in KINDS else ()
