from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles import load
from profiles.errors import CatalogueInvalid

_CATALOGUES = Path(__file__).parents[1] / "data" / "catalogues"
_BAD = sorted((_CATALOGUES / "bad").glob("*.yaml"))
_EXAMPLE = Path(__file__).parents[2] / "examples" / "catalogue.yaml"


def _problems(path: Path) -> CatalogueInvalid:
    with pytest.raises(CatalogueInvalid) as found:
        load.read(path)
    return found.value


@pytest.mark.parametrize("path", _BAD, ids=lambda path: path.stem)
def test_every_problem_is_found_at_its_place(path: Path) -> None:
    """The first line of each file says what is expected: `# line:column path | line:column path`."""
    expected = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
    found = _problems(path).problems
    assert " | ".join(f"{each.line}:{each.column} {each.path}" for each in found) == expected
    assert all(each.file == str(path) and each.text for each in found)


def test_a_problem_reads_as_editors_expect() -> None:
    path = _CATALOGUES / "bad" / "unknown-key.yaml"
    assert str(_problems(path)) == f"{path}:5:5: sites.geneva.tittle: there is no such key; did you mean `title`?"


def test_the_example_is_a_catalogue() -> None:
    assert set(load.read(_EXAMPLE).profiles) == {"jupyterlab"}


def test_what_looks_like_a_time_or_a_word_is_read_as_written() -> None:
    offer = load.read(_CATALOGUES / "good" / "traps.yaml")
    site, resources = offer.sites["geneva"], offer.profiles["jupyterlab"].resources
    assert (site.title, site.front_ends[0].port) == ("yes", 2222)
    assert site.jupyter.modules == ("no", "on", "3.10", "python/3.10")
    assert site.jupyter.variables == {"START": "12:30:00", "DAY": "2024-05-01", "OFF": "off"}
    assert site.directives == {"exclusive": True, "oversubscribe": True, "kill-on-invalid-dep": "no"}
    assert site.partitions["2024"].time_max == 1440
    assert (resources.cores.default, resources.memory.default) == (8, 10)
    assert (resources.time.default, resources.time.max) == (480, 1440)


def test_sites_may_share_parts() -> None:
    sites = load.read(_CATALOGUES / "good" / "shared-parts.yaml").sites
    assert [site.title for site in sites.values()] == ["Geneva", "Lugano"]
    assert sites["geneva"].front_ends == sites["lugano"].front_ends


def test_the_order_of_the_file_is_kept() -> None:
    assert list(load.read(_CATALOGUES / "good" / "shared-parts.yaml").sites) == ["geneva", "lugano"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"title: Gen\xe8ve\n", "cannot be read: it is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem_of_its_own(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "catalogue.yaml"
    if content is not None:
        path.write_bytes(content)
    assert str(_problems(path)) == f"{path}:1:1: file: {said}"


def test_a_folder_is_not_a_catalogue(tmp_path: Path) -> None:
    assert "cannot be read: Is a directory" in str(_problems(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1000,
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
