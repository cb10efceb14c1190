#!/bin/bash
# One daemon of a Spark cluster on one node: node.sh master FOLDER, or node.sh worker FOLDER URL CORES MIB.

part=$1 folder=$2
# shellcheck source=kernels/spark/jobside/common.sh
. "$folder/common.sh"
host=$(this_host)
# $! is the daemon, from the moment in which it begins.
trap '[ -n "$!" ] || exit 143; kill "$!"' TERM

run_daemon() {
  "$SPARK_HOME/bin/spark-class" "$@" &
  local daemon=$! status
  wait "$daemon"
  status=$?
  # A trap ends the first wait before the daemon has ended.
  wait "$daemon" 2>/dev/null
  return "$status"
}

# Slurm's nodes are shared: somebody else may have the port, and Spark then ends at once.
run_master() {
  local port status
  for port in 7077 0 0 0 0; do
    [ "$port" != 0 ] || port=$((20000 + RANDOM % 10000))
    local page=$((10000 + RANDOM % 10000))
    put "$folder/trying" "$host $port $page"
    run_daemon org.apache.spark.deploy.master.Master --host "$host" --port "$port" --webui-port "$page"
    status=$?
    [ ! -e "$folder/master" ] && [ "$status" -lt 128 ] || return "$status"
  done
}

run_worker() {
  run_daemon org.apache.spark.deploy.worker.Worker --host "$host" --webui-port 0 \
    --cores "$2" --memory "${3}m" --work-dir "$SPARK_WORKER_DIR/$cluster_name" "$1"
}

# What programs leave when they are killed goes with this folder, which may have been made when this is ended.
scratch=${TMPDIR:-/tmp}/$cluster_name-$$-$RANDOM$RANDOM
trap 'rm -rf -- "$scratch"' EXIT
mkdir -m 700 -- "$scratch" || exit 1
export SPARK_LOCAL_DIRS=$scratch
export JAVA_TOOL_OPTIONS="${JAVA_TOOL_OPTIONS-} -Djava.io.tmpdir=$scratch -XX:-UsePerfData"

case $part in
  master)
    put "$SPARK_PID_DIR/$cluster_name-master.pid" $$
    run_master
    ;;
  worker) run_worker "$3" "$4" "$5" ;;
esac
