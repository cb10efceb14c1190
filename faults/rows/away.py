"""The hub starts again while something that it would ask is away."""

from faults.moments import QUEUE, pending, running
from faults.row import Row
from faults.steps import (
    ENDED_AND_STARTED,
    FRONT_ENDS,
    HUB,
    KDC,
    KILLED_AND_STARTED,
    NODES,
    PROXY,
    SLURM,
    TUNNELS,
    all_listed,
    cut,
    freeze,
    join,
    kill,
    let_go,
    mend,
    start_hub,
)

_SITE_AWAY = (
    "The server stays listed; behind a tunnel its page says that the site cannot be reached and the job goes on."
)
_STAYS = "The server stays listed."

ROWS = (
    Row(
        "A8a",
        "The hub is restarted while the front ends are cut off, where servers run",
        _SITE_AWAY,
        when=(running,),
        fault=(cut(FRONT_ENDS), *KILLED_AND_STARTED, all_listed),
        heal=(join(FRONT_ENDS),),
    ),
    Row(
        "A8b",
        "The hub is restarted while the KDC is silent, and servers run",
        _SITE_AWAY,
        when=(running,),
        fault=(freeze(KDC), *KILLED_AND_STARTED, all_listed),
        heal=(mend(KDC),),
    ),
    Row(
        "D3",
        "The hub is restarted while the KDC is dead, and servers run",
        _SITE_AWAY,
        when=(running,),
        fault=(kill(KDC), *ENDED_AND_STARTED, all_listed),
        heal=(mend(KDC),),
    ),
    Row(
        "A8c",
        "The hub is restarted while the nodes are cut off for less than Slurm waits for them",
        _STAYS,
        when=(running,),
        fault=(cut(NODES), *KILLED_AND_STARTED),
        heal=(join(NODES),),
    ),
    Row(
        "A8e",
        "The hub is restarted while Slurm's controllers are silent, and servers run",
        _STAYS,
        when=(running,),
        fault=(freeze(SLURM), *KILLED_AND_STARTED, all_listed),
        heal=(mend(SLURM),),
    ),
    Row(
        "A8p",
        "The hub is restarted while the front ends are cut off, and jobs wait in the queue",
        "The page says that the site cannot be reached, then goes on.",
        when=(pending,),
        fault=(cut(FRONT_ENDS), *KILLED_AND_STARTED),
        heal=(join(FRONT_ENDS), let_go(QUEUE)),
    ),
    Row(
        "A8k",
        "The hub is restarted while the KDC is dead, and jobs wait in the queue",
        "The page says that the login servers cannot be reached, then goes on.",
        when=(pending,),
        fault=(kill(KDC), *KILLED_AND_STARTED),
        heal=(mend(KDC), let_go(QUEUE)),
    ),
    Row(
        "E1",
        "The proxy is killed and started",
        "Nothing answers until the proxy's routes are back, half a minute at most.",
        when=(running,),
        fault=(kill(PROXY), mend(PROXY)),
        within=45,
    ),
    Row(
        "T1",
        "The daemon of tunnels is killed and started",
        "Pages hang for a moment.",
        when=(running,),
        fault=(kill(TUNNELS), mend(TUNNELS)),
    ),
    Row(
        "T2",
        "The hub is restarted while the daemon of tunnels is dead",
        "The server stays listed, and answers once the daemon is back.",
        when=(running,),
        fault=(kill(TUNNELS), *KILLED_AND_STARTED, all_listed),
        heal=(mend(TUNNELS),),
    ),
    Row(
        "T3",
        "The daemon of tunnels is killed and started while the hub is dead",
        "Pages behind tunnels hang until the hub is back.",
        when=(running,),
        fault=(kill(HUB), kill(TUNNELS), mend(TUNNELS), start_hub),
    ),
)
