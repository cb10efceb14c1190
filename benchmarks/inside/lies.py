"""Stands for a login shell that answers in the place of the hub's programs, most often with what is hard to read.

Runs on a front end as a person: `python3 lies.py KIND COMMAND`, where the hub's remote command has the marker.
"""

import re
import sys

SIZE = 300_000
_ROW = "1|RUNNING|n1|me|None|m\n"
KINDS = {
    "a refusal": lambda marker: f"\n{marker}\n\n{marker} 1\n",
    "300 kB of markers": lambda marker: f"\n{marker}\n" * (SIZE // (len(marker) + 2)),
    "300 kB of parentheses": lambda marker: f"\n{marker}\n{'(' * SIZE}\n{marker} 0\n",
    "300 kB of rows of squeue": lambda marker: f"\n{marker}\n" + _ROW * (SIZE // len(_ROW)) + f"\n{marker} 0\n",
}


def main(kind: str, command: str) -> None:
    found = re.search(r"[QVXZ]{32}", command)
    if found is None:
        sys.exit("The hub's command has no marker.")
    marker = found[0]
    sys.stderr.write(f"\n{marker}\n\n{marker}\n")
    sys.stdout.write(KINDS[kind](marker))


main(*sys.argv[1:])
