"""The groups that this machine's group database has for a person."""

import contextlib
import grp
import os
import pwd


def of(user: str) -> list[str]:
    """Return the names of a user's groups on this machine, sorted; none for somebody whom it does not know.

    A group of their own name, which most people have as their first one, says nothing and is omitted.  Blocks as
    long as the database does (SSSD may ask its servers); raises OSError if it cannot be asked.
    """
    try:
        account = pwd.getpwnam(user)
    except (KeyError, ValueError):  # ValueError: a NUL in the name
        return []
    names = set()
    for number in os.getgrouplist(account.pw_name, account.pw_gid):
        with contextlib.suppress(KeyError):  # a number without a name
            names.add(grp.getgrgid(number).gr_name)
    return sorted(names - {user})
