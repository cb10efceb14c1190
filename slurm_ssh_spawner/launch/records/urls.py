"""URLs of databases, as SQLAlchemy has them, whose passwords nobody is shown."""

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from slurm_ssh_spawner import sentences


def read(text: str) -> sa.URL:
    """Return the URL in a text.  Raises ArgumentError, whose text holds nothing of a password."""
    try:
        url = sa.make_url(text)
    except ValueError:
        # Where a host is missing, a password stands in the place of a port.
        raise ArgumentError(sentences.URL_UNREADABLE) from None
    if url.get_backend_name() != "sqlite" and text.partition("://")[2].count("@") > 1:
        # What follows a bare @ would be taken for a host, which drivers name.
        raise ArgumentError(sentences.URL_PASSWORD_BARE)
    return url


def shown(text: str, otherwise: str) -> str:
    """Return a URL without what may hold a password, or what is shown of one that cannot be read."""
    try:
        return read(text).set(query={}).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return otherwise
