"""Sphinx makes a site of these pages: `make docs`.

The source is the whole tree, so that links lead where they lead on a forge: `../CHANGELOG.md` from a page here.
"""

import configparser
import os
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

_TREE = Path(__file__).parent.parent
_SETUP = configparser.ConfigParser()
_SETUP.read(_TREE / "setup.cfg", encoding="utf-8")

project = _SETUP["metadata"]["name"]
author = _SETUP["metadata"]["author"]
copyright = author  # noqa: A001 - the name that Sphinx reads
release = version = _SETUP["metadata"]["version"]

extensions = ["myst_parser", "sphinx_external_toc"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "benchmarks/README.md", "job_client/README.md"]
# Only these folders are looked into: others hold environments and labs.
_READ = {"docs", "benchmarks", "job_client"}
exclude_patterns = [entry.name for entry in os.scandir(_TREE) if entry.is_dir() and entry.name not in _READ]

# What belongs where in the navigation; the pages themselves are plain Markdown.
external_toc_path = "docs/navigation.yml"
external_toc_exclude_missing = False

# What is quoted may be there to be typed.
smartquotes = False
# A block that names no language is for a shell, or is what a program prints.
highlight_language = "none"
myst_heading_anchors = 6
# `make docs CHECK_LINKS=1` follows links to other hosts; nothing else does.
linkcheck_timeout = 20
linkcheck_anchors = False
linkcheck_ignore = [r"https?://(127\.0\.0\.1|localhost|[\w.-]*\.?example\.org|[\w.-]*\.test)([:/].*)?"]

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
# The site's own first page leads to the index.
templates_path = ["templates"]
html_additional_pages = {"index": "first.html"}

_BREAKS = re.compile(r"(?<=[\w}])(?=/)|(?<=[a-z])(?=[A-Z])")


def _let_names_break(_: Sphinx, tree: nodes.document, __: str) -> None:
    """Have a path, or a name such as KerberosPAMAuthenticator, in a heading break between its words on a phone."""
    for title in tree.findall(nodes.title):
        for text in list(title.findall(nodes.Text)):
            first, *more = _BREAKS.split(text)
            if more:
                parts = [nodes.Text(first)]
                for part in more:
                    parts += [nodes.raw("", "<wbr>", format="html"), nodes.Text(part)]
                text.parent.replace(text, parts)


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    app.connect("doctree-resolved", _let_names_break)
