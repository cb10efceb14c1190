"""Slurm's spellings of what a site has and has free: one program to send, its answer to parse.  Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from kernels.shell import Shell
from profiles.catalogue.site import Site
from profiles.facts import Capacity, Nodes, PartitionFacts, Pause, Reservation, SiteFacts
from slurm_ssh.scheduler import UnreadableAnswer
from slurm_ssh.slurm import hostlist, waiting
from slurm_ssh.slurm.jobs import command

_PARTITION_FIELDS = ("%R", "%P", "%a", "%l", "%g", "%h", "%N")
_NODE_FIELDS = (
    "NodeList",
    "PartitionName",
    "StateComplete",
    "CPUsState",
    "Memory",
    "AllocMem",
    "Gres",
    "GresUsed",
)
_NODES, _RESERVATIONS, _ARRAYS = "== nodes", "== reservations", "== arrays"
_MOST = re.compile(r"MaxArraySize *= *([0-9]{1,9})")

# Words of a state that leave a node to everybody.  A word that is not here, also one of a later Slurm, does not.
_OPEN = frozenset({"idle", "mixed", "allocated", "completing"})
_HARMLESS = _OPEN | {
    "cloud",
    "dynamic_norm",
    "undrain",
    # Switched off to save power: Slurm switches it on for the next job.
    "power",
    "powered_down",
    "power_up",
    "powering_up",
}
# A heading that -M brings, and no line at all, both perhaps counted.
_NOTHING = re.compile(r"([0-9]+ )?CLUSTER: .*|[0-9]+")

_SUFFIXES = "*~#!%$@^-"
_HARMLESS_SUFFIXES = "~#"

_Said = Mapping[str, str]
_ANSWER = tuple[Capacity, Capacity | None]


def snapshot(site: Site, *, with_waiting: bool = False) -> Shell:
    """Return the program that asks for partitions, nodes, reservations and large arrays, in one round trip.

    And for what waits, if that is wanted.  `-a`: Slurm else leaves out partitions that the asker's own groups may
    not use.  A width of 0 cuts nothing off.  Nodes that are alike are counted there, so that the answer of a large
    site is short.
    """
    partitions = command(site, "sinfo", "-a", "-h", "-o", "|".join(_PARTITION_FIELDS))
    fields = "|,".join(f"{field}:0" for field in _NODE_FIELDS)
    nodes = command(site, "sinfo", "-a", "-h", "-N", "-O", fields)
    reservations = command(site, "scontrol", "-a", "-o", "show", "reservation")
    config = command(site, "scontrol", "show", "config")
    arrays = f"{{ echo '{_ARRAYS}'; {config} | grep '^MaxArraySize'; :; }} 2>/dev/null"
    queue = f" && {waiting.question(site)}" if with_waiting else ""
    count = """printf '%s\\n' "$nodes" | cut -d'|' -f2- | sort | uniq -c"""
    return Shell(
        f"{partitions} && nodes=$({nodes}) && echo '{_NODES}' && {count} && "
        f"echo '{_RESERVATIONS}' && {reservations} && {arrays}{queue}"
    )


def parse_snapshot(stdout: str, asked_at: datetime) -> SiteFacts:
    """Return the facts in the answer of `snapshot`.  Raises UnreadableAnswer for one of another shape."""
    partitions, has_nodes, rest = stdout.partition(f"{_NODES}\n")
    nodes, has_reservations, rest = rest.partition(f"{_RESERVATIONS}\n")
    rest, _, queue = rest.partition(f"{waiting.BEGIN}\n")
    reservations, _, arrays = rest.partition(f"{_ARRAYS}\n")
    if not has_nodes or not has_reservations:
        raise UnreadableAnswer(f"sinfo answered {stdout.strip()[-200:]!r} and nothing about reservations")
    try:
        reserved = [_said(line) for line in _lines(reservations) if "ReservationName=" in line]
        return SiteFacts(
            partitions=_partitions(_rows(partitions, len(_PARTITION_FIELDS)), nodes, _Pauses(reserved)),
            reservations=tuple(map(_reservation, reserved)),
            asked_at=asked_at,
            queue=waiting.parse(queue),
            array_most=next((int(found[1]) for line in _lines(arrays) if (found := _MOST.match(line))), None),
        )
    except (KeyError, ValueError) as error:
        raise UnreadableAnswer(f"sinfo or scontrol answered something unknown: {error}") from error


def _lines(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not _NOTHING.fullmatch(line)]


def _rows(text: str, width: int) -> list[list[str]]:
    rows = [[field.strip() for field in line.split("|")] for line in _lines(text)]
    if wrong := [row for row in rows if len(row) != width]:
        raise ValueError("|".join(wrong[0])[:200])
    return rows


class _Pauses:
    """The reservations for maintenance, each with the nodes it takes, None for all."""

    def __init__(self, reserved: Iterable[_Said]) -> None:
        self._taken: list[tuple[Pause, frozenset[str] | None]] = []
        for said in reserved:
            flags = said.get("Flags", "").split(",")
            if "MAINT" in flags:
                taken = None if "ALL_NODES" in flags else hostlist.names(said.get("Nodes", "")) or frozenset()
                pause = Pause(said["ReservationName"], _moment(said["StartTime"]), _moment(said["EndTime"]))
                self._taken.append((pause, taken))

    def of(self, hosts: str) -> tuple[Pause, ...]:
        """Return those that take every one of some nodes, in Slurm's short form."""
        nodes = hostlist.names(hosts) if self._taken else None
        if not nodes:
            return ()
        return tuple(pause for pause, taken in self._taken if taken is None or nodes <= taken)


def _partitions(rows: list[list[str]], nodes: str, pauses: _Pauses) -> Mapping[str, PartitionFacts]:
    whole_nodes = frozenset(name for name, *_, sharing, _ in rows if sharing == "EXCLUSIVE")
    alike = _alike(_lines(nodes), whole_nodes)
    return {
        name: PartitionFacts(
            is_up=state == "up",
            is_default=starred.endswith("*"),
            time_max_minutes=_minutes(limit),
            groups=None if groups == "all" else tuple(groups.split(",")),
            nodes=tuple(Nodes(count, *what) for what, count in alike.get(name, Counter()).items()),
            pauses=pauses.of(hosts),
        )
        for name, starred, state, limit, groups, _, hosts in rows
    }


def _alike(lines: Iterable[str], whole_nodes: frozenset[str]) -> dict[str, Counter[_ANSWER]]:
    """Count the nodes that are alike, by partition; those in `whole_nodes` give a node to one job only."""
    counted: dict[str, Counter[_ANSWER]] = {}
    for line in lines:
        count, _, described = line.partition(" ")
        partition, *fields = (field.strip() for field in described.split("|"))
        node = _node(fields, only_empty=partition in whole_nodes)
        counted.setdefault(partition, Counter())[node] += int(count)
    return counted


def _node(fields: list[str], only_empty: bool) -> _ANSWER:
    state, cpus, memory, allocated_memory, gres, gres_used = fields
    allocated, idle, _, total = (int(number) for number in cpus.split("/"))
    gpus, used = _gpus(gres), _gpus(gres_used)
    whole = Capacity(total, int(memory), tuple(sorted(gpus.items())))
    if not _is_open(state):
        return whole, None
    if only_empty and allocated:
        return whole, Capacity(0, 0)
    # What is used but has no type may be of any.
    left = {kind: max(0, count - used[kind] - (used[""] if kind else 0)) for kind, count in gpus.items()}
    free_memory = max(0, int(memory) - int(allocated_memory))
    return whole, Capacity(idle, free_memory, tuple(sorted(left.items())))


def _is_open(state: str) -> bool:
    """Return whether a node in this state (`mixed+planned`, `idle~`) takes a job of anybody."""
    words = state.lower().rstrip(_SUFFIXES)
    suffixes = state[len(words) :]
    base, *flags = words.split("+")
    return base in _OPEN and set(flags) <= _HARMLESS and set(suffixes) <= set(_HARMLESS_SUFFIXES)


def _gpus(gres: str) -> Counter[str]:
    """Return the GPUs in `gpu:a100:4(S:0-1),gpu:2,shard:8`, by type ("" for none)."""
    found: Counter[str] = Counter()
    for word in re.sub(r"\([^()]*\)", "", gres).split(","):
        name, *rest = [part for part in word.split(":") if part != "no_consume"]
        if name == "gpu":
            count = int(rest.pop()) if rest and rest[-1].isdigit() else 1
            found[rest[0] if rest else ""] += count
    return found


def _minutes(limit: str) -> int | None:
    """Return the whole minutes in `infinite`, `2-00:00:00`, `8:00:00` or `10:00`."""
    if limit in ("infinite", "UNLIMITED", "n/a"):
        return None
    days, _, clock = limit.rpartition("-")
    hours, minutes, _ = [0, 0, *map(int, clock.split(":"))][-3:]
    return int(days or 0) * 24 * 60 + hours * 60 + minutes


def _said(line: str) -> _Said:
    # The first of each: the words of a comment, which comes last, may look like more.
    return dict(reversed(re.findall(r"(?:^|\s)(\w+)=(\S*)", line)))


def _reservation(said: _Said) -> Reservation:
    def names(key: str) -> tuple[str, ...]:
        value = said.get(key, "(null)")
        return () if value in ("(null)", "") else tuple(value.split(","))

    return Reservation(
        name=said["ReservationName"],
        partition=next(iter(names("PartitionName")), None),
        users=names("Users"),
        accounts=names("Accounts"),
        begins=_moment(said["StartTime"]),
        ends=_moment(said["EndTime"]),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
