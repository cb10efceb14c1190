"""Say in the job's log, and to the hub, what happens: what the shell's `stage` does, for Python."""

import json
import os
import sys
import time

LONGEST_TEXT = 3000


class Failure(Exception):  # noqa: N818
    """A kernel cannot be made ready; the text is a sentence for the person."""


def stage(name: str, text: str) -> None:
    """Say what is done from here on."""
    line = "".join(c if c.isprintable() else " " for c in text)
    # Not as text: a job's locale is C.
    sys.stdout.buffer.write(("[%s] %s: %s\n" % (time.strftime("%H:%M:%S"), name, line)).encode())
    sys.stdout.flush()
    report = json.dumps({"stage": name, "text": line[:LONGEST_TEXT]}) + "\n"
    try:
        # Opened for reading too, a pipe never lets its writer wait for a reader.
        pipe = os.open(os.environ["JUPYTERHUB_SITES_STAGES"], os.O_RDWR)
    except OSError:
        return
    try:
        os.write(pipe, report.encode())
    finally:
        os.close(pipe)
