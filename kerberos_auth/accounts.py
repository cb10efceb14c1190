"""Whether this machine knows a person."""

import pwd


def exists(user: str) -> bool:
    """Return whether the machine's account database has the user.

    Blocks as long as the database does (SSSD may ask its servers).
    """
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
