from tests.support import commands_page, log_lines
from tests.support.folders import TREE


def test_the_page_of_log_lines_is_made_from_the_code() -> None:
    page = (TREE / "docs/log-lines.md").read_text(encoding="utf-8")
    assert page == log_lines.page(), "run: python -m tests.support.log_lines > docs/log-lines.md"


def test_the_page_of_commands_is_made_from_the_code() -> None:
    page = (TREE / "docs/commands.md").read_text(encoding="utf-8")
    assert page == commands_page.page(), "run: python -m tests.support.commands_page > docs/commands.md"


def test_what_the_guide_tells_to_watch_is_still_logged() -> None:
    guide = (TREE / "docs/operations.md").read_text(encoding="utf-8")
    table = guide.split("\n| line contains |", 1)[1].split("\n\n", 1)[0]
    watched = [text for line in table.splitlines()[2:] for text in line.split(" | ")[0].split("`")[1::2]]
    assert len(watched) > 15
    code = [
        path.read_text(encoding="utf-8") for folder in log_lines.PACKAGES for path in (TREE / folder).rglob("*.py")
    ]
    logged = log_lines.page()
    for text in watched:
        assert text in logged or any(text in module for module in code), text
