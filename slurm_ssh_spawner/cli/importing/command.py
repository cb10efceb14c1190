"""`jupyterhub-sites import`: a configuration of another spawner for Slurm becomes a catalogue, to be reviewed."""

import io
import re
import tokenize
from pathlib import Path
from typing import Annotated

import typer

from profiles.catalogue.values import KEY
from slurm_ssh_spawner.cli import add_site
from slurm_ssh_spawner.cli.failed import Failed, ending_in_a_sentence
from slurm_ssh_spawner.cli.importing.reading import LONGEST
from slurm_ssh_spawner.cli.importing.translation import translated
from slurm_ssh_spawner.sentences import command_line as sentences

_LONGEST_KEY = 40


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A jupyterhub_config.py; it is read, not run.")],
    site: Annotated[str, typer.Option(metavar="KEY", help="Key of its cluster.")] = "cluster",
    host: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="A login host of it, whose host keys are looked at; may be repeated."),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of their sshd.")] = 22,
) -> None:
    """Print what a configuration of batchspawner, wrapspawner, moss or slurmformspawner is as a catalogue.

    It is to be reviewed. What has no counterpart stands there as a comment.
    """
    with ending_in_a_sentence():
        if not re.fullmatch(KEY, site) or len(site) > _LONGEST_KEY:
            raise Failed(sentences.NO_KEY_OF_AN_ENTRY.format(key=repr(site)))
        found = [add_site.front_end(name, port) for name in dict.fromkeys(host or ())]
        written, about = add_site.as_written(found), add_site.about_front_ends(site, found)
        print(translated(_text(file), str(file), site, written, about), end="")


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(LONGEST + 1)
    except OSError as error:
        raise Failed(sentences.NO_FILE.format(file=file, reason=error.strerror)) from error
    if len(content) > LONGEST:
        raise Failed(sentences.FILE_TOO_LONG.format(file=file))
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError as error:
        raise Failed(sentences.NO_PYTHON.format(place=f"{file}:1", reason=error.msg)) from error
    return content.decode(encoding, "replace")
