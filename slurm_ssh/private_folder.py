"""The shell that makes a folder of an owner's and looks at it before anything is put there.  Pure."""

from kernels.shell import Shell, quote
from slurm_ssh.text import one_line

FOREIGN = 10
"""The folder, or one on the way to it, belongs to somebody else, or the folder is a link."""

OPEN = 11
"""Others may enter the folder."""

REPLACEABLE = 12
"""Others may put something else in the place of a folder on the way."""

# Every name on the way is looked at, those of links' targets too: whoever may replace one of them may replace all
# that is behind it.  In a sticky folder only the owner of what is in it can.
_LOOK = f"""\
look() {{
  set -f
  me=$(id -u) at= left=$1 links=0
  while [ -n "$left" ]; do
    name=${{left%%/*}}
    case $left in */*) left=${{left#*/}} ;; *) left= ;; esac
    case $name in '' | .) continue ;; ..) at=${{at%/*}}; continue ;; esac
    place=$at/$name
    row=$(ls -ldn -- "$place") || exit 1
    set -- $row
    case $3 in 0 | "$me") ;; *) wrong {FOREIGN} "$place" ;; esac
    case $1 in
      l*)
        to=$(readlink -- "$place") && [ $((links += 1)) -le 40 ] || exit 1
        case $to in /*) at= ;; esac
        left=$to/$left
        continue ;;
      d????????[tT]*) ;;
      d????w* | d???????w*) wrong {REPLACEABLE} "$place" ;;
    esac
    at=$place
  done
}}
wrong() {{ printf '%s\\n' "$2" >&2; exit "$1"; }}
"""


def named(stderr: str) -> str:
    """Return the place that is wrong, as a program that `enter` ended has named it."""
    return one_line((stderr.strip().splitlines() or [""])[-1], 300)


def enter(folder: str, is_made: bool) -> Shell:
    """Return what enters a folder that is private to its owner, after it was made if it `is_made`.

    Ends the program with one of the statuses above, and the place that is wrong as the last line of stderr, if
    somebody else could see or replace what is in it; with 1 if there is no such folder.  Files that are made
    afterwards are the owner's alone.
    """
    # With a slash at the end, a test for a link would look at what the link leads to.
    path = quote(folder.rstrip("/"))
    parent = quote(folder.rstrip("/").rpartition("/")[0])
    # A default ACL of the parent counts more than the umask.
    make = f"[ -e {path} ] || {{ mkdir -p -- {path} && chmod 700 {path}; }} || exit 1\n" if is_made else ""
    return Shell(
        f"umask 077\n{_LOOK}{make}"
        f"[ ! -L {path} ] || wrong {FOREIGN} {path}\n"
        f"look {parent}\n"
        # Looked at from within: a folder that takes its place later is never used.
        f"CDPATH= cd -P -- {path} || exit 1\n"
        f"[ -O . ] || wrong {FOREIGN} {path}\n"
        f"case $(ls -ld .) in d???--[-S]---*) ;; *) wrong {OPEN} {path} ;; esac\n"
    )
