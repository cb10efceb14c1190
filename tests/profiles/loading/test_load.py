import re
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core._pydantic_core import list_all_errors

from profiles.loading import load
from profiles.loading.problems import CatalogueInvalid, Problem
from tests.support.folders import DATA, TREE

_CATALOGUES = DATA / "catalogues"
_BAD = sorted((_CATALOGUES / "bad").glob("*.yaml"))
_EXAMPLE = TREE / "examples" / "catalogue.yaml"
_EVERYTHING = _CATALOGUES / "good" / "everything.yaml"
_PYDANTICS = re.compile(
    "|".join(
        re.escape(each["message_template_python"].split("{")[0])
        for each in list_all_errors()
        if len(each["message_template_python"].split("{")[0]) > 3
    )
    + "|Input should|Value error|validation error"
)


def _problems(path: Path) -> CatalogueInvalid:
    with pytest.raises(CatalogueInvalid) as found:
        load.read(path)
    return found.value


@pytest.mark.parametrize("path", _BAD, ids=lambda path: path.stem)
def test_every_problem_is_found_at_its_place(path: Path) -> None:
    """The first line of each file says what is expected: `# line:column path | included/file:line:column path`."""
    expected = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
    found = _problems(path).problems
    assert " | ".join(f"{_file(each, path)}{each.line}:{each.column} {each.path}" for each in found) == expected


def _file(problem: Problem, path: Path) -> str:
    """Return the name of an included file, and nothing for the one that includes it."""
    return "" if problem.file == str(path) else f"{Path(problem.file).relative_to(path.parent)}:"


@pytest.mark.parametrize("path", _BAD, ids=lambda path: path.stem)
def test_every_problem_says_what_would_be_right(path: Path) -> None:
    for each in _problems(path).problems:
        assert re.search(r"; .|\?$", each.text), each
        assert not _PYDANTICS.search(each.text), each


@pytest.mark.parametrize("path", _BAD, ids=lambda path: path.stem)
def test_problems_say_the_words_that_stand_above_them(path: Path) -> None:
    """A line `# says: words` is followed by one with a problem whose sentence has these words, and by no other."""
    expected = _told(path)
    said = {each.line: each.text for each in _problems(path).problems} if expected else {}
    assert said.keys() == expected.keys()
    assert [said[at] for at, words in expected.items() if words not in said[at]] == []


def _told(path: Path) -> dict[int, str]:
    """Return the words that stand above each line of which something has to be said."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {at + 2: line.partition("# says: ")[2] for at, line in enumerate(lines) if "# says: " in line}


_MISTAKES = [(path, line, words) for path in _BAD for line, words in _told(path).items()]


@pytest.mark.parametrize(("path", "line", "words"), _MISTAKES, ids=lambda each: getattr(each, "stem", str(each)))
def test_a_mistake_of_admins_is_told_at_its_line(path: Path, line: int, words: str) -> None:
    assert words
    assert [each.text for each in _read_once(path) if each.line == line and words in each.text]


def test_there_are_the_mistakes_that_admins_make() -> None:
    assert len(_MISTAKES) >= 160
    assert len({words for _, _, words in _MISTAKES}) > 100


@cache
def _read_once(path: Path) -> tuple[Problem, ...]:
    return _problems(path).problems


def test_what_can_work_and_is_seldom_meant_is_a_notice() -> None:
    path = _CATALOGUES / "doubtful.yaml"
    found, expected = load.loaded(path).notices, _told(path)
    assert [each.line for each in found] == list(expected)
    assert [each for each in found if expected[each.line] not in each.text] == []


def test_what_people_write_means_what_they_mean() -> None:
    read = load.read(_CATALOGUES / "good" / "as-people-write.yaml")
    site, profiles = read.sites["geneva"], read.profiles
    told = [
        (each.memory, each.core, each.resources.time.default, each.resources.time.most)
        for each in profiles.values()
    ]
    day = 24 * 60
    assert told == [(65536, 8, 480, 480), (65536, 10, 480, day), (65536, 8, 480, day), (1536, None, 90, 90)]
    assert site.front_ends[0].port == 2222
    assert site.jupyter.modules == ("python/3.11", "gcc/12")
    assert site.jupyter.variables == {"PS1": "$ ", "HERE": "${HOME}"}
    assert site.partitions["gpu"].time_max == day
    assert [(each.begins.timestamp(), each.ends.timestamp()) for each in site.maintenance] == [
        (1796108400, 1796126400)
    ]


def test_a_problem_reads_as_editors_expect() -> None:
    path = _CATALOGUES / "bad" / "unknown-key.yaml"
    assert str(_problems(path)) == f"{path}:6:5: sites.geneva.tittle: there is no such key; did you mean `title`?"


def test_the_example_is_a_catalogue() -> None:
    assert set(load.read(_EXAMPLE).profiles) == {"jupyterlab"}


def test_a_site_with_pbs_may_stand_beside_one_with_slurm() -> None:
    sites = load.read(_CATALOGUES / "good" / "pbs.yaml").sites
    assert [site.scheduler_path for site in sites.values()] == ["/opt/pbs/bin", "/usr/bin"]


def test_what_looks_like_a_time_or_a_word_is_read_as_written() -> None:
    offer = load.read(_CATALOGUES / "good" / "traps.yaml")
    site, resources = offer.sites["geneva"], offer.profiles["jupyterlab"].resources
    assert (site.title, site.front_ends[0].port) == ("yes", 2222)
    assert site.jupyter.modules == ("no", "on", "3.10", "python/3.10")
    times = {"START": "12:30:00", "DAY": "2024-05-01", "OFF": "off"}
    assert site.jupyter.variables == {**times, "THREADS": "4", "VERSION": "3.10"}
    assert site.directives == {"exclusive": True, "oversubscribe": True, "kill-on-invalid-dep": "no"}
    assert site.partitions["2024"].time_max == 1440
    assert (resources.cores.default, resources.memory.default) == (8, 10)
    assert (resources.time.default, resources.time.max) == (480, 1440)


def test_sites_may_share_parts() -> None:
    sites = load.read(_CATALOGUES / "good" / "shared-parts.yaml").sites
    assert [site.title for site in sites.values()] == ["Geneva", "Lugano"]
    assert sites["geneva"].front_ends == sites["lugano"].front_ends


def test_files_share_what_stands_below_their_own_keys() -> None:
    profiles = load.read(_CATALOGUES / "good" / "shared-parts.yaml").profiles
    assert (profiles["training"].modules, profiles["training"].resources.memory.default) == (("cuda/12",), 65536)
    assert profiles["night"].resources.time.max == 3 * 24 * 60
    assert profiles["night"].visible_to is not None
    assert profiles["night"].visible_to.groups == ("staff",)
    # A file's own anchor counts from where it stands.
    assert (profiles["inference"].resources, profiles["inference"].modules) == (
        profiles["training"].resources,
        ("pytorch",),
    )
    assert profiles["tuning"].modules == ("pytorch",)


def test_lines_may_end_as_on_windows() -> None:
    text = _EVERYTHING.read_text(encoding="utf-8")
    assert load.parse(text.replace("\n", "\r\n"), "catalogue.yaml") == load.parse(text, "catalogue.yaml")


def test_the_order_of_the_file_is_kept() -> None:
    assert list(load.read(_CATALOGUES / "good" / "shared-parts.yaml").sites) == ["geneva", "lugano"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, ":1:1: file: cannot be read: No such file or directory"),
        (b"sites:\n  title: Gen\xe8ve\n", ":2:13: file: is not UTF-8 text from here on; save the file as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem_of_its_own(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "catalogue.yaml"
    if content is not None:
        path.write_bytes(content)
    assert str(_problems(path)) == f"{path}{said}"


def test_a_folder_is_not_a_catalogue(tmp_path: Path) -> None:
    assert "cannot be read: Is a directory" in str(_problems(tmp_path))


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("a:\n\tb: 1\n", (2, 1), "indent with spaces, not tabs"),
        ("a:\n  b: 1\n\tc: 1\n", (3, 1), "indent with spaces, not tabs"),
        ("a:\n  b: 1\n  c:x\n", (3, 3), "put a colon and a space after the key"),
        ('a: 1\nb: "x\nc: 1\nd: 1\n', (2, 4), "close the quote"),
        ("a: &x 1\nb: &x 2\n", (2, 4), "give this anchor (&) another name"),
        ("a: *x\n", (1, 4), "put text that begins with * in quotes"),
        ("a: [*.yaml]\n", (1, 6), "put text that begins with * or & in quotes"),
        ("a: {owner}/x\n", (1, 11), "put text that begins with a bracket or a quote in quotes"),
        ("- a\nb: 1\n", (2, 1), "indent as the keys before it"),
    ],
)
def test_what_is_no_yaml_is_told_where_it_begins_and_how_it_is_written(
    text: str, where: tuple[int, int], said: str
) -> None:
    with pytest.raises(CatalogueInvalid) as raised:
        load.parse(text, "catalogue.yaml")
    (found,) = raised.value.problems
    assert (found.line, found.column) == where
    assert said in found.text


def test_keys_are_names_as_they_are_written() -> None:
    text = _EXAMPLE.read_text(encoding="utf-8")
    parameters = "    parameters: {3: {title: Python, options: {3.10: Old, 3.11: New}}}\n"
    text = text.replace("  jupyterlab:\n", f"  true:\n{parameters}")
    (profile,) = load.parse(text, "catalogue.yaml").profiles.items()
    assert (profile[0], list(profile[1].parameters["3"].options)) == ("true", ["3.10", "3.11"])


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1000,
        "[" * 100_000,
        "- " * 100_000,
        "a: &a [*a]",
        "? [a]\n: b",
        "!!timestamp x",
        "!!bool x",
        "!!float ''",
        "!!binary x",
        "%YAML 9",
        "&a",
        "*a",
        "\ud800",
    ],
)
def test_text_that_upsets_the_reader_is_a_problem_too(text: str) -> None:
    with pytest.raises(CatalogueInvalid):
        load.parse(text, "catalogue.yaml")


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["sites", ":", "\n", " ", "-", "[", "]", "{", "}", "!!int", "&a", "*a", "'", "1", "<<", "?", ","]
        )
        | st.text(max_size=3)
    )
)
def test_any_text_is_a_catalogue_or_has_problems(parts: list[str]) -> None:
    with pytest.raises(CatalogueInvalid):
        load.parse("".join(parts), "catalogue.yaml")


def _replaced(value: Any, depth: int, instead: object) -> Any:
    """Return the same with everything at a depth replaced."""
    if depth == 0:
        return deepcopy(instead)
    if isinstance(value, dict):
        return {key: _replaced(each, depth - 1, instead) for key, each in value.items()}
    return [_replaced(each, depth - 1, instead) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("instead", [None, True, 7, 1.5, "", "a\nb", "--\x85", [], [[]], {}, {"odd": 1}], ids=repr)
def test_wherever_something_wrong_stands_our_own_words_say_so(instead: object) -> None:
    right = yaml.safe_load(_EVERYTHING.read_text(encoding="utf-8"))
    found: list[Problem] = []
    for depth in range(1, 8):
        try:
            load.parse(yaml.safe_dump(_replaced(right, depth, instead), sort_keys=False), "catalogue.yaml")
        except CatalogueInvalid as error:
            found += error.problems
    assert len(found) > 10
    for each in found:
        assert not _PYDANTICS.search(each.text), each
        assert "which does not fit" not in each.text, each
        assert re.search(r"; .|\?$", each.text), each


def test_a_profile_that_is_wrong_elsewhere_is_still_compared_with_its_sites() -> None:
    text = (_CATALOGUES / "bad" / "invalid-and-unknown.yaml").read_text(encoding="utf-8")
    with pytest.raises(CatalogueInvalid, match="there is no site `lugano`"):
        load.parse(text, "catalogue.yaml")


def test_what_cannot_be_known_is_not_said_to_be_wrong() -> None:
    """A site whose partitions and projects cannot be read says nothing about the profiles that name some."""
    data = yaml.safe_load(_EVERYTHING.read_text(encoding="utf-8"))
    data["sites"]["geneva"] |= {"partitions": {"gpu": 5}, "projects": 5, "container": 5}
    data["profiles"]["everything"]["sites"] = ["geneva"]
    with pytest.raises(CatalogueInvalid) as found:
        load.parse(yaml.safe_dump(data, sort_keys=False), "catalogue.yaml")
    paths = [each.path for each in found.value.problems]
    assert sorted(paths) == [f"sites.geneva.{key}" for key in ("container", "partitions.gpu", "projects")]


def test_a_profile_is_not_judged_at_a_site_where_it_cannot_be_read() -> None:
    data = yaml.safe_load(_EVERYTHING.read_text(encoding="utf-8"))
    parameter = {"flavour": {"title": "Flavour", "options": ["a"]}}
    data["profiles"]["short"] |= {"modules": ["{param.flavour}"], "sites": {"geneva": {"parameters": parameter}}}
    load.parse(yaml.safe_dump(data, sort_keys=False), "catalogue.yaml")
    data["profiles"]["short"]["sites"]["geneva"]["odd"] = 1
    with pytest.raises(CatalogueInvalid) as found:
        load.parse(yaml.safe_dump(data, sort_keys=False), "catalogue.yaml")
    assert [each.path for each in found.value.problems] == ["profiles.short.sites.geneva.odd"]


def test_what_is_wrong_with_one_key_is_not_said_of_another_again() -> None:
    """A folder that cannot be read is there: nobody is told to write one."""
    data = yaml.safe_load(_EVERYTHING.read_text(encoding="utf-8"))
    data["sites"]["lugano"] |= {"ticket": {"delivery": "copy"}, "ticket_folder": "relative"}
    with pytest.raises(CatalogueInvalid) as found:
        load.parse(yaml.safe_dump(data, sort_keys=False), "catalogue.yaml")
    assert [each.path for each in found.value.problems] == ["sites.lugano.ticket_folder"]


def test_what_stands_within_itself_is_told_with_its_place() -> None:
    with pytest.raises(CatalogueInvalid, match=r"^c\.yaml:2:4: file: not YAML: this contains itself; "):
        load.parse("sites: {}\na: &a [*a]\n", "c.yaml")
