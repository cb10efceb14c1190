"""`jupyterhub-sites check --facts`, run by people at the hub's host, against what each site's Slurm says."""

import subprocess
from collections.abc import Iterator

import pytest
import yaml

from lab import Lab
from lab.folders import TREE
from lab.plan import HUB
from tests.lab.faults import broken

_CATALOGUE = "/etc/jupyterhub/catalogue.yaml"
_COMMAND = str(TREE / ".venv" / "bin" / "jupyterhub-sites")
_TICKET = "/tmp/check-ticket"


def _run(lab: Lab, program: str, user: str = "alice") -> subprocess.CompletedProcess[str]:
    environ = f"export KRB5CCNAME=FILE:{_TICKET}-{user}; "
    return lab.run(HUB.name, ["sh", "-c", environ + program], user=user, check=False)


@pytest.fixture
def ticket(lab: Lab) -> Iterator[None]:
    """Give alice a ticket of her own at the hub's host."""
    got = _run(lab, "echo alice-pw | kinit -f alice")
    assert got.returncode == 0, got.stderr
    yield
    _run(lab, "kdestroy")


def _check(lab: Lab, changes: dict[str, object] | None = None) -> tuple[int, str, str]:
    """Check the lab's catalogue with some values changed (dotted path to value); return code, output, errors."""
    tree = yaml.safe_load(lab.run(HUB.name, ["cat", _CATALOGUE]).stdout)
    for path, value in (changes or {}).items():
        *steps, last = path.split(".")
        at = tree
        for step in steps:
            at = at.setdefault(step, {})
        at[last] = value
    file = f"/tmp/check-{len(changes or {})}.yaml"
    lab.run(HUB.name, ["sh", "-c", f"cat > {file}"], input=yaml.safe_dump(tree, sort_keys=False))
    done = _run(lab, f"{_COMMAND} check {file} --facts")
    lab.run(HUB.name, ["rm", file])
    return done.returncode, done.stdout.replace(f"{file}:", ""), done.stderr


def _places(text: str) -> dict[str, str]:
    """Return what is wrong, by dotted path."""
    problems = (line.split(": ", 2) for line in text.splitlines()[1:])
    return {parts[1]: parts[2] for parts in problems}


@pytest.mark.usefixtures("ticket")
class TestFacts:
    def test_what_slurm_has_is_no_problem(self, lab: Lab) -> None:
        code, out, err = _check(lab)
        assert (code, err) == (0, "")
        assert out.splitlines()[-1].endswith("what runs jobs at geneva, lugano has all of it.")

    def test_what_slurm_does_not_have_is_told_with_its_place(self, lab: Lab) -> None:
        changes = {
            "sites.geneva.partitions.normall": {"title": "Misspelt"},
            "sites.lugano.reservations": ["school"],
            "profiles.jupyterlab.resources.cores": {"default": 500, "max": 500},
            "profiles.stub.resources.gpus": 1,
            "profiles.stub.resources.gpu_types": ["nonesuch"],
            "profiles.stub.sites": ["lugano"],
        }
        code, out, _ = _check(lab, changes)
        found = _places(out)
        assert code == 1
        assert found["sites.geneva.partitions.normall"].startswith("Slurm has no such partition; did you mean")
        assert found["sites.lugano.reservations.school"].startswith("Slurm has no reservation `school`; ")
        assert found["profiles.jupyterlab.resources.cores.default"].startswith("is 500, but the largest node in ")
        assert "nonesuch" in out or "is 1, but the largest node in " in out
        assert all(line.split(":")[0].isdigit() for line in out.splitlines()[1:])

    def test_a_partition_that_is_down_is_told(self, lab: Lab) -> None:
        lab.run("geneva-ctl", ["scontrol", "update", "PartitionName=debug", "State=DOWN"])
        try:
            code, out, _ = _check(lab)
        finally:
            lab.run("geneva-ctl", ["scontrol", "update", "PartitionName=debug", "State=UP"])
        assert code == 1
        assert _places(out)["sites.geneva.partitions.debug"].startswith("is down in Slurm")

    def test_a_site_that_cannot_be_asked_proves_nothing(self, lab: Lab) -> None:
        with broken(lab, ("cut", "lugano-login")):
            code, out, err = _check(lab)
        assert code == 1
        assert _places(out) == {
            "sites.lugano": "Lugano could not be asked, so nothing is proven about it; the reason is above"
        }
        assert "lugano" in err

    def test_a_name_that_is_another_one_there_is_used(self, lab: Lab) -> None:
        """alice cannot log in as judy: the site refuses, and that is said."""
        code, out, err = _check(lab, {"sites.geneva.login_name": {"alice": "judy"}})
        assert code == 1
        assert list(_places(out)) == ["sites.geneva"]
        assert "judy" in err


def test_without_a_ticket_it_says_how_to_get_one(lab: Lab) -> None:
    done = _run(lab, f"{_COMMAND} check {_CATALOGUE} --facts", user="bob")
    assert done.returncode == 1
    assert f"You have no ticket in {_TICKET}-bob " in done.stderr
    assert "Run `kinit -f` first." in done.stderr


def test_the_job_script_of_the_lab_is_shown(lab: Lab) -> None:
    done = _run(lab, f"{_COMMAND} script {_CATALOGUE} --profile stub --user alice")
    assert done.returncode == 0
    assert "#SBATCH --mem=100M" in done.stdout
