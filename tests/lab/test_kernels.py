"""Modules, kernel scripts and declared kernels on the sites: what a cell sees, what a person is told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest

from lab import Lab
from lab.person import NotStarted, Person
from tests.lab.look import FRONT_END, jobs_of, logged_in, running

STORE = ".local/share/jupyterhub-sites"
SIX = "import six; print(six.__version__)"


@contextmanager
def started(lab: Lab, name: str, profile: str, site: str = "geneva") -> Iterator[tuple[Person, str]]:
    """Give a person with a running server, and what the page said."""
    with logged_in(lab, name) as person:
        said = person.start({"profile": profile, "site": site})
        try:
            yield person, "\n".join(said)
        finally:
            person.stop()


def refusal(lab: Lab, name: str, profile: str, site: str = "geneva") -> str:
    with logged_in(lab, name) as person, pytest.raises(NotStarted) as caught:
        person.start({"profile": profile, "site": site})
    assert jobs_of(lab, name, site) == []
    return str(caught.value)


def variable(person: Person, name: str, kernel: str = "python3") -> str:
    return person.run(f"import os; print(os.environ.get({name!r}))", kernel_name=kernel).strip()


def at_home(lab: Lab, name: str, command: str, site: str = "geneva", check: bool = True) -> str:
    return lab.run(FRONT_END[site], ["sh", "-c", command], user=name, check=check).stdout.strip()


class TestModules:
    @pytest.mark.parametrize(("site", "jupyterlab"), [("geneva", "jupyterlab"), ("lugano", "jupyterlab/new")])
    def test_a_cell_sees_what_a_module_sets_and_the_record_of_the_launch_holds_what_ran(
        self, lab: Lab, site: str, jupyterlab: str
    ) -> None:
        with started(lab, "p01", "synthesis_pipeline", site) as (person, said):
            assert variable(person, "MORPHSYN_VERSION") == "9040c"
            assert "nix/nse/morphsyn/9040c" in variable(person, "LOADEDMODULES")
            (job,) = jobs_of(lab, "p01", site)
        assert "modules: Loading nix/nse/morphsyn/9040c" in said
        launch_id = job.rsplit("-", 1)[1]
        lab.wait("the last stage", lambda: "starting" in _record(lab, launch_id)["stages"])
        record = _record(lab, launch_id)
        assert record["script"].startswith("#!/bin/bash\n#SBATCH --job-name=jupyter-hub-")
        assert record["stages"]["loaded"] == f"{jupyterlab}:nix/nse/morphsyn/9040c"
        assert record["stages"]["kernel"].endswith(": /gpfs/project/proj1/synthesis/install.sh")
        assert record["stages"]["starting"].startswith("Python 3.")

    @pytest.mark.parametrize(
        ("site", "profile", "words"),
        [
            ("geneva", "no-module", "Unable to locate a modulefile for 'nix/hpc/nowhere/1.0'"),
            ("lugano", "no-module", 'The following module(s) are unknown: "nix/hpc/nowhere/1.0"'),
            ("geneva", "conflict", 'Might try "module unload nix/test/oil" first'),
            ("lugano", "conflict", 'Cannot load module "nix/test/water/1" because these module(s) are loaded'),
        ],
    )
    def test_a_module_that_cannot_be_loaded_ends_the_launch_in_the_module_systems_words(
        self, lab: Lab, site: str, profile: str, words: str
    ) -> None:
        message = refusal(lab, "p01", profile, site).split("These are the last lines", maxsplit=1)[0]
        assert "could not be loaded: " in message
        assert words in message


class TestOlderJupyterLab:
    def test_it_serves_as_its_module_is_loaded_and_hides_other_profiles_kernels(self, lab: Lab) -> None:
        with started(lab, "p03", "synthesis-stub", "lugano"):
            assert "synthesis" in at_home(lab, "p03", "ls .local/share/jupyter/kernels", "lugano")
        with started(lab, "p03", "old", "lugano") as (person, said):
            assert int(person.run("import jupyterhub; print(jupyterhub.__version__)").split(".")[0]) < 6
            assert set(person.kernels()) == {"python3"}
            # A module without its version, and another version of one, are both right.
            assert "loaded: jupyterlab/new\n" in said
            assert variable(person, "LOADEDMODULES") == "jupyterlab/old"


class TestKernelScripts:
    @pytest.mark.long
    def test_the_talks_profiles_have_their_kernels_and_each_shows_its_own(self, lab: Lab) -> None:
        with started(lab, "p02", "thalamus") as (person, said):
            assert person.kernels() == {
                "python3": "Python 3 (ipykernel)",
                "thalamus_27": "Thalamus_27",
                "thalamus_34": "Thalamus_34",
            }
            assert person.run(SIX, kernel_name="thalamus_27").strip() == "1.16.0"
            assert person.run(SIX, kernel_name="thalamus_34").strip() == "1.17.0"
            assert variable(person, "NEURON_VERSION", "thalamus_34") == "7.5"
            assert variable(person, "RTNEURON_VERSION") == "2.13.0"
        assert "kernel: script " in said
        with started(lab, "p02", "bluepy") as (person, _):
            assert person.kernels() == {"python3": "Python 3 (ipykernel)", "bluepy": "BluePy"}
            assert person.run(SIX, kernel_name="bluepy").strip() == "1.16.0"
        with started(lab, "p02", "synthesis_pipeline") as (person, _):
            assert person.kernels() == {"python3": "Python 3 (ipykernel)", "synthesis": "Synthesis 9040c"}
            assert variable(person, "MORPHSYN_VERSION", "synthesis") == "9040c"
        at_home(lab, "p02", "cd .local/share/jupyter/kernels && cp -r synthesis mine")
        with started(lab, "p02", "jupyterlab") as (person, _):
            assert set(person.kernels()) == {"python3", "mine"}
        with started(lab, "p02", "thalamus") as (person, _):
            assert set(person.kernels()) == {"python3", "mine", "thalamus_27", "thalamus_34"}

    def test_a_script_that_fails_is_shown_with_its_words(self, lab: Lab) -> None:
        said = refusal(lab, "p04", "failing")
        assert "failed: it ended with status 3." in said
        # Once in the sentence, which quotes the script, and once in the log.
        assert said.count("no licence for thalamus") > 1
        assert "/scratch/p04/jupyter/" in said
        assert at_home(lab, "p04", "ls -d /scratch/p04/jupyter/*/", check=False) == ""

    @pytest.mark.long
    def test_a_script_over_its_time_is_ended(self, lab: Lab) -> None:
        said = refusal(lab, "p04", "endless")
        assert "it took longer than 1m and was stopped" in said
        assert said.count("still at it") > 1
        lab.wait("no program of it", lambda: running(lab, "p04", "sleep") == [])

    def test_a_script_that_is_not_required_leaves_a_notice(self, lab: Lab) -> None:
        notice = "failed: it ended with status 3. Your server starts without it."
        with started(lab, "p04", "failing-later") as (person, _):
            lab.wait("the notice", lambda: notice in person.http.get("/hub/home").text)
        assert notice not in person_page(lab, "p04")

    def test_two_launches_of_one_person_do_not_build_at_once(self, lab: Lab) -> None:
        built, go = "/home/p05/built", "/home/p05/go"
        at_home(lab, "p05", f"rm -f {built} {go}")
        with logged_in(lab, "p05") as person:
            first, second = Starting(person, ""), Starting(person, "south")
            lab.wait("both jobs", lambda: len(jobs_of(lab, "p05")) == 2)
            first.thread.start()
            second.thread.start()
            lab.wait(
                "one waits", lambda: "is already building kernels; waiting for it" in first.text + second.text
            )
            assert at_home(lab, "p05", f"cat {built}", check=False) == ""
            at_home(lab, "p05", f"touch {go}")
            for starting in (first, second):
                starting.thread.join()
            numbers = at_home(lab, "p05", f"cat {built}").split()
            assert sorted(numbers) == sorted(job.split()[0] for job in jobs_of(lab, "p05"))
            person.stop()
            person.remove("south")

    def test_the_lock_of_a_job_that_is_over_is_taken_over(self, lab: Lab) -> None:
        at_home(lab, "p06", f"mkdir -p {STORE}/scripts.lock && touch {STORE}/scripts.lock/geneva@999999")
        with started(lab, "p06", "synthesis-stub") as (_, said):
            assert "synthesis" in at_home(lab, "p06", "ls .local/share/jupyter/kernels")
        assert "Job 999999 ended before it finished; building again" in said
        assert at_home(lab, "p06", f"ls -d {STORE}/*.lock*", check=False) == ""


def person_page(lab: Lab, name: str) -> str:
    with logged_in(lab, name) as person:
        return person.http.get("/hub/home").text


class Starting:
    """A server on its way, and what its page has said so far."""

    def __init__(self, person: Person, server: str) -> None:
        self._person = person
        self._person.submit_form({"profile": "building"}, server)
        self._server = server
        self.text = ""
        self.thread = Thread(target=self._read, daemon=True)

    def _read(self) -> None:
        for event in self._person.progress(self._server):
            self.text += f"{event.message}\n"


class TestDeclaredKernels:
    @pytest.mark.long
    @pytest.mark.parametrize(("site", "tool"), [("geneva", "pip"), ("lugano", "uv")])
    def test_it_is_built_once_used_again_and_sees_its_modules(self, lab: Lab, site: str, tool: str) -> None:
        with started(lab, "p07", "declared", site) as (person, said):
            assert person.kernels() == {"python3": "Python 3 (ipykernel)", "thalamus_six": "Thalamus six"}
            assert person.run(SIX, kernel_name="thalamus_six").strip() == "1.16.0"
            assert variable(person, "NEURON_VERSION", "thalamus_six") == "7.5"
            assert variable(person, "RTNEURON_VERSION", "thalamus_six") == "2.13.0"
            assert variable(person, "RTNEURON_VERSION") == "None"
        assert f"with {tool}" in said
        with started(lab, "p07", "declared", site) as (person, said):
            assert person.run(SIX, kernel_name="thalamus_six").strip() == "1.16.0"
        assert "is ready in" in said
        assert "building" not in said
        with started(lab, "p07", "jupyterlab", site) as (person, _):
            assert set(person.kernels()) == {"python3"}

    def test_a_package_that_is_not_there_ends_the_launch_and_leaves_nothing(self, lab: Lab) -> None:
        said = refusal(lab, "p08", "no-package")
        assert "The kernel Nowhere could not be built: " in said
        assert "No matching distribution found for no-such-package==1.0" in said
        assert at_home(lab, "p08", f"ls {STORE}/kernels") == ""

    def test_a_build_that_was_cancelled_half_way_does_not_stand_in_the_way_of_the_next(self, lab: Lab) -> None:
        half = f"find {STORE}/kernels -path '*/venv/bin/python'"
        with logged_in(lab, "p09") as person:
            person.submit_form({"profile": "declared-stub", "site": "geneva"})
            # In one command there: a busy machine may let this process wait until the whole is built.
            at_home(lab, "p09", f'until [ -n "$({half})" ]; do sleep 0.05; done 2>/dev/null; scancel -u p09')
            with pytest.raises(NotStarted, match="ended before the notebook was up"):
                _until_ready(person)
        assert at_home(lab, "p09", f"ls {STORE}/kernels/*/complete", check=False) == ""
        with started(lab, "p09", "declared-stub") as (_, said):
            assert at_home(lab, "p09", f"{STORE}/kernels/*/venv/bin/python -c '{SIX}'") == "1.16.0"
        assert "building" in said


def _until_ready(person: Person) -> None:
    for event in person.progress():
        if event.failed:
            raise NotStarted(event.message)


def _record(lab: Lab, launch_id: str) -> dict[str, Any]:
    read = (
        "import json, sqlite3, sys;"
        "base = sqlite3.connect('file:/var/lib/jupyterhub/launches.sqlite?mode=ro', uri=True);"
        "rows = base.execute('select text, stages from runs join scripts using (digest) where launch_id = ?',"
        " sys.argv[1:]);"
        "print(json.dumps(rows.fetchall()))"
    )
    answer = lab.run("hub", ["/usr/bin/python3", "-c", read, launch_id]).stdout
    ((script, stages),) = json.loads(answer)
    return {"script": script, "stages": {stage["name"]: stage["text"] for stage in json.loads(stages)}}
