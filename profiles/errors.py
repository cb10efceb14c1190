"""The one error of the gate."""


class ChoiceRefused(Exception):  # noqa: N818
    """One choice cannot be had: `field` names it, `message` says why and what would be accepted."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message
