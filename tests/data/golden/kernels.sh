#!/bin/bash
#SBATCH --job-name=jupyter-hub-0123456789ab
#SBATCH --output=/scratch/alice/jupyter/0123456789ab.log
#SBATCH --no-requeue
#SBATCH --nodes=2
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
  printf '[%(%H:%M:%S)T] %s: %s\n' -1 "$1" "$text"
  tell_hub "$1" "$text"
}

# Tell the person something that does not end the launch.
notice() {
  stage notice "$1"
}

give_up() {
  stage failed "$1"
  exit 1
}

tell_hub() {
  local text=${2:0:3000}
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  to_reporter "{\"stage\": \"$1\", \"text\": \"$text\"}"
}

to_reporter() {
  printf '%s\n' "$1" >&"$stages"
}

# Begin to send what the job reports.  What comes from there is a word on the first report, and the end of the sender.
begin_reports() {
  mkfifo -m 600 -- "$JUPYTERHUB_SITES_STAGES"
  # Opened for reading too, a pipe never lets its writer wait for a reader; as long as it is open, it keeps what it has.
  exec {stages}<>"$JUPYTERHUB_SITES_STAGES"
  begin_sender
}

begin_sender() {
  exec {reports}< <(send_reports "$@" <&"$stages" 2>/dev/null)
  reporter=$!
}

# Whether the hub itself answers the first report by saying that it has no such launch.  Whatever else it, or what stands
# before it, says or does not say, the job goes on.
is_unwanted() {
  local word
  tell_hub job "$1"
  if ! read -r -t 6 word <&"$reports"; then
    # bash tries an address that drops everything for minutes, and has no other; programs have.
    end_sender
    begin_sender by_program
    tell_hub job "$1"
    read -r -t 6 word <&"$reports"
  fi
  [ "$word" = unwanted ]
}

end_sender() {
  kill "$reporter"
  wait "$reporter"
  exec {reports}<&-
} 2>/dev/null

# What happened last is worth a moment: it may say why the job ends.
end_reports() {
  [ -n "$reporter" ] || return 0
  to_reporter end
  while read -r -t 6 <&"$reports"; do
    :
  done
  end_sender
  # A file that is open is not gone from NFS, nor is its folder.
  exec {stages}>&-
} 2>/dev/null

# Let the starter send what waits, with its own first report: so they come in their order.
hand_over() {
  local said
  printf -v said '%(%s)T' -1
  to_reporter "$said"
  while IFS= read -r -t 2.5 said <&"$reports" && [[ $said != '['* ]]; do
    :
  done
  export JUPYTERHUB_SITES_HELD=$said
}

# The first report is a question.  Later ones that follow each other within a moment are sent together.  A time, which
# is a number, asks for what waits.
send_reports() {
  local LC_ALL=C answer='' report waiting='' way=${1-}
  trap '' PIPE
  IFS= read -r report && post_report "$report"
  case $answer in
    *'"unknown_launch"'*) printf 'unwanted\n' ;;
    *) printf 'known\n' ;;
  esac
  while [ "$report" != end ]; do
    next_report
    case $report in
      '{'*)
        [ $((${#waiting} + ${#report})) -lt 15000 ] || send_waiting
        waiting=${waiting:+$waiting, }$report
        ;;
      *) hand_waiting ;;
    esac
  done
}

# While nothing waits to be sent, for as long as it takes.
next_report() {
  local rest
  if [ -z "$waiting" ]; then
    IFS= read -r report || report=end
  elif ! IFS= read -r -t 0.2 report && [ -n "$report" ]; then
    # The moment was over within a line.
    IFS= read -r rest
    report=$report$rest
  fi
}

# To who asked, if they still wait for it; else to the hub.
hand_waiting() {
  local number='^[1-9][0-9]{1,12}$' now
  printf -v now '%(%s)T' -1
  if ! [[ $report =~ $number ]]; then
    send_waiting
  elif [ $((now - report)) -gt 1 ]; then
    send_waiting
    printf '[]\n'
  else
    printf '[%s]\n' "$waiting"
    waiting=
  fi
}

send_waiting() {
  [ -z "$waiting" ] || post_report "[$waiting]"
  waiting=
}

# Sets `answer` to what the hub says, or to nothing.  The token is in no command line.
post_report() {
  answer=
  { [ -z "$way" ] && post_from_here "$1"; } || post_by_program "$1"
}

# Plain http needs no program: on a node on which many jobs start at once they cost most.
post_from_here() {
  local form='^http://(\[[^]]+\]|[^][/:@]+)(:([0-9]+))?(/.*)$'
  [[ $JUPYTERHUB_SITES_REPORT_URL =~ $form ]] || return
  local host=${BASH_REMATCH[1]} port=${BASH_REMATCH[3]:-80} path=${BASH_REMATCH[4]}
  {
    printf '%s\r\n' "POST $path HTTP/1.1" "Host: $host:$port" 'Connection: close' \
      "Authorization: token $JUPYTERHUB_API_TOKEN" 'Content-Type: application/json' "Content-Length: ${#1}" ''
    printf '%s' "$1"
    # To its end, or else the hub sees a connection that broke.
    IFS= read -r -t 5 -N 4000 answer <&3
    true
  } 3<>"/dev/tcp/${host//[][]/}/$port" >&3
}

post_by_program() {
  if command -v curl >/dev/null; then
    IFS= read -r -N 2000 answer < <(
      printf 'header = "Authorization: token %s"\n' "$JUPYTERHUB_API_TOKEN" |
        curl --disable --config - --silent --max-time 5 --noproxy '*' \
          --header 'Content-Type: application/json' --data-binary "$1" "$JUPYTERHUB_SITES_REPORT_URL"
    )
  else
    IFS= read -r -N 2000 answer < <(
      export JUPYTERHUB_SITES_REPORT=$1
      exec python3 -I -c '
import os, urllib.error, urllib.request
report = os.environ["JUPYTERHUB_SITES_REPORT"].encode("utf-8", "surrogateescape")
headers = {"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"], "Content-Type": "application/json"}
request = urllib.request.Request(os.environ["JUPYTERHUB_SITES_REPORT_URL"], report, headers)
try:
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5)
except urllib.error.HTTPError as error:
    print(error.read(2000).decode("utf-8", "replace"))
' </dev/null
    )
  fi
}

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
  type module >/dev/null 2>&1 || give_up "There is no command module on the node (module_init of the site). \
Please tell the administrators of this hub."
  local name seen said="$JUPYTERHUB_SITES_LAUNCH_FOLDER/module.said"
  stage modules "Loading $*"
  seen=()
  for name in "$@"; do
    module load "$name" >"$said" 2>&1
    module_status=$?
    [ ! -s "$said" ] || cat -- "$said"
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
  for name in "${!SLURM_@}" "${!SBATCH_@}" "${!SRUN_@}" "${!SALLOC_@}"; do
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
remove_old_logs() {
  local LC_ALL=C form='^[0-9a-f]{12}\.log$' logs=() each newest kept
  for each in "$1"/*.log; do
    [[ ${each##*/} =~ $form ]] && logs+=("$each")
  done
  for ((kept = 0; kept < 5; kept++)); do
    newest=
    for each in "${!logs[@]}"; do
      if [ -z "$newest" ] || [ "${logs[each]}" -nt "${logs[newest]}" ]; then
        newest=$each
      fi
    done
    [ -n "$newest" ] || return 0
    unset "logs[$newest]"
  done
  for each in "${!logs[@]}"; do
    [ -d "${logs[each]%.log}" ] && unset "logs[$each]"
  done
  [ -z "${logs[*]-}" ] || rm -f -- "${logs[@]}"
}

# The folder of the server and its kernels: on this node, because sockets lie in it, and with a short path, because that
# of a socket has 107 bytes, of which Jupyter needs 52.
make_runtime() {
  # Bytes are counted.
  local LC_ALL=C
  runtime=$(exec mktemp -d -- "${TMPDIR:-/tmp}/jupyter-runtime-XXXXXXXX")
  if [ -z "$runtime" ] || [ -n "${runtime:54}" ]; then
    [ -z "$runtime" ] || rmdir -- "$runtime"
    runtime=$(exec mktemp -d /tmp/jupyter-runtime-XXXXXXXX)
  fi 2>/dev/null
  [ -n "$runtime" ] || give_up "The folder /tmp cannot be written to on $host."
  export JUPYTER_RUNTIME_DIR=$runtime
}

# The server has Python's variables as the site's own environment leaves them, unless a profile brings a server of its
# own: what a profile's modules add is for kernels, and may hide what the server needs.
keep_python() {
  local name
  find_program
  server=$found
  compgen -e PYTHON >/scratch/alice/jupyter/0123456789ab/names
  while IFS= read -r name; do
    [ -z "${!name+set}" ] || printf '%s=%s\0' "$name" "${!name}"
  done </scratch/alice/jupyter/0123456789ab/names >/scratch/alice/jupyter/0123456789ab/python
}
forget_python() {
  find_program
  [ "$found" = "$server" ] || rm -f -- /scratch/alice/jupyter/0123456789ab/python
}
# Sets `found` to where on PATH the server's program is.
find_program() {
  local name=jupyterhub-singleuser
  hash -r
  # A site may have switched it off.
  if hash -- "$name"; then
    found=${BASH_CMDS[$name]}
  else
    found=$(type -P -- "$name")
  fi
} 2>/dev/null

clean_up() {
  trap '' TERM
  [ -z "$attended" ] || end_attended
  end_reports
  rm -rf -- /scratch/alice/jupyter/0123456789ab ${runtime:+"$runtime"}
}

# HOSTNAME may be that of the login host.
read -r host </proc/sys/kernel/hostname
mkdir -m 700 -- /scratch/alice/jupyter/0123456789ab || {
  printf 'The folder of this launch cannot be made on %s.\n' "$host" >&2
  exit 1
}
attended=
reporter=
runtime=
trap clean_up EXIT
trap 'exit 143' TERM

forget_options
export JUPYTERHUB_USER=alice
export JUPYTERHUB_SERVICE_PREFIX=/user/alice/
export JUPYTERHUB_SITES_REPORT_URL=http://hub.test:8081/hub/api/launches/0123456789ab
export JUPYTERHUB_SITES_LAUNCH_FOLDER=/scratch/alice/jupyter/0123456789ab
export JUPYTERHUB_SITES_STAGES=/scratch/alice/jupyter/0123456789ab/stages
export JUPYTERHUB_DEFAULT_URL=/tree
export JUPYTERHUB_SITES_KERNEL_SCRIPTS=7184ed04dedaecc0
export JUPYTERHUB_SITES_MODULE_INIT=/etc/profile.d/modules.sh

begin_reports
if is_unwanted "Running on $host"; then
  printf 'This job ends, because the hub does not know it: nobody waits for it.\n'
  exit 3
fi
remove_old_logs /scratch/alice/jupyter

type module >/dev/null 2>&1 || . /etc/profile.d/modules.sh
[[ ${MODULEPATH-}: = /opt/modulefiles:* ]] || module use /opt/modulefiles
load_modules jupyterlab
keep_python
printf '%s\n' '"""Configuration of the notebook server: its kernels, how it talks to them, its terminals, what JupyterLab shows.

Runs in the server'"'"'s own Python, which knows all places where kernels are, and may do so several times.
"""

import glob
import json
import os
import shlex
import sys
import urllib.parse

c = get_config()  # type: ignore[name-defined] # noqa: F821

FOLDER = os.path.dirname(os.path.abspath(__file__))
NATIVE = "python3"
"""What Jupyter calls the kernel of the server'"'"'s own Python."""

NOBODYS = "."
"""No kernel can have this name: without any name, all would be shown."""

LAB_NAME = "jupyterhub-sites"
FIRST_LAB = 4
"""The first JupyterLab for which our extension is."""

LONGEST_NAME = 200
"""Bytes of a file'"'"'s name, of which there are 255."""

# What a shell says of itself, and of where it is.
OF_A_SHELL = ("PATH", "PWD", "OLDPWD", "SHLVL", "HOME", "TERM", "_")


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
    hidden = anywhere - here
    if not hidden:
        return
    # Only the server has it, and it takes a moment to load.
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415

    if NATIVE in hidden and _keep_own():
        hidden.remove(NATIVE)
    found = set(KernelSpecManager().find_kernel_specs())
    c.KernelSpecManager.allowed_kernelspecs = (found - hidden) or {NOBODYS}


def _keep_own() -> bool:
    """Put the server'"'"'s own kernel before one of its name that another profile'"'"'s script made in the home."""
    try:
        from ipykernel.kernelspec import get_kernel_dict  # type: ignore[import-not-found] # noqa: PLC0415
    except ImportError:
        return False
    folder = os.path.join(FOLDER, "jupyter", "kernels", NATIVE)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "kernel.json"), "w") as file:
        json.dump(dict(get_kernel_dict(), argv=[sys.executable, *get_kernel_dict()["argv"][1:]]), file)
    return True


def _python_of_kernels() -> None:
    """Give kernels and terminals the Python variables of the profile: this Python has read the site'"'"'s by now."""
    kept = os.environ.pop("JUPYTERHUB_SITES_PYTHON", None)
    if kept is None:
        return
    for name in [name for name in os.environ if name.startswith("PYTHON")]:
        del os.environ[name]
    os.environ.update(json.loads(kept))


def _terminal() -> "list[str]":
    """Return the command of terminals: a shell that reads what a login reads and then has this job'"'"'s environment.

    A login shell, which is Jupyter'"'"'s choice, would begin with the PATH of a login, without the job'"'"'s modules.
    """
    shell = os.environ.get("SHELL") or "/bin/sh"
    kept = {name: value for name, value in os.environ.items() if _is_kept(name, value)}
    kind = os.path.basename(shell)
    if kind == "bash":
        path = os.path.join(FOLDER, "terminal.sh")
        _write(path, _for_bash(kept))
        return [shell, "--rcfile", path, "-i"]
    if kind in ("tcsh", "csh"):
        folder = os.path.join(FOLDER, "terminal")
        os.makedirs(folder, exist_ok=True)
        for name in (".tcshrc", ".cshrc"):
            _write(os.path.join(folder, name), _for_csh(kept))
        return ["env", "HOME=" + folder, shell]
    return [shell]


def _is_kept(name: str, value: str) -> bool:
    # What is of the hub, secrets too, no login file changes.
    is_ours = name.startswith(("JUPYTER", "JPY_", "SLURM", "BASH_FUNC_")) or name in OF_A_SHELL
    # The shells of old cannot have these in quotes.
    return not is_ours and name.isidentifier() and not set(value) & set("\n!")


def _for_bash(kept: "dict[str, str]") -> str:
    lines = [
        "[ ! -r /etc/profile ] || . /etc/profile",
        "for jupyter_file in ~/.bash_profile ~/.bash_login ~/.profile ~/.bashrc; do",
        '"'"'  [ ! -r "$jupyter_file" ] || { . "$jupyter_file"; break; }'"'"',
        "done",
        *("export %s=%s" % (name, shlex.quote(value)) for name, value in kept.items()),
        '"'"'IFS=: read -ra jupyter_path <<<"$PATH"'"'"',
        "PATH=%s" % shlex.quote(os.environ.get("PATH", "")),
        '"'"'for jupyter_file in "${jupyter_path[@]}"; do'"'"',
        '"'"'  case ":$PATH:" in *":$jupyter_file:"*) ;; *) PATH=$PATH:$jupyter_file ;; esac'"'"',
        "done",
        "unset jupyter_file jupyter_path",
    ]
    init = os.environ.get("JUPYTERHUB_SITES_MODULE_INIT")
    if init:
        lines.append("type module >/dev/null 2>&1 || . %s" % shlex.quote(init))
    return "\n".join(lines) + "\n"


def _for_csh(kept: "dict[str, str]") -> str:
    home = shlex.quote(os.path.expanduser("~"))
    lines = [
        "setenv HOME %s" % home,
        "set home = %s" % home,
        "if ( -r /etc/csh.login ) source /etc/csh.login",
        "if ( $?tcsh && -r ~/.tcshrc ) then",
        "  source ~/.tcshrc",
        "else if ( -r ~/.cshrc ) then",
        "  source ~/.cshrc",
        "endif",
        "if ( -r ~/.login ) source ~/.login",
        *("setenv %s %s" % (name, shlex.quote(value)) for name, value in kept.items()),
        "set jupyter_path = ( $path:q )",
        "setenv PATH %s" % shlex.quote(os.environ.get("PATH", "")),
        "foreach jupyter_file ( $jupyter_path:q )",
        '"'"'  if ( ":${PATH}:" !~ "*:${jupyter_file}:*" ) setenv PATH "${PATH}:${jupyter_file}"'"'"',
        "end",
        "unset jupyter_file jupyter_path",
    ]
    return "\n".join(lines) + "\n"


def _lab() -> None:
    """Give JupyterLab what our extension shows of this job, and each named server a workspace of its own.

    An older one, or a server without JupyterLab, gets nothing.
    """
    try:
        from importlib.metadata import version  # noqa: PLC0415 - a Python without it is too old for JupyterLab 4

        if int(version("jupyterlab").split(".")[0]) < FIRST_LAB:
            return
        with open(os.path.join(FOLDER, "lab.json")) as file:
            facts = json.load(file)
        with open(os.path.join(FOLDER, "lab_page.js")) as file:
            program = file.read()
    except (ImportError, OSError, ValueError):
        return
    _extend(facts, program)
    if facts["server"] and "JUPYTERLAB_WORKSPACES_DIR" not in os.environ:
        home = os.environ.get("JUPYTER_CONFIG_DIR") or os.path.expanduser("~/.jupyter")
        server = urllib.parse.quote(facts["server"], safe="")[:LONGEST_NAME]
        c.LabApp.workspaces_dir = os.path.join(home, "lab", "workspaces-" + server)


def _extend(facts: dict, program: str) -> None:
    """Put the extension where JUPYTER_PATH leads JupyterLab, and its facts where JUPYTER_CONFIG_PATH does."""
    extension = os.path.join(FOLDER, "jupyter", "labextensions", LAB_NAME)
    labconfig = os.path.join(FOLDER, "labconfig")
    for folder in (extension, labconfig):
        os.makedirs(folder, exist_ok=True)
    # Browsers may keep a file of the server'"'"'s last launch.
    name = facts["launch"] + ".js"
    _write(os.path.join(extension, name), program)
    _write(os.path.join(extension, "package.json"), json.dumps(_package(name)))
    # JupyterLab passes on no values but plain ones.
    config = {"jupyterhubSites": json.dumps(_of_job(facts))}
    _write(os.path.join(labconfig, "page_config.json"), json.dumps(config))


def _package(name: str) -> dict:
    return {
        "name": LAB_NAME,
        "version": "1.0.0",
        "jupyterlab": {
            "_build": {"load": name, "extension": "./extension"},
            # Ours says why a server has ended; only one plugin may.
            "disabledExtensions": ["@jupyterlab/hub-extension:connectionlost"],
        },
    }


def _of_job(facts: dict) -> dict:
    """Return the facts with what the job itself knows; `ends` is in seconds since 1970."""
    # Slurm before 22.05 does not say when a job ends; the file was written when it began.
    begun = os.stat(os.path.join(FOLDER, "lab.json")).st_mtime
    end = os.environ.get("SLURM_JOB_END_TIME", "")
    return dict(
        facts,
        job=os.environ.get("SLURM_JOB_ID") or os.environ.get("PBS_JOBID", ""),
        node=os.environ.get("SLURMD_NODENAME") or os.uname().nodename,
        ends=int(end) if end.isdigit() else int(begun) + 60 * facts["minutes"],
    )


def _write(path: str, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


_allow()
_python_of_kernels()
_lab()
c.ServerApp.terminado_settings = {"shell_command": _terminal()}
# Sockets that are files in a private folder: on the ports of 127.0.0.1 everybody on the node reads what is run.
c.KernelManager.transport = os.environ.get("JUPYTERHUB_SITES_KERNEL_TRANSPORT", "ipc")' >/scratch/alice/jupyter/0123456789ab/jupyter_config.py
export JUPYTER_CONFIG_PATH=/scratch/alice/jupyter/0123456789ab${JUPYTER_CONFIG_PATH:+:$JUPYTER_CONFIG_PATH}
export JUPYTER_PATH=/scratch/alice/jupyter/0123456789ab/jupyter${JUPYTER_PATH:+:$JUPYTER_PATH}
mkdir -p -- /scratch/alice/jupyter/0123456789ab/program/kernels/jobside
printf '%s\n' '"""Say in the job'"'"'s log, and to the hub, what happens: what the shell'"'"'s `stage` does, for Python."""

import json
import os
import sys
import time

LONGEST_TEXT = 3000


class Failure(Exception):  # noqa: N818
    """A kernel cannot be made ready; the text is a sentence for the person."""


def stage(name: str, text: str) -> None:
    """Say what is done from here on."""
    line = "".join(c if c.isprintable() else " " for c in text)
    # Not as text: a job'"'"'s locale is C.
    sys.stdout.buffer.write(("[%s] %s: %s\n" % (time.strftime("%H:%M:%S"), name, line)).encode())
    sys.stdout.flush()
    report = json.dumps({"stage": name, "text": line[:LONGEST_TEXT]}) + "\n"
    try:
        # Opened for reading too, a pipe never lets its writer wait for a reader.
        pipe = os.open(os.environ["JUPYTERHUB_SITES_STAGES"], os.O_RDWR)
    except OSError:
        return
    try:
        os.write(pipe, report.encode())
    finally:
        os.close(pipe)' >/scratch/alice/jupyter/0123456789ab/program/kernels/jobside/telling.py
printf '%s\n' '"""Run a program with a time limit, so that nothing of it is left when it, or the job, ends."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import Dict, List

from kernels.jobside.telling import Failure

GRACE_SECONDS = 2.0


class Ending:
    """Makes SIGTERM end the program in order: as SystemExit, but never while a child is being started.

    A child that is started but not known yet would be left running.
    """

    def __init__(self) -> None:
        self._is_held = False
        self._number = 0

    def install(self) -> None:
        """Take SIGTERM from here on."""
        signal.signal(signal.SIGTERM, self._take)

    def start(self, command: List[str], environ: Dict[str, str]) -> subprocess.Popen:
        """Start a child in a process group of its own, its output in the job'"'"'s log."""
        self._is_held = True
        try:
            return subprocess.Popen(
                command, env=environ, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True
            )
        finally:
            self._is_held = False

    def check(self) -> None:
        """End now if a signal came while a child was being started."""
        if self._number:
            sys.exit(128 + self._number)

    def _take(self, number: int, _frame: object) -> None:
        self._number = number
        if not self._is_held:
            self.check()


ending = Ending()


def run(command: List[str], environ: Dict[str, str], end: float, limit: str) -> int:
    """Run a command, its output in the job'"'"'s log, and return its status; `end` is a time.monotonic().

    Raises Failure when the time is over, which `limit` says in words.
    """
    child = ending.start(command, environ)
    try:
        ending.check()
        return child.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise Failure("it took longer than %s and was stopped" % limit) from None
    finally:
        end_group(child)


def end_group(child: subprocess.Popen) -> None:
    """End a child and whatever it has left running."""
    signalled = signal_group(child, signal.SIGTERM)
    if child.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
    if signalled:
        signal_group(child, signal.SIGKILL)
    child.wait()


def signal_group(child: subprocess.Popen, number: int) -> bool:
    """Send a signal to the child'"'"'s process group; return whether there was one."""
    try:
        os.killpg(child.pid, number)
    except OSError:
        return False
    return True' >/scratch/alice/jupyter/0123456789ab/program/kernels/jobside/running.py
printf '%s\n' '"""One builder at a time, on file systems where flock cannot be trusted: a folder that names the job that holds it.

The folder holds one entry, `<site>@<job id>`.  It comes into being with that entry in it, and who takes it over
from a dead job renames the entry: of several that try, one succeeds.
"""

import contextlib
import errno
import os
import shutil
import subprocess
import time
from typing import Any, Dict, Iterator, List, Optional

from kernels.jobside.telling import Failure, stage

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
ASK_SECONDS = 60


class Jobs:
    """Asks the site'"'"'s scheduler whether a job is over; `lookup` is a kernels.hook.JobLookup."""

    def __init__(self, site: str, lookup: Dict[str, Any], environ: Dict[str, str]) -> None:
        self.site = site
        self._lookup = lookup
        self._environ = dict(environ, PATH=os.defpath, LC_ALL="C")

    def is_over(self, holder: str) -> bool:
        """Return whether it is certain that the job in `<site>@<job id>` is over: could not ask is not over."""
        site, _, job_id = holder.partition("@")
        if site != self.site:
            return False
        try:
            answer = subprocess.run(
                [job_id if word == "{job_id}" else word for word in self._lookup["command"]],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=ASK_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if answer.returncode:
            return any(words.encode() in answer.stderr for words in self._lookup["gone"])
        return bool(self._lookup["silence_is_over"]) and not answer.stdout.strip()


@contextlib.contextmanager
def held(path: str, job_id: str, jobs: Jobs, end: float, what: str) -> Iterator[None]:
    """Hold the lock `path` for a block; `end` is a time.monotonic().

    Raises Failure if another job holds it at the end, OSError where there can be no lock.
    """
    entry = "%s@%s" % (jobs.site, job_id)
    told, pause = "", FIRST_PAUSE_SECONDS
    while not take(path, entry):
        holder = holder_of(path)
        if holder and (holder == entry or jobs.is_over(holder)) and take_over(path, holder, entry):
            break
        if holder and holder != told:
            told = holder
            stage("waiting", "Job %s is already building %s; waiting for it" % (holder.partition("@")[2], what))
        if time.monotonic() > end:
            raise Failure("job %s is already building it and did not finish in time" % told.partition("@")[2])
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
    try:
        yield
    finally:
        give_back(path, entry)


def take(path: str, entry: str) -> bool:
    """Return whether the lock is ours now, because nobody held it."""
    new = "%s.%s" % (path, entry)
    # Of a run of this very job that was ended at this moment.
    shutil.rmtree(new, ignore_errors=True)
    os.mkdir(new, 0o700)
    os.close(os.open(os.path.join(new, entry), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    try:
        # Over an empty folder too, but never over one that somebody holds.
        os.rename(new, path)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        # Who held it may have given it back by now.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) and not os.path.isdir(path):
            raise
        return False
    return True


def holder_of(path: str) -> Optional[str]:
    """Return who holds the lock, None if nobody does any more."""
    try:
        return next(iter(entries(path)), None)
    except OSError:
        return None


def entries(path: str) -> List[str]:
    """Return the entries of a lock."""
    return [name for name in os.listdir(path) if "@" in name]


def take_over(path: str, holder: str, entry: str) -> bool:
    """Return whether the lock of a dead job is ours now."""
    try:
        os.rename(os.path.join(path, holder), os.path.join(path, entry))
    except OSError:
        return False
    stage("waiting", "Job %s ended before it finished; building again" % holder.partition("@")[2])
    return True


def give_back(path: str, entry: str) -> None:
    """Let the next one have it."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(path, entry))
        os.rmdir(path)' >/scratch/alice/jupyter/0123456789ab/program/kernels/jobside/locks.py
printf '%s\n' '"""Run a line of the admin'"'"'s own that makes kernels, and keep in mind which kernelspecs it installed."""

import json
import os
import time
from typing import Any, Dict, Tuple

from kernels.jobside.locks import Jobs, held
from kernels.jobside.running import run
from kernels.jobside.telling import Failure, stage

Found = Dict[str, Tuple[int, int]]


def home_folder() -> str:
    """Return where the owner'"'"'s locks, manifests and kernels lie; made if it is not there."""
    folder = os.path.join(os.path.expanduser("~"), ".local", "share", "jupyterhub-sites")
    os.makedirs(folder, exist_ok=True)
    return folder


def kernelspecs() -> Found:
    """Return the owner'"'"'s own kernelspecs as Jupyter calls them, each with what changes when it is rewritten."""
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    folder = os.path.join(os.environ.get("JUPYTER_DATA_DIR") or os.path.join(data, "jupyter"), "kernels")
    found = {}
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        try:
            seen = os.stat(os.path.join(folder, name, "kernel.json"))
        except OSError:
            continue
        found[name.lower()] = (seen.st_mtime_ns, seen.st_ino)
    return found


def make(kernel: Dict[str, Any], job: Dict[str, Any], jobs: Jobs) -> None:
    """Run the script of a kernel.  Raises Failure, with the end of a sentence."""
    stage("kernel", "script %s: %s" % (kernel["digest"], kernel["script"]))
    lock = os.path.join(home_folder(), "scripts.lock")
    # One script of a person at a time: two of them may build in the same folder.
    with held(lock, job["job_id"], jobs, time.monotonic() + kernel["seconds"], "kernels"):
        before = kernelspecs()
        end = time.monotonic() + kernel["seconds"]
        try:
            status = run(["bash", "-c", kernel["script"]], environ(job), end, kernel["limit"])
        finally:
            # Also of a script that fails: at its next run it may find that there is nothing to do.
            note(kernel, before)
    if status:
        raise Failure("it ended with status %d" % status)


def environ(job: Dict[str, Any]) -> Dict[str, str]:
    """Return the launch'"'"'s environment, in which `module` works also in bash scripts that a script calls."""
    scratch = os.path.join(job["launch_folder"], "scratch")
    os.makedirs(scratch, exist_ok=True)
    settings = dict(os.environ, JUPYTERHUB_SITES_SCRATCH=scratch)
    if job["module_init"]:
        settings.setdefault("BASH_ENV", job["module_init"])
    return settings


def note(kernel: Dict[str, Any], before: Found) -> None:
    """Add to the manifest of a script what it was seen to make, and is said to; what is gone is omitted."""
    present = kernelspecs()
    made = {name for name in present if before.get(name) != present[name]}
    made.update(name.lower() for name in kernel["kernelspecs"])
    folder = os.path.join(home_folder(), "made")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, kernel["digest"] + ".json")
    try:
        with open(path) as file:
            known = set(json.load(file)["kernelspecs"])
    except (OSError, ValueError, KeyError, TypeError):
        known = set()
    names = sorted((known & set(present)) | made)
    with open(path + ".new", "w") as file:
        json.dump({"script": kernel["script"], "kernelspecs": names}, file)
    os.replace(path + ".new", path)' >/scratch/alice/jupyter/0123456789ab/program/kernels/jobside/scripts.py
printf '%s\n' '"""Whose kernels may be run: those that nobody but root and the owner of their store can have put there."""

import os
import stat
from typing import Callable

OTHERS = 0o022
_Kind = Callable[[int], bool]


def wrong_with(store: str) -> str:
    """Return why a store that several people share is not used, a sentence without its end; "" if it may be.

    Nobody but its owner and root may write to it, or put another in its place.  No link is followed: it, or what
    it leads to, might be anybody'"'"'s.
    """
    place, above = os.sep, os.lstat(os.sep)
    for name in filter(None, store.split(os.sep)):
        place = os.path.join(place, name)
        try:
            found = os.lstat(place)
        except OSError as error:
            return "%s: %s" % (place, error.strerror)
        if not stat.S_ISDIR(found.st_mode):
            return "%s is a link or no folder" % place
        # Whoever comes first makes what is missing in a folder like /tmp.
        if above.st_mode & OTHERS and found.st_uid not in (0, os.getuid()):
            return "anybody could have made %s" % place
        if found.st_mode & OTHERS and not (found.st_mode & stat.S_ISVTX and place != store.rstrip(os.sep)):
            return "others may write to %s" % place
        above = found
    return ""


def is_own(path: str) -> bool:
    """Return whether a folder belongs to the person of this job."""
    return os.lstat(path).st_uid == os.getuid()


def is_trusted(build: str, owner: int) -> bool:
    """Return whether the kernel in a folder is whole, and made by root or the user `owner` alone."""
    folders = ("", "venv", "venv/bin")
    files = ("with-modules", "complete")
    return all(_is(os.path.join(build, name), owner, stat.S_ISDIR) for name in folders) and all(
        _is(os.path.join(build, name), owner, stat.S_ISREG) for name in files
    )


def _is(path: str, owner: int, kind: _Kind) -> bool:
    try:
        found = os.lstat(path.rstrip(os.sep))
    except OSError:
        return False
    return kind(found.st_mode) and found.st_uid in (0, owner) and not found.st_mode & OTHERS' >/scratch/alice/jupyter/0123456789ab/program/kernels/jobside/store.py
printf '%s\n' '"""Build a declared kernel once for all with the same contents, and give it to the server of this launch.

A virtual environment has its own path in it, so it is built where it stays, by who holds its lock; the file
`complete` is written last.  What has none is a half build, and removed by who builds next.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from typing import Any, Dict, List

from kernels.jobside.locks import Jobs, held
from kernels.jobside.running import run
from kernels.jobside.scripts import home_folder
from kernels.jobside.store import OTHERS, is_own, is_trusted, wrong_with
from kernels.jobside.telling import Failure, stage

COMPLETE = "complete"
PIP = ["-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
WHICH = "import os, sys; print(os.path.realpath(sys.executable), sys.version.split()[0])"
ANSWER_SECONDS = 120


class Build:
    """One kernel at one place of a store."""

    def __init__(self, kernel: Dict[str, Any], job: Dict[str, Any], store: str, digest: str) -> None:
        self.kernel = kernel
        self.job = job
        self.digest = digest
        self.folder = os.path.join(store, digest)
        self.python = os.path.join(self.folder, "venv", "bin", "python")
        self.wrapper = os.path.join(self.folder, "with-modules")

    def is_complete(self) -> bool:
        """Return whether it is there to be used, made by somebody whose programs its user may run."""
        store = os.path.dirname(self.folder)
        return os.path.isdir(store) and is_trusted(self.folder, os.lstat(store).st_uid)

    def build(self, end: float) -> None:
        """Make it.  Raises Failure."""
        shutil.rmtree(self.folder, ignore_errors=True)
        # Others use it too: it must be readable whatever the job'"'"'s umask, and writable by nobody else.
        os.umask(OTHERS)
        os.mkdir(self.folder)
        with open(self.wrapper, "w", encoding="utf-8") as file:
            file.write(self.kernel["wrapper"])
        try:
            for command in self.commands():
                self._run(command, end)
            with open(os.path.join(self.folder, COMPLETE), "w") as file:
                json.dump(
                    {name: self.kernel[name] for name in ("name", "python", "requirements", "modules")}, file
                )
        except Failure:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def commands(self) -> List[List[str]]:
        """Return what builds it: uv if there is one, else the interpreter'"'"'s venv and pip."""
        venv, lock = os.path.dirname(os.path.dirname(self.python)), self.kernel["lock"]
        what = ["-r", lock] if lock else self.kernel["requirements"] + ["ipykernel"]
        uv = shutil.which("uv")
        if uv:
            make = [uv, "venv", "--python", self.kernel["python"], venv]
            install = [uv, "pip", "install", "--python", self.python]
        else:
            make = [self.kernel["python"], "-I", "-m", "venv", venv]
            install = [self.python, *PIP]
        further = [[*install, "-c", lock, "ipykernel"]] if lock else []
        check = [self.python, "-I", "-c", "import ipykernel"]
        return [make, install + what, *further, check]

    def _run(self, command: List[str], end: float) -> None:
        status = run(["bash", self.wrapper, *command], dict(os.environ), end, self.kernel["limit"])
        if status:
            raise Failure("%s ended with status %d" % (" ".join(command[:4]), status))


def make(kernel: Dict[str, Any], job: Dict[str, Any], jobs: Jobs) -> None:
    """Have the kernel ready, and show it to the server.  Raises Failure, with the end of a sentence."""
    digest = digest_of(kernel)
    builds = [Build(kernel, job, store, digest) for store in stores(job)]
    for build in builds:
        if build.is_complete():
            stage("kernel", "%s: %s is ready in %s" % (kernel["name"], digest, build.folder))
            return show(build)
    # Who may write to it is the store'"'"'s owner: so is the lock theirs alone.
    build = next((each for each in builds[:-1] if is_own(os.path.dirname(each.folder))), builds[-1])
    os.makedirs(os.path.dirname(build.folder), exist_ok=True)
    until = time.monotonic() + kernel["seconds"]
    with held(build.folder + ".lock", job["job_id"], jobs, until, kernel["name"]):
        if not build.is_complete():
            tool = "uv" if shutil.which("uv") else "pip"
            stage("kernel", "%s: building %s in %s with %s" % (kernel["name"], digest, build.folder, tool))
            build.build(time.monotonic() + kernel["seconds"])
    return show(build)


def stores(job: Dict[str, Any]) -> List[str]:
    """Return the folders in which a kernel may be: the site'"'"'s, if it is to be trusted, and the person'"'"'s own."""
    own, shared = os.path.join(home_folder(), "kernels"), job["kernel_store"]
    if not shared:
        return [own]
    reason = wrong_with(shared)
    if reason:
        stage("kernel", "The kernel store %s is not used: %s" % (shared, reason))
    return [own] if reason else [shared, own]


def digest_of(kernel: Dict[str, Any]) -> str:
    """Return the name of what is to be built: the same for the same contents."""
    lock = ""
    if kernel["lock"]:
        try:
            with open(kernel["lock"], encoding="utf-8") as file:
                lock = file.read()
        except (OSError, ValueError) as error:
            raise Failure("its lock file cannot be read: %s" % error) from None
    parts = [which(kernel), kernel["requirements"], lock, kernel["wrapper"]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def which(kernel: Dict[str, Any]) -> str:
    """Return path and version of the interpreter, as it is found with the kernel'"'"'s modules."""
    command = ["bash", "-c", kernel["wrapper"], "with-modules", kernel["python"], "-I", "-c", WHICH]
    # Files, not pipes: modules may leave something running that keeps those open.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            status = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                timeout=ANSWER_SECONDS,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise Failure("its Python interpreter did not answer") from None
        said = err if status else out
        said.seek(0)
        text = said.read().decode(errors="replace").strip()
    if status:
        raise Failure("%s does not run: %s" % (kernel["python"], text))
    return text


def show(build: Build) -> None:
    """Write the kernelspec where only this launch'"'"'s server looks."""
    name = re.sub(r"[^a-z0-9._-]", "_", build.kernel["name"].lower())
    folder = os.path.join(build.job["launch_folder"], "jupyter", "kernels", name)
    os.makedirs(folder, exist_ok=True)
    argv = ["bash", build.wrapper, build.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {
        "argv": argv,
        "display_name": build.kernel["name"],
        "language": "python",
        "env": {"PATH": os.path.dirname(build.python) + ":${PATH}"},
        "metadata": {"debugger": True},
    }
    with open(os.path.join(folder, "kernel.json"), "w") as file:
        json.dump(spec, file)' >/scratch/alice/jupyter/0123456789ab/program/kernels/jobside/declared.py
printf '%s\n' '"""Make the kernels of a launch ready, one after another.  The argument is JSON; see kernels.preparation."""

import json
import os
from typing import Any, Dict

from kernels.jobside import declared, scripts
from kernels.jobside.locks import Jobs
from kernels.jobside.running import ending
from kernels.jobside.telling import Failure, stage


def main(text: str) -> int:
    """Return 0 if the server may start."""
    ending.install()
    job = json.loads(text)
    job["job_id"] = os.environ[job["lookup"]["own"]]
    jobs = Jobs(job["site_key"], job["lookup"], job["scheduler_environment"])
    for kernel in job["kernels"]:
        sentence = attempt(kernel, job, jobs)
        if sentence and kernel["required"]:
            stage("failed", sentence)
            return 1
        if sentence:
            stage("notice", sentence + " Your server starts without it.")
    return 0


def attempt(kernel: Dict[str, Any], job: Dict[str, Any], jobs: Jobs) -> str:
    """Make one kernel ready; return a sentence that says why not, or ""."""
    is_script = "script" in kernel
    try:
        (scripts if is_script else declared).make(kernel, job, jobs)
    except (Failure, OSError) as error:
        if is_script:
            return "The kernel script `%s` failed: %s." % (kernel["script"], error)
        return "The kernel %s could not be built: %s." % (kernel["name"], error)
    return ""' >/scratch/alice/jupyter/0123456789ab/program/kernels/jobside/prepare.py
attend python3 -I -c '
import sys
sys.path.insert(0, sys.argv[1])
from kernels.jobside.prepare import main
sys.exit(main(sys.argv[2]))
' /scratch/alice/jupyter/0123456789ab/program '{"site_key": "geneva", "launch_folder": "/scratch/alice/jupyter/0123456789ab", "lookup": {"own": "SLURM_JOB_ID", "command": ["/usr/bin/squeue", "-h", "-j", "{job_id}", "-o", "%T"], "gone": ["Invalid job id"], "silence_is_over": true}, "scheduler_environment": {"SLURM_CONF": "/etc/slurm/it'"'"'s.conf"}, "module_init": "/etc/profile.d/modules.sh", "kernel_store": "/gpfs/kernels", "kernels": [{"script": "source /opt/rh/python27/enable && /gpfs/project/proj2/bluepy/install.sh", "digest": "7184ed04dedaecc0", "kernelspecs": [], "required": false, "seconds": 1800, "limit": "30m"}, {"name": "Thalamus 3.4", "python": "python3", "requirements": ["six==1.16.0"], "lock": null, "modules": ["nix/python/3.4-light"], "wrapper": "#!/bin/bash\n# Run a program with the modules of a declared kernel.\ntype module >/dev/null 2>&1 || . /etc/profile.d/modules.sh\nfor name in nix/python/3.4-light; do\n  module load \"$name\"\n  case \":$LOADEDMODULES:\" in\n    *\":$name:\"* | *\":$name/\"*) ;;\n    *)\n      printf '"'"'The module %s could not be loaded.\\n'"'"' \"$name\" >&2\n      exit 1\n      ;;\n  esac\ndone\nexec \"$@\"\n", "required": true, "seconds": 1800, "limit": "30m"}]}' || exit 1
printf '%s\n' '{"launch": "0123456789ab", "server": "", "site": "Geneva", "minutes": 60, "words": {"place": "{site} \u00b7 {node}", "minutes_left": "{place} \u00b7 {minutes} min left", "hours_left": "{place} \u00b7 {hours} h {minutes} min left", "job": "Job {job} at {site}, on {node}. Its time is up at {ends}.", "soon": "This server ends in {minutes} min, at {ends}. Save your work: its kernels and terminals end too.", "was_up": "The time of its job was up at {ends}.", "away": "{site} \u00b7 cannot be reached now", "over": "This server has ended", "save_all": "Save all", "start_again": "Start again", "dismiss": "Dismiss"}}' >/scratch/alice/jupyter/0123456789ab/lab.json
printf '%s\n' '// What JupyterLab 4 shows of its job: where it runs, how much time it has left, and why it has ended.
// JupyterLab loads extensions as containers of module federation, which bundlers write: an object with `init`, which
// is given the modules that JupyterLab shares, and `get`. This one is written by hand, so nothing has to be built.
"use strict";
(() => {
  const NAME = "jupyterhub-sites";
  const WARNINGS = [15, 5];
  const LOOK_MS = 10000;
  const AWAY_MS = 60000;
  let scope, facts, ended = false, awayUntil = 0, skewMs = 0, redraw = () => {};

  async function shared(name) {
    const versions = Object.values(scope[name] || {});
    const used = versions.find((each) => each.loaded) || versions[0];
    return used ? (await used.get())() : {};
  }

  const factsOf = (page) =>
    JSON.parse(JSON.parse(page.getElementById("jupyter-config-data").textContent).jupyterhubSites);
  const say = (words, more) => words.replace(/{(\w+)}/g, (_, name) => ({ ...facts, ...more })[name]);
  const minutesLeft = () => Math.ceil((facts.ends * 1000 - Date.now() - skewMs) / 60000);
  // A browser'"'"'s clock may be wrong; that of who answers is near the cluster'"'"'s.
  function setClock(answer) {
    const now = Date.parse(answer.headers.get("Date"));
    if (now) skewMs = now - Date.now();
  }

  async function answers(base) {
    try {
      const answer = await fetch(`${base}api`, { cache: "no-store" });
      setClock(answer);
      return answer.ok;
    } catch {
      return false;
    }
  }

  function clock(moment) {
    const how = { hour: "2-digit", minute: "2-digit" };
    if (moment.toDateString() !== new Date().toDateString()) how.weekday = "short";
    return moment.toLocaleTimeString([], how);
  }

  const ends = () => clock(new Date(facts.ends * 1000));

  function standing() {
    const place = say(facts.words.place), left = minutesLeft();
    if (ended) return facts.words.over;
    if (Date.now() < awayUntil) return say(facts.words.away);
    if (left < 1) return place;
    const words = left < 60 ? facts.words.minutes_left : facts.words.hours_left;
    return say(words, { place, hours: Math.floor(left / 60), minutes: left < 60 ? left : left % 60 });
  }

  function warn(app, apputils, told) {
    const left = minutesLeft();
    // Who has asked for ten minutes knows that they end within fifteen.
    const due = WARNINGS.filter((each) => left <= each && each < facts.minutes).map((each) => facts.launch + each);
    if (ended || left < 1 || due.every((each) => told.has(each))) return;
    due.forEach((each) => told.add(each));
    const save = { label: facts.words.save_all, callback: () => app.commands.execute("docmanager:save-all") };
    const text = say(facts.words.soon, { minutes: left, ends: ends() });
    apputils.Notification.warning(text, { autoClose: false, actions: [{ ...save, displayType: "accent" }] });
  }

  function keepTitle(app) {
    const element = document.querySelector("title");
    let last;
    const change = () => {
      const now = document.title, mine = `${facts.server || app.name} · ${facts.site}`;
      if (now === last) return;
      last = now.includes(app.name) ? now.replace(app.name, () => mine) : `${now} - ${mine}`;
      document.title = last;
    };
    change();
    new MutationObserver(change).observe(element, { childList: true });
  }

  // A server that was started again has the same address: a page that was left open goes on with it.
  async function lookAgain() {
    if (!ended) return;
    try {
      const page = await (await fetch(location.pathname)).text();
      facts = factsOf(new DOMParser().parseFromString(page, "text/html"));
      ended = false;
    } catch {
      // It is still the hub that answers.
    }
  }

  function showTime(app, apputils, Widget, statusBar, base) {
    const told = new Set(), item = new Widget();
    item.addClass("jp-StatusBar-TextItem");
    redraw = () => {
      item.node.textContent = standing();
      item.node.title = say(facts.words.job, { ends: ends() });
      warn(app, apputils, told);
    };
    statusBar?.registerStatusItem(`${NAME}:time`, { item, align: "left", rank: 100, isActive: () => true });
    window.addEventListener("focus", () => lookAgain().then(redraw));
    answers(base).then(redraw);
    setInterval(redraw, LOOK_MS);
    keepTitle(app);
  }

  // A hub may say the moment by its own clock alone.
  const said = ({ ended, sentence, template }) =>
    template ? template.replace("{ended}", () => clock(new Date(ended))) : sentence;

  // Why it has ended, "" while it is not known to have.
  async function why(urls) {
    try {
      const answer = await fetch(`${urls.hubHost || ""}${urls.hubPrefix}api/launches/${facts.launch}/end`);
      setClock(answer);
      if (answer.ok) return said(await answer.json());
    } catch {
      // The browser has no network, or may not ask a hub with another name.
    }
    // Who still answers has not ended, whatever the time is.
    const isOver = minutesLeft() < 1 && !(await answers(urls.base)) && minutesLeft() < 1;
    return isOver ? say(facts.words.was_up, { ends: ends() }) : "";
  }

  function startAgain(app, urls) {
    const path = ["spawn", urls.hubUser, urls.hubServerName].filter(Boolean).map(encodeURIComponent).join("/");
    const next = encodeURIComponent(location.pathname);
    // What is not saved stays in this page, and can be saved once the server is back.
    window.open(`${urls.hubHost || ""}${urls.hubPrefix}${path}?next=${next}`, app.status?.isDirty ? "_blank" : "_self");
  }

  function onLost(app, apputils, urls, info) {
    const { Dialog, showDialog } = apputils;
    let asking = false;
    async function tell() {
      const sentence = await why(urls);
      if (sentence) {
        ended = true;
        redraw();
        // Meanwhile JupyterLab asks the server nothing.
        if (info) info.isConnected = false;
        const buttons = [
          Dialog.cancelButton({ label: facts.words.dismiss }),
          Dialog.okButton({ label: facts.words.start_again }),
        ];
        const answer = await showDialog({ title: facts.words.over, body: sentence, buttons });
        if (info) info.isConnected = true;
        if (answer.button.accept) startAgain(app, urls);
      } else {
        // JupyterLab asks again, and cannot load what shows a notification.
        awayUntil = Date.now() + AWAY_MS;
        redraw();
      }
    }
    return async () => {
      // Who has dismissed it knows.
      if (asking || ended) return;
      asking = true;
      await tell().finally(() => (asking = false));
    };
  }

  async function plugins() {
    const names = ["@jupyterlab/application", "@jupyterlab/apputils", "@jupyterlab/statusbar", "@lumino/widgets"];
    const [application, apputils, { IStatusBar }, { Widget }] = await Promise.all(names.map(shared));
    const { IConnectionLost, JupyterFrontEnd, JupyterLab } = application;
    facts = factsOf(document);
    return [
      {
        id: `${NAME}:time`,
        autoStart: true,
        requires: [JupyterFrontEnd.IPaths],
        optional: [IStatusBar].filter(Boolean),
        activate: (app, { urls }, statusBar) => showTime(app, apputils, Widget, statusBar, urls.base),
      },
      {
        id: `${NAME}:connection-lost`,
        autoStart: true,
        provides: IConnectionLost,
        requires: [JupyterFrontEnd.IPaths],
        optional: [JupyterLab.IInfo],
        activate: (app, { urls }, info) => onLost(app, apputils, urls, info),
      },
    ];
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: (modules) => (scope = modules),
    get: async () => {
      const made = await plugins();
      return () => made;
    },
  };
})();' >/scratch/alice/jupyter/0123456789ab/lab_page.js
forget_python

make_runtime
cd "$HOME" || give_up "The home directory $HOME cannot be entered on $host."
! command -v python3 >/dev/null || hand_over
attend python3 -I -S - jupyterhub-singleuser '--notebook-dir=~' --ServerApp.default_url=/lab <<'END_OF_STARTER'
"""Start the notebook server given as arguments, and tell the hub its port once it listens.

Runs in the job, read from stdin.  Ends with the server's status, or 3 if nobody waits for this launch.
"""

import sys

try:
    import json
except ImportError:
    # That of an old virtualenv finds Python's library by its own `site` only.
    import site

    site.main()
    import json

import os
import re
import signal
import socket
import subprocess
import time

# The job has waited for its turn, maybe for a day; its own time limit ends it anyway.
HUB_WAIT_SECONDS = 4 * 3600
# A hub that knows this launch no more tells it so then; one that was restarted just now hears it soon.
FIRST_REPEAT_SECONDS = 5
REPEAT_SECONDS = 120
PORT_TRIES = 3
LOOK_SECONDS, LOOK_GROWTH, LONGEST_LOOK_SECONDS = 0.02, 1.1, 0.2
# A kernel walks all of its table of connections for whoever reads it: 10 ms on a node with much memory.
FIRST_SCAN_SECONDS, SCANS_SHARE = 1, 0.01
LEAST_SCAN_PAUSE_SECONDS, LONGEST_SCAN_PAUSE_SECONDS = 0.5, 5
GRACE_SECONDS = 4
UNKNOWN_LAUNCH = 3
LONGEST_ANSWER = 16000
POST_SECONDS = 20
HEAD = (
    "POST /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nAuthorization: token %s\r\n"
    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)
ERROR = "HTTP Error "
# A body that is not what the hub knows, or too long.
REFUSED = (ERROR + "400", ERROR + "413")
STATUS = re.compile(rb"HTTP/\S+ +(\d\d\d[^\r\n]*)")
ACCEPTED = re.compile(rb"HTTP/\S+ +2\d\d\s.*?\r\n\r\n", re.DOTALL)


class UnknownLaunchError(Exception):
    """The hub has no such launch: nobody waits for this job."""


def say(text: str) -> None:
    """Write one line to the job's log."""
    print(text, file=sys.stderr, flush=True)


def report(facts: object, otherwise: object = None) -> None:
    """Tell the hub, trying for as long as it is away or says what is not its own word.

    `otherwise` is told in their place once it refuses the facts as such.
    """
    pause, end = 0.2, time.monotonic() + HUB_WAIT_SECONDS
    while True:
        problem = told(facts)
        if not problem:
            return
        if otherwise and problem.startswith(REFUSED):
            facts, otherwise = otherwise, None
            continue
        if time.monotonic() > end:
            hours = HUB_WAIT_SECONDS // 3600
            raise UnknownLaunchError("the hub could not be reached for %d h: %s" % (hours, problem))
        say("waiting for the hub: %s" % problem)
        time.sleep(pause)
        pause = min(pause * 2, 10)


def told(facts: object) -> str:
    """POST facts to the hub once; return why that came to nothing, "" if it was heard."""
    try:
        answer = post(json.dumps(facts, ensure_ascii=False).encode("utf-8", "replace"))
    except (OSError, ValueError) as error:
        return str(error) or type(error).__name__
    first = STATUS.match(answer)
    if not first:
        return "it answers no HTTP: %r" % answer[:60]
    if not first.group(1).startswith(b"2") and b'"unknown_launch"' in answer:
        # Only the hub itself says so; a proxy's 404 means that the hub is away.
        raise UnknownLaunchError("the hub does not know it: nobody waits for it")
    status = first.group(1).decode("ascii", "replace").strip()
    return "" if status.startswith("2") else ERROR + status


def post(body: bytes) -> bytes:
    """Return how the answer to a POST to the hub begins; one that says yes ends with its head.

    Python's modules for this take longer to load than all else takes.  No proxy for the outside sees the token.
    """
    scheme, _, rest = os.environ["JUPYTERHUB_SITES_REPORT_URL"].partition("://")
    place, _, path = rest.partition("/")
    host, _, port = place.rpartition(":") if ":" in place.rpartition("]")[2] else (place, "", "")
    answer = b""
    with connection(scheme, host.strip("[]"), port) as hub:
        hub.sendall((HEAD % (path, place, os.environ["JUPYTERHUB_API_TOKEN"], len(body))).encode() + body)
        while len(answer) < LONGEST_ANSWER and not ACCEPTED.match(answer):
            try:
                part = hub.recv(LONGEST_ANSWER)
            except socket.timeout:
                # What stands before the hub may keep the connection open.
                part = b""
            if not part:
                break
            answer += part
    return answer


def connection(scheme: str, host: str, port: str) -> socket.socket:
    """Return a connection to a host, at the usual port where none is named."""
    plain = socket.create_connection((host, int(port or (443 if scheme == "https" else 80))), timeout=POST_SECONDS)
    if scheme != "https":
        return plain
    import ssl  # noqa: PLC0415 - it takes long to load, and most hubs speak plain http with their jobs

    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def family() -> int:
    """Return the family of addresses on which servers listen here: IPv6 where a node has nothing else."""
    try:
        with open("/proc/net/route") as routes:
            has_ipv4 = any(not route.startswith("lo\t") for route in routes.readlines()[1:])
        with open("/proc/net/if_inet6") as addresses:
            rows = [row.split() for row in addresses]
    except OSError:
        return socket.AF_INET
    has_ipv6 = any(row[3] == "00" and row[5] != "lo" for row in rows)
    return socket.AF_INET6 if has_ipv6 and not has_ipv4 else socket.AF_INET


def free_port() -> int:
    """Return a port that nobody on this node uses now."""
    with socket.socket(family()) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Return whether somebody else listens on the port."""
    with socket.socket(family()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return True
    return False


def start(command: list, port: int) -> subprocess.Popen:
    """Start the server on the port, in a process group of its own."""
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")
    host = "[::]" if family() == socket.AF_INET6 else "0.0.0.0"  # noqa: S104
    environ = python_of_the_site(dict(os.environ))
    environ["JUPYTERHUB_SERVICE_URL"] = "http://%s:%d%s" % (host, port, prefix)
    return subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, start_new_session=True)


def python_of_the_site(environ: dict) -> dict:
    """Return an environment with the Python variables of the site's own, where the job has kept them.

    Those of the profile, which are for kernels and terminals, are beside them: jupyter_config.py sets them again.
    """
    path = os.path.join(os.environ["JUPYTERHUB_SITES_LAUNCH_FOLDER"], "python")
    try:
        with open(path, "rb") as file:
            kept = [os.fsdecode(each).partition("=") for each in file.read().split(b"\0") if each]
    except OSError:
        return environ
    profile = {name: value for name, value in environ.items() if name.startswith("PYTHON")}
    rest = {name: value for name, value in environ.items() if name not in profile}
    rest.update({name: value for name, _, value in kept}, JUPYTERHUB_SITES_PYTHON=json.dumps(profile))
    return rest


def listens(child: subprocess.Popen, port: int) -> bool:
    """Wait until the server listens, or has ended.

    It does when it has written its record, as Jupyter's do, or when a program that it has started has the port.
    """
    runtime = os.environ["JUPYTER_RUNTIME_DIR"]
    pause, next_scan = LOOK_SECONDS, time.monotonic() + FIRST_SCAN_SECONDS
    while child.poll() is None:
        # The folder is ours alone and new, so a record in it is our server's, also behind a wrapper script.
        if any(name.startswith("jpserver-") and name.endswith(".json") for name in os.listdir(runtime)):
            return True
        began = time.monotonic()
        if began >= next_scan:
            if is_ours(listeners(port), runtime):
                return True
            rest = (time.monotonic() - began) / SCANS_SHARE
            next_scan = began + min(max(rest, LEAST_SCAN_PAUSE_SECONDS), LONGEST_SCAN_PAUSE_SECONDS)
        time.sleep(pause)
        pause = min(pause * LOOK_GROWTH, LONGEST_LOOK_SECONDS)
    return False


def listeners(port: int) -> set:
    """Return the inodes of this user's sockets that listen on the port, on any address."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table) as file:
                rows = [row.split() for row in file.readlines()[1:]]
        except OSError:
            continue
        for row in rows:
            if row[3] == "0A" and int(row[1].rsplit(":", 1)[1], 16) == port and int(row[7]) == os.getuid():
                found.add("socket:[%s]" % row[9])
    return found


def is_ours(inodes: set, runtime: str) -> bool:
    """Return whether a program of this job, which its environment tells, has one of the sockets."""
    mark = b"JUPYTER_RUNTIME_DIR=" + os.fsencode(runtime)
    for process in filter(str.isdigit, os.listdir("/proc") if inodes else []):
        folder = "/proc/%s" % process
        try:
            with open(folder + "/environ", "rb") as file:
                if mark not in file.read().split(b"\0"):
                    continue
            links = {os.readlink("%s/fd/%s" % (folder, name)) for name in os.listdir(folder + "/fd")}
        except OSError:
            continue
        if links & inodes:
            return True
    return False


def held() -> list:
    """Return the stages that the script has left for us to report."""
    said = os.environb.pop(b"JUPYTERHUB_SITES_HELD", b"").decode("utf-8", "replace")  # a job's locale is C
    try:
        return list(json.loads(said, strict=False))
    except ValueError:
        return []


def serve(command: list) -> int:
    """Run the server to its end and return its status."""
    starting = {"stage": "starting", "text": "Python %s, %s" % (sys.version.split()[0], sys.executable)}
    report([*held(), starting], otherwise=starting)
    for _ in range(PORT_TRIES):
        port = free_port()
        child = start(command, port)
        pass_on_signals(child)
        if listens(child, port):
            try:
                report({"port": port})
                return repeating(child, port)
            except UnknownLaunchError:
                end(child, signal.SIGTERM)
                child.wait()
                raise
        if not is_taken(port):
            break
        say("port %d was taken by somebody else, trying another" % port)
    return child.returncode


def repeating(child: subprocess.Popen, port: int) -> int:
    """Wait for the server's end and return its status; until then tell the hub again and again where it is.

    A hub that was restarted learns by this that it is there, and with which token.
    """
    pause = FIRST_REPEAT_SECONDS
    while True:
        try:
            return child.wait(pause)
        except subprocess.TimeoutExpired:
            pause = min(pause * 2, REPEAT_SECONDS)
            told({"port": port})


def end(child: subprocess.Popen, number: int) -> None:
    """Tell the server to end, and kill it if it has not ended soon: the job itself has little time."""

    def kill(_number: int, _frame: object) -> None:
        os.killpg(child.pid, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    child.send_signal(number)
    signal.alarm(GRACE_SECONDS)


def pass_on_signals(child: "subprocess.Popen | None") -> None:
    """Make the end of the job the end of the server; without a server, end in order."""

    def forward(number: int, _frame: object) -> None:
        if child is None or child.poll() is not None:
            sys.exit(128 + number)
        end(child, number)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)


def main() -> int:
    """Run, and end with a status as a shell's."""
    pass_on_signals(None)
    try:
        status = serve(sys.argv[1:])
    except UnknownLaunchError as error:
        say("This job ends, because %s." % error)
        status = UNKNOWN_LAUNCH
    except OSError as error:
        say("The notebook server cannot be started: %s" % error)
        status = 127
    signal.alarm(0)
    return status if status >= 0 else 128 - status


sys.exit(main())
END_OF_STARTER
exit $?
}
launch
