"""Which kinds of gateways there are, by the word for each in the catalogue."""

from collections.abc import Mapping

from job_service.gateways.opening import Open
from job_service.gateways.unicore import Unicore

KINDS: Mapping[str, Open] = {"unicore": Unicore}
