"""A batch script, or lines of shell, taken apart: options of sbatch, modules, variables, the rest.  Pure."""

import re
import shlex
from dataclasses import dataclass, field

# What batchspawner fills in, in either of its spellings; ${x} is the shell's.
_PLACEHOLDER = re.compile(r"\{\{[^{}\n]*\}\}|(?<!\$)\{[a-z_]+\}")
_RUNS = re.compile(r"\{ *(?:cmd|prologue|epilogue) *\}")
_OWN = frozenset(
    {"account", "cluster", "gres", "homedir", "keepvars", "memory", "ngpus", "nprocs", "options", "partition"}
    | {"qos", "queue", "reservation", "runtime", "username"}
)
_JINJA = re.compile(r"\{%[^{}\n]*%\}")
_EXPORT = re.compile(r"export ([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_ACTIVATE = re.compile(r"(?:source|\.) (/[^\s;]+)/bin/activate")
# What every job does by itself, or needs no more: it prints, or leads home.
_PRINTS = r"(?:echo|which)(?: [^<>|;&`(]*)?"
_DONE = re.compile(
    rf"set [-+][^;&|]*|{_PRINTS}|trap (?P<quote>['\"]){_PRINTS}(?P=quote)[ A-Z0-9]*|env|date|hostname|module purge"
    r"|unset XDG_RUNTIME_DIR|cd(?: (?:~|\"?\$\{?HOME\}?\"?|\{homedir\}))?"
)


@dataclass
class Parts:
    """What lines of shell say; `options` are pairs of an option of sbatch and its value, True for a bare one."""

    options: list[tuple[str, str | bool]] = field(default_factory=list)
    module_paths: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    prefix: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)


def apart(text: str) -> Parts:
    """Return what a script says, without what batchspawner fills in: its settings say that."""
    parts = Parts()
    for line in _JINJA.sub("", text).replace("\\\n", " ").splitlines():
        stripped = line.strip()
        if stripped.startswith("#SBATCH"):
            parts.options += options(stripped.removeprefix("#SBATCH"))
        elif stripped and not stripped.startswith("#") and not _RUNS.search(stripped):
            _shell(stripped, parts)
    return parts


def options(text: str) -> list[tuple[str, str | bool]]:
    """Return options of sbatch as written on a command line: `--name=value`, `--name value`, `-p value`."""
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        words = text.split()
    found: list[tuple[str, str | bool]] = []
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            found.append((name, value if equals else True))
        elif word.startswith("-") and len(word) > 1:
            found.append((_SHORT.get(word[1], word[1]), word[2:] or True))
        elif found and found[-1][1] is True:
            found[-1] = (found[-1][0], word)
    return [(name, value) for name, value in found if not _is_filled_in(name, value)]


def _is_filled_in(name: str, value: str | bool) -> bool:
    """Return whether an option is all that one of batchspawner's own settings says."""
    return any({each.strip(" {}") for each in _PLACEHOLDER.findall(str(text))} & _OWN for text in (name, value))


_SHORT = dict(
    zip(
        "ACcDeGJLMNnopqtwx",
        (
            *(
                "account",
                "constraint",
                "cpus-per-task",
                "chdir",
                "error",
                "gpus",
                "job-name",
                "licenses",
                "clusters",
            ),
            *("nodes", "ntasks", "output", "partition", "qos", "time", "nodelist", "exclude"),
        ),
        strict=True,
    )
)


def _shell(line: str, parts: Parts) -> None:
    words = line.partition("#")[0].split()
    if words[:2] in (["module", "load"], ["module", "add"]) or words[:1] == ["ml"]:
        loaded = words[1:] if words[0] == "ml" else words[2:]
        if all(re.fullmatch(r"[A-Za-z0-9_./+-]+", each) and not each.startswith("-") for each in loaded):
            parts.modules += loaded
            return
    if words[:2] == ["module", "use"] and all(each.startswith("/") for each in words[2:]):
        parts.module_paths += words[2:]
    elif (found := _EXPORT.fullmatch(line)) and not re.search(r"[$`\\]", found[2]):
        parts.variables[found[1]] = found[2].strip().strip("'\"")
    elif (found := _ACTIVATE.fullmatch(line)) and not parts.prefix:
        parts.prefix = found[1]
    elif not _DONE.fullmatch(line):
        parts.rest.append(line)
