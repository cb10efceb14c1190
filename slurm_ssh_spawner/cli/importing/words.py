"""Slurm's own times, sizes and GPUs as other configurations write them.  Pure."""

import re

from kernels.units import say_mebibytes, say_minutes

_TIME = re.compile(r"(?:(\d{1,4})-)?(\d{1,6})(?::(\d{1,2}))?(?::(\d{1,2}))?")
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?) *([KMGT]?)I?B?", re.IGNORECASE)
_IN_MIB = {"K": 1 / 1024, "": 1, "M": 1, "G": 1024, "T": 1024**2}
_GPU = re.compile(r"(?:gres/)?gpu(?::([A-Za-z0-9_.-]*[A-Za-z_.-][A-Za-z0-9_.-]*))?(?:[:=](\d{1,3}|\{\}))?")


def time(value: object) -> str | None:
    """Return a time limit of Slurm's (minutes, M:S, H:M:S, D-H...) as the catalogue writes it; None for none."""
    found = _TIME.fullmatch(str(value).strip())
    if not found:
        return None
    days, first, second, third = (int(part or 0) for part in found.groups())
    if found[1]:
        total = days * 1440 + first * 60 + second
    elif found[4]:
        total = first * 60 + second
    else:
        # 30 and 30:00 are minutes.
        total = first + (1 if second else 0)
    return say_minutes(total + (1 if third else 0)) if total or third else None


def size(value: object) -> str | None:
    """Return an amount of memory (MiB without a unit) as the catalogue writes it; None for what is none."""
    found = _SIZE.fullmatch(str(value).strip())
    total = int(float(found[1]) * _IN_MIB[found[2].upper()]) if found else 0
    return say_mebibytes(total) if total else None


def gpus(value: object) -> tuple[int | None, str] | None:
    """Return how many GPUs `gpu:a100:2` means (None for `{}`), and of which type, "" for any; None for no GPUs."""
    found = _GPU.fullmatch(str(value).strip())
    if not found:
        return None
    return (None if found[2] == "{}" else int(found[2] or 1)), found[1] or ""


def whole(value: object) -> int | None:
    """Return a number of something, None for what is none."""
    text = str(value).strip()
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None
