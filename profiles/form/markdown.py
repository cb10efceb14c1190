"""Markdown of the catalogue as HTML that is safe to show.  Pure."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_READER = MarkdownIt("commonmark", {"html": False}).enable("table")
_TAGS = {
    "a",
    "blockquote",
    "br",
    "code",
    "em",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "ul",
}
_TABLE_TAGS = {"table", "tbody", "td", "th", "thead", "tr"}


@lru_cache(maxsize=4096)
def to_html(text: str) -> Markup:
    """Return a text in Markdown as HTML: no raw HTML, no images, no scripts, links to the web only."""
    cleaned = nh3.clean(
        _READER.render(text),
        tags=_TAGS | _TABLE_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
    )
    return Markup(cleaned)  # noqa: S704 - what nh3 let through
