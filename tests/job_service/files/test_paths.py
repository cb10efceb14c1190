import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_service import layout
from job_service.errors import Invalid
from job_service.files import paths
from tests.support import shells

_LEAVING = ("", "/", "/etc/passwd", "..", "a/..", "a/../b", ".", "./a", "a//b", "a/", ".job", ".job/end")
_UNUSUAL = ("a\0b", "a\nb", "a\x7f", "a\x85", "a\\b", "\\..\\b", "\ud800")
_LONG = ("a" * 256, "é" * 128, "/".join(["a" * 99] * 11))


@pytest.mark.parametrize("path", [*_LEAVING, *_UNUSUAL, *_LONG])
def test_a_path_that_no_file_of_a_job_has_is_refused_with_the_reason(path: str) -> None:
    with pytest.raises(Invalid) as refused:
        paths.parts(path)
    assert list(refused.value.fields) == ["path"]
    assert refused.value.message


@pytest.mark.parametrize(
    "path", ["a", "a/b/c", "a" * 255, "...", "a b", "%2e%2e", "a/.job", ".jobs", "-rf", "~", "*"]
)
def test_a_path_that_a_file_may_have_is_its_parts(path: str) -> None:
    assert "/".join(paths.parts(path)) == path


def test_a_folder_may_be_the_jobs_own_or_end_with_a_slash() -> None:
    assert (paths.folder_parts(""), paths.folder_parts("a/b/")) == ((), ("a", "b"))
    with pytest.raises(Invalid):
        paths.folder_parts("/")


@given(st.binary(min_size=1, max_size=60))
def test_a_name_reaches_a_program_as_it_is_whatever_its_bytes_are(name: bytes) -> None:
    text = os.fsdecode(name)
    try:
        paths.parts(text)
    except Invalid:
        return
    for shell in (["dash"], ["bash", "--posix"]):
        said = shells.run(
            [*shell, "-c", f"printf '<%s>' {paths.words(paths.parts(text))}"], environ={"LC_ALL": "C"}
        )
        assert said.stdout == b"".join(b"<%s>" % each for each in name.split(b"/"))


@pytest.mark.parametrize(
    "path", [*_LEAVING, *_UNUSUAL, *_LONG, "a", "é/b", "a" * 255, ".job2/x", "a/.job", "a\udc80"]
)
def test_an_input_is_announced_by_a_path_that_a_file_may_have(path: str) -> None:
    """The rules are the same; but what is announced is text, in which there are no bytes that are no UTF-8."""
    is_text = not any("\ud800" <= each <= "\udfff" for each in path)
    assert layout.is_path(path) == (is_text and layout.flaw(path) is None)
    assert (layout.flaw(path) is None) == (path in {"a", "é/b", "a" * 255, ".job2/x", "a/.job", "a\udc80"})
