"""Pages lead to pages that exist, in the docs and in the code."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.folders import TREE

_CODE = ("kernels", "profiles", "kerberos_auth", "slurm_ssh", "slurm_ssh_spawner", "lab", "benchmarks", "tests")
_PAGES = [*TREE.glob("*.md"), *TREE.glob("docs/**/*.md"), TREE / "benchmarks/README.md"]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NAMED = re.compile(r"\b(?:docs/[\w./-]*\w|[A-Z]+\.md)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as web pages of repositories make them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(TREE)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith(("http:", "https:")):
            continue
        path, _, anchor = link.partition("#")
        to = (page.parent / path).resolve() if path else page
        assert to.exists(), f"{link} in {page.name}"
        assert not anchor or anchor in _anchors(to), f"{link} in {page.name}"


def _code() -> Iterator[Path]:
    yield from (TREE / "jupyterhub_config.py", TREE / "Makefile")
    for folder in _CODE:
        yield from (path for path in (TREE / folder).rglob("*") if path.suffix in {".py", ".sh", ".jinja", ".js"})


def test_every_page_that_code_names_exists() -> None:
    for source in _code():
        for named in _NAMED.findall(source.read_text(encoding="utf-8")):
            found = (TREE / named).exists() or any(TREE.glob(f"{named}*"))
            assert found, f"{named} in {source.relative_to(TREE)}"


def test_every_page_is_in_the_index() -> None:
    index = (TREE / "docs/index.md").read_text(encoding="utf-8")
    for page in (TREE / "docs").glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in index, page.name
