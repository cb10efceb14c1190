"""What PBS says of its nodes: a program to send, its answer to parse, and which of them a queue has.  Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kernels.shell import Shell, quote
from profiles.catalogue.site import Site
from profiles.facts import Capacity, Nodes
from slurm_ssh.pbs.jobs import command

# pbsnodes escapes nothing: a comment may hold the delimiter that it has by default.
_DELIMITER = "|/|"
# Hosts that are alike are counted there, so that the answer of a large site is short; for that, memory is in MiB.
_ALIKE = r"""
function is_kept(name) {
  return name ~ /^(state|queue|partition|sharing|resources_assigned[.](ncpus|mem|ngpus))$/ ||
    (name ~ /^resources_available[.]/ && name !~ /[.](host|vnode|vmem|hpmem)$/)
}
{
  line = ""
  for (i = 2; i <= NF; i++) {
    at = index($i, "="); name = substr($i, 1, at - 1); value = substr($i, at + 1)
    if (value ~ /^[0-9]+kb$/) value = int(value / 1024) "mb"
    if (is_kept(name)) line = line "|" name "=" value
  }
  print line
}"""
_COUNTED = re.compile(r" *([0-9]{1,6}) \|(.*)")
_NUMBER = re.compile(r"[0-9]{1,9}")
_SIZE = re.compile(r"([0-9]{1,15})(b|kb|mb|gb|tb|pb)?")
_BYTES = {"b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40, "pb": 2**50}
_OPEN = frozenset({"free"})
_TAKEN = frozenset({"free", "job-busy", "job-exclusive", "job-sharing"})
_EXCLUSIVE = frozenset({"default_excl", "default_exclhost", "force_excl", "force_exclhost"})
# What pbsnodes says of a host whose vnodes differ.
_VARIOUS = "<various>"
_MEBIBYTE = 2**20
_HAS, _USED = "resources_available", "resources_assigned"
# Those that a job asks for itself, in numbers.
_ASKED_FOR = frozenset({"ncpus", "mem", "ngpus", "mpiprocs", "ompthreads", "vmem"})


@dataclass(frozen=True)
class Alike:
    """`count` hosts of which PBS says the same."""

    count: int
    said: Mapping[str, str]

    def has(self, name: str, value: str) -> bool:
        """Return whether these hosts may have a value of a resource, which may be a list."""
        found = self.said.get(f"{_HAS}.{name}", "")
        return found == _VARIOUS or value in found.split(",")


def question(site: Site) -> Shell:
    """Return the program that says which hosts there are; it always succeeds, and says nothing where it cannot."""
    listed = command(site, "pbsnodes", "-a", "-F", "dsv", "-D", _DELIMITER)
    counted = f"LC_ALL=C awk -F '[|]/[|]' {quote(_ALIKE)} | sort | uniq -c"
    return Shell(f"""{{ nodes=$({listed}) && printf '%s\\n' "$nodes" | {counted}; :; }} 2>/dev/null""")


def parse(text: str) -> tuple[Alike, ...]:
    """Return the hosts in the answer of `question`; lines of another shape are passed over."""
    found = []
    for line in text.splitlines():
        if counted := _COUNTED.fullmatch(line.rstrip()):
            pairs = (part.partition("=") for part in reversed(counted[2].split("|")))
            said = {name: value for name, equals, value in pairs if equals}
            if "state" in said:
                found.append(Alike(int(counted[1]), said))
    return tuple(found)


def of_queue(name: str, partition: str, chunk: Mapping[str, str], hosts: Iterable[Alike]) -> tuple[Nodes, ...]:
    """Return the nodes on which jobs of a queue may run; () where that is not known.

    A queue that hosts name has these; any other has those that name none.  All are in its `partition`, "" for
    none, and have what it adds to each `chunk` of a job.  Rather one too many: what fits none of them is refused.
    """
    known = tuple(hosts)
    own = [each for each in known if each.said.get("queue") == name]
    asked = {key: value for key, value in chunk.items() if key not in _ASKED_FOR and not _NUMBER.fullmatch(value)}
    theirs = [
        each
        for each in own or [each for each in known if each.said.get("queue", _VARIOUS) == _VARIOUS]
        if each.said.get("partition", "") in (partition, _VARIOUS)
        and all(each.has(key, value) for key, value in asked.items())
    ]
    counted: Counter[tuple[Capacity, Capacity | None]] = Counter()
    for each in theirs:
        whole, free = _capacities(each.said)
        # Of one that was never reached, or says it in another way, nobody knows what fits.
        if whole.cores and whole.memory_mib:
            counted[whole, free] += each.count
    return tuple(Nodes(count, *what) for what, count in counted.items())


def _capacities(said: Mapping[str, str]) -> tuple[Capacity, Capacity | None]:
    """Return what a host has, and what it has free now; None for one that takes no job of anybody."""
    whole, used = _capacity(said, _HAS), _capacity(said, _USED)
    states = {state.strip() for state in said["state"].split(",")}
    if not states <= _TAKEN:
        return whole, None
    if not states <= _OPEN or (said.get("sharing") in _EXCLUSIVE and used.cores):
        return whole, Capacity(0, 0)
    gpus = max(0, whole.gpus_of(None) - used.gpus_of(None))
    free_memory = max(0, whole.memory_mib - used.memory_mib)
    return whole, Capacity(max(0, whole.cores - used.cores), free_memory, _gpus(gpus))


def _capacity(said: Mapping[str, str], of: str) -> Capacity:
    gpus = _number(said.get(f"{of}.ngpus", ""))
    return Capacity(_number(said.get(f"{of}.ncpus", "")), _mebibytes(said.get(f"{of}.mem", "")), _gpus(gpus))


def _gpus(count: int) -> tuple[tuple[str, int], ...]:
    return (("", count),) if count else ()


def _number(written: str) -> int:
    return int(written) if _NUMBER.fullmatch(written) else 0


def _mebibytes(written: str) -> int:
    found = _SIZE.fullmatch(written)
    return int(found[1]) * _BYTES[found[2] or "b"] // _MEBIBYTE if found else 0
