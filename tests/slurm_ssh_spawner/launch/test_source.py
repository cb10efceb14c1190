"""What a link to a notebook may name; whoever opens it has not written it."""

import pytest

from profiles.catalogue.copying import CopyFrom
from slurm_ssh_spawner.launch import source
from slurm_ssh_spawner.launch.source import Kind, Source, SourceRefused

_ALLOWED = CopyFrom(
    folders=("/gpfs/project", "/gpfs/shared/"),
    repositories=("https://github.com/our-group", "https://git.test/one/course.git", "http://127.0.0.1:8080/"),
    galleries=("https://gallery.test/", "https://www.test/nb"),
)


def _named(place: str, path: str = "", ref: str = "") -> Source:
    return source.named({"from": place, "path": path, "ref": ref}, _ALLOWED)


def test_a_file_of_a_cluster() -> None:
    found = _named("/gpfs/project/proj1/a b/Ä.ipynb")
    assert (found.kind, found.name, found.target) == (Kind.FILE, "Ä.ipynb", "~/from-links/Ä.ipynb")
    assert found.query == "from=%2Fgpfs%2Fproject%2Fproj1%2Fa+b%2F%C3%84.ipynb"
    assert _named("/gpfs/shared/x.ipynb").name == "x.ipynb"


@pytest.mark.parametrize(
    ("place", "ref"),
    [
        ("https://github.com/our-group/course", ""),
        ("https://github.com/our-group/course.git", "main"),
        ("https://git.test/one/course", "v1.2"),
        ("https://git.test/one/course.git/", "feature/new+old"),
        ("http://127.0.0.1:8080/x", "0123456789abcdef"),
    ],
)
def test_a_file_of_a_repository(place: str, ref: str) -> None:
    found = _named(place, "week 1/first.ipynb", ref)
    assert (found.kind, found.place, found.name) == (Kind.GIT, place.rstrip("/"), "first.ipynb")
    assert (found.path, found.ref) == ("week 1/first.ipynb", ref)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("https://gallery.test/notebooks/12-my-title", "my-title.ipynb"),
        ("https://gallery.test/notebooks/12-my-title/", "my-title.ipynb"),
        ("https://www.test/nb/notebooks/12", "12.ipynb"),
        ("https://www.test/nb/notebooks/12-", "12.ipynb"),
        ("https://www.test/nb/notebooks/12-2020-data", "2020-data.ipynb"),
        ("https://gallery.test/notebooks/5f0c-b3f1", "5f0c-b3f1.ipynb"),
    ],
)
def test_a_notebook_of_a_gallery(place: str, name: str) -> None:
    found = _named(place)
    assert (found.kind, found.place, found.name) == (Kind.GALLERY, place.rstrip("/"), name)


@pytest.mark.parametrize(
    "place",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ext::sh -c id",
        "ssh://git.test/one/course.git",
        "git@git.test:one/course.git",
        "--upload-pack=id",
        "-c",
        "https://alice:secret@github.com/our-group/x",
        "https://github.com@evil.test/our-group/x",
        "https://github.com/our-group/../evil",
        "https://github.com/our-group/%2e%2e/evil",
        "https://github.com/our-group/x?y=1",
        "https://github.com/our-group/x#y",
        "https://github.com\\@evil.test/x",
        "https://github.com/our-group//x",
        "https://github.com:x/our-group",
        "https://GITHUB.com/our-group/x",
        "https://github.com/our-group/x\ny",
        "https://github.com/our-group/x y",
        "https:/github.com/our-group",
        "//github.com/our-group",
        "https://",
        "~/x.ipynb",
        "x.ipynb",
        "https://github.com/our-group/" + "x" * 2000,
    ],
)
def test_what_is_no_source_is_refused(place: str) -> None:
    for path in ("", "x.ipynb"):
        with pytest.raises(SourceRefused) as refused:
            _named(place, path)
        assert len(str(refused.value)) < 400
        assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "place",
    [
        "/etc/passwd",
        "/gpfs/projects/x.ipynb",
        "/home/bob/x.ipynb",
        "/proc/self/environ",
        "https://github.com/our-group-too/x",
        "https://github.com/our",
        "https://github.com/",
        "https://git.test/one/course2",
        "http://github.com/our-group/x",
        "https://github.com:444/our-group/x",
        "http://127.0.0.1/x",
        "http://169.254.169.254/latest/meta-data",
        "https://gallery.test/notebooks/12-x/download",
        "https://gallery.test/notebooks/12/../13",
        "https://gallery.test/users/1",
        "https://www.test/notebooks/12",
        "https://other.test/notebooks/12-x",
    ],
)
def test_what_is_not_allowed_is_refused(place: str) -> None:
    for path in ("", "x.ipynb"):
        with pytest.raises(SourceRefused):
            _named(place, path)


@pytest.mark.parametrize(
    "path",
    [
        "../x.ipynb",
        "a/../../x.ipynb",
        "/gpfs/x.ipynb",
        "./x.ipynb",
        "a//x.ipynb",
        "x.py",
        "x.ipynb/",
        ".ipynb",
        ".x.ipynb",
        "a\0.ipynb",
        "a\n.ipynb",
        "\udcff.ipynb",
        "x" * 300 + ".ipynb",
        "\N{GRINNING FACE}" * 60 + ".ipynb",
        "a/" * 600 + "x.ipynb",
    ],
)
def test_what_is_no_path_of_a_notebook_is_refused(path: str) -> None:
    with pytest.raises(SourceRefused):
        _named("https://github.com/our-group/x", path)


@pytest.mark.parametrize(
    "ref", ["-x", "--upload-pack=id", "a..b", "a b", "+main", "main:x", "@{1}", "a~1", "a^", "a\0"]
)
def test_what_is_no_ref_is_refused(ref: str) -> None:
    with pytest.raises(SourceRefused, match="cannot be the name of a branch"):
        _named("https://github.com/our-group/x", "x.ipynb", ref)


def test_a_hub_that_says_nothing_allows_nothing() -> None:
    with pytest.raises(SourceRefused, match="does not copy notebooks"):
        source.named({"from": "/gpfs/project/x.ipynb"}, None)
    with pytest.raises(SourceRefused, match="may not be copied from /gpfs/project"):
        source.named({"from": "/gpfs/project/x.ipynb"}, CopyFrom())


def test_a_link_without_a_notebook_says_so() -> None:
    for query in ({}, {"from": ""}, {"from": "  "}, {"path": "x.ipynb"}):
        with pytest.raises(SourceRefused, match="does not say which notebook"):
            source.named(query, _ALLOWED)
