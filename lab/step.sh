# shellcheck shell=bash
# A step of the setup: what it is, that it is still at work, how long it took. Sourced; wants SETUP, a folder.

# A build in CI takes a longer silence for death.
BEAT_SECONDS=5

# Run "$3 ..." as the step "$1". Its output goes to the log of the name $2, whose end is shown if it fails.
step() {
    local -r what=$1 log=$SETUP/$2.log began=$SECONDS
    shift 2
    printf '%s ...\n' "$what"
    : >"$log"
    beat "$log" "$began" &
    local -r beating=$!
    # Not "if ! ...": a failing command in the middle of the function must end it.
    set +e
    (set -e; "$@") >"$log" 2>&1
    local -r code=$?
    set -e
    kill "$beating" 2>/dev/null || true
    wait "$beating" 2>/dev/null || true
    if ((code)); then
        grep -v 'Location .* ignored' "$log" | tail -n 20 >&2
        printf '%s: failed. The whole log is %s\n' "$what" "$log" >&2
        exit 1
    fi
    printf '%s: %s s\n' "$what" $((SECONDS - began))
}

# Say every few seconds how long a step that began at second $2 has been at work, and the last line of its log $1.
beat() {
    local last
    # The outputs of sleep are elsewhere: whoever reads ours must not wait for it. The end of the setup ends this, too.
    while sleep "$BEAT_SECONDS" >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
        # A log that says nothing yet is no reason to stop.
        last=$(last_line "$1") || last=
        printf '  %s s%s\n' $((SECONDS - $2)) "${last:+: $last}"
    done
}

# Print the last line of the log $1 that says anything, without bars and colours.
last_line() {
    tail -c 2000 "$1" | tr '\r' '\n' | LC_ALL=C tr -cd '[:print:]\n' |
        grep -v -e '^ *$' -e 'Location .* ignored' | tail -n 1 | sed 's/^ *//' | cut -c 1-100
}
