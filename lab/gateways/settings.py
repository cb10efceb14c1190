"""What a stand-in is told when it starts, read from one JSON file."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class _Values(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Settings(_Values):
    """What both stand-ins need."""

    folder: Path
    """Here they make a folder for each job; the file `faults.json` in it is read before each answer."""

    certificate: Path
    """PEM with a key and its certificate."""

    host: str = "127.0.0.1"
    port: int = 0
    """0: a free one; the address is the first line of the standard output."""

    accounts: dict[str, str]
    """Passwords by account."""

    slots: int = Field(default=4, ge=1)
    """So many jobs run at a time, the others wait."""

    longest_seconds: float = Field(default=3600, gt=0)
    file_bytes: int = Field(default=1 << 30, gt=0)
    """The largest file that may be sent, or that a job may write."""


class UnicoreSettings(Settings):
    """What the stand-in for UNICORE needs besides."""

    site: str = Field(default="LAB", pattern="^[A-Za-z0-9_-]+$")


class Tool(_Values):
    """A tool of NSG: the file that was named is an argument of this program."""

    program: list[str] = Field(min_length=1)
    longest_hours: float = Field(default=1, gt=0)


class Application(_Values):
    """Who may ask with an application's key, as it was registered."""

    name: str
    owner: str
    """The account that registered it."""

    is_umbrella: bool = False
    """Whether its owner asks for other people, whom headers name; else everybody asks for themselves."""


class NsgSettings(Settings):
    """What the stand-in for NSG needs besides."""

    applications: dict[str, Application]
    """By their keys."""

    tools: dict[str, Tool]
    poll_seconds: int = Field(default=60, ge=1)
    """How long clients are to wait before they ask for a job again."""

    jobs_at_once: int = Field(default=50, ge=1)
    """One more of one person is refused."""
