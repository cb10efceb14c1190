#!/bin/bash
#SBATCH --job-name=job-hub-0123456789ab
#SBATCH --output=/scratch/alice/jobs/0123456789ab/stdout
#SBATCH --requeue
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=1
#SBATCH --mem=1024M
#SBATCH --time=60
#SBATCH --propagate=NONE
#SBATCH --partition=normal
#SBATCH --account=physics
#SBATCH --error=/scratch/alice/jobs/0123456789ab/stderr
#SBATCH --open-mode=append

# bash reads all of a function before it runs any: a script that was cut off on its way does nothing.
launch() {
# That of the login: the log had to be made with another.
umask "${JUPYTERHUB_SITES_UMASK:-022}"
unset JUPYTERHUB_SITES_UMASK

# Write down, and say to its owner where it is for them, what the job does from here on: stage NAME [TEXT].  Its output
# is theirs alone.
stage() {
  local text=${2-}
  text=${text//[[:cntrl:]]/ }
  { printf '%(%s)T %s %s\n' -1 "$1" "${text:0:3000}" >>/scratch/alice/jobs/0123456789ab/.job/stages; } 2>/dev/null
  case $1 in
    failed | notice) printf '%s\n' "$text" >&2 ;;
  esac
}

# Tell the person something that does not end the launch.
notice() {
  stage notice "$1"
}

give_up() {
  stage failed "$1"
  exit 1
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

# Of two jobs that were submitted for one, the first to begin is the job.  One that was put back into the queue begins
# again.
begin() {
  local begun='' tries=10
  if ! (set -C && : >/scratch/alice/jobs/0123456789ab/.job/started); then
    # The other one may have made its file only this moment.
    until read -r begun </scratch/alice/jobs/0123456789ab/.job/started || [ $((tries -= 1)) -le 0 ]; do
      sleep 1
    done
  fi 2>/dev/null
  # One that finds no space leaves the file empty.
  [ -n "$begun" ] || {
    printf '%s\n' "$SLURM_JOB_ID" >>/scratch/alice/jobs/0123456789ab/.job/started && read -r begun </scratch/alice/jobs/0123456789ab/.job/started
  } 2>/dev/null
  case $begun in
    "$SLURM_JOB_ID")
      # Since when it runs.
      touch -c -- /scratch/alice/jobs/0123456789ab/.job/started 2>/dev/null
      rm -f -- /scratch/alice/jobs/0123456789ab/.job/end
      ;;
    '')
      printf 'The folder of this job cannot be written to on %s.\n' "$host" >&2
      exit 1
      ;;
    *)
      printf 'This job is a twin of job %s, and ends.\n' "$begun" >&2
      exit 0
      ;;
  esac
}

clean_up() {
  local status=$?
  trap '' TERM
  # Before all that may take long: a job that is told to end is killed soon.
  {
    printf '%s %s %(%s)T\n' "$SLURM_JOB_ID" "$status" -1 >/scratch/alice/jobs/0123456789ab/.job/end.new &&
      mv -f -- /scratch/alice/jobs/0123456789ab/.job/end.new /scratch/alice/jobs/0123456789ab/.job/end
  } 2>/dev/null
  [ -z "$attended" ] || end_attended
  rm -f -- /scratch/alice/tickets/0123456789ab.ccache
}

# HOSTNAME may be that of the login host.
read -r host </proc/sys/kernel/hostname
cd -- /scratch/alice/jobs/0123456789ab || exit 1
begin
attended=
trap clean_up EXIT
trap 'exit 143' TERM

export JOB_ID=0123456789ab
export JOB_TITLE='a job title'
export JOB_FOLDER=/scratch/alice/jobs/0123456789ab
export JUPYTERHUB_SITES_LAUNCH_FOLDER=/scratch/alice/jobs/0123456789ab/.job
export SLURM_EXPORT_ENV=ALL
export KRB5CCNAME=FILE:/scratch/alice/tickets/0123456789ab.ccache

stage job "Running on $host"
type module >/dev/null 2>&1 || . /etc/profile.d/modules.sh
load_modules nix/hpc/recon/2.1
cd -- /scratch/alice/jobs/0123456789ab || give_up "The folder of this job cannot be entered on $host."
stage command
attend /gpfs/apps/recon/bin/recon --out results --quality 5
status=$?
# Slurm tells every process of a job to end, and the program may be quicker than this shell is to hear of it.
sleep 0.3 &
wait $!
exit "$status"
}
launch
