"""Something happens to jobs on the cluster."""

from faults.cluster import (
    cancelled,
    drained,
    files_removed,
    job_killed,
    jobs_answer,
    requeued,
    resumed,
    server_killed,
    suspended,
    time_is_up,
)
from faults.moments import running
from faults.row import Outcome, Row
from faults.steps import all_listed, log_in_again

_WHY = "The server is over, and its page says why."

ROWS = (
    Row(
        "F1",
        "People cancel their jobs on the cluster",
        _WHY,
        when=(running,),
        fault=(cancelled,),
        outcome=Outcome.GONE,
    ),
    Row("F2", "Somebody asks Slurm to queue the job again", "Nothing.", when=(running,), fault=(requeued,)),
    Row(
        "F3",
        "Jobs are suspended, and resumed",
        "The page hangs meanwhile.",
        when=(running,),
        fault=(suspended, jobs_answer("SUSPENDED"), all_listed),
        heal=(resumed,),
    ),
    Row(
        "F4",
        "The time of the job is up",
        f"{_WHY[:-1]} (TIMEOUT).",
        when=(running,),
        fault=(time_is_up,),
        outcome=Outcome.GONE,
        slow=True,
    ),
    Row(
        "F5", "The notebook server is killed", _WHY, when=(running,), fault=(server_killed,), outcome=Outcome.GONE
    ),
    Row(
        "F5b", "Everything of the job is killed", _WHY, when=(running,), fault=(job_killed,), outcome=Outcome.GONE
    ),
    Row("F6", "The nodes are drained", "Nothing.", when=(running,), fault=(drained, all_listed)),
    Row(
        "F7",
        "Ticket and log of a running job are removed, and its owner logs in anew",
        "Nothing: the job has its new ticket.",
        when=(running,),
        fault=(files_removed, log_in_again),
    ),
)
