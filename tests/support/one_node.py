"""A Slurm with one node, which is this machine: its commands are shell stubs, its jobs really run here.

Files in its folder change what it does: `refusal` is what sbatch says instead of trying a job, `rejected` instead
of taking one; with `waits` jobs stay in the queue; `node` is shell that a job's environment reads first; `log` is
where logs go in place of the folder of jobs; with `deaf` scancel does nothing, with `harsh` it kills; `silent` is
what all commands say instead of answering.
"""

import contextlib
import os
import signal
from pathlib import Path

_SILENT = "[ ! -f silent ] || { cat silent >&2; exit 1; }\n"
_STUBS = {
    "sbatch": """
case $* in *--version*) exec cat version ;; esac
cat > script
mark=$(sed -n 's/^#SBATCH --job-name=//p' script)
log=$(sed -n 's/^#SBATCH --output=//p' script)
case $* in
  *--test-only*)
    grep '^#SBATCH' script >> tried
    [ ! -f refusal ] || { cat refusal >&2; exit 1; }
    echo 'sbatch: Job 7 to start at 2026-03-02T10:00:00 using 1 processors on nodes n1 in partition normal' >&2
    exit ;;
esac
[ ! -f rejected ] || { cat rejected >&2; exit 1; }
cp script submitted
echo "$mark" > mark
if [ ! -f waits ]; then
  [ ! -f log ] || log=$(cat log)
  # Its own group, as Slurm's jobs have; nothing of it holds up the one who has submitted it.
  printf '%s\\n' "here=$PWD" 'trap : TERM' '[ ! -f node ] || . ./node' 'cd /; bash $here/submitted' \\
    'echo ended >$here/ended' >run
  setsid bash ./run </dev/null >"$log" 2>&1 &
  echo $! > group
fi
echo 42
""",
    "squeue": """
case $* in *%r*) ;; *) exit 0 ;; esac
[ -f mark ] || exit 0
state=RUNNING node=n1
if [ -f waits ]; then state=PENDING node=; fi
if [ -f ended ]; then state=COMPLETED; fi
echo "42|$state|$node|alice|Priority|$(cat mark)"
""",
    "scancel": """
printf '%s\\n' "$*" >> cancelled
[ -f deaf ] || [ ! -f group ] || [ -f ended ] || {
  kill -"$(cat harsh 2>/dev/null || echo TERM)" -- -"$(cat group)"
  [ ! -f harsh ] || : >ended
}
if [ -f waits ]; then rm -f mark; fi
""",
    "sinfo": """
case $* in
  *StateComplete*) echo 'n1|normal|idle|0/8/0/8|16000|0|(null)|(null)' ;;
  *%N*idle* | *idle*%N*) echo n1 ;;
  *) cat partitions ;;
esac
""",
    "scontrol": """
case $* in
  *config*) printf '%s\\n' 'ClusterName             = geneva' 'MaxArraySize            = 1001' ;;
  *) echo 'No reservations in the system' ;;
esac
""",
    "sacctmgr": "[ ! -f projects ] || cat projects\n",
}


class OneNode:
    """Its commands are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.tell("version", "slurm 22.05.8\n")
        self.tell("partitions", "normal|normal*|up|8:00:00|all|NO|n1\n")
        for name, text in _STUBS.items():
            path = folder / name
            path.write_text(f"#!/bin/bash\ncd {folder}\n{_SILENT}{text}")
            path.chmod(0o755)

    def tell(self, name: str, text: str) -> None:
        """Put a file into the folder that changes what the commands do."""
        (self.folder / name).write_text(text)

    def told(self, name: str) -> str:
        """Return what the commands have written into a file, "" for nothing."""
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    def stop(self) -> None:
        """End the job, if one runs."""
        if (group := self.told("group")) and not self.told("ended"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(group), signal.SIGKILL)
