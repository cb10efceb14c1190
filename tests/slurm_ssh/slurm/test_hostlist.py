import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurm_ssh.slurm import hostlist


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", set()),
        ("n1", {"n1"}),
        ("n[1-3,07],gpu1", {"n1", "n2", "n3", "n07", "gpu1"}),
        ("r[1-2]n[01-02]x", {"r1n01x", "r1n02x", "r2n01x", "r2n02x"}),
        ("n[098-101]", {"n098", "n099", "n100", "n101"}),
        ("n[3-1]", set()),
    ],
)
def test_names_are_written_out(text: str, names: set[str]) -> None:
    assert hostlist.names(text) == names


@pytest.mark.parametrize(
    "text",
    ["n[]", "n[a-b]", "n[1-]", "n[1-9999999999]", "n[1-999999]", "a[1-999]b[1-999]", "n[1-40000],m[1-40000]"],
)
def test_what_is_no_list_or_too_long_is_none(text: str) -> None:
    assert hostlist.names(text) is None


@given(st.text(alphabet="n1-9[],x", max_size=60))
def test_any_text_is_few_names_or_none(text: str) -> None:
    assert len(hostlist.names(text) or ()) <= hostlist.MOST
