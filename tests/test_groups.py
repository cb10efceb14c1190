"""Tests that share something stay in one process, as the options say with which `make test` runs them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.folders import TREE

GROUP = """
import pytest

@pytest.mark.xdist_group("a group")
@pytest.mark.parametrize("number", range(6))
def test_it(number, worker_id):
    print(f"<{worker_id}>")
"""


def test_a_group_stays_in_one_process(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_group.py").write_text(GROUP + "\ndef test_another(worker_id): pass\n")
    (options,) = re.findall(r"-m pytest (-n .*?) --durations", (TREE / "Makefile").read_text())
    alone = ["-p", "xdist.plugin", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *alone, *options.split(), "-n", "2", "-rP", str(tmp_path)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    # The other plugins are slow to import, once in each process.
    environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    workers = re.findall(r"^<(gw\d)>$", done.stdout, re.MULTILINE)
    assert len(workers) == 6
    assert len(set(workers)) == 1
