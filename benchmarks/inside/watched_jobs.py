"""Run the job service on this machine, and watch its event loop from within; see `loop_watch`.

The arguments: a folder with `catalogue.yaml`, `jobs.sqlite`, `tickets/` and `run/`, the address to listen at, and
the file for the watch.  Where the hub answers, and the service's token, are in the environment as of a real one.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path

from benchmarks.inside import loop_watch
from job_service.cli import serving
from job_service.cli.conditions import TOKEN
from job_service.service import Settings


async def main(folder: Path, listen: str, watch: str) -> None:
    """Serve until SIGTERM comes."""
    loop_watch.install(watch)
    settings = Settings(
        catalogue=str(folder / "catalogue.yaml"),
        ticket_folder=folder / "tickets",
        run_folder=folder / "run",
        database=f"sqlite:///{folder / 'jobs.sqlite'}",
        name="bench",
        upload_max_mib=1,
    )
    await serving.serve(settings, listen, os.environ[TOKEN])


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
