"""`jupyterhub-sites doctor`: what is wrong with a hub, from its machine to a job."""

import asyncio
import getpass
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from kerberos_auth.outcome import Outcome, State
from slurm_ssh.text import one_line
from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.doctor.examination import GROUPS, Asked, Found, examine, read, unknown_site
from slurm_ssh_spawner.doctor.private import private_folder
from slurm_ssh_spawner.sentences import doctor as sentences

_PAGE = "docs/doctor.md#{check}"
_LONGEST = 2000
_STYLES = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red", State.SKIP: "dim"}
_WELL, _WRONG, _SKIPPED = 0, 1, 2


def asked(
    config: Path, sites: list[str], person: str, *, with_job: bool, partition: str | None, only: str
) -> Asked:
    """Return what is to be examined.  Raises Failed for a group that there is none of."""
    groups = [each.strip().upper() for each in only.split(",") if each.strip()]
    for group in groups:
        if group not in GROUPS:
            raise Failed(sentences.NO_GROUP.format(group=one_line(group, 20)))
    return Asked(config, tuple(dict.fromkeys(sites)), person, with_job, partition, frozenset(groups))


def doctor(what: Asked, *, as_json: bool) -> int:
    """Print what is found; return 0 if all is well, 1 if something failed, 2 if something was not looked at."""
    found = read(what)
    if unknown := unknown_site(found):
        raise Failed(unknown)
    password = _password(what.person) if found.needs_password else ""
    with private_folder() as folder:
        told = asyncio.run(_told(examine(found, password, folder), as_json=as_json))
    if as_json:
        print(
            json.dumps({"outcomes": [*map(_to_json, told)], "counts": _counts(told)}, indent=2, ensure_ascii=False)
        )
    else:
        print(sentences.COUNT.format(**_counts(told)))
    states = {each.outcome.state for each in told}
    return _WRONG if State.FAIL in states else _SKIPPED if State.SKIP in states else _WELL


def _password(name: str) -> str:
    if not sys.stdin.isatty():
        raise Failed(sentences.NO_TERMINAL)
    return getpass.getpass(sentences.ASK_PASSWORD.format(name=one_line(name, 64)))


async def _told(found: AsyncIterator[Found], *, as_json: bool) -> list[Found]:
    told = []
    async for each in found:
        told.append(each)
        if not as_json:
            _print(each)
    return told


def _print(found: Found) -> None:
    outcome, console = found.outcome, Console(highlight=False, soft_wrap=True)
    console.print(
        Text(f"{outcome.state:<4}", _STYLES[outcome.state]),
        Text(f" {outcome.check:<3} {_line(found)}"),
        sep="",
    )
    if fix := _fix(outcome):
        console.print(Text(f"      → {fix}"))


def _line(found: Found) -> str:
    at = f"{found.site}: " if found.site else ""
    return one_line(at + found.outcome.sentence, _LONGEST)


def _fix(outcome: Outcome) -> str:
    """Return what to do about what is not well, and where."""
    if outcome.state is State.OK:
        return ""
    place = f"({outcome.place})" if outcome.place else ""
    return one_line(" ".join(filter(None, (outcome.fix, place))), _LONGEST)


def _counts(told: list[Found]) -> dict[str, int]:
    count = Counter(each.outcome.state for each in told)
    return {state.value.lower(): count[state] for state in State}


def _to_json(found: Found) -> dict[str, str]:
    outcome = found.outcome
    return {
        "check": outcome.check,
        "state": outcome.state.value,
        "site": found.site,
        "sentence": str(outcome.sentence),
        "fix": str(outcome.fix),
        "place": outcome.place,
        "page": _PAGE.format(check=outcome.check.lower()),
    }
