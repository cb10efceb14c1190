"""What a login brings before anybody has decided whether the person may use this hub."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Taken:
    """The ticket of a person who proved who they are: `cache`, a secret, is of `principal` and not stored yet."""

    user: str
    principal: str
    cache: bytes = field(repr=False)
