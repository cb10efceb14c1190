"""The benchmarks assert nothing; what they read and what they print is tested here."""

import io
from dataclasses import replace

from benchmarks import counters, crowd, storm
from benchmarks.counters import Counts, Late
from benchmarks.crowd import Started
from benchmarks.samples import Aim, aims_table
from benchmarks.storm import BARE, BARE_SCRIPT, COLD, MASTER, OUR_SCRIPT, PLAIN, THEIR_SCRIPT, WARM, OfHub, Storm

SDIAG = """\
Remote Procedure Call statistics by message type
	REQUEST_JOB_INFO                        ( 2003) count:7      ave_time:301    total_time:2107
	REQUEST_SUBMIT_BATCH_JOB                ( 4003) count:5      ave_time:901    total_time:4505
	REQUEST_STATS_INFO                      ( 2035) count:9      ave_time:99     total_time:891
	MESSAGE_EPILOG_COMPLETE                 ( 6012) count:5      ave_time:48     total_time:240

Remote Procedure Call statistics by user
	p01             (   20101) count:5      ave_time:901    total_time:4505
"""
COST = Counts(hub_cpu=4.0, front_end_cpu=2.0, new_processes=9, logins=3, squeue=4, sbatch=2, rpcs=7)
LOG = """\
[I 2026-03-01 12:00:00.250 JupyterHub base:1193] User p01 took 3.212 seconds to start
[I 2026-03-01 12:00:01.000 JupyterHub log:192] 201 POST /hub/api/users/p02/server (lab@127.0.0.1) 9000.00ms
\x1b[32m[I 2026-03-01 12:00:02.500 JupyterHub base:1193]\x1b[m User p02 took 5.000 seconds to start
[W 2026-03-01 12:00:02.501 JupyterHub base:1312] User p04 is slow to start (timeout=10)
[E 2026-03-01 12:00:03.000 JupyterHub user:1065] Not starting p03's server : 503 Geneva cannot be reached.
[W 2026-03-01 12:00:04.000 JupyterHub submissions:121] jupyter-hub-0123456789ab was not submitted for p05: Refused.
[W 2026-03-01 12:00:05.000 JupyterHub spawner:283] jupyter-hub-0123456789ab, p06:south: not started: It died.
"""


def test_what_daemons_say_among_themselves_is_no_question() -> None:
    assert counters.asked_for(SDIAG) == {"REQUEST_JOB_INFO": 7, "REQUEST_SUBMIT_BATCH_JOB": 5}


def test_counts_are_taken_from_each_other_and_brought_to_a_minute() -> None:
    assert replace(COST, squeue=10).since(COST, 2) == Counts(0, 0, 0, 0, 12, 0, 0)


def test_the_log_says_whose_start_is_decided_and_when() -> None:
    first, second, third, *ours = crowd.decided(io.BytesIO(LOG.encode()))
    assert (first.name, second.name, second.at - first.at) == ("p01", "p02", 2.25)
    assert (third.name, third.problem) == ("p03", "503 Geneva cannot be reached.")
    assert [(each.name, each.problem) for each in ours] == [("p05", "Refused."), ("p06", "It died.")]


def test_a_line_that_is_not_whole_yet_is_read_when_it_is() -> None:
    half = LOG.index("to start")
    log = io.BytesIO(LOG[:half].encode())
    assert not list(crowd.decided(log))
    log.seek(0, io.SEEK_END)
    log.write(LOG[half:].encode())
    log.seek(0)
    assert len(list(crowd.decided(log))) == 5


def test_a_storm_is_compared_with_the_others_also_where_nobody_got_a_server() -> None:
    def row(seconds: float) -> Storm:
        return Storm(
            Started({"p01": 1.0, "p02": seconds}), OfHub(COST, [Late(0.25, 0.2), Late(0.5, 0.1)], jobs_left=1)
        )

    four = Storm(Started({"p01": 4.0}))
    typed = {OUR_SCRIPT: four, THEIR_SCRIPT: Storm(Started({}, {"p01": "refused"})), BARE_SCRIPT: four}
    rows = {COLD: row(8.0), WARM: row(6.0), PLAIN: row(16.0), MASTER: row(10.0), BARE: row(8.0), **typed}
    times, ratios, costs = storm.tables({"geneva": rows})
    assert dict(times.rows)[COLD] == ("8.0", "4.5", "0", "0.50", "0.20", "4.0")
    assert dict(times.rows)[THEIR_SCRIPT] == ("nan", "nan", "1", "", "", "")
    assert dict(ratios.rows)[WARM] == ("x 0.38", "x 0.60", "x 0.75", "x 1.50", "x nan", "x 1.50")
    assert dict(costs.rows)[PLAIN] == ("4", "2", "7", "9", "3", "2.0", "1")


def test_an_aim_without_a_measurement_is_missed() -> None:
    least = Aim("much", 1, 2.0, is_least=True)
    assert [aim.is_reached for aim in (Aim("few", 1, 0.5), Aim("few", 1, 1.5), least)] == [True, False, True]
    assert not Aim("few", 1, float("nan")).is_reached
    assert aims_table([least]).rows == (("much", ("2.00", ">= 1", "reached")),)


def test_the_aims_of_a_storm_are_its_ratios_and_what_the_loop_was_late() -> None:
    def row(seconds: float) -> Storm:
        return Storm(Started({"p01": seconds}), OfHub(COST, [Late(0.5, 0.1)], jobs_left=0))

    rows = {COLD: row(8.0), WARM: row(6.0), MASTER: row(10.0), BARE: row(5.0)}
    rows |= {THEIR_SCRIPT: row(5.0), BARE_SCRIPT: row(4.0)}
    of_cold = [aim for aim in storm.aims({"geneva": rows}) if COLD in aim.what]
    assert [aim.measured for aim in of_cold] == [0.8, 1.6, 1.6, 2.0, 0, 0.5, 0.1]
    assert [aim.is_reached for aim in of_cold] == [True, False, False, False, True, False, True]
