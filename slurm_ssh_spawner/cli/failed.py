"""Why a command comes to nothing."""


class Failed(Exception):  # noqa: N818
    """What was asked cannot be done; the text says why."""
