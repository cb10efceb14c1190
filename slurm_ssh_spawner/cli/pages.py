"""`jupyterhub-sites docs`: the pages of this version, which are installed beside it."""

import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from slurm_ssh.text import one_line
from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.cli.output import table
from slurm_ssh_spawner.sentences import command_line as sentences

# Above all packages: the tree, or where they are installed.
_PACKAGES = Path(__file__).parents[2]
_SHARE = Path("share", "jupyterhub-sites", "docs")
_ONE_OF_THEM = "first-hub.md"
_HEADING = re.compile(r"(#+) +(.*)")
_LONGEST_NAME = 100


def folder() -> Path:
    """Return where the pages are: below Python's prefix, the home, a folder of `--target`, or in the tree.

    Raises Failed if they are in none of these.
    """
    data = (sysconfig.get_path("data"), sysconfig.get_path("data", "posix_user"))
    for place in (*(Path(each) / _SHARE for each in data), _PACKAGES / _SHARE, _PACKAGES / "docs"):
        if (place / _ONE_OF_THEM).is_file():
            return place
    raise Failed(sentences.NO_PAGES)


def docs(name: str) -> None:
    """List all pages, or print the one of a name, such as `hub`, or a part of it, such as `hub#tunnels`.

    `hub.md` and `docs/hub.md` name the same page. Raises Failed if there is none of that name.
    """
    there = {path.stem: path for path in sorted(folder().glob("*.md"))}
    if not name:
        print(sentences.PAGES_ARE.format(folder=folder()))
        table([sentences.PAGE, sentences.TITLE], [[key, _title(path)] for key, path in there.items()])
        return
    page, _, part = name.partition("#")
    path = there.get(page.removeprefix("docs/").removesuffix(".md"))
    if not path:
        raise Failed(sentences.NO_PAGE.format(name=one_line(name, _LONGEST_NAME)))
    text = path.read_text(encoding="utf-8")
    print(_part(text, part) if part else text, end="")


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as page:
        return page.readline().lstrip("# ").strip()


def _part(text: str, anchor: str) -> str:
    """Return a heading's own part of a page, with the parts of that."""
    lines = text.splitlines(keepends=True)
    headings = [(at, level) for at, level, name in _headings(lines) if name == anchor.lower()]
    if not headings:
        raise Failed(sentences.NO_PAGE.format(name=one_line(f"#{anchor}", _LONGEST_NAME)))
    begin, own = headings[0]
    ends = (at for at, level, _ in _headings(lines) if at > begin and level <= own)
    return "".join(lines[begin : next(ends, None)])


def _headings(lines: list[str]) -> Iterator[tuple[int, int, str]]:
    """Yield line, level and anchor of each heading; what stands in a block of code is none."""
    in_code = False
    for at, line in enumerate(lines):
        in_code ^= line.lstrip().startswith("```")
        if not in_code and (found := _HEADING.match(line)):
            name = re.sub(r"[^\w\- ]", "", found[2].lower()).replace(" ", "-")
            yield at, len(found[1]), name
