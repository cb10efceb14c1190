"""What to tell of a program whose answer cannot be read, which may be the doing of the login shell."""

from slurm_ssh import sentences
from slurm_ssh.errors import AnswerUnreadable, Refused
from slurm_ssh.ssh.transport import STOOD_IN, ConnectionLost, InputTaken, ProgramKilled

LONGEST_QUOTE = 1000
"""Characters of what a front end says that people are shown."""


def told(
    host: str, error: ConnectionLost | InputTaken, status: int | None, said: str, *, has_begun: bool
) -> Exception:
    """Return the error for who waits for the answer.

    `status` is the login shell's, None if the connection was cut, and `said` all that was heard if the program
    has not begun.
    """
    if isinstance(error, InputTaken):
        return Refused(sentences.INPUT_TAKEN.format(host=host))
    if status is None:
        return error
    if has_begun:
        return ProgramKilled(f"{host}: {error}")
    sentence = sentences.SHELL_REPLACED if status == STOOD_IN else sentences.NO_COMMANDS
    return AnswerUnreadable(sentence.format(host=host), quoted=said.strip()[-LONGEST_QUOTE:])
