"""Whom to ask for help with a login, said wherever a password is typed."""

from typing import Any
from urllib.parse import urlsplit

from traitlets import Unicode
from traitlets.config import LoggingConfigurable

from . import sentences
from .errors import AuthFailed

_SCHEMES = ("https", "http", "mailto")


class LoginHelp(LoggingConfigurable):
    """A line at the login, on the page of the ticket, and in the form of a start that asks for the password.

    It stands there whatever becomes of a login, so that a refusal tells nobody more than before.
    """

    text = Unicode(
        "",
        config=True,
        help="""Whom to ask about a login, as "Forgotten your password? Ask the helpdesk: 12345"; plain text.
        Default "": nothing, because every site has its own.""",
    )
    link = Unicode(
        "",
        config=True,
        help="""Where `text` leads: an address that begins with https://, http:// or mailto:. Default "": nowhere,
        because a text is enough.""",
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.link and not self.text:
            raise AuthFailed(sentences.HELP_WITHOUT_TEXT)
        if self.link and not _leads_somewhere(self.link):
            raise AuthFailed(sentences.NO_HELP_LINK.format(link=self.link))


def _leads_somewhere(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.path if parts.scheme == "mailto" else parts.netloc)
