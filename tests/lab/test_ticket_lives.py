"""A notebook outlives its first ticket: renewed tickets reach running jobs, and stops wait for a ticket."""

import pytest

from lab import Lab
from lab.person import Person
from tests.lab.faults import changed
from tests.lab.look import delivered, jobs_of, logged_in

END = """
import subprocess, time
listing = subprocess.run(["klist"], capture_output=True, text=True, env={**__import__("os").environ, "LC_ALL": "C"})
line = next(line for line in listing.stdout.splitlines() if "krbtgt/" in line)
print(" ".join(line.split()[2:4]))
"""
USE = """
import subprocess
print(subprocess.run(["kvno", "nfs/storage.lab.test"], capture_output=True, text=True))
"""


def end_in_job(person: Person) -> str:
    return person.run(END).strip()


@pytest.mark.parametrize("site", ["geneva", "lugano"])
def test_a_notebook_outlives_its_first_ticket(lab: Lab, site: str) -> None:
    with changed(lab, "frank", '-maxlife "40 seconds"', '-maxlife "10 hours"'), logged_in(lab, "frank") as frank:
        if site == "lugano":
            pytest.skip("bob has no project there")
        frank.start({"profile": "jupyterlab", "site": site})
        first = end_in_job(frank)
        lab.wait("a later ticket is in the job", lambda: end_in_job(frank) > first, 60)
        lab.wait("the first ticket is over", lambda: lab.run("hub", ["date", "+%D %T"]).stdout.strip() > first, 60)
        assert "nfs/storage.lab.test@LAB.TEST: kvno = 1" in frank.run(USE)
        frank.stop()
    assert delivered(lab, "frank", site) == []
    assert jobs_of(lab, "frank", site) == []
