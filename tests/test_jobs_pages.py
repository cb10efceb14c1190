"""What the pages about batch jobs say to type, and name, is there: commands, options, addresses, stages, codes."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from hubjobs.cli.main import app as hubjobs
from job_service.cli.main import app as service
from job_service.http import reference
from job_service.http.admin import models
from job_service.stages import Stage
from tests.support.folders import TREE

# The page that is made from the commands shows how they are used, not what to type.
_MADE = TREE / "docs/commands.md"
_PAGES = [TREE / "README.md", TREE / "job_client/README.md", *sorted({*TREE.glob("docs/*.md")} - {_MADE})]
_WORDED = [
    *TREE.glob("job_client/hubjobs/**/*.py"),
    *TREE.glob("job_service/sentences/**/*.py"),
    *TREE.glob("slurm_ssh_spawner/**/sentences/*.py"),
]
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_IN_SHELL = re.compile(r"\bhubjobs ((?:'[^']*'|[^)&|\n#])+)")
_METHODS = "GET|POST|PUT|PATCH|DELETE"
_COMMAND = typer.main.get_command(hubjobs)


def _page(name: str) -> str:
    return (TREE / "docs" / name).read_text(encoding="utf-8")


def _cells(page: str, head: str) -> list[list[str]]:
    """Return the rows of the table whose first cell says `head`."""
    table = _page(page).split(f"\n| {head} |", 1)[1].split("\n\n", 1)[0]
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()[2:] if line
    ]


# -- hubjobs ----------------------------------------------------------------------------------------------


def _typed(page: Path) -> Iterator[str]:
    """Yield what a page says to type behind `hubjobs`."""
    text = page.read_text(encoding="utf-8")
    for block in _FENCE.findall(text):
        lines = [line for line in block.splitlines() if not line.startswith(("import ", "from "))]
        yield from _IN_SHELL.findall("\n".join(lines))
    for line in _FENCE.sub("", text).splitlines():
        for cell in re.split(r"(?<!\\)\|", line):
            spans = _SPAN.findall(cell)
            if spans and spans[0].startswith("hubjobs ") and line.startswith("|"):
                yield from (span.removeprefix("hubjobs ") for span in spans if span[0].islower())
            else:
                yield from (span.removeprefix("hubjobs ") for span in spans if span.startswith("hubjobs "))


def _parse(line: str) -> None:
    """Raise UsageError if a line cannot be typed; a command without any arguments is only named."""
    words = shlex.split(re.sub(r"\[|\]|\.\.\.", "", line))
    command, context = _COMMAND, None
    while isinstance(command, TyperGroup) and words:
        context = command.make_context("hubjobs", words[:1], parent=context)
        name, found, _ = command.resolve_command(context, words)
        assert name is not None
        assert found is not None
        command, words = found, words[1:]
    try:
        command.make_context(line, words, parent=context)
    except Exception as error:
        is_named_only = type(error).__name__ in {"MissingParameter", "NoArgsIsHelpError"}
        if not is_named_only or any(not word.startswith("-") for word in words):
            raise


_LINES = sorted({(page.name, line) for page in _PAGES for line in _typed(page) if "COMMAND" not in line})


def test_pages_say_what_to_type() -> None:
    assert len(_LINES) > 30


@pytest.mark.parametrize(("page", "line"), _LINES)
def test_what_a_page_says_to_type_can_be_typed(page: str, line: str) -> None:
    _parse(line)


@pytest.mark.parametrize(
    "line", ["submit command --none", "statuses", "admin none", "get ID --all=1", "login --days x"]
)
def test_what_cannot_be_typed_is_found(line: str) -> None:
    with pytest.raises(Exception, match=r".") as found:
        _parse(line)
    assert type(found.value).__name__ in {"NoSuchOption", "BadOptionUsage", "BadParameter", "UsageError"}


def test_what_curl_does_in_place_of_a_command_is_that_of_a_command() -> None:
    rows = _cells("jobs.md", "hubjobs")
    assert len(rows) > 5
    for said, _ in rows:
        for line in _SPAN.findall(said):
            _parse(line)


def test_a_command_that_a_sentence_names_exists() -> None:
    assert isinstance(_COMMAND, TyperGroup)
    for module in _WORDED:
        for name in re.findall(r": hubjobs ([a-z-]+)", module.read_text(encoding="utf-8")):
            assert name in _COMMAND.commands, f"{name} in {module}"


# -- the service's own command ----------------------------------------------------------------------------


def test_the_page_has_all_options_of_the_service_with_their_defaults() -> None:
    group = typer.main.get_command(service)
    assert isinstance(group, TyperGroup)
    options = {
        each.opts[0]: str(getattr(each.default, "value", each.default))
        for each in group.commands["serve"].params
        if each.opts != ["--help"]
    }
    said = {
        _SPAN.findall(option)[0]: _SPAN.findall(default)[0]
        for option, default, _ in _cells("job-service.md", "option")
    }
    assert said == options


def test_what_the_page_says_of_metrics_is_counted() -> None:
    counted = (TREE / "job_service/http/metrics.py").read_text(encoding="utf-8")
    sentence = _page("job-service.md").split("Prometheus reads", 1)[1].split("\n\n", 1)[0]
    names = re.findall(r"`(?:jupyterhub_jobs|\.\.\.)_(\w+)`", sentence)
    assert len(names) > 5
    for name in names:
        assert f'"{name.removesuffix("_total")}"' in counted or f'}}{name.removesuffix("_total")}"' in counted, (
            name
        )


def test_what_the_page_says_of_the_log_is_written_there() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (TREE / "job_service").rglob("*.py"))
    for line, _ in _cells("job-service.md", "line contains"):
        parts = [re.escape(part) for part in line.strip("`").split("…")]
        assert re.search('[^"]*'.join(parts), code), line


def test_codes_of_errors_on_the_pages_are_those_of_the_service() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (TREE / "job_service").rglob("*.py"))
    for name in re.findall(r"\b[45][0-9]{2} `(\w+)`", _page("job-service.md") + _page("jobs.md")):
        assert f'"{name}"' in code, name


def test_all_stages_are_explained() -> None:
    said = {name for stages, *_ in _cells("jobs.md", "stage") for name in stages.split(", ")}
    assert said == {each.value for each in Stage} - {"DELETED"}


# -- addresses --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def routes() -> list[tuple[str, re.Pattern[str]]]:
    """Return method and address of all routes."""
    return [
        (method.upper(), re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))))
        for path, methods in reference.document()["paths"].items()
        for method in methods
    ]


def _choices(path: str) -> Iterator[str]:
    """Yield the addresses that a path with `[parts that may be left out]` and `one|another` means."""
    whole = path.replace("\\|", "|")
    if either := re.search(r"(\w+)\|(\w+)", whole):
        for one in either.groups():
            yield from _choices(whole.replace(either[0], one))
    elif inner := re.search(r"\[([^\[\]]*)\]", whole):
        for one in ("", inner[1]):
            yield from _choices(whole.replace(inner[0], one, 1))
    else:
        yield whole


def _named(cell: str, before: str) -> Iterator[tuple[str, str]]:
    """Yield method and address of what a cell names; a method stands for all that follow it."""
    methods, begins = "GET", "" if before.endswith("/") else "/"
    for said, path in re.findall(rf"((?:(?:{_METHODS}) )*)`({begins}[^`]+)`", cell):
        methods = said or methods
        for method in methods.split():
            for each in _choices(path.split("?")[0]):
                yield method, before + each


def test_the_old_paths_are_there(routes: list[tuple[str, re.Pattern[str]]]) -> None:
    tables = _page("old-paths.md").split("\n| path |")[1:]
    assert len(tables) == 2
    for table in tables:
        for line in table.split("\n\n", 1)[0].splitlines()[2:]:
            cell = re.split(r"(?<!\\)\|", line)[1]
            for method, path in _named(cell, "/api"):
                assert any(method == each and at.fullmatch(path) for each, at in routes), (method, path)


def test_what_admins_are_told_to_use_is_there(routes: list[tuple[str, re.Pattern[str]]]) -> None:
    rows = _cells("job-service.md", "path")
    assert len(rows) > 6
    for cell, text in rows:
        first = [path for _, path in _named(cell, "/api/v1/admin/")]
        for path in first:
            assert any(at.fullmatch(path) for _, at in routes), path
        for part in re.findall(r"`\.\.\.(/[\w/]+)`", text):
            assert any(at.fullmatch(first[-1] + part) for _, at in routes), part


def _asked_by_curl(page: str, variable: str) -> Iterator[tuple[str, str, str]]:
    """Yield method, path and line of what curl asks for below the address in a variable."""
    text = _page(page).replace("\\\n", "")
    for line in re.findall(rf"[^`\n|]*\${variable}/[^`\n|]*", text):
        put = "PUT" if " -T " in f" {line}" else "POST" if " -d " in line else "GET"
        method = found[1] if (found := re.search(rf"-X ({_METHODS})", line)) else put
        for path in re.findall(rf"\${variable}(/[^\s\"?,]*)", line):
            yield method, path, line


@pytest.mark.parametrize(
    ("page", "variable", "place", "least"),
    [("jobs.md", "JOBS", "/api/v1", 8), ("job-service.md", "J", "/api/v1/admin", 1)],
)
def test_what_curl_asks_for_is_there(
    page: str, variable: str, place: str, least: int, routes: list[tuple[str, re.Pattern[str]]]
) -> None:
    asked = list(_asked_by_curl(page, variable))
    assert len(asked) >= least
    for method, path, line in asked:
        assert any(method == each and at.fullmatch(place + path) for each, at in routes), line


def test_what_curl_sends_is_understood() -> None:
    (grant,) = re.findall(r"-d '(\{\"user\": \"[^']*\})'", _page("job-service.md"))
    models.Grant.model_validate_json(grant)
