# shellcheck shell=bash disable=SC2034
# What the two jobs of a launch with Spark share.  Read with $folder set: the Spark folder of the launch.

# What settings.sh says: names of the two jobs, how Slurm is called, MiB of the notebook's Spark and of its daemons.
cluster_name='' notebook_name='' owner='' slurm_path='' slurm_environment=() driver_mib='' daemons_mib=''
# shellcheck source=/dev/null
. "${folder:?}/settings.sh"

# Run one of Slurm's commands with nothing in its environment that somebody may have set for it.
slurm() {
  local program=$1
  shift
  env -i PATH=/usr/bin:/bin HOME="$HOME" USER="$owner" LC_ALL=C TZ=UTC ${SLURM_CONF+"SLURM_CONF=$SLURM_CONF"} \
    "${slurm_environment[@]}" "$slurm_path/$program" "$@"
}

# Look at the owner's job of this name: sets `seen` to alive, over, absent or unknown (nobody could ask), `word` to
# Slurm's state and `reason` to why it waits.
look() {
  local row
  seen=unknown word='' reason=''
  row=$(slurm squeue -h -t all -u "$owner" -n "$1" -o '%T|%r' 2>/dev/null) || return 0
  row=${row%%$'\n'*}
  word=${row%%|*} reason=${row#*|}
  case $word in
    '') seen=absent ;;
    COMPLETING | COMPLETED | FAILED | CANCELLED | TIMEOUT | DEADLINE | OUT_OF_MEMORY | NODE_FAIL | BOOT_FAIL | \
      PREEMPTED | REVOKED) seen=over ;;
    *) seen=alive ;;
  esac
}

# Whether Slurm says that the job of this name is over.  Absent counts when it is seen twice running.
absences=0
is_over() {
  look "$1"
  case $seen in
    over) return 0 ;;
    absent) [ $((absences += 1)) -ge 2 ] ;;
    alive) absences=0 && return 1 ;;
    *) return 1 ;;
  esac
}

# The name by which other nodes know this one.
this_host() {
  hostname -f 2>/dev/null || hostname
}

# Write one line to a file that others read meanwhile: put FILE TEXT.
put() {
  printf '%s\n' "$2" >"$1.new" && mv -f -- "$1.new" "$1"
}
