"""Many requests in one instant, and a long mixture of everything."""

from faults.crowds import everybody, five_names, one_at_a_time, soak, start_and_stop, start_twice
from faults.moments import running
from faults.row import Outcome, Row
from faults.steps import KILLED_AND_STARTED

ROWS = (
    Row("F9", "A server is started twice in one instant", "One notebook.", when=(), fault=(start_twice,)),
    Row(
        "F10",
        "Five servers of a profile that allows one are started in one instant, the first after the hub's start",
        "One notebook; a sentence for each of the others.",
        when=(),
        fault=(*KILLED_AND_STARTED, five_names, one_at_a_time),
        outcome=Outcome.EITHER,
    ),
    Row(
        "F11",
        "A server is started and stopped in one instant",
        "The server starts, or it does not.",
        when=(),
        fault=(start_and_stop,),
        outcome=Outcome.EITHER,
    ),
    Row("G", "Three times as many people start in one instant", "Nothing.", when=(everybody, running), fault=()),
    Row(
        "I",
        "People start and stop while hub, front ends, Slurm and KDC fail one after another",
        "A notebook, or a sentence.",
        when=(running,),
        fault=(soak,),
        outcome=Outcome.EITHER,
        slow=True,
    ),
)
