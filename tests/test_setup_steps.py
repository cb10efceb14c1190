"""The steps of `make setup`: they say that they are at work, how long it took, and why they failed."""

import re
import subprocess
import sys
from pathlib import Path

from lab.needed import entries, needed
from tests.support.shells import bash

TREE = Path(__file__).parent.parent
STEPS = f"set -euo pipefail; . {TREE}/lab/step.sh; BEAT_SECONDS=0.1; SETUP="


def test_a_step_says_what_it_is_at_until_it_is_done(tmp_path: Path) -> None:
    go = tmp_path / "go"
    work = f"work() {{ printf 'old\\r\\nBuilding wheel for it\\n\\n'; until [[ -e {go} ]]; do sleep 0.05; done; }}"
    program = f"{STEPS}{tmp_path}; {work}; step 'A thing' thing work; echo after"
    with subprocess.Popen(["bash", "-c", program], stdout=subprocess.PIPE, text=True) as setup:
        assert setup.stdout is not None
        assert setup.stdout.readline() == "A thing ...\n"
        assert next(line for line in setup.stdout if "Building" in line).endswith(" s: Building wheel for it\n")
        go.touch()
        *_, said, after = setup.stdout
    assert said.startswith("A thing: ")
    assert said.endswith(" s\n")
    assert after == "after\n"
    assert setup.returncode == 0


def test_a_step_that_says_nothing_is_at_work_all_the_same(tmp_path: Path) -> None:
    go = tmp_path / "go"
    work = f"work() {{ until [[ -e {go} ]]; do sleep 0.05; done; }}"
    program = f"{STEPS}{tmp_path}; {work}; step 'A thing' thing work; echo after"
    with subprocess.Popen(["bash", "-c", program], stdout=subprocess.PIPE, text=True) as setup:
        assert setup.stdout is not None
        beats = [setup.stdout.readline() for _ in range(3)][1:]
        go.touch()
        *_, after = setup.stdout
    assert all(beat.strip().endswith(" s") for beat in beats)
    assert (after, setup.returncode) == ("after\n", 0)


def test_a_step_that_fails_in_its_middle_ends_the_setup_with_the_end_of_its_log(tmp_path: Path) -> None:
    done = bash(
        f"{STEPS}{tmp_path}; work() {{ echo begun; false; echo on; }}; step 'A thing' thing work; echo after"
    )
    assert done.status == 1
    assert done.lines == ["A thing ..."]
    assert done.stderr.decode() == f"begun\nA thing: failed. The whole log is {tmp_path}/thing.log\n"


def test_what_is_imported_at_every_start_compiles_no_grammar() -> None:
    for lock in (TREE / "lab" / "locks").glob("*.lock"):
        assert not re.search(r"^rfc3987-syntax\b", lock.read_text(), re.MULTILINE), lock.name
    # The one of conditions is compiled when the first of them is read.
    program = """
import lark
def compiled(*_, **__):
    raise AssertionError("a grammar is compiled")
lark.Lark.__init__ = compiled
import jupyterhub.app, job_service.cli.main, slurm_ssh_spawner.cli.main, slurm_ssh_spawner.spawner
import kerberos_auth.authenticator
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=TREE)


def test_the_part_of_a_lock_is_that_which_a_package_needs_with_the_extras_it_asks_for() -> None:
    lock = "# Why.\na-b==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n# Why.\nc==2 \\\n    --hash=sha256:3\n"
    assert list(entries(lock, {"a-b"})) == ["a-b==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n"]
    found = needed("jupyterhub-sites")
    # jupyter-events asks for an extra of jsonschema; mypy is for those who change the code.
    assert {"jupyterhub", "jupyter-events", "webcolors"} <= found
    assert not {"jupyterhub-sites", "mypy", "fastapi"} & found
