"""Slurm's programs in a cell: what people submit from a notebook does what it does from a login shell."""

from lab import Lab
from lab.person import Person
from tests.lab.look import FRONT_END, jobs_of

PLAIN = "#!/bin/sh\n#SBATCH --ntasks=4 --output=/scratch/alice/plain.out\nsrun hostname\n"


def printed(alice: Person, command: str) -> str:
    code = f"import subprocess; d = subprocess.run({command!r}, shell=True, capture_output=True, text=True)"
    return alice.run(f"{code}; print(d.returncode, d.stdout, d.stderr)", kernel_name="python3")


def test_sbatch_srun_and_salloc_do_what_they_do_on_a_front_end(lab: Lab, alice: Person) -> None:
    lab.run(FRONT_END["geneva"], ["tee", "/home/alice/plain.sh"], user="alice", input=PLAIN)
    alice.start({"profile": "cores", "site": "geneva"})
    assert printed(alice, "sbatch --parsable --wait plain.sh").startswith("0 ")
    out = lab.run(FRONT_END["geneva"], ["cat", "/scratch/alice/plain.out"]).stdout.splitlines()
    assert len(out) == 4, out
    assert all(line.startswith("geneva-n") for line in out)
    for command in ("srun -n4 hostname", "salloc --quiet -n4 srun hostname"):
        said = printed(alice, command)
        assert said.startswith("0 "), said
        assert said.count("geneva-n") == 4, said
        assert "warning" not in said
    own = printed(alice, "srun sh -c 'echo $SLURM_JOB_ID'; echo $SLURM_JOB_ID").split()
    assert own[1] == own[2]


def test_the_log_of_a_job_is_its_owners_alone(lab: Lab, alice: Person) -> None:
    alice.start({"profile": "stub", "site": "geneva"})
    (job,) = jobs_of(lab, "alice")
    log = f"/scratch/alice/jupyter/{job.rsplit('-', 1)[1]}.log"
    assert lab.run(FRONT_END["geneva"], ["stat", "-c", "%a %U", log]).stdout == "600 alice\n"
