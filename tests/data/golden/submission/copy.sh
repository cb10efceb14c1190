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
[ -e '/scratch/it'"'"'s #(id)/alice' ] || { mkdir -p -- '/scratch/it'"'"'s #(id)/alice' && chmod 700 '/scratch/it'"'"'s #(id)/alice'; } || exit 1
[ ! -L '/scratch/it'"'"'s #(id)/alice' ] || wrong 10 '/scratch/it'"'"'s #(id)/alice'
look '/scratch/it'"'"'s #(id)'
CDPATH= cd -P -- '/scratch/it'"'"'s #(id)/alice' || exit 1
[ -O . ] || wrong 10 '/scratch/it'"'"'s #(id)/alice'
case $(ls -ld .) in d???--[-S]---*) ;; *) wrong 11 '/scratch/it'"'"'s #(id)/alice' ;; esac

) || exit
say ticket || exit
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
[ -e /scratch/alice/tickets ] || { mkdir -p -- /scratch/alice/tickets && chmod 700 /scratch/alice/tickets; } || exit 1
[ ! -L /scratch/alice/tickets ] || wrong 10 /scratch/alice/tickets
look /scratch/alice
CDPATH= cd -P -- /scratch/alice/tickets || exit 1
[ -O . ] || wrong 10 /scratch/alice/tickets
case $(ls -ld .) in d???--[-S]---*) ;; *) wrong 11 /scratch/alice/tickets ;; esac
head -c 8 > 0123456789ab.ccache.new && [ $(wc -c < 0123456789ab.ccache.new) = 8 ] && mv -f -- 0123456789ab.ccache.new 0123456789ab.ccache || { rm -f -- 0123456789ab.ccache.new; exit 1; }
) || exit
IFS= read -r TOKEN || exit
export TOKEN
IFS= read -r SECOND || exit
export SECOND
unset LC_ALL TZ SLURM_TIME_FORMAT KRB5CCNAME
JUPYTERHUB_SITES_UMASK=$(umask); export JUPYTERHUB_SITES_UMASK; umask 077
say sbatch || exit
/usr/bin/sbatch --parsable --export=ALL