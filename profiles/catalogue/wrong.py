"""What is wrong with an entry of a catalogue, and where in it; every text is a sentence for an admin."""

from pydantic import ValidationError


class WrongAt(ValueError):  # noqa: N818
    """A value that only its surroundings show to be wrong; `path` leads there from the entry checked."""

    def __init__(self, path: tuple[str, ...], text: str) -> None:
        super().__init__(text)
        self.path = path


class WrongWithin(ValueError):  # noqa: N818
    """Settings that another model refused; `path` leads to them, `error` says what is wrong."""

    def __init__(self, path: tuple[str, ...], error: ValidationError) -> None:
        super().__init__(str(error))
        self.path = path
        self.error = error


class WrongTogether(ValueError):  # noqa: N818
    """Several things that are wrong in one entry, each with its path from there."""

    def __init__(self, problems: "tuple[WrongAt | WrongWithin, ...]") -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems
