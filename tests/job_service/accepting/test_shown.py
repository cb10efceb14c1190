"""The script that would be sent, for its owner and for an admin."""

from dataclasses import replace

import pytest

from job_service.accepting import shown
from job_service.spec import JobSpec
from kernels.fragment import Fragment
from kernels.hook import Hook, JobContext
from profiles.errors import ChoiceRefused
from profiles.offer.offer import Person
from slurm_ssh.errors import Broken
from tests.job_service.accepting import deciding
from tests.job_service.accepting.deciding import decided
from tests.support import builders


def _of_type(key: str | None = None, site: str | None = None, user: str = "alice") -> str:
    return shown.of_type(deciding.CATALOGUE, "hub", key, site, Person(user), builders.NOW)


def test_it_is_what_slurm_would_read() -> None:
    job = decided(JobSpec("recon", title="it's `id`", choices={"cores": "8"}))
    request, text = shown.request(job.launch, "hub", job.title)
    assert text.startswith("#!/bin/bash\n#SBATCH --job-name=job-hub-000000000000\n")
    assert "#SBATCH --cpus-per-task=8\n" in text
    assert "/opt/recon --method=fast 5\n" in text
    assert "export KRB5CCNAME=FILE:/scratch/alice/tickets/000000000000.ccache\n" in text
    assert request.script in text


def test_an_admin_sees_a_type_with_its_defaults() -> None:
    first = _of_type()
    assert first == _of_type("recon") == _of_type("recon", "geneva")
    assert "export JOB_TITLE=Reconstruction\n" in first
    assert "#SBATCH --output=/scratch/jmeier/jobs/000000000000/stdout\n" in _of_type("command", user="judy")
    assert "#SBATCH --account" not in _of_type("command", "zurich")


@pytest.mark.parametrize(("key", "site", "field"), [("nope", None, "type"), ("recon", "bern", "site")])
def test_what_is_not_offered_has_no_script(key: str, site: str | None, field: str) -> None:
    with pytest.raises(ChoiceRefused) as found:
        _of_type(key, site)
    assert found.value.field == field


class _Breaks(Hook):
    def fragment(self, _job: JobContext) -> Fragment:
        raise OSError("no such disk")


def test_what_no_script_can_be_made_of_is_the_admins_to_mend() -> None:
    launch = decided(JobSpec("recon")).launch
    for broken in (replace(launch, hooks={"disk": _Breaks()}), replace(launch, container="/an/image")):
        with pytest.raises(Broken, match="No script can be made for recon at Geneva"):
            shown.request(broken, "hub", "x")
