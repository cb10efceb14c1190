"""F2 to F9, G2 and G4: what the answers of the job mean.  Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from kerberos_auth.outcome import Outcome, State
from slurm_ssh_spawner.doctor.site.answers import Answers
from slurm_ssh_spawner.doctor.site.places import LEAST_FREE_MIB
from slurm_ssh_spawner.doctor.site.probe import PROGRAM
from slurm_ssh_spawner.doctor.site.visit import Visit, outcome, quoted, skipped
from slurm_ssh_spawner.sentences import doctor_sites as sentences

_VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")
_OLDEST_PYTHON = (3, 6)
_OLDEST_SINGLEUSER = 4
# Of Kerberos; a certificate's is shorter, but nodes are shown none.
_SKEW_SECONDS = 300
_NOTICED_SECONDS = 30


@dataclass(frozen=True)
class Times:
    """Between which moments of this machine, in epoch seconds, the job has told the time."""

    before: float
    after: float


def cannot_connect(answers: Answers) -> bool:
    """Return whether the node did not come as far as to the hub's port."""
    return any(answers.get("G2", word) is not None for word in ("name", "tcp"))


def judged(
    visit: Visit, node: str, answers: Answers, times: Times, *, is_hub_away: bool = False
) -> Iterator[Outcome]:
    """Yield what the answers of a job on a node mean, for all checks that it makes.

    `is_hub_away` if not even this machine reaches the hub there.
    """
    named = {"node": node, "site": visit.key, "owner": visit.login.owner}
    yield _python(visit, named, answers)
    yield _modules(visit, named, answers)
    yield _singleuser(visit, named, answers)
    yield _ticket(visit, named, answers)
    yield _home(named, answers)
    yield _clock(visit, named, answers, times)
    if answers.get("F3", "python") is None or not answers.has("F9"):
        because = sentences.NOT_WITHOUT_PYTHON.format(**named)
        yield from skipped(("F9", "G2", "G4"), because)
        return
    yield _port(named, answers)
    if is_hub_away:
        yield from skipped(("G2", "G4"), sentences.NOT_WHILE_HUB_AWAY.format(url=visit.api_url))
        return
    yield _hub(visit, named, answers)
    yield _report(visit, named, answers)


def _ok(check: str, sentence: str) -> Outcome:
    return outcome(check, State.OK, sentence)


def _fail(check: str, sentence: str, fix: str, place: str = "") -> Outcome:
    return outcome(check, State.FAIL, sentence, fix, place)


def _python(visit: Visit, named: dict[str, str], answers: Answers) -> Outcome:
    said, place = answers.get("F3", "python"), visit.place("jupyter")
    if said is None:
        text = sentences.NO_PYTHON.format(**named)
        return _fail("F3", text, sentences.INSTALL_PYTHON, place)
    found = _VERSION.search(said)
    if found is None or (int(found[1]), int(found[2])) < _OLDEST_PYTHON:
        text = sentences.PYTHON_TOO_OLD.format(**named, said=quoted(said))
        return _fail("F3", text, sentences.INSTALL_PYTHON, place)
    if not answers.has("F9"):
        text = sentences.PYTHON_SILENT.format(**named, said=quoted(said))
        return _fail("F3", text, sentences.TRY_PYTHON, place)
    return _ok("F3", sentences.PYTHON_GOOD.format(**named, said=quoted(said)))


def _modules(visit: Visit, named: dict[str, str], answers: Answers) -> Outcome:
    problem = answers.get("F4", "failed")
    if problem is None and answers.get("F4", "loaded") is None:
        problem = sentences.ENDED_EARLY
    if problem is not None:
        is_init = "no command module" in problem
        place = visit.place("module_init") if is_init else visit.place("jupyter", "modules")
        fix = sentences.SEE_MODULE_INIT if is_init else sentences.SEE_MODULES
        return _fail("F4", sentences.NO_MODULES.format(**named, said=quoted(problem)), fix, place)
    if notice := answers.get("F4", "notice"):
        text = sentences.PROLOGUE_FAILS.format(**named, said=quoted(notice))
        return outcome("F4", State.WARN, text, sentences.SEE_PROLOGUE, visit.place("prologue"))
    loaded = answers.get("F4", "loaded")
    text = sentences.MODULES_LOADED if loaded else sentences.NO_MODULES_NEEDED
    return _ok("F4", text.format(**named, loaded=quoted(loaded or "")))


def _singleuser(visit: Visit, named: dict[str, str], answers: Answers) -> Outcome:
    place = visit.place("jupyter")
    if answers.get("F4", "failed") is not None:
        return skipped(("F5",), sentences.NOT_WITHOUT_MODULES)[0]
    path = answers.get("F5", "path")
    if path is None:
        text = sentences.NO_SINGLEUSER.format(**named, program=PROGRAM)
        return _fail("F5", text, sentences.INSTALL_SINGLEUSER, place)
    said, own = answers.get("F5", "version") or "", version("jupyterhub")
    named = {**named, "program": path, "said": quoted(said), "own": own}
    found, most = _VERSION.match(said), int(own.split(".")[0])
    if found is None:
        return _fail(
            "F5", sentences.SINGLEUSER_FAILS.format(**named), sentences.TRY_SINGLEUSER.format(**named), place
        )
    if not _OLDEST_SINGLEUSER <= int(found[1]) <= most:
        text = sentences.SINGLEUSER_OF_ANOTHER.format(**named, oldest=_OLDEST_SINGLEUSER, most=most)
        return _fail("F5", text, sentences.MEND_SINGLEUSER.format(own=own), place)
    return _ok("F5", sentences.SINGLEUSER_GOOD.format(**named))


def _ticket(visit: Visit, named: dict[str, str], answers: Answers) -> Outcome:
    delivery, place = visit.site.ticket.delivery, visit.place("ticket")
    named = {**named, "delivery": delivery}
    if delivery == "none":
        return _ok("F6", sentences.NO_TICKET_ASKED)
    failed = answers.get("F6", "failed")
    if answers.get("F6", "none") is not None or failed is not None:
        text = sentences.NO_TICKET_THERE if failed is None else sentences.TICKET_OF_NO_USE
        return _fail("F6", text.format(**named, said=quoted(failed or "")), sentences.SEE_DELIVERY, place)
    if answers.get("F6", "unread") is not None:
        return outcome("F6", State.WARN, sentences.TICKET_NOT_READ.format(**named), sentences.INSTALL_KLIST)
    principal, flags = answers.get("F6", "principal"), answers.get("F6", "flags") or ""
    if principal is None:
        return _fail("F6", sentences.NO_TICKET_THERE.format(**named), sentences.SEE_DELIVERY, place)
    if visit.ticket and principal != visit.ticket.principal:
        text = sentences.TICKET_OF_ANOTHER.format(**named, said=quoted(principal), own=visit.ticket.principal)
        return _fail("F6", text, sentences.SEE_DELIVERY, place)
    return _ok("F6", sentences.TICKET_GOOD.format(**named, principal=principal, flags=quoted(flags)))


def _home(named: dict[str, str], answers: Answers) -> Outcome:
    closed, failed, free = (answers.get("F7", word) for word in ("closed", "failed", "free"))
    if closed is not None:
        return _fail("F7", sentences.HOME_NOT_ENTERED.format(**named, home=quoted(closed)), sentences.MOUNT_HOME)
    if failed is not None or free is None:
        text = sentences.HOME_NOT_WRITTEN.format(**named, said=quoted(failed or "?"))
        return _fail("F7", text, sentences.MAKE_ROOM_THERE)
    if free.isdecimal() and len(free) < 18 and int(free) // 1024 < LEAST_FREE_MIB:
        text = sentences.HOME_NEARLY_FULL.format(**named, megabytes=int(free) // 1024)
        return outcome("F7", State.WARN, text, sentences.MAKE_ROOM_THERE)
    return _ok("F7", sentences.HOME_GOOD.format(**named))


def _clock(visit: Visit, named: dict[str, str], answers: Answers, times: Times) -> Outcome:
    said = answers.get("F8", "time") or ""
    if not said.isdecimal() or len(said) > 12:
        return _fail("F8", sentences.NO_TIME.format(**named), sentences.SEE_LOG)
    told = float(said)
    behind, ahead = round(times.before - told), round(told - times.after)
    off = max(behind, ahead)
    if off <= _NOTICED_SECONDS:
        return _ok("F8", sentences.CLOCK_GOOD.format(**named))
    text = sentences.CLOCK_BEHIND if behind > ahead else sentences.CLOCK_AHEAD
    is_fatal = off >= _SKEW_SECONDS and visit.site.ticket.delivery != "none"
    state = State.FAIL if is_fatal else State.WARN
    return outcome("F8", state, text.format(**named, seconds=off), sentences.SET_CLOCK.format(**named))


def _port(named: dict[str, str], answers: Answers) -> Outcome:
    port = answers.get("F9", "port")
    if port is None:
        text = sentences.NO_FREE_PORT.format(**named, said=quoted(answers.get("F9", "failed") or "?"))
        return _fail("F9", text, sentences.SEE_PORTS)
    return _ok("F9", sentences.PORT_FREE.format(**named, port=port))


def _hub(visit: Visit, named: dict[str, str], answers: Answers) -> Outcome:
    place = visit.place("hub_url")
    named = {**named, "url": visit.api_url}
    failures = (
        ("name", sentences.HUB_NOT_NAMED, sentences.SEE_HUB_NAME),
        ("tcp", sentences.HUB_NOT_REACHED, sentences.OPEN_HUB_PORT),
        ("tls", sentences.HUB_NOT_TRUSTED, sentences.SEE_HUB_TLS),
        ("http", sentences.HUB_SILENT, sentences.SEE_HUB_URL),
    )
    for word, text, fix in failures:
        if (said := answers.get("G2", word)) is not None:
            return _fail("G2", text.format(**named, said=quoted(said)), fix.format(**named), place)
    status = answers.get("G2", "status")
    if status is None:
        return _fail("G2", sentences.HUB_SILENT.format(**named, said="`-`"), sentences.SEE_HUB_URL, place)
    hub = answers.get("G2", "hub")
    if hub is None or " 200 " not in f"{status} ":
        text = sentences.NOT_THE_HUB.format(**named, said=quoted(status))
        return _fail("G2", text, sentences.SEE_HUB_URL, place)
    return _ok("G2", sentences.HUB_REACHED.format(**named, version=quoted(hub)))


def _report(visit: Visit, named: dict[str, str], answers: Answers) -> Outcome:
    if answers.get("G2", "hub") is None:
        return skipped(("G4",), sentences.NOT_WITHOUT_HUB)[0]
    place = visit.place("hub_url")
    if answers.get("G4", "token") is not None:
        return _ok("G4", sentences.REPORTS_ARRIVE.format(**named))
    if answers.get("G4", "no_token") is not None:
        return _fail("G4", sentences.LOST_ON_THE_WAY.format(**named), sentences.SEE_AUTHORIZATION, place)
    if answers.get("G4", "unknown_launch") is not None:
        return _ok("G4", sentences.REPORTS_ARRIVE_OF_OLDER.format(**named))
    text = sentences.REPORTS_LOST.format(**named, said=quoted(answers.get("G4", "other") or "-"))
    return _fail("G4", text, sentences.SEE_WEB_SERVER, place)
