"""From where links may copy notebooks.  Frozen values; no I/O and no look-ups."""

from typing import Annotated

from pydantic import Field

from profiles.catalogue.values import ABSOLUTE_PATH, Entry

WEB_ADDRESS = r"^https?://[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[A-Za-z0-9_~][A-Za-z0-9._~+-]*)*/?$"
"""No name, password, query or escape, and no part that begins with a dot: what is written is what is asked."""

_Folder = Annotated[str, Field(pattern=ABSOLUTE_PATH)]
_Address = Annotated[str, Field(pattern=WEB_ADDRESS, max_length=500)]


class CopyFrom(Entry):
    """From where a link (`/hub/open?from=...`) may have a notebook copied into the home of who opens it."""

    folders: tuple[_Folder, ...] = Field(
        default=(),
        description="Folders of the clusters, such as /gpfs/project: notebooks in them and below, as far as the "
        "person who opens the link may read them.",
    )
    repositories: tuple[_Address, ...] = Field(
        default=(),
        description="Git repositories, or how their addresses begin, such as https://github.com/our-group.",
    )
    galleries: tuple[_Address, ...] = Field(
        default=(),
        description="Addresses of nbgalleries, such as https://gallery.example.org: their public notebooks.",
    )
