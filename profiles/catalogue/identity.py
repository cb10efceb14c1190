"""As whom a job runs at its site: as its owner, or as the account that the site has for people without one.  Pure.

The account's ticket, and connections with it, are kept under names of its own among those of people.
"""

from typing import Literal

Identity = Literal["person", "service"]

# No name on the hub has a slash.
_ACCOUNT = "@"
_FOR = "/"


def whom(identity: Identity, user: str, site: str) -> str:
    """Return under which name to reach a site (its key) for a user: their own, or that of its account for them.

    Each has a connection of their own as the account: nobody waits for what another one does there.
    """
    return user if identity == "person" else f"{_ACCOUNT}{site}{_FOR}{user}"


def account(site: str) -> str:
    """Return the name of a site's account when it asks for nobody in particular."""
    return whom("service", "", site)


def site_of(name: str) -> str | None:
    """Return the key of the site whose account such a name means; None for somebody on the hub."""
    site, slash, _ = name.partition(_FOR)
    return site.removeprefix(_ACCOUNT) if slash and site.startswith(_ACCOUNT) else None
