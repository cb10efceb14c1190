"""Servers of launches that an earlier hub began: from a job that goes on to a server that is up."""

import asyncio

from slurm_ssh.deadline import Deadline
from slurm_ssh.errors import JobEnded, LaunchError
from slurm_ssh.job import Job
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch.launcher import REACH_SECONDS, Launcher
from slurm_ssh_spawner.launch.place import Place
from slurm_ssh_spawner.launch.reports import Live

# Between looks at a job that runs, but cannot be reached, or has not reported to this hub yet.
_LOOK_SECONDS = 10.0


async def until_back(launcher: Launcher, live: Live, place: Place | None) -> tuple[str, Place]:
    """Do what Launcher.until_ready does for a launch of an earlier hub, which may have known where its server is.

    The way there is waited for then until the job ends.
    """
    if place is None:
        url, place = await launcher.until_ready(live.job, live.port, live.progress)
        await launcher.until_open(live.job, url, place)
        return url, place
    said = sentences.SERVER_UP.format(node=place.node)
    live.progress.tell(said)
    while True:
        try:
            return await launcher.reach(live.job, place, Deadline.after(REACH_SECONDS))
        except LaunchError as error:
            # The server was up and works: a start that failed now would have it stopped.
            if error.message != said:
                live.progress.tell(said := error.message)
        await _check_goes_on(launcher, live.job)
        await asyncio.sleep(_LOOK_SECONDS)


async def presented(launcher: Launcher, live: Live) -> str:
    """Return the token that a job presents when it reports.  Raises JobEnded if the job ends before."""
    if not live.token:
        live.progress.tell(sentences.TOKEN_AWAITED)
    heard = asyncio.ensure_future(live.presented())
    try:
        while not heard.done():
            await asyncio.wait((heard,), timeout=_LOOK_SECONDS)
            if not heard.done():
                await _check_goes_on(launcher, live.job)
    finally:
        heard.cancel()
    return heard.result()


async def _check_goes_on(launcher: Launcher, job: Job) -> None:
    if (report := await launcher.report(job)).state.is_over:
        # Its notebook may have been up, under the hub before.
        ended = sentences.CAME_TO_ITS_END if report.word else sentences.GONE_FROM_SLURM
        named = {"site": launcher.title(job), "scheduler": launcher.scheduler(job)}
        raise JobEnded(ended.format(**named, state=report.word))
