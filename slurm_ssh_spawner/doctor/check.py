"""One check, and how it is made: never longer than it may take, and never by a traceback."""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from kerberos_auth.outcome import Outcome, State
from kerberos_auth.threads import LoginThreads
from languages import for_log
from slurm_ssh.text import one_line
from slurm_ssh_spawner.checks import configuration
from slurm_ssh_spawner.doctor.examined import Examined
from slurm_ssh_spawner.sentences import doctor as sentences

_LONGEST = 300
SECONDS = 20.0

Look = Callable[[Examined], Iterable[Outcome] | Awaitable[Iterable[Outcome]]]


@dataclass(frozen=True)
class Check:
    """What is looked at under some names, such as A5.

    `look` returns or yields outcomes; it runs in a thread if it is no coroutine function.  Those of other names
    are not told, and a name of which it says nothing is well.  If one of `needs` has failed, nothing is looked at;
    where it does not apply, nothing is told.
    """

    names: tuple[str, ...]
    look: Look
    needs: tuple[str, ...] = ()
    applies: Callable[[Examined], bool] = lambda _: True


Wrong = Mapping[str, Outcome]
"""What failed until now, by the name of its check."""


async def made(check: Check, examined: Examined, wrong: Wrong, seconds: float = SECONDS) -> list[Outcome]:
    """Return what a check found, in English and with the places of settings."""
    if because := next((each for each in check.needs if each in wrong), ""):
        said = sentences.BECAUSE.format(check=because)
        return [Outcome(name, State.SKIP, said) for name in check.names if name not in wrong]
    try:
        if inspect.iscoroutinefunction(check.look):
            found = [*await check.look(examined)]
        else:
            found = await LoginThreads(1).run(partial(_all, check.look, examined), seconds)
    except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
        return [broken(check.names[0], error, seconds)]
    found = [each for each in found if each.check in check.names]
    told = {each.check for each in found}
    well = [Outcome(name, State.OK, sentences.WELL[name]) for name in check.names if name not in told]
    lines = configuration.lines(examined.configuration.file)
    return in_order(_written(each, examined, lines) for each in [*found, *well])


def in_order(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Return outcomes by the numbers of their checks."""
    return sorted(outcomes, key=lambda each: (each.check[:1], int("0" + "".join(filter(str.isdigit, each.check)))))


def _all(look: Look, examined: Examined) -> list[Outcome]:
    return [*look(examined)]  # type: ignore[misc]


def broken(name: str, error: Exception, seconds: float = SECONDS) -> Outcome:
    """Return what to say of a check that came to nothing."""
    if isinstance(error, TimeoutError):
        return Outcome(name, State.FAIL, sentences.NO_END.format(seconds=round(seconds)))
    reason = one_line(f"{type(error).__name__}: {error}", _LONGEST)
    return Outcome(name, State.FAIL, sentences.BROKEN.format(reason=reason), sentences.REPORT_IT)


def _written(outcome: Outcome, examined: Examined, lines: Mapping[tuple[str, str], int]) -> Outcome:
    english = replace(outcome, sentence=for_log(outcome.sentence), fix=for_log(outcome.fix))
    return configuration.placed(english, examined.configuration.file, lines)
