"""Names of files, quoted or not, and those that no file may have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_service.http.old import disposition
from job_service.http.problems import Problem
from tests.job_service.http.old.support import fields


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment; filename=job_file.zip", "job_file.zip"),
        ('attachment; filename="job_file.zip"', "job_file.zip"),
        ("attachment; filename=my job.zip", "my job.zip"),
        ('attachment; filename="my; job.zip"; size=7', "my; job.zip"),
        (r'attachment; filename="a \"job\".zip"', 'a "job".zip'),
        ("attachment;FileName = job.zip ;", "job.zip"),
        ("filename=job.zip", "job.zip"),
        ("attachment; filename=naïve.zip", "naïve.zip"),
        ("attachment; filename=naive.zip; filename*=UTF-8''na%C3%AFve.zip", "naïve.zip"),
        ("attachment; filename*=iso-8859-1'en'na%EFve.zip", "naïve.zip"),
        ("attachment", None),
        ("attachment; name=file", None),
        ("", None),
        (None, None),
    ],
)
def test_the_name_of_a_file(header: str | None, name: str | None) -> None:
    assert disposition.filename(header) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../job.zip",
        "/etc/passwd",
        ".job",
        ".job/command",
        "a/b",
        r"C:\job.zip",
        "a\x00b",
        "a\nb",
        "a\x7fb",
        "a\u202eb",
        "a\ud800b",
        "é" * 128,
    ],
)
@pytest.mark.parametrize("form", ["attachment; filename={}", 'attachment; filename="{}"'])
def test_a_name_that_no_file_may_have_is_refused(name: str, form: str) -> None:
    with pytest.raises(Problem) as error:
        disposition.filename(form.format(name.replace("\\", "\\\\") if '"' in form else name))
    assert list(fields(error.value)) == ["Content-Disposition"]
    assert fields(error.value)["Content-Disposition"].isprintable()


@pytest.mark.parametrize(
    "header",
    [
        'attachment; filename="job.zip',
        'attachment; filename=jo"b.zip',
        "attachment; filename*=job.zip",
        "attachment; filename*=utf-16''%ff",
        "attachment; filename*=UTF-8''%ff",
        "attachment; filename*=UTF-8''%2e%2e%2fjob.zip",
        'attachment; filename="' + '\\"' * 8000,
    ],
)
def test_a_header_that_cannot_be_read_is_refused(header: str) -> None:
    with pytest.raises(Problem) as error:
        disposition.filename(header)
    assert list(fields(error.value)) == ["Content-Disposition"]


@given(st.text(alphabet=st.sampled_from("a=\"\\;*%f'/ .\x00é"), max_size=60).map("attachment; filename".__add__))
def test_whatever_is_sent_is_a_name_or_refused(header: str) -> None:
    try:
        name = disposition.filename(header)
    except Problem:
        return
    assert name is None or (name.isprintable() and "/" not in name and name not in ("", ".", ".."))


def test_a_header_is_utf8_where_it_is_that() -> None:
    assert disposition.decoded("ï".encode()) == disposition.decoded("ï".encode("latin-1")) == "ï"
