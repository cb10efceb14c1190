"""docs/security.md names tests; they must exist."""

import re
from pathlib import Path

from tests.support.folders import TREE

NAMED = re.compile(r"`(?:tests/)?([a-z_/]+\.py)::(\w+)")


def test_every_test_that_the_security_page_names_exists() -> None:
    named = NAMED.findall((TREE / "docs/security.md").read_text())
    assert len(named) > 40
    for path, name in named:
        sources = [
            found.read_text() for found in (TREE / "tests").rglob(Path(path).name) if str(found).endswith(path)
        ]
        assert any(f"def {name}(" in source or f"class {name}" in source for source in sources), f"{path}::{name}"
