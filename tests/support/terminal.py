"""What somebody types on a terminal."""

import io


class Terminal(io.StringIO):
    """Stands for sys.stdin."""

    def isatty(self) -> bool:
        return True
