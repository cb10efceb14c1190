say() { printf '\n== %s\n' "$1" || return; printf '\n== %s\n' "$1" >&2 || :; }
(
umask 077; probe="$HOME/.jupyter-sites-$$"
head -c 4096 /dev/zero > "$probe"; s=$?; rm -f -- "$probe"; exit $s
) || exit
say folder || exit
(
umask 077
look() {
  set -f
  me=$(id -u) at= left=$1 links=0
  while [ -n "$left" ]; do
    name=${left%%/*}
    case $left in */*) left=${left#*/} ;; *) left= ;; esac
    case $name in '' | .) continue ;; ..) at=${at%/*}; continue ;; esac
    place=$at/$name
    row=$(ls -ldn -- "$place") || exit 1
    set -- $row
    case $3 in 0 | "$me") ;; *) wrong 10 "$place" ;; esac
    case $1 in
      l*)
        to=$(readlink -- "$place") && [ $((links += 1)) -le 40 ] || exit 1
        case $to in /*) at= ;; esac
        left=$to/$left
        continue ;;
      d????????[tT]*) ;;
      d????w* | d???????w*) wrong 12 "$place" ;;
    esac
    at=$place
  done
}
wrong() { printf '%s\n' "$2" >&2; exit "$1"; }
[ -e /scratch/alice/jupyter ] || { mkdir -p -- /scratch/alice/jupyter && chmod 700 /scratch/alice/jupyter; } || exit 1
[ ! -L /scratch/alice/jupyter ] || wrong 10 /scratch/alice/jupyter
look /scratch/alice
CDPATH= cd -P -- /scratch/alice/jupyter || exit 1
[ -O . ] || wrong 10 /scratch/alice/jupyter
case $(ls -ld .) in d???--[-S]---*) ;; *) wrong 11 /scratch/alice/jupyter ;; esac

) || exit
IFS= read -r TOKEN || exit
export TOKEN
IFS= read -r SECOND || exit
export SECOND
unset LC_ALL TZ SLURM_TIME_FORMAT KRB5CCNAME
JUPYTERHUB_SITES_UMASK=$(umask); export JUPYTERHUB_SITES_UMASK; umask 077
say sbatch || exit
{
while IFS= read -r line && [ -n "$line" ]; do printf '%s\n' "$line"; done
printf 'IFS= read -r TOKEN <<\\END_OF_SECRET\n%s\nEND_OF_SECRET\nexport TOKEN\n' "$TOKEN"
printf 'IFS= read -r SECOND <<\\END_OF_SECRET\n%s\nEND_OF_SECRET\nexport SECOND\n' "$SECOND"
printf '\n'; cat
} | /opt/pbs/bin/qsub -f -v JUPYTERHUB_SITES_UMASK