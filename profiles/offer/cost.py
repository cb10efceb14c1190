"""Cost: what a job costs in a partition, as the catalogue weighs it.  Pure; nobody is charged by it."""

from collections.abc import Mapping

from profiles.catalogue.partition import Partition
from profiles.sentences import labels

_GIB = 1024


def an_hour(partition: Partition | None, numbers: Mapping[str, int]) -> float | None:
    """Return what each hour costs of a job that gets these of limits.NUMBERS; None where nothing is weighed."""
    if partition is None or partition.cost is None:
        return None
    cost = partition.cost
    of_a_node = cost.nodes + cost.cores * numbers["cores"] + cost.gpus * numbers["gpus"]
    return numbers["nodes"] * (of_a_node + cost.memory * numbers["memory"] / _GIB)


def said(amount: float, partition: Partition) -> str:
    """Return an amount as people read it, with its unit if the catalogue names one."""
    number = f"{amount:.2f}".rstrip("0").rstrip(".")
    unit = partition.cost.unit if partition.cost else ""
    return labels.AMOUNT.format(number=number, unit=unit) if unit else number
