"""A command of hubjobs, run in this process."""

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest


class Ran:
    """What a command wrote, and its status."""

    def __init__(
        self,
        main: Callable[[], None],
        argv: list[str],
        capsys: Any,
        monkeypatch: pytest.MonkeyPatch,
        stdin: str = "",
    ) -> None:
        monkeypatch.setattr(sys, "argv", argv)
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main()
        self.status = ended.value.code or 0
        self.out, self.err = capsys.readouterr()
