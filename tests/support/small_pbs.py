"""A site on this machine whose jobs a PBS runs, by the programs of `pbs`; everybody has a login there."""

import json
from pathlib import Path
from typing import Any

from tests.support import builders
from tests.support.program_site import ProgramSite

_PROGRAM = Path(__file__).with_name("pbs.py")

QUEUES = {
    "workq": {"queue_type": "Execution", "enabled": "True", "started": "True", "total_jobs": 0},
    "short": {
        "queue_type": "Execution",
        "enabled": "True",
        "started": "True",
        "resources_max": {"walltime": "02:30:00", "ncpus": 64},
    },
    "closed": {"queue_type": "Execution", "enabled": "True", "started": "False"},
}


class PbsSite(ProgramSite):
    """A pool whose logins all have the same PBS."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, "pbs", _PROGRAM, ("qsub", "qstat", "qselect", "qdel", "pbsnodes"))
        self.tell("queues.json", json.dumps(QUEUES))


def site(pbs: PbsSite, **changed: Any) -> dict[str, Any]:
    """Return a site as the catalogue's YAML has it, with the PBS of the tests."""
    plain = builders.site(
        scheduler={"kind": "pbs", "path": str(pbs.folder)},
        job_folder=f"{pbs.home}/{{owner}}/jobs",
        jupyter={},
        ticket={"delivery": "none"},
        partitions={"workq": {"time_max": "8h"}, "short": {"time_max": "2h"}},
        projects=["physics"],
        **changed,
    )
    left_out = ("ticket_folder", "module_init", "reservations", "qos")
    return {name: value for name, value in plain.items() if name not in left_out}
