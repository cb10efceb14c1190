# shellcheck shell=bash
# Read by Spark's programs in the job of the notebook before they start Java: there is a cluster to wait for.

# The site's own settings come first.
if [ -r "${SPARK_SITE_CONF_DIR-}/spark-env.sh" ]; then
  # shellcheck source=/dev/null
  . "$SPARK_SITE_CONF_DIR/spark-env.sh"
fi
# Words of Spark's own command line, which bash passes on to what is read.
case " $* " in
  *" --master local"* | *" spark.master=local"*) spark_waits='' ;;
  *) spark_waits=yes ;;
esac
spark_folder=${SPARK_CONF_DIR%/conf} spark_said=''
if [ -n "$spark_waits" ] && [ ! -e "$spark_folder/asked" ]; then
  printf 'This notebook has no Spark cluster: init-cluster was not run, or it failed.\n' >&2
  exit 1
fi
while [ -n "$spark_waits" ] && [ ! -s "$spark_folder/master" ]; do
  if [ -s "$spark_folder/over" ]; then
    cat -- "$spark_folder/over" >&2
    exit 1
  fi
  spark_text=$(cat -- "$spark_folder/status" 2>/dev/null)
  if [ -n "$spark_text" ] && [ "$spark_text" != "$spark_said" ]; then
    printf 'Not ready yet, waiting.  %s\n' "$spark_text" >&2
    spark_said=$spark_text
  fi
  sleep 1
done

# The pages of this program are for the notebook's own proxy alone, and are told where it shows them.
export SPARK_LOCAL_IP=127.0.0.1
if [ -n "${JUPYTERHUB_SERVICE_PREFIX-}" ]; then
  spark_page=4040
  while (exec 3<>"/dev/tcp/127.0.0.1/$spark_page") 2>/dev/null; do
    spark_page=$((spark_page + 1))
  done
  export APPLICATION_WEB_PROXY_BASE=${JUPYTERHUB_SERVICE_PREFIX%/}/proxy/$spark_page
  export SPARK_SUBMIT_OPTS="${SPARK_SUBMIT_OPTS-} -Dspark.ui.port=$spark_page -Dspark.ui.proxyRedirectUri=/"
  printf 'Spark UI: %s/jobs/\n' "$APPLICATION_WEB_PROXY_BASE" >&2
fi
unset spark_waits spark_folder spark_said spark_text spark_page
