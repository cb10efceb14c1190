"""How a command begins and ends.  Light, so that Ctrl-C counts from the first moment: it loads the rest."""

import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, NoReturn, TextIO

INTERRUPTED = 130
_NOT_WRITTEN = 1


def hubjobs() -> NoReturn:
    """Run the command `hubjobs`."""
    _run("hubjobs.cli.main")


def ijp() -> NoReturn:
    """Run the command `ijp`."""
    _run("hubjobs.cli.ijp")


def ended(command: Callable[[], Any]) -> int:
    """Carry out a command line; return its status, which is not 0 if something that it wrote went nowhere.

    Whoever reads from a pipe and has enough is told nothing.  A file or terminal that takes no more is named.
    """
    status = 0
    try:
        command()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except KeyboardInterrupt:
        status = INTERRUPTED
    except OSError:
        if not is_lost():
            raise
        status = _NOT_WRITTEN
    return status if _is_written() else status or _NOT_WRITTEN


def is_lost() -> bool:
    """Return whether standard output or error has taken less than was written."""
    return any(_refused(stream) is not None for stream in (sys.stdout, sys.stderr))


def _run(module: str) -> NoReturn:
    _open_streams()
    try:
        with _ending_at_an_interrupt():
            main = import_module(module).main
        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit()


@contextmanager
def _ending_at_an_interrupt() -> Iterator[None]:
    """End at once at Ctrl-C: nothing is begun yet, and what is being loaded may pass over an exception."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        # Whoever has started this wants interrupts to be ignored, as `nohup` in a shell does.
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    yield
    signal.signal(signal.SIGINT, before)


class _Output(io.FileIO):
    """A stream that remembers why it took no more: Python forgets what was too long to be held back."""

    refused: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.refused = error
            raise


def _open_streams() -> None:
    """Watch both outputs; open what stands for a closed one: `<&-` ends, `>&-` refuses, `2>&-` takes all."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            # The lowest number that is free is this one.
            os.open(os.devnull, os.O_RDWR if name == "stderr" else os.O_RDONLY)
            stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115
        setattr(sys, name, _watched(stream) if number else stream)


def _watched(stream: io.TextIOWrapper) -> TextIO:
    return io.TextIOWrapper(
        io.BufferedWriter(_Output(stream.fileno(), "w", closefd=False)),
        stream.encoding,
        stream.errors,
        line_buffering=stream.line_buffering or stream.write_through,
    )


def _is_written() -> bool:
    """Return whether all that was written has gone where it should; say so if it has not."""
    is_written = True
    for stream in (sys.stdout, sys.stderr):
        reason = _refused(stream)
        if reason is None:
            continue
        is_written = False
        # What is left goes nowhere, so that Python, which tries again at its end, does not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if reason.errno != errno.EPIPE:
            _say(reason)
    return is_written


def _refused(stream: TextIO) -> OSError | None:
    try:
        stream.flush()
    except OSError as error:
        return error
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw.refused if isinstance(raw, _Output) else None


def _say(reason: OSError) -> None:
    from hubjobs import sentences  # noqa: PLC0415 - needed seldom

    with suppress(OSError):
        sys.stderr.write(sentences.NOT_WRITTEN.format(reason=reason.strerror) + "\n")
