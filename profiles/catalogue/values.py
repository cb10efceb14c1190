"""The words that the catalogue's values are made of."""

import contextlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from kernels import units
from kernels.environment import Value
from profiles.catalogue import sbatch
from profiles.catalogue.wrong import WrongAt, WrongTogether, WrongWithin
from profiles.sentences import both, mistakes

KEY = r"^[a-z0-9]+([_-][a-z0-9]+)*$"
PLAIN = r"^[^\x00-\x1f\x7f]*$"
SLURM_WORD = r"^[A-Za-z0-9_][A-Za-z0-9_.:=,\[\]/@+*-]*$"
ABSOLUTE_PATH = r"^/[^\x00-\x1f\x7f]*$"
DIRECTIVE = r"^[a-z][a-z-]*$"
SETTING = r"^[^\x00-\x1f\x7f-\x9f]+$"
CountText = int | Annotated[str, Field(pattern=units.COUNT)]
"""What may be written where a Count is read."""

Key = Annotated[str, Field(pattern=KEY, max_length=40)]
Plain = Annotated[str, Field(pattern=PLAIN, max_length=200)]
SlurmWord = Annotated[str, Field(pattern=SLURM_WORD, max_length=200)]
AbsolutePath = Annotated[str, Field(pattern=ABSOLUTE_PATH)]


def _no_flag(value: Any) -> Any:
    # For pydantic, true is 1.
    if isinstance(value, bool):
        raise units.Unreadable(mistakes.NOT_A_NUMBER, value)
    return value


Whole = Annotated[int, BeforeValidator(_no_flag)]


class Entry(BaseModel):
    """A part of the catalogue: cannot be changed once read, and knows no other keys than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_CPUS = mistakes.DECIDED_BY.format(key="`resources: {cores: }`")
_MEMORY = mistakes.DECIDED_BY.format(key="`resources: {memory: }`")
# What the launch itself sets, and where the catalogue says it; and options with which no launch comes up.
_DECIDED = {
    "account": mistakes.DECIDED_BY_SITE.format(key="`projects`"),
    "array": mistakes.SEVERAL_JOBS,
    "begin": mistakes.NOT_AT_ONCE_STARTED,
    "cluster": mistakes.DECIDED_BY_SITE.format(key="`slurm_cluster`"),
    "clusters": mistakes.DECIDED_BY_SITE.format(key="`slurm_cluster`"),
    "cpus-per-gpu": _CPUS,
    "cpus-per-task": _CPUS,
    "gid": mistakes.FOR_ROOT,
    "gres": mistakes.DECIDED_BY.format(key="`resources: {gpus: }`"),
    "help": mistakes.NOTHING_SUBMITTED,
    "hold": mistakes.NOT_AT_ONCE_STARTED,
    "job-name": mistakes.JOB_NAME,
    "mem": _MEMORY,
    "mem-per-cpu": _MEMORY,
    "mem-per-gpu": _MEMORY,
    "nodes": mistakes.DECIDED_BY.format(key="`resources: {nodes: }`"),
    "ntasks": mistakes.ONE_TASK,
    "ntasks-per-gpu": mistakes.ONE_TASK,
    "ntasks-per-node": mistakes.ONE_TASK,
    "output": mistakes.DECIDED_BY_SITE.format(key="`job_folder`"),
    "parsable": mistakes.ANSWER_IS_READ,
    "partition": mistakes.DECIDED_BY.format(key="`partitions`"),
    "quiet": mistakes.ANSWER_IS_READ,
    "requeue": mistakes.NOT_RUN_AGAIN,
    "test-only": mistakes.NOTHING_SUBMITTED,
    "time": mistakes.DECIDED_BY.format(key="`resources: {time: }`"),
    "uid": mistakes.FOR_ROOT,
    "usage": mistakes.NOTHING_SUBMITTED,
    "version": mistakes.NOTHING_SUBMITTED,
    "wait": mistakes.ANSWER_IS_READ,
    "wrap": mistakes.SCRIPT_OF_ITS_OWN,
}
_TASKS, _REQUEUE = mistakes.DECIDED_BY.format(key="`tasks`"), mistakes.DECIDED_BY.format(key="`requeue`")
_FOLDER = mistakes.DECIDED_BY_SITE.format(key="`jobs: {folder: }`")
# The same for batch jobs.
_DECIDED_OF_JOBS = {
    **_DECIDED,
    "error": _FOLDER,
    "no-requeue": _REQUEUE,
    "ntasks": _TASKS,
    "ntasks-per-gpu": _TASKS,
    "ntasks-per-node": _TASKS,
    "open-mode": mistakes.APPENDED,
    "output": _FOLDER,
    "requeue": _REQUEUE,
}
# Options of sbatch that take these words; for all others they are a misspelt true, or the option omitted.
_TAKES_YES_OR_NO = ("kill-on-invalid-dep",)


def _reading(decided: Mapping[str, str]) -> WrapValidator:
    """Return what tells those who write an option that is decided elsewhere, with the sentence that says where."""

    def check(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
        return _directives(value, read, decided)

    return WrapValidator(check, json_schema_input_type=dict[_Name, Setting | int | Literal[True]])


def _directives(value: Any, read: ValidatorFunctionWrapHandler, decided: Mapping[str, str]) -> Any:
    if not isinstance(value, dict):
        return read(value)
    misplaced = {name: why for name, each in value.items() if (why := _misplaced(name, each, decided))}
    wrong: list[WrongAt | WrongWithin] = [WrongAt((str(name),), why) for name, why in misplaced.items()]
    rest = {name: each for name, each in value.items() if name not in misplaced}
    try:
        found = read({name: str(each) if type(each) is int else each for name, each in rest.items()})
    except ValidationError as error:
        wrong.append(WrongWithin((), error))
    if wrong:
        raise WrongTogether(tuple(wrong))
    return found


def _misplaced(name: str, setting: Any, decided: Mapping[str, str]) -> str | None:
    """Return why a pair cannot be what its writer means."""
    if name in decided:
        return decided[name]
    # sbatch takes the beginning of an option for the whole.
    if whole := next((each for each in decided if name and each.startswith(str(name))), None):
        return mistakes.SHORT_FOR.format(name=whole, why=decided[whole])
    if misspelt := _misspelt(str(name)):
        return misspelt
    return None if name in _TAKES_YES_OR_NO or setting is True else _no_flag_by_word(name, setting)


def _no_flag_by_word(name: str, setting: Any) -> str | None:
    word = str(setting).lower()
    if word in ("yes", "on", "true"):
        return mistakes.FLAG_WITH_VALUE.format(name=name, value=setting)
    if word in ("no", "off", "false"):
        return mistakes.NOT_SWITCHED_OFF
    return None


def _misspelt(name: str) -> str | None:
    if (begun := sbatch.whole(name)) is not None:
        return mistakes.SHORT_FOR_OPTION.format(name=begun)
    # What is no name of an option at all is told with its pattern.
    nearly = sbatch.misspelt(name) if re.fullmatch(DIRECTIVE, name) else None
    return mistakes.NO_SUCH_OPTION.format(name=nearly) if nearly else None


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError(mistakes.NOT_PICKABLE)
    return text


def _for_the_owner(text: str) -> str:
    # Braces around anything but a name may be what the option wants.
    for name in re.findall(r"\{([A-Za-z_][A-Za-z0-9_.-]*)\}", text):
        if name != "owner":
            raise ValueError(mistakes.NO_MEANING.format(name=f"{{{name}}}", known="{owner}"))
    return text


_Name = Annotated[str, Field(pattern=DIRECTIVE)]
Setting = Annotated[
    str, Field(pattern=SETTING, max_length=200), AfterValidator(_printable), AfterValidator(_for_the_owner)
]
"""The value of an option of sbatch: anything on one line, for it is quoted on its way; maybe with `{owner}`."""

_Setting = Annotated[
    Annotated[Setting, Tag("a word")] | Annotated[Literal[True], Tag("a bare option")],
    Discriminator(lambda value: "a bare option" if value is True else "a word"),
]
Directives = Annotated[dict[_Name, _Setting], _reading(_DECIDED)]
JobDirectives = Annotated[dict[_Name, _Setting], _reading(_DECIDED_OF_JOBS)]
"""Options of sbatch for a notebook server, and for a batch job."""


# Of what Python reads too: neither a date alone, of which nobody knows whether its day is meant, nor a week.
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?( ?(Z|[+-][0-9]{2}:?[0-9]{2}))?$"


MomentText = Annotated[str, Field(pattern=_MOMENT)]
"""What may be written where a Moment is read."""


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone()
    with contextlib.suppress(ValueError, OverflowError):
        if isinstance(value, str) and re.fullmatch(_MOMENT, value):
            return datetime.fromisoformat(value).astimezone()
    raise units.Unreadable(mistakes.NOT_A_MOMENT, str(value)[:40])


Moment = Annotated[datetime, BeforeValidator(_moment, json_schema_input_type=MomentText)]
"""A time with its zone: the one that is written, or that of the machine."""


def braces(*known: str) -> Callable[[str], str]:
    """Return a validator for texts in which only these names may stand in braces."""
    sentence = mistakes.NO_MEANING if len(known) == 1 else mistakes.NO_MEANING_OF
    listed = both([f"{{{name}}}" for name in known])

    def check(text: str) -> str:
        for name in re.findall(r"\{([^{}]*)\}", text):
            if name not in known:
                raise ValueError(sentence.format(name=f"{{{name}}}", known=listed))
        return text

    return check


# `${owner}` would be a variable of the shell's.
_NOT_IN_SHELL = re.compile(r"(?<!\$)\{(owner|user|node|launch_id|param\.[^{}]*)\}")


def _lines_of_shell(text: str) -> str:
    if found := _NOT_IN_SHELL.search(text):
        raise ValueError(mistakes.NOT_IN_SHELL.format(name=found[0]))
    if not text.strip():
        raise ValueError(mistakes.NO_LINES)
    return text


ShellLines = Annotated[Value, Field(max_length=20_000), AfterValidator(_lines_of_shell)]
"""Lines of shell, run as they are written."""

Word = Annotated[Value, AfterValidator(braces("launch_id", "owner"))]
Words = Annotated[tuple[Word, ...], Field(min_length=1)]
OwnersFolder = Annotated[AbsolutePath, AfterValidator(braces("owner"))]
"""A folder that is another one for each person; that it is, `profiles.checks.sites` looks at."""


def named(value: Any, no_name: str, example: str) -> Any:
    """Turn a list of names into a mapping from them, in which nothing is said of any.

    `no_name` says of one that is none what would be right, such as the `example`.  Raises ValueError for a single
    text, and WrongTogether for names that are none or there twice; anything else is returned as it is.
    """
    if isinstance(value, str):
        raise ValueError(mistakes.ONE_TEXT.format(value=value[:40]))
    if not isinstance(value, list):
        return value
    names = [units.as_text(each) for each in value]
    wrong = []
    for index, name in enumerate(names):
        if not isinstance(name, str):
            wrong.append(WrongAt((str(index),), no_name.format(example=example)))
        elif name in names[:index]:
            wrong.append(WrongAt((str(index),), mistakes.THERE_TWICE))
    if wrong:
        raise WrongTogether(tuple(wrong))
    return {name: {} for name in names}
