# shellcheck shell=bash
# Follow the Spark cluster of this launch for as long as the job lives, and end the job with it.  Read by the job's
# script, whose `stage` and `notice` it calls, with $folder set.

# shellcheck source=kernels/spark/jobside/common.sh
. "${folder:?}/common.sh"

said='' checked='' text='' workers=0 check_seconds=60

tell() {
  [ "$1" != "$said" ] || return 0
  said=$1
  stage spark "${1#Spark: }"
  put "$folder/status" "$1"
  put "$HOME/.spark/status" "$1 ($cluster_name)"
}

check() {
  checked=$SECONDS
  if is_over "$cluster_name"; then
    [ -s "$folder/over" ] ||
      put "$folder/over" "The Spark cluster has ended (${word:-gone}), and the notebook with it. Its log is in ~/.spark/logs."
    slurm scancel --user="$owner" --name="$notebook_name"
    exit 0
  fi
  [ "$word" != PENDING ] || text="Spark: the cluster waits in the queue ($reason)"
  [ "$word" != RUNNING ] || text="Spark: 0 of $workers workers"
}

while :; do
  if [ -s "$folder/submitted" ]; then
    # shellcheck source=/dev/null
    . "$folder/submitted"
    if [ -z "$checked" ] || [ $((SECONDS - checked)) -ge "$check_seconds" ]; then
      check
    fi
    [ ! -s "$folder/alive" ] || text="Spark: $(cat -- "$folder/alive") of $workers workers"
    [ -z "$text" ] || tell "$text"
  fi
  sleep 1
done
