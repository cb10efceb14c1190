"""What admins write of a project: the fields that mean something, or all that do not.  Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from job_service.charges import ChargeUnit
from job_service.errors import Invalid
from job_service.sentences import accepting as sentences
from languages import together
from profiles.catalogue.identity import Identity
from profiles.catalogue.site import Site
from profiles.catalogue.system import System
from profiles.sentences import shown

LIMITS = ("nodes", "cores", "time", "active", "array")
"""What may be limited: of one job its nodes, the cores of a node, its seconds; of one person their live jobs; of
an array its tasks."""

MOST_SECONDS = 10**12
TEXT_LONGEST = 200

# No job is asked for that runs for less.
_A_MINUTE = 60
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")

Check = Callable[[Any], str]
"""Returns the sentence why a value means nothing, "" if it does."""


def _written(value: Any) -> str:
    """Return what somebody wrote, for a sentence that may begin with it: nothing is seen, too."""
    return shown(value) or '""'


def why_no_name(value: Any) -> str:
    """Return why a value is no name of a project, or of an account."""
    is_name = isinstance(value, str) and _NAME.fullmatch(value)
    return "" if is_name else sentences.NAME.format(value=_written(value))


def why_no_person(value: Any) -> str:
    """Return why a value is no name of a person, or of a group of the hub."""
    is_one = (
        isinstance(value, str)
        and value.isprintable()
        and value.strip() == value
        and 0 < len(value) <= TEXT_LONGEST
    )
    return "" if is_one else sentences.PERSON.format(value=_written(value), most=TEXT_LONGEST)


def why_no_text(value: Any) -> str:
    """Return why a value is no line of text."""
    is_one = isinstance(value, str) and value.isprintable() and len(value) <= TEXT_LONGEST
    return "" if is_one else sentences.TEXT.format(most=TEXT_LONGEST)


def why_not(least: int, most: int = MOST_SECONDS) -> Check:
    """Return what says why a value is no whole number in a range."""

    def why(value: Any) -> str:
        is_one = type(value) is int and least <= value <= most
        return "" if is_one else sentences.NUMBER.format(value=_written(value), least=least, most=most)

    return why


def _no_account(value: Any) -> str:
    return "" if value is None else why_no_name(value)


def _no_flag(value: Any) -> str:
    return "" if isinstance(value, bool) else sentences.FLAG.format(value=_written(value))


def _no_charge(value: Any) -> str:
    units = get_args(ChargeUnit)
    return "" if value in units else sentences.ONE_OF.format(value=_written(value), names=", ".join(units))


def _no_identity(value: Any) -> str:
    names = get_args(Identity)
    return "" if value in names else sentences.ONE_OF.format(value=_written(value), names=", ".join(names))


_CHECKS: Mapping[str, Check] = {
    "name": why_no_name,
    "title": why_no_text,
    "account": _no_account,
    "charge": _no_charge,
    **dict.fromkeys(("init_time", "init_space", "user_time", "user_space"), why_not(0)),
    "is_default": _no_flag,
    "is_open": _no_flag,
    "identity": _no_identity,
}


def of_project(site: System, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a project at a site, all of which mean something.  Raises Invalid."""
    wrong: dict[str, str] = {}
    for name, value in fields.items():
        if name == "limits":
            wrong |= _wrong_limits(value)
        elif name not in _CHECKS:
            wrong[shown(name)] = sentences.NO_FIELD.format(name=shown(name), names=", ".join((*_CHECKS, "limits")))
        elif why := _CHECKS[name](value):
            wrong[name] = why
    if site.projects == "none" and fields.get("account") is not None and "account" not in wrong:
        wrong["account"] = sentences.NO_ACCOUNTS.format(system=site.title)
    if fields.get("identity") == "service" and not (isinstance(site, Site) and site.jobs and site.jobs.run_as):
        wrong["identity"] = sentences.NO_RUN_AS.format(system=site.title)
    refuse(wrong)
    return dict(fields)


def _wrong_limits(limits: Any) -> dict[str, str]:
    if not isinstance(limits, Mapping):
        return {"limits": sentences.NO_LIMITS.format(names=", ".join(LIMITS))}
    wrong = {}
    for name, value in limits.items():
        if name not in LIMITS:
            wrong[f"limits.{shown(name)}"] = sentences.NO_FIELD.format(name=shown(name), names=", ".join(LIMITS))
        elif why := why_not(_A_MINUTE if name == "time" else 1)(value):
            wrong[f"limits.{name}"] = why
    return wrong


def refuse(wrong: Mapping[str, str]) -> None:
    """Raise Invalid if any field is wrong."""
    said = {name: sentence for name, sentence in wrong.items() if sentence}
    if said:
        raise Invalid(together(said.values()), said)
