import ast
import sys
from pathlib import Path

import pytest

from kernels import jobside

_SOURCES = sorted(Path(jobside.__file__).parent.glob("*.py"))
pytestmark = pytest.mark.parametrize("source", _SOURCES, ids=lambda source: source.name)


def test_a_source_is_clean_for_python_3_6(source: Path) -> None:
    ast.parse(source.read_text(), feature_version=(3, 6))


def test_a_source_needs_the_standard_library_and_its_neighbours_only(source: Path) -> None:
    tree = ast.parse(source.read_text())
    names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    # The server, whose configuration this is, has jupyter_client, and ipykernel if it has a kernel of its own.
    servers = {"jupyter_client", "ipykernel"} if source.name == "jupyter_config.py" else set()
    allowed = sys.stdlib_module_names | servers
    assert {name.split(".")[0] for name in names if not name.startswith("kernels.jobside")} <= allowed
