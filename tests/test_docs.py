"""Pages lead to pages that exist, in the docs and in the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.folders import TREE

_CODE = (
    "kernels",
    "profiles",
    "kerberos_auth",
    "slurm_ssh",
    "slurm_ssh_spawner",
    "job_service",
    "job_client",
    "lab",
    "benchmarks",
    "faults",
    "tests",
)
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


_QUOTED = (
    ("messages.md", "message"),
    ("messages.md", "sentence"),
    ("first-hub.md", "what you read"),
    ("single-sign-on.md", "sentence"),
    ("job-service.md", "it says"),
)
"""Pages with a table of what people read, and the head of its first column."""


def _rows(page: str, head: str) -> list[str]:
    """Return the first cells of the table with that head on a page of `_QUOTED`."""
    text = (TREE / "docs" / page).read_text(encoding="utf-8")
    table = text.split(f"\n| {head} |", 1)[1].split("\n\n", 1)[0]
    return [line.split(" | ")[0].lstrip("| ").strip("`") for line in table.splitlines()[2:]]


def _said() -> Iterator[str]:
    """Yield the texts of all modules that word sentences, and of what runs in jobs, with spaces made one."""
    words = [*TREE.glob("*/sentences.py"), *TREE.glob("*/sentences/**/*.py"), *TREE.glob("*/**/jobside/*.py")]
    for module in words:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield " ".join(node.value.split())
    for script in (*TREE.glob("*/**/templates/*.sh.jinja"), *TREE.glob("*/**/jobside/*.sh")):
        yield " ".join(script.read_text(encoding="utf-8").split())


@pytest.mark.parametrize(("page", "head"), _QUOTED)
def test_every_message_that_is_explained_is_one_that_people_read(page: str, head: str) -> None:
    said, rows = list(_said()), _rows(page, head)
    assert len(rows) > 4
    for row in rows:
        parts = [re.escape(part.strip(" .:,")) for part in row.split("…")]
        pattern = re.compile(".*".join(parts))
        assert any(pattern.search(text) for text in said), row
