#!/bin/bash
# Start a Spark cluster as a second job of the same person, which ends with this one:
#   init-cluster PROJECT PARTITION NODES [--cores N] [--memory MIB] [--check-seconds N]
# Every node has one worker, with N cores and MIB of memory for all that it does.  An empty PROJECT or PARTITION
# leaves it to Slurm.  Does not wait for the cluster.

refuse() {
  printf 'init-cluster: %s\n' "$1" >&2
  exit 1
}

folder=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
# shellcheck source=kernels/spark/jobside/common.sh
. "$folder/common.sh"

read_options() {
  [ $# -ge 3 ] || refuse "Usage: init-cluster PROJECT PARTITION NODES, such as: init-cluster proj3 cloud 5"
  project=$1 partition=$2 workers=$3 cores=1 memory_mib=2048 check_seconds=60
  shift 3
  while [ $# -gt 1 ]; do
    case $1 in
      --cores) cores=$2 ;;
      --memory) memory_mib=$2 ;;
      --check-seconds) check_seconds=$2 ;;
      *) refuse "There is no option $1; write --cores, --memory or --check-seconds." ;;
    esac
    shift 2
  done
  [ $# = 0 ] || refuse "$1 is not expected here; write PROJECT PARTITION NODES, then options with their values."
  local given pattern='^[1-9][0-9]{0,8}$'
  for given in "$workers" "$cores" "$memory_mib" "$check_seconds"; do
    [[ $given =~ $pattern ]] || refuse "$given is not a whole number of at least 1."
  done
  [ "$memory_mib" -ge 1536 ] || refuse "A worker needs --memory 1536 (MiB) or more: its programs, Spark's heap, Python."
  pattern='^([A-Za-z0-9_][A-Za-z0-9_.,+-]*)?$'
  [[ $project =~ $pattern ]] || refuse "$project is not a valid project name."
  [[ $partition =~ $pattern ]] || refuse "$partition is not a valid partition name."
}

# Write the settings of the cluster and of the notebook.  Only the owner can read them: the secret lets one in.
write_settings() (
  umask 077
  local name secret site=${SPARK_SITE_CONF_DIR:-$SPARK_HOME/conf}
  secret=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
  [ ${#secret} = 64 ] || refuse "No secret could be created on $(hostname)."
  mkdir -p -- "$folder/cluster" "$folder/conf"
  for name in cluster conf; do
    {
      [ ! -r "$site/spark-defaults.conf" ] || cat -- "$site/spark-defaults.conf"
      printf '\n'
      printf '%s\n' 'spark.authenticate true' "spark.authenticate.secret $secret" \
        'spark.network.crypto.enabled true' 'spark.ui.killEnabled false' 'spark.master.rest.enabled false' \
        'spark.master.ui.decommission.allow.mode DENY'
    } >"$folder/$name/spark-defaults.conf"
    [ ! -r "$site/log4j2.properties" ] || cp -- "$site/log4j2.properties" "$folder/$name"
  done
  [ ! -r "$site/spark-env.sh" ] || cp -- "$site/spark-env.sh" "$folder/cluster"
  printf '%s\n' "spark.master $SPARK_MASTER_URL" 'spark.submit.deployMode client' "spark.driver.host $(this_host)" \
    'spark.driver.bindAddress 0.0.0.0' "spark.driver.memory ${driver_mib}m" \
    "spark.executor.memory $(((memory_mib - daemons_mib) * 6 / 10))m" >>"$folder/conf/spark-defaults.conf" ||
    refuse "The settings of Spark cannot be written to $folder."
)

submit() (
  local name time auks=
  # The notebook's ticket is a file of its own node: auks gives the cluster's job one on each of its nodes.
  [ "${SLURM_SPANK_AUKS-}" != "done" ] || { unset KRB5CCNAME; auks=--auks=done; }
  time=$(slurm squeue -h -j "${SLURM_JOB_ID:-0}" -o %L 2>/dev/null)
  # Nothing goes along of this job's own Slurm, of the hub, or of what somebody has set for sbatch.
  for name in $(compgen -e); do
    case $name in
      SLURM_CONF) ;;
      SLURM* | SBATCH* | SRUN* | SALLOC* | SQUEUE* | SCANCEL* | JUPYTER* | JPY_* | SPARK_CONF_DIR | \
        SPARK_MASTER_URL | BASH_ENV) unset "$name" ;;
    esac
  done
  [[ $time =~ ^[0-9:-]+$ ]] || time=
  exec env "${slurm_environment[@]}" "$slurm_path/sbatch" --parsable --export=ALL --job-name="$cluster_name" \
    --comment="$notebook_name" --output="$folder/cluster.out" --no-requeue --nodes="$workers" --ntasks-per-node=1 \
    --cpus-per-task="$cores" --mem="${memory_mib}M" ${time:+--time="$time"} ${project:+--account="$project"} \
    ${partition:+--partition="$partition"} ${auks:+"$auks"} \
    "$folder/cluster.sh" "$folder" "$workers" "$cores" $((memory_mib - daemons_mib)) "$check_seconds"
)

# Whether Slurm has taken a submission that it did not answer.
is_there_after_all() {
  grep -Eq 'Unable to contact slurm controller|Socket timed out|Connection refused' "$folder/sbatch.said" || return 1
  local tries
  for tries in 1 2 3; do
    look "$cluster_name"
    [ "$seen" != alive ] || return 0
    sleep "$tries"
  done
  return 1
}

read_options "$@"
[ -x "${SPARK_HOME-}/bin/spark-class" ] || refuse "SPARK_HOME contains no Spark: the profile must load a module that provides it."
mkdir -- "$folder/asked" 2>/dev/null || refuse "This launch already has a Spark cluster."
write_settings || exit 1
# The master of a cluster that is over must not be taken for this one's.
mkdir -p -- "$HOME/.spark" && rm -f -- "$HOME/.spark/master"
if ! submit >"$folder/sbatch.id" 2>"$folder/sbatch.said" && ! is_there_after_all; then
  rmdir -- "$folder/asked"
  refuse "Slurm did not accept the Spark cluster: $(tail -n 1 -- "$folder/sbatch.said")"
fi
put "$folder/submitted" "workers=$workers check_seconds=$check_seconds"
printf 'The Spark cluster %s is submitted; workers: %s.\n' "$cluster_name" "$workers"
