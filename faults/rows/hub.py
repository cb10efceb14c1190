"""What the hub itself needs is damaged: its databases, its disk, the catalogue."""

from faults.hub_files import (
    SPOILT,
    age_states,
    copy_database,
    full_disk,
    hide_records,
    hub_refuses_to_start,
    hub_starts_or_refuses,
    leave_out_site,
    lose_records,
    put_back_copy,
    read_only_folder,
    small_disk,
    spoil_catalogue,
    spoil_records,
)
from faults.moments import QUEUE, pending, running
from faults.row import Row
from faults.steps import HUB, end, kill, let_go, others_start, others_told, start_hub

_REFUSES = "The hub does not start and says why. Once that is mended: nothing."
_NO_DATABASE = "cannot use its database"

ROWS = (
    Row(
        "E2",
        "The disk with the hub's databases is full, and another launch begins",
        "Running servers go on. The launch is answered with a sentence.",
        when=(small_disk, running),
        fault=(full_disk, others_start(), others_told),
        heal=(let_go(SPOILT),),
        told=_NO_DATABASE,
    ),
    Row(
        "E3",
        "Nothing can be written into the folder of the hub's databases, and another launch begins",
        "Running servers go on. The launch is answered with a sentence.",
        when=(running,),
        fault=(read_only_folder, others_start(), others_told),
        heal=(let_go(SPOILT),),
        told=_NO_DATABASE,
    ),
    Row(
        "E4",
        "The launch records are garbage when the hub starts, then put back",
        _REFUSES,
        when=(running,),
        fault=(end(HUB), spoil_records, hub_refuses_to_start),
        heal=(let_go(SPOILT), start_hub),
        told="cannot be opened",
    ),
    Row(
        "E4p",
        "The launch records cannot be opened when the hub starts, while jobs wait in the queue, then put back",
        _REFUSES,
        when=(pending,),
        fault=(end(HUB), hide_records, hub_refuses_to_start),
        heal=(let_go(SPOILT), start_hub, let_go(QUEUE)),
        told="cannot be opened",
    ),
    Row(
        "E4l",
        "The launch records are lost, and the hub starts with new ones",
        "Nothing.",
        when=(running,),
        fault=(end(HUB), lose_records, start_hub),
    ),
    Row(
        "E4d",
        "The launch records are lost while the hub runs, another launch begins, and the hub is restarted",
        "The launch is answered with a sentence. Running servers go on.",
        when=(running,),
        fault=(lose_records, others_start(), others_told, kill(HUB), start_hub),
    ),
    Row(
        "E5",
        "JupyterHub's database is lost, and a copy from before the servers' starts takes its place",
        "Nothing.",
        when=(copy_database, running),
        fault=(kill(HUB), put_back_copy, start_hub),
    ),
    Row(
        "E5p",
        "The same, while jobs wait in the queue",
        "The launch goes on.",
        when=(copy_database, pending),
        fault=(kill(HUB), put_back_copy, start_hub),
        heal=(let_go(QUEUE),),
    ),
    Row(
        "E6",
        "The hub is updated from version 0.1.0, of which servers run",
        "Nothing.",
        when=(running,),
        fault=(end(HUB), age_states, start_hub),
    ),
    Row(
        "X1",
        "A site is taken out of the catalogue, the hub is restarted, and the site is put back",
        "The server stays, or the hub does not start and says which site is missing.",
        when=(running,),
        fault=(end(HUB), leave_out_site, hub_starts_or_refuses),
        heal=(let_go(SPOILT), start_hub),
    ),
    Row(
        "H1",
        "The catalogue is half written, and another launch begins",
        "Nothing: the last good one counts, and admins see a banner.",
        when=(running,),
        fault=(spoil_catalogue, others_start(), others_told),
        heal=(let_go(SPOILT),),
    ),
)
