"""What the lab and the tests are made of is what it was when somebody looked: each version with its hashes."""

import re
from pathlib import Path

import pytest

from tests.support.folders import TREE

LOCKS = sorted((TREE / "lab/locks").glob("*.lock"))
_PIN = re.compile(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[A-Za-z0-9.+!]+( \\\n    --hash=sha256:[0-9a-f]{64})+")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_each_line_of_a_lock_has_its_hashes(lock: Path) -> None:
    lines = re.sub(r"^#.*\n", "", lock.read_text(), flags=re.MULTILINE)
    pins = re.split(r"\n(?! )", lines.strip("\n"))
    assert pins
    assert [pin for pin in pins if not _PIN.fullmatch(pin)] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_no_lock_says_where_its_packages_come_from(lock: Path) -> None:
    assert "://" not in lock.read_text()
    assert not re.search(r"^ *--(?!hash=)", lock.read_text(), re.MULTILINE)


def test_whatever_reads_a_lock_insists_on_the_hashes() -> None:
    commands = re.findall(r"pip (?:install|download)(?:\\\n|[^\n])*", (TREE / "lab/setup.sh").read_text())
    bare = [command for command in commands if "--require-hashes" not in command and "--editable ." not in command]
    assert len(commands) > 5
    assert bare == []
