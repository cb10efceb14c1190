"""Who connects to which site."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Login:
    """Who connects where: `user` is the hub's name, `owner` the login at the site."""

    user: str
    owner: str
    site_key: str
