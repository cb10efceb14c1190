#!/bin/bash
#SBATCH --job-name=jupyter-hub-0123456789ab
#SBATCH --output=/scratch/alice/jupyter/0123456789ab.log
#SBATCH --no-requeue
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=1024M
#SBATCH --time=60
#SBATCH --propagate=NONE
#SBATCH --partition=normal
#SBATCH --account=physics

# bash reads all of a function before it runs any: a script that was cut off on its way does nothing.
launch() {
# That of the login: the log had to be made with another.
umask "${JUPYTERHUB_SITES_UMASK:-022}"
unset JUPYTERHUB_SITES_UMASK

# Say in the log and, without waiting for it, to the hub what the job does from here on: stage NAME [TEXT].
stage() {
  local text=${2-}
  text=${text//[[:cntrl:]]/ }
  printf '[%s] %s: %s\n' "$(date +%H:%M:%S)" "$1" "$text"
  text=${text:0:3000}
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  # Opened for reading too, a pipe never lets its writer wait for a reader.
  printf '{"stage": "%s", "text": "%s"}\n' "$1" "$text" 1<>"$JUPYTERHUB_SITES_STAGES"
}

# Tell the person something that does not end the launch.
notice() {
  stage notice "$1"
}

give_up() {
  stage failed "$1"
  exit 1
}

# The token is in no command line.  Modules that are loaded later do not change what runs here.
post_report() {
  if command -v curl >/dev/null; then
    printf 'header = "Authorization: token %s"\n' "$JUPYTERHUB_API_TOKEN" |
      curl --disable --config - --silent --output /dev/null --max-time 5 --noproxy '*' \
        --header 'Content-Type: application/json' --data-binary "$1" "$JUPYTERHUB_SITES_REPORT_URL"
  else
    JUPYTERHUB_SITES_REPORT=$1 python3 -I -c '
import os, urllib.request
report = os.environ["JUPYTERHUB_SITES_REPORT"].encode("utf-8", "surrogateescape")
headers = {"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"], "Content-Type": "application/json"}
request = urllib.request.Request(os.environ["JUPYTERHUB_SITES_REPORT_URL"], report, headers)
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5)
' </dev/null
  fi
}

report_stages() {
  local report
  while IFS= read -r report && [ -n "$report" ]; do
    post_report "$report"
  done
}

# What happened last is worth a moment: it may say why the job ends.
end_reports() {
  printf '\n' 1<>"$JUPYTERHUB_SITES_STAGES"
  local tries=60
  while kill -0 "$reporter" && [ $((tries -= 1)) -gt 0 ]; do
    sleep 0.1
  done
  kill "$reporter"
} 2>/dev/null

# Run a command beside this shell and wait for it: a trap does not run while a command is in the foreground.
attend() {
  "$@" <&0 &
  attended=$!
  wait "$attended"
  local status=$?
  attended=
  return "$status"
}

# A program that does not end when it is told to is killed.
end_attended() {
  local tries=50
  kill "$attended" || return
  while kill -0 "$attended" && [ $((tries -= 1)) -gt 0 ]; do
    sleep 0.1
  done
  kill -KILL "$attended"
} 2>/dev/null

# Load modules in this order: load_modules NAME...  What is loaded decides, not the status: modules 3.2 always has 0.
load_modules() {
  local name seen said="$JUPYTERHUB_SITES_LAUNCH_FOLDER/module.said"
  stage modules "Loading $*"
  seen=()
  for name in "$@"; do
    module load "$name" >"$said" 2>&1
    module_status=$?
    cat -- "$said"
    if is_loaded "$name"; then
      seen+=("$name")
    # The name may be an alias of another.
    elif [ "$module_status" != 0 ] || grep -Eiq 'error|unable|cannot|unknown' "$said"; then
      give_up "The module $name could not be loaded: $(tr -s '[:space:]' ' ' <"$said")"
    fi
  done
  for name in "${seen[@]}"; do
    is_loaded "$name" || give_up "The module $name was unloaded by another module: ${LOADEDMODULES-}"
  done
  stage loaded "${LOADEDMODULES-}"
}

# Whether a module is loaded under this name, or in any version of it.
is_loaded() {
  case ":${LOADEDMODULES-}:" in
    *":$1:"* | *":$1/"*) return 0 ;;
  esac
  return 1
}

# What Slurm says of this job stays, for srun in it.  What its programs read as options goes: it would hold for jobs
# that are submitted from here too, of which the memory of this one is the wrong one.
forget_options() {
  local name
  for name in $(compgen -e); do
    case $name in
      SLURM_JOB_* | SLURM_TASKS_PER_NODE) ;;
      SBATCH_* | SRUN_* | SALLOC_* | SLURM_*_PER_* | SLURM_NTASKS | SLURM_NPROCS | SLURM_GPUS | SLURM_GPU_* | \
        SLURM_*BIND* | SLURM_DIST* | SLURM_HINT | SLURM_EXPORT_ENV | SLURM_UMASK | SLURM_RLIMIT_* | \
        SLURM_OVERCOMMIT | SLURM_EXCLUSIVE | SLURM_OVERLAP | SLURM_CONSTRAINT | SLURM_RESERVATION | \
        SLURM_PARTITION | SLURM_ACCOUNT | SLURM_QOS | SLURM_TIMELIMIT | SLURM_GRES | SLURM_NETWORK | \
        SLURM_PROFILE | SLURM_CONTAINER | SLURM_HET_SIZE)
        unset "$name"
        ;;
    esac
  done
}

# The newest logs stay, and those of launches that still run.
remove_old_logs() (
  cd -- "$1" || return
  # shellcheck disable=SC2010 # only names of our own making pass
  ls -t | grep -Ex '[0-9a-f]{12}\.log' | tail -n +6 | while read -r log; do
    [ -d "${log%.log}" ] || rm -f -- "$log"
  done
)

clean_up() {
  trap '' TERM
  [ -z "$attended" ] || end_attended
  rm -f -- /scratch/alice/tickets/0123456789ab.ccache
  end_reports
  rm -rf -- /scratch/alice/jupyter/0123456789ab
}

(umask 077 && mkdir -- /scratch/alice/jupyter/0123456789ab) || {
  printf 'The folder of this launch cannot be made on %s.\n' "$(hostname)" >&2
  exit 1
}
attended=
reporter=
trap clean_up EXIT
trap 'exit 143' TERM

forget_options
export JUPYTERHUB_USER=alice
export JUPYTERHUB_SERVICE_PREFIX=/user/alice/
export JUPYTERHUB_SITES_REPORT_URL=http://hub.test:8081/hub/api/launches/0123456789ab
export JUPYTERHUB_SITES_LAUNCH_FOLDER=/scratch/alice/jupyter/0123456789ab
export JUPYTERHUB_SITES_STAGES=/scratch/alice/jupyter/0123456789ab/stages
export KRB5CCNAME=FILE:/scratch/alice/tickets/0123456789ab.ccache
export JUPYTERHUB_SITES_KERNEL_SCRIPTS=''

mkfifo -m 600 -- "$JUPYTERHUB_SITES_STAGES"
report_stages <>"$JUPYTERHUB_SITES_STAGES" >/dev/null 2>&1 &
reporter=$!
remove_old_logs /scratch/alice/jupyter

type module >/dev/null 2>&1 || . /etc/profile.d/modules.sh
module use /opt/modulefiles
load_modules jupyterlab
mkdir -- /scratch/alice/jupyter/0123456789ab/config
cat >/scratch/alice/jupyter/0123456789ab/config/jupyter_config.py <<'END_OF_FILE'
"""Configuration of the notebook server: kernels that scripts of other profiles made are not shown in this one.

Runs in the server's own Python, which knows all places where kernels are.
"""

import glob
import json
import os

c = get_config()  # type: ignore[name-defined] # noqa: F821


def _made() -> "tuple[set[str], set[str]]":
    """Return the kernelspecs that scripts of this profile made, and those that any script made."""
    own = os.environ.get("JUPYTERHUB_SITES_KERNEL_SCRIPTS", "").split()
    here, anywhere = set(), set()
    for path in glob.glob(os.path.expanduser("~/.local/share/jupyterhub-sites/made/*.json")):
        try:
            with open(path) as file:
                names = set(json.load(file)["kernelspecs"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        anywhere |= names
        if os.path.basename(path)[: -len(".json")] in own:
            here |= names
    return here, anywhere


def _allow() -> None:
    here, anywhere = _made()
    if anywhere - here:
        # Only the server has it, and it takes a moment to load.
        from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415

        found = set(KernelSpecManager().find_kernel_specs())
        c.KernelSpecManager.allowed_kernelspecs = found - (anywhere - here)


_allow()
END_OF_FILE
export JUPYTER_CONFIG_PATH=/scratch/alice/jupyter/0123456789ab/config${JUPYTER_CONFIG_PATH:+:$JUPYTER_CONFIG_PATH}
export JUPYTER_PATH=/scratch/alice/jupyter/0123456789ab/jupyter${JUPYTER_PATH:+:$JUPYTER_PATH}

cd "$HOME" || give_up "The home directory $HOME cannot be entered on $(hostname)."
attend python3 -I - jupyterhub-singleuser '--notebook-dir=~' --ServerApp.default_url=/lab <<'END_OF_STARTER'
"""Start the notebook server given as arguments, and tell the hub its port once it listens.

Runs in the job, read from stdin.  Ends with the server's status, or 3 if the hub does not know this launch.
"""

import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from typing import Optional

HUB_WAIT_SECONDS = 600
PORT_TRIES = 3
LOOK_SECONDS = 0.02
UNKNOWN_LAUNCH = 3


class UnknownLaunchError(Exception):
    """The hub has no such launch: nobody waits for this job."""


def say(text: str) -> None:
    """Write one line to the job's log."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def report(facts: dict) -> None:
    """POST facts to the hub, trying for as long as it is away."""
    request = urllib.request.Request(
        os.environ["JUPYTERHUB_SITES_REPORT_URL"],
        data=json.dumps(facts).encode(),
        headers={
            "Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"],
            "Content-Type": "application/json",
        },
    )
    # A proxy meant for the outside world must not see the token.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    pause, end = 0.2, time.time() + HUB_WAIT_SECONDS
    while True:
        try:
            opener.open(request, timeout=20).close()
            return
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise UnknownLaunchError("the hub answered %d %s" % (error.code, error.reason)) from error
            problem = str(error)
        except (OSError, ValueError) as error:
            problem = str(error)
        if time.time() > end:
            raise UnknownLaunchError("the hub could not be reached for %d s: %s" % (HUB_WAIT_SECONDS, problem))
        say("waiting for the hub: %s" % problem)
        time.sleep(pause)
        pause = min(pause * 2, 10)


def free_port() -> int:
    """Return a port that nobody on this node uses now."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Return whether somebody else listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return True
    return False


def start(command: list, port: int, runtime: str) -> subprocess.Popen:
    """Start the server on the port; its own record of itself goes to the runtime folder."""
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")
    environ = dict(
        os.environ,
        JUPYTERHUB_SERVICE_URL="http://0.0.0.0:%d%s" % (port, prefix),
        JUPYTER_RUNTIME_DIR=runtime,
    )
    return subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL)


def listens(child: subprocess.Popen, runtime: str) -> bool:
    """Wait until the server has written its record (it listens by then) or has ended."""
    # The folder is ours alone and new, so a record in it is our server's, also behind a wrapper script.
    records = os.path.join(runtime, "jpserver-*.json")
    while child.poll() is None:
        if glob.glob(records):
            return True
        time.sleep(LOOK_SECONDS)
    return False


def serve(command: list, runtime: str) -> int:
    """Run the server to its end and return its status."""
    report({"stage": "starting", "text": "Python %s, %s" % (sys.version.split()[0], sys.executable)})
    for _ in range(PORT_TRIES):
        port = free_port()
        child = start(command, port, runtime)
        pass_on_signals(child)
        if listens(child, runtime):
            try:
                report({"port": port})
            except UnknownLaunchError:
                child.terminate()
                child.wait()
                raise
            return child.wait()
        if not is_taken(port):
            break
        say("port %d was taken by somebody else, trying another" % port)
    return child.returncode


def pass_on_signals(child: Optional[subprocess.Popen]) -> None:
    """Make the end of the job the end of the server; without a server, end in order."""

    def forward(number: int, _frame: object) -> None:
        if child is None or child.poll() is not None:
            sys.exit(128 + number)
        child.send_signal(number)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)


def main() -> int:
    """Run, and leave nothing on the node."""
    pass_on_signals(None)
    runtime = tempfile.mkdtemp(prefix="jupyter-runtime-")
    try:
        status = serve(sys.argv[1:], runtime)
    except UnknownLaunchError as error:
        say("This job ends, because %s." % error)
        status = UNKNOWN_LAUNCH
    except OSError as error:
        say("The notebook server cannot be started: %s" % error)
        status = 127
    finally:
        shutil.rmtree(runtime, ignore_errors=True)
    return status if status >= 0 else 128 - status


sys.exit(main())
END_OF_STARTER
exit $?
}
launch
