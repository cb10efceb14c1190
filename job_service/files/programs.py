"""Programs for sh at a front end that read and write in the folder of a job, and nowhere else.  Pure.

A folder within is entered part by part, and where that has led is looked at from within it, so it does not matter
what takes the place of a part meanwhile.  A file that is read is looked at once it is open: by the kernel's name
for it, which is none that a link could give it.  Links that stay within the folder are followed.  What is written
is renamed into a folder that was entered, which follows no link.

What remains: something that is put into a file's place at the right moment is opened before it is turned down,
which is noticed only by a device or a pipe of the owner's own; and a folder that was entered may be moved out of
the job's before something is renamed into it, by whoever may write there, which is the owner.
"""

from job_service import layout
from job_service.files import paths
from kernels.shell import Shell, quote

GONE, FOREIGN, ABSENT, OUTSIDE, NO_FILE, NO_FOLDER, SHORT, NOT_MADE = range(20, 28)
"""Exit statuses: the job's folder is not there, or somebody else's; what was asked for is not there, lies behind a
link that leads out, is no file, is no folder; not all of a file came; what should
hold the job's folder is not there either, and that is not because nobody may look."""

LONGEST_LISTING = 1024 * 1024
"""Bytes of a listing; what is behind them is left out."""

ENDED = "end"
"""The word behind the last piece of a file, before the number of all its bytes."""

# Larger than any file, and no number that a shell cannot hold.
_MOST = 1 << 62
_LEFT_MINUTES = 24 * 60
# Under the time after which a transfer that moves nothing is given up.
_BEAT_SECONDS = 15

_INSIDE = f"""\
inside() {{ case $1/ in "$base"/{layout.OURS}/*) exit {OUTSIDE} ;; "$base"/*) ;; *) exit {OUTSIDE} ;; esac; }}
absent() {{ exit {ABSENT}; }}
into() {{
  for step; do
    [ -e "./$step" ] || [ -L "./$step" ] || absent "$step"
    [ -d "./$step" ] || exit {NO_FOLDER}
    CDPATH= cd -P -- "./$step" || exit
    inside "$(pwd -P)"
  done
}}
"""
_OPEN = f"""\
opened() {{
  [ -e "./$1" ] || exit {ABSENT}
  [ -f "./$1" ] || exit {NO_FILE}
  exec 3<"./$1"
  inside "$(readlink /proc/self/fd/3)"
  [ -f /proc/self/fd/3 ] || exit {NO_FILE}
}}
# Opened anew, so that a network file system asks its server how much there is.
bytes() {{ dd if=/proc/self/fd/3 bs=256k iflag=skip_bytes,count_bytes skip="$1" count="$2" status=none; }}
"""
_STAT = "stat -L -c '%s %.9Y'"


def _within(folder: str) -> Shell:
    """Return what enters a job's folder, `$base`, and defines what keeps to it.

    Only where its own folder is can one be said to have been removed.
    """
    path, parent = quote(folder), quote(folder.rpartition("/")[0] or "/")
    missing = (
        f'up={parent}\nwhile [ ! -e "$up" ]; do up=${{up%/*}} up=${{up:-/}}; done\n'
        f'[ ! -d "$up" ] || [ ! -x "$up" ] || [ -e {path} ] || exit {NOT_MADE}\nexit 1\n'
    )
    return Shell(
        f"umask 077\n[ -e {path} ] || [ ! -d {parent} ] || [ ! -x {parent} ] || exit {GONE}\n"
        f"CDPATH= cd -P -- {path} || {{\n{missing}}}\n[ -O . ] || exit {FOREIGN}\n"
        f"base=$(pwd -P) || exit\n{_INSIDE}"
    )


def _into(names: tuple[str, ...]) -> str:
    return f"into {paths.words(names)}\n" if names else ""


def listing(folder: str, names: tuple[str, ...]) -> Shell:
    """Return what prints, as base64, `KIND SIZE SECONDS PATH` and a NUL for all that lies in a folder.

    Behind them stands the status of what has looked there, unless there is more than LONGEST_LISTING.
    """
    ours = "" if names else f"-path ./{layout.OURS} -prune -o "
    # What a job removes meanwhile is not missed.
    found = f"find . -ignore_readdir_race -mindepth 1 {ours}-printf '%y %s %T@ %P\\0'"
    return Shell(
        f"{_within(folder)}{_into(names)}"
        # The status of a pipeline is that of its last part alone.
        f'{{ {found}; printf %s "$?"; }} | head -c {LONGEST_LISTING} | base64\n'
    )


def reading(folder: str, names: tuple[str, ...], start: int, length: int | None) -> Shell:
    """Return what prints `ok SIZE SECONDS;` of a file and then its bytes, as `Files.get` gives them."""
    start = max(-_MOST, min(start, _MOST))
    most = _MOST if length is None else max(0, min(length, _MOST))
    return Shell(
        f"{_within(folder)}{_OPEN}{_into(names[:-1])}opened {paths.words(names[-1:])}\n"
        f"row=$({_STAT} /proc/self/fd/3) || exit\n"
        f"size=${{row% *}} from={start} most={most}\n"
        '[ "$from" -ge 0 ] || from=$((size + from))\n[ "$from" -ge 0 ] || from=0\n'
        'left=$((size - from))\n[ "$left" -le "$most" ] || left=$most\n'
        "printf 'ok %s;' \"$row\"\n"
        '[ "$left" -le 0 ] || bytes "$from" "$left"\n'
    )


def writing(folder: str, names: tuple[str, ...], token: str) -> Shell:
    """Return what makes a file of its stdin, and prints its `SIZE SECONDS`.

    On stdin come pieces, each behind a line with its number of bytes, and then the line `ENDED TOTAL`, without
    which there is no file.  `token` is in the name of what has come until then.
    """
    name, ours = paths.words(names[-1:]), f"./{layout.OURS}"
    occupied = f"[ ! -d ./{name} ] || [ -L ./{name} ] || exit {NO_FILE}\n"
    return Shell(
        f"{_within(folder)}(\nabsent() {{ exit 0; }}\n{_into(names[:-1])}{occupied}) || exit\n"
        f"mkdir -p -- {ours} && exec 4<{ours} || exit\n"
        f'[ "$(readlink /proc/self/fd/4)" = "$base/{layout.OURS}" ] || exit {OUTSIDE}\n'
        f"{_swept(ours, 1)}"
        f"part=/proc/self/fd/4/put-{token}.part\n"
        # What is told to end, or hears nothing more, leaves nothing; told so again meanwhile, neither.
        "clean() { trap '' HUP INT PIPE TERM; rm -f -- \"$part\"; }\n"
        "trap clean EXIT\ntrap 'clean; exit 143' HUP INT PIPE TERM\n"
        "take() {\n  while read -r count total; do\n"
        f'    [ "$count" != {ENDED} ] || return 0\n'
        '    dd bs=64k iflag=fullblock,count_bytes count="$count" status=none || return\n'
        f"  done\n  return {SHORT}\n}}\n"
        'set -C\ntake >"$part" || exit\n'
        f'[ "$(wc -c <"$part")" -eq "$total" ] || exit {SHORT}\n'
        f'absent() {{ mkdir -p -- "./$1" || exit; }}\n{_into(names[:-1])}{occupied}'
        f'mv -fT -- "$part" ./{name} && {_STAT} -- ./{name}\n'
    )


def removing(folder: str, names: tuple[str, ...]) -> Shell:
    """Return what removes a file, a link, or a folder with all in it."""
    name = paths.words(names[-1:])
    # A link may lead back to the job's folder.
    kept = f'[ "$(pwd -P)" != "$base" ] || exit {OUTSIDE}\n' if names[-1] == layout.OURS else ""
    return Shell(
        f"{_within(folder)}{_into(names[:-1])}{kept}"
        f"[ -e ./{name} ] || [ -L ./{name} ] || exit {ABSENT}\n"
        f"{layout.TAKE_AWAY}take_away {name}\n"
    )


def archiving(folder: str) -> Shell:
    """Return what prints `ok;` and then a tar file; its status is tar's, 1 if files changed meanwhile."""
    return Shell(f"{_within(folder)}printf 'ok;'\nexec tar -cf - --exclude=./{layout.OURS} .\n")


def log(folder: str, name: str, tail: int | None, *, is_followed: bool, offset: int | None = None) -> Shell:
    """Return what prints `ok OFFSET;`, and then what is in a log from there on as `COUNT;BYTES.`.

    That is the offset given, or 0 in a shorter log.  If `is_followed`, again and again until its stdin ends,
    and some words on stderr, that it is not taken for dead.
    """
    # The last bytes of what is printed may be kept back for the sake of a line end: those are never the log's.
    return Shell(
        f"{_within(folder)}{_OPEN}{_FOLLOWED if is_followed else 'over=1'}\n"
        f"if [ -e ./{name} ]; then\n  opened {name}\n  {_first(tail, offset)}"
        "  printf 'ok %s;' \"$at\"\nelse\n  printf 'ok 0;'\n"
        f'  until [ -e ./{name} ] || [ -n "$over" ]; do pause; done\n  [ -e ./{name} ] || exit 0\n'
        f"  opened {name}\n  at=0\nfi\n"
        "while last=$over; do\n"
        "  true </proc/self/fd/3 && size=$(stat -L -c %s /proc/self/fd/3) || exit\n"
        # One that was begun anew, as by `>stdout`.
        '  [ "$size" -ge "$at" ] || at=0\n  count=$((size - at))\n'
        '  if [ "$count" -gt 0 ]; then\n'
        '    printf \'%s;\' "$count" && bytes "$at" "$count" && printf . || exit\n    at=$size\n  fi\n'
        '  [ -z "$last" ] || exit 0\n  pause\ndone\n'
    )


# The background has no stdin of its own but one that it is given.
_FOLLOWED = f"""\
over= beats=0
trap over=1 USR1
exec 5<&0
(cat >/dev/null; kill -USR1 $$) <&5 >/dev/null 2>&1 &
trap "kill $! 2>/dev/null" EXIT
exec 5<&-
pause() {{
  sleep 1
  beats=$((beats + 1))
  [ $((beats % {_BEAT_SECONDS})) -ne 0 ] || printf . >&2 || exit
}}"""


def _first(tail: int | None, offset: int | None) -> str:
    """Return what sets `$at` to an offset, or to where the last lines of what is there begin."""
    if offset is not None:
        size = "size=$(stat -L -c %s /proc/self/fd/3) || exit\n"
        return f'at={min(offset, _MOST)}\n  {size}  [ "$size" -ge "$at" ] || at=0\n'
    if tail is None:
        return "at=0\n"
    if tail <= 0:
        return "at=$(stat -L -c %s /proc/self/fd/3) || exit\n"
    lines = f"lines=$(tail -n {min(tail, _MOST)} <&3 | wc -c) || exit\n"
    return f"{lines}  read -r _ end </proc/self/fdinfo/3 || exit\n  at=$((end - lines))\n"


def sweeping(folder: str) -> Shell:
    """Return what removes the left-overs of all jobs whose folders lie beside a job's."""
    return Shell(_swept(quote(folder.rpartition("/")[0]), 3, f"-path '*/{layout.OURS}/*' "))


def _swept(where: str, depth: int, condition: str = "") -> str:
    """Return what removes files that did not come whole, and of which nothing has come for a day."""
    found = f"-mindepth {depth} -maxdepth {depth} {condition}-name 'put-*.part' -type f -mmin +{_LEFT_MINUTES}"
    return f"find {where} {found} -exec rm -f -- {{}} + 2>/dev/null\n"
