#!/bin/bash
# The second job of a launch with Spark: a master on the first node and a worker on each.  It ends when the job of the
# notebook is over, and ends that one when it is over itself.

folder=$1 workers=$2 cores=$3 worker_mib=$4 check_seconds=$5
# Without its folder the launch was over before this job began.
[ -r "$folder/common.sh" ] || exit 0
# shellcheck source=kernels/spark/jobside/common.sh
. "$folder/common.sh"

export SPARK_LOG_DIR=$HOME/.spark/logs
export SPARK_PID_DIR=$HOME/.spark/pid
export SPARK_WORKER_DIR=$HOME/.spark/work
export SPARK_CONF_DIR=$folder/cluster
export SPARK_DAEMON_MEMORY=256m
# Web pages of master and workers listen here alone; what is for other nodes is told its host.
export SPARK_LOCAL_IP=127.0.0.1
export SPARK_DAEMON_JAVA_OPTS='-Dspark.port.maxRetries=0'

master_step='' worker_step='' master='' ended='It failed.'

finish() {
  trap '' TERM
  [ ! -d "$folder" ] || put "$folder/over" "The Spark cluster has ended, and the notebook with it. $ended"
  slurm scancel --user="$owner" --name="$notebook_name"
  kill $worker_step $master_step 2>/dev/null
  wait
  rm -rf -- "${SPARK_WORKER_DIR:?}/$cluster_name" "$SPARK_PID_DIR/$cluster_name-master.pid"
}

end() {
  ended=$1
  exit "$2"
}

# Sleep, but let a trap run at once.
nap() {
  sleep "$1" &
  wait $!
}

# Ask the web page of the master for its state; prints nothing as long as there is none.
ask_master() {
  local host port page
  read -r host port page <"$folder/trying" || return 1
  # shellcheck disable=SC2016 # the inner shell expands these
  timeout 5 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET /json/ HTTP/1.0\r\n\r\n" >&3 && cat <&3' \
    bash "$page" | grep -E "\"(url|aliveworkers)\" " >"$folder/answer"
  grep -qF "\"spark://$host:$port\"" "$folder/answer" || return 1
  master=$host:$port
} 2>/dev/null

run_step() {
  srun --overlap --mem=0 --cpus-per-task="$cores" "$@"
}

publish() {
  put "$HOME/.spark/master" "${master%:*}"
  put "$folder/master" "$master"
  run_step --nodes="$workers" --ntasks="$workers" --ntasks-per-node=1 \
    bash "$folder/node.sh" worker "$folder" "spark://$master" "$cores" "$worker_mib" &
  worker_step=$!
}

follow() {
  local checked=$SECONDS alive='' now
  while :; do
    kill -0 "$master_step" 2>/dev/null || end "Its master has ended; see ~/.spark/logs/$cluster_name.log." 1
    if ask_master; then
      [ -n "$worker_step" ] || publish
      now=$(sed -n 's/.*"aliveworkers" : \([0-9]*\).*/\1/p' "$folder/answer")
      [ "$now" = "$alive" ] || put "$folder/alive" "$now"
      alive=$now
    fi
    [ -z "$worker_step" ] || kill -0 "$worker_step" 2>/dev/null ||
      end "Its workers have ended; see ~/.spark/logs/$cluster_name.log." 1
    if [ $((SECONDS - checked)) -ge "$check_seconds" ]; then
      checked=$SECONDS
      ! is_over "$notebook_name" || end "The notebook has ended." 0
    fi
    nap 1
  done
}

trap finish EXIT
trap 'end "It was cancelled, or its time was up." 143' TERM
(umask 077 && mkdir -p -- "$SPARK_LOG_DIR" "$SPARK_PID_DIR" "$SPARK_WORKER_DIR") ||
  end "Its folders in ~/.spark cannot be created on $(hostname)." 1
find "$SPARK_LOG_DIR" -maxdepth 1 -name 'spark_cluster-*.log' -mtime +14 -delete
exec >>"$SPARK_LOG_DIR/$cluster_name.log" 2>&1
# It may have waited in the queue for longer than the notebook lived.
! is_over "$notebook_name" || end "The notebook ended before the cluster began." 0
run_step --nodes=1 --ntasks=1 --nodelist="$SLURMD_NODENAME" bash "$folder/node.sh" master "$folder" &
master_step=$!
follow
