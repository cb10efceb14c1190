"""What a page of commands says is what a test of it does: the reader of such pages, on pages of its own."""

import pytest

from tests.support.page_steps import Cell, Command, File, is_like, steps

_PAGE = """
# A page

```console
hub# echo one \\
  two
one two
login1# id
uid=0...
hub# true
```

```ini
# /etc/some.conf
[a]
```

```python
print(6 * 7)
```

```text
42
```
"""


def test_it_is_read_in_order_with_lines_hosts_and_what_is_printed() -> None:
    first, second, third, file, cell = steps(_PAGE)
    assert first == Command(5, "hub", "echo one \\\n  two", "one two\n")
    assert second == Command(8, "login1", "id", "uid=0...\n")
    assert third == Command(10, "hub", "true", "")
    assert file == File(14, "/etc/some.conf", "# /etc/some.conf\n[a]\n")
    assert cell == Cell(19, "print(6 * 7)\n", "42\n")


def test_passwords_that_it_asks_for_are_known() -> None:
    (command,) = steps("```console\nhub# kinit -f alice\nPassword for alice@EXAMPLE.ORG:\n```\n")
    assert isinstance(command, Command)
    assert command.asked == [("Password for alice", "alice")]


@pytest.mark.parametrize(
    "page",
    [
        "```\nls\n```\n",
        "```sh\nls\n```\n",
        "```console\nls\n```\n",
        "```ini\n[a]\n```\n",
        "```text\nprinted by nobody\n```\n",
        "```python\n1\n```\n\n```console\nhub# ls\n```\n",
    ],
)
def test_a_fence_that_nobody_would_run_is_an_error(page: str) -> None:
    with pytest.raises(ValueError, match=r"^line \d+: "):
        steps(page)


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("", ""),
        ("", "...\n"),
        ("one  two \n", "one two\n"),
        ("a\nb\nc\n", "a\n...\n"),
        ("a\nb\nc\n", "...\nc\n"),
        ("version 1.2 of it\n", "version ... of it\n"),
    ],
)
def test_what_is_as_the_page_says(said: str, printed: str) -> None:
    assert is_like(said, printed)


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("anything\n", ""),
        ("a\nb\n", "a\n"),
        ("a\n", "a\nb\n"),
        ("version 1.2\nof it\n", "version ... of it\n"),
        ("axb\n", "a.b\n"),
    ],
)
def test_what_is_not_as_the_page_says(said: str, printed: str) -> None:
    assert not is_like(said, printed)
