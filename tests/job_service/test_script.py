"""The script of a batch job, run for real: what its owner finds in its folder, however it ends."""

import contextlib
import os
import signal
import subprocess
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from job_service import layout, script
from job_service.layout import End
from kernels.environment import Environment
from kernels.fragment import Fragment
from kernels.hook import Hook, JobContext
from kernels.shell import Shell
from profiles.catalogue.dataset import Dataset
from profiles.offer.launch import DATASET, DATASET_IDS
from slurm_ssh.slurm import jobs as slurm_jobs
from tests.support import builders, golden, shells

ENDS_WITHIN = 60


@pytest.mark.parametrize("name", golden.BATCH)
def test_a_script_is_as_it_was_read_and_accepted(name: str) -> None:
    """If the change is meant: `python -m tests.support.golden`, and read the difference."""
    assert golden.text(name) == golden.path(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", golden.BATCH)
def test_bash_and_shellcheck_accept_a_script(name: str) -> None:
    for command in (["bash", "-n"], ["shellcheck", "-e", "SC1091,SC2016,SC2317"]):
        answer = shells.run([*command, str(golden.path(name))])
        assert (answer.status, answer.stdout, answer.stderr) == (0, b"", b"")


class BatchJob:
    """A job in a folder of its own, whose owner's line is `line`, or whose program is `argv`."""

    def __init__(self, folder: Path, line: str | None = None, *fragments: Fragment, **launch: Any) -> None:
        self.folder = folder
        (folder / layout.OURS).mkdir(parents=True, mode=0o700, exist_ok=True)
        if line is not None:
            (folder / layout.COMMAND).write_text(line + "\n")
        known = golden.batch_launch({"module_init": str(folder.parent / "modules.sh")})
        jobs = known.jobs.model_copy(update={"folder": str(folder.parent).replace("alice", "{owner}")})
        launch = replace(known, jobs=jobs, **launch)
        request = script.build(launch, folder.name, "job-hub-1", "a job title", fragments)
        self._script = folder.parent / "script"
        self._script.write_text(request.script)

    def hurry(self) -> None:
        """Let it look only once for what another one may be about to write."""
        text = self._script.read_text()
        assert "tries=10\n" in text
        self._script.write_text(text.replace("tries=10\n", "tries=1\n"))

    def start(self, native_id: str = "17") -> "subprocess.Popen[bytes]":
        """Begin as Slurm does: the output is appended, signals are those of a new session."""
        with (self.folder / "stdout").open("ab") as out, (self.folder / "stderr").open("ab") as errors:
            return subprocess.Popen(
                ["bash", str(self._script)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                env={"PATH": "/usr/bin:/bin", "SLURM_JOB_ID": native_id, "HOME": "/", "SLURM_NTASKS": "1"},
                cwd="/",
                start_new_session=True,
            )

    def run(self, native_id: str = "17") -> int:
        """Run to its end, and return the status that Slurm sees."""
        return self.start(native_id).wait(ENDS_WITHIN)

    def text(self, name: str) -> str:
        """Return what is in a file of the folder, "" if there is none."""
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    @property
    def end(self) -> End | None:
        """What the job has written about its end."""
        return End.of(self.text(layout.END))

    @property
    def stages(self) -> list[list[str]]:
        """The stages without their times."""
        return [line.split(" ", 2)[1:] for line in self.text(layout.STAGES).splitlines()]

    def wait_for(self, name: str) -> None:
        """Return once a file of the folder has something in it."""
        until = time.monotonic() + ENDS_WITHIN
        while not self.text(name):
            assert time.monotonic() < until, f"{name} is not there: {self.text('stderr')}"
            time.sleep(0.02)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "it's alice" / builders.LAUNCH_ID


@pytest.fixture
def left() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Take in what a test begins, and end it all."""
    jobs: list[subprocess.Popen[bytes]] = []
    yield jobs
    for job in jobs:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)
        job.wait()


def test_a_line_runs_in_the_folder_and_its_output_is_its_owners_alone(folder: Path) -> None:
    job = BatchJob(folder, 'pwd; echo "$JOB_ID $JOB_TITLE $JOB_FOLDER"; echo said >&2; echo 5 >result')
    assert job.run() == 0
    assert job.text("stdout") == f"{folder}\n{builders.LAUNCH_ID} a job title {folder}\n"
    assert job.text("stderr") == "said\n"
    assert job.text("result") == "5\n"
    assert layout.started(job.text(layout.STARTED)) == "17"
    assert job.end is not None
    assert (job.end.native_id, job.end.status) == ("17", 0)
    assert abs(job.end.at.timestamp() - (folder / layout.END).stat().st_mtime) < 3
    assert [name for name, _ in job.stages] == ["job", "command"]
    assert sorted(path.name for path in (folder / layout.OURS).iterdir()) == [
        "command",
        "end",
        "stages",
        "started",
    ]


def test_a_program_gets_its_words_as_they_are(folder: Path) -> None:
    words = ("", "a b", "it's", "$(id)", "-x", "two\nlines", "\\", "*")
    job = BatchJob(folder, program=("printf", "<%s>", *words))
    assert job.run() == 0
    assert job.text("stdout") == "".join(f"<{word}>" for word in words)


def test_slurms_own_variables_stay_for_srun_and_mpi(folder: Path) -> None:
    job = BatchJob(folder, 'echo "$SLURM_NTASKS $SLURM_EXPORT_ENV"')
    assert job.run() == 0
    assert job.text("stdout") == "1 ALL\n"


def test_a_failure_is_the_jobs_and_is_written_down(folder: Path) -> None:
    job = BatchJob(folder, "exit 7")
    assert job.run() == 7
    assert job.end is not None
    assert job.end.status == 7


def test_a_line_of_the_owners_can_break_nothing_but_itself(folder: Path) -> None:
    job = BatchJob(folder, "}; trap - EXIT; exit_code=0 'unended")
    assert job.run() == 2
    assert job.end is not None
    assert job.end.status == 2


@pytest.mark.parametrize(
    "line", ["echo up >up; sleep 300", "trap '' TERM; echo up >up; while :; do sleep 0.1; done"]
)
def test_a_job_that_is_told_to_end_says_so_before_it_is_killed(
    folder: Path, left: list["subprocess.Popen[bytes]"], line: str
) -> None:
    job = BatchJob(folder, line, Fragment(after=Shell("echo gone >after")))
    running = job.start()
    left.append(running)
    job.wait_for("up")
    assert job.end is None
    # scancel, and Slurm itself when the time is up, tell every process of the job.
    os.killpg(running.pid, signal.SIGTERM)
    assert running.wait(ENDS_WITHIN) == 143
    assert job.end is not None
    assert (job.end.native_id, job.end.status) == ("17", 143)
    assert job.text("after") == "gone\n"


def test_a_program_that_ends_before_its_job_hears_that_it_is_to_end_does_not_speak_for_it(
    folder: Path, left: list["subprocess.Popen[bytes]"]
) -> None:
    heard = "{ while kill -0 $$; do :; done; kill $PPID; } 2>/dev/null & exit 3"
    job = BatchJob(folder, f"trap '{heard}' TERM; echo $$ >up; while :; do sleep 0.1; done")
    left.append(job.start())
    job.wait_for("up")
    os.kill(int(job.text("up")), signal.SIGTERM)
    assert left[0].wait(ENDS_WITHIN) == 143
    assert job.end is not None
    assert job.end.status == 143


def test_the_end_is_there_before_a_program_that_does_not_end_is_killed(
    folder: Path, left: list["subprocess.Popen[bytes]"]
) -> None:
    job = BatchJob(folder, "trap '' TERM; echo $$ >up; while :; do sleep 0.1; done")
    left.append(job.start())
    job.wait_for("up")
    os.killpg(left[0].pid, signal.SIGTERM)
    job.wait_for(layout.END)
    assert Path("/proc", job.text("up").strip()).exists()
    assert job.end is not None
    assert job.end.status == 143


def test_the_end_is_there_before_what_may_take_long(folder: Path, left: list["subprocess.Popen[bytes]"]) -> None:
    job = BatchJob(folder, "exit 3", Fragment(after=Shell("sleep 300")))
    left.append(job.start())
    job.wait_for(layout.END)
    assert job.end is not None
    assert job.end.status == 3


def test_a_twin_ends_and_touches_nothing(folder: Path, left: list["subprocess.Popen[bytes]"]) -> None:
    job = BatchJob(folder, "echo once; echo up >>up; sleep 300", Fragment(after=Shell("rm -f up")))
    left.append(job.start("17"))
    job.wait_for("up")
    assert job.run("18") == 0
    assert "twin of job 17" in job.text("stderr")
    assert (job.text("stdout"), job.text("up")) == ("once\n", "up\n")
    assert layout.started(job.text(layout.STARTED)) == "17"
    assert job.end is None


def test_a_twin_that_comes_after_the_end_is_one_too(folder: Path) -> None:
    job = BatchJob(folder, "echo once")
    assert (job.run("17"), job.run("18")) == (0, 0)
    assert job.text("stdout") == "once\n"
    assert job.end is not None
    assert job.end.native_id == "17"


@pytest.mark.parametrize("is_left", [False, True])
def test_of_many_that_begin_at_once_one_runs(
    folder: Path, left: list["subprocess.Popen[bytes]"], is_left: bool
) -> None:
    job = BatchJob(folder, "echo once")
    job.hurry()
    if is_left:
        (folder / layout.STARTED).touch()
    left += [job.start(str(number)) for number in range(17, 27)]
    assert {each.wait(ENDS_WITHIN) for each in left} == {0}
    assert job.text("stdout") == "once\n"
    assert job.end is not None
    assert job.end.native_id == layout.started(job.text(layout.STARTED))


@pytest.mark.parametrize("native_id", ["17", "18"])
def test_what_a_job_that_found_no_space_has_left_makes_no_twin(folder: Path, native_id: str) -> None:
    job = BatchJob(folder, "echo ran")
    job.hurry()
    (folder / layout.STARTED).touch()
    assert job.run(native_id) == 0
    assert job.text("stdout") == "ran\n"
    assert layout.started(job.text(layout.STARTED)) == native_id
    assert job.run("19") == 0
    assert (job.text("stdout"), "twin of job" in job.text("stderr")) == ("ran\n", True)


def test_a_folder_that_cannot_be_written_to_is_said(folder: Path) -> None:
    job = BatchJob(folder, "echo ran")
    job.hurry()
    (folder / layout.STARTED).mkdir()
    assert job.run() == 1
    assert "The folder of this job cannot be written to" in job.text("stderr")
    assert job.text("stdout") == ""


def test_a_job_that_was_put_back_into_the_queue_begins_again(
    folder: Path, left: list["subprocess.Popen[bytes]"]
) -> None:
    job = BatchJob(folder, "echo again; [ ! -e up ] || exit 0; echo up >up; sleep 300")
    first = job.start()
    left.append(first)
    job.wait_for("up")
    os.killpg(first.pid, signal.SIGTERM)
    first.wait(ENDS_WITHIN)
    assert job.end is not None
    assert job.end.status == 143
    os.utime(folder / layout.STARTED, (0, 0))
    assert job.run() == 0
    assert job.text("stdout") == "again\nagain\n"
    # It runs since then, not since the first time.
    assert (folder / layout.STARTED).stat().st_mtime > 0
    assert job.end is not None
    assert job.end.status == 0


def test_the_end_of_before_is_gone_while_a_job_runs_again(
    folder: Path, left: list["subprocess.Popen[bytes]"]
) -> None:
    job = BatchJob(folder, "[ ! -e up ] || { echo up >again; sleep 300; }; echo up >up")
    job.run()
    assert job.end is not None
    left.append(job.start())
    job.wait_for("again")
    assert job.end is None


def test_without_its_folder_a_job_does_nothing(folder: Path, tmp_path: Path) -> None:
    BatchJob(folder, "echo ran >../ran")
    folder.rename(tmp_path / "elsewhere")
    ended = shells.run(["bash", str(folder.parent / "script")], environ={"SLURM_JOB_ID": "17"}, cwd="/")
    assert ended.status == 1
    assert not (folder.parent / "ran").exists()
    assert not (tmp_path / "elsewhere" / layout.STARTED).exists()


def test_a_job_whose_line_is_gone_says_so(folder: Path) -> None:
    job = BatchJob(folder)
    assert job.run() == 1
    assert job.stages[-1] == ["failed", "The command of this job is not in its folder any more."]
    assert job.text("stderr") == "The command of this job is not in its folder any more.\n"
    assert job.end is not None
    assert job.end.status == 1


def test_a_module_that_cannot_be_loaded_ends_the_job_with_a_sentence(folder: Path) -> None:
    modules = Environment(modules=("recon/2.1",))
    job = BatchJob(folder, "echo ran", environments=(modules,))
    (folder.parent / "modules.sh").write_text('module() { echo "Unable to locate $2" >&2; return 1; }\n')
    assert job.run() == 1
    assert job.stages[-1][0] == "failed"
    assert "recon/2.1 could not be loaded: Unable to locate recon/2.1" in job.text("stderr")
    assert job.end is not None
    assert job.end.status == 1


def test_the_sites_own_lines_are_run_first_and_hold_for_the_job(folder: Path) -> None:
    site = golden.batch_launch({"prologue": 'export SITE="it\'s geneva"\nstage site here\n'}).site
    job = BatchJob(folder, 'echo "$SITE"', Fragment(before=Shell('echo "before: $SITE"')), site=site)
    assert job.run() == 0
    assert job.text("stdout") == "before: it's geneva\nit's geneva\n"
    assert [name for name, _ in job.stages] == ["job", "site", "command"]


def test_lines_of_a_site_that_are_no_shell_are_said_and_the_job_goes_on(folder: Path) -> None:
    job = BatchJob(folder, "echo run", site=golden.batch_launch({"prologue": "if true; done"}).site)
    assert (job.run(), job.text("stdout")) == (0, "run\n")
    assert "status 2. See the log." in job.text("stderr")


def test_what_a_fragment_says_is_one_line_among_the_stages(folder: Path) -> None:
    said = Fragment(before=Shell("notice $'two\\nlines \\e[1m'"), environ={"COLOUR": "it's red"})
    job = BatchJob(folder, 'echo "$COLOUR"', said)
    assert job.run() == 0
    assert job.text("stdout") == "it's red\n"
    assert job.text("stderr") == "two lines  [1m\n"
    assert job.stages[1] == ["notice", "two lines  [1m"]


def test_a_script_that_was_cut_off_on_its_way_does_nothing(folder: Path) -> None:
    BatchJob(folder, "echo ran >ran")
    text = (folder.parent / "script").read_text()
    for end in [*range(0, len(text) - 20, 211), *range(len(text) - 20, len(text.rstrip()))]:
        shells.run(["bash", "-c", text[:end]], environ={"SLURM_JOB_ID": "17"}, cwd="/")
        assert not (folder / layout.STARTED).exists(), text[:end][-200:]


def test_a_variable_that_no_script_can_hold_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="'A B'"):
        BatchJob(folder, "true", Fragment(environ={"A B": "x"}))


_LAUNCH = golden.batch_launch()


@settings(deadline=None, max_examples=20)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60))
def test_a_title_is_a_value_whatever_is_in_it(title: str) -> None:
    text = script.build(_LAUNCH, builders.LAUNCH_ID, "job-hub-1", title, ()).script
    line = text[text.index("export JOB_TITLE=") : text.index("\nexport JOB_FOLDER=")]
    assert shells.bash(f'{line}\nprintf %s "$JOB_TITLE"\n').stdout == title.encode()


def test_what_was_chosen_is_asked_for_and_output_is_appended_in_the_folder() -> None:
    request = golden.BATCH["batch/run"]()
    folder = f"/scratch/alice/jobs/{builders.LAUNCH_ID}"
    assert (request.name, request.log_path) == (f"job-hub-{builders.LAUNCH_ID}", f"{folder}/stdout")
    assert (request.cores, request.has_task_per_core, request.may_begin_again) == (8, True, True)
    assert request.directives == {"error": f"{folder}/stderr", "open-mode": "append"}
    usual = golden.BATCH["batch/command"]()
    assert (usual.has_task_per_core, usual.may_begin_again) == (False, False)


def test_a_line_of_the_owners_runs_in_a_container_too(folder: Path) -> None:
    site = golden.batch_launch({"container": ["env", "IMAGE={image}"]}).site
    job = BatchJob(folder, 'echo "$IMAGE"', container="an image", site=site)
    assert job.run() == 0
    assert job.text("stdout") == "an image\n"


class _Colour(Hook):
    def fragment(self, job: JobContext) -> Fragment:
        return Fragment(environ={"OF_THE_HOOK": f"{job.profile_key} {job.launch_folder}"})


def test_hooks_add_to_the_job_and_know_its_folder(folder: Path) -> None:
    job = BatchJob(folder, 'echo "$OF_THE_HOOK"', hooks={"colour": _Colour()})
    assert job.run() == 0
    assert job.text("stdout") == f"recon {folder}/{layout.OURS}\n"


def test_a_task_a_core_and_a_new_beginning_are_asked_for() -> None:
    usual = dict(slurm_jobs.directives(builders.request(cores=8)))
    assert (usual["ntasks-per-node"], usual["cpus-per-task"], "no-requeue" in usual) == ("1", "8", True)
    asked = dict(slurm_jobs.directives(builders.request(cores=8, has_task_per_core=True, may_begin_again=True)))
    assert (asked["ntasks-per-node"], asked["cpus-per-task"], "requeue" in asked) == ("8", "1", True)
    assert "no-requeue" not in asked


@pytest.mark.parametrize(
    "text", ["", "17", "17 0", "17 0 1\n17 0 2\n", "x 0 1\n", "17 0 1 \n", "17 0 1" + "9" * 13 + "\n"]
)
def test_what_no_job_writes_is_no_end(text: str) -> None:
    assert End.of(text) is None


@pytest.mark.parametrize("text", ["", "17", "17_\n", "_3\n", "17_3_1\n", "\n17\n", "1" * 11 + "\n"])
def test_what_no_job_writes_names_no_job(text: str) -> None:
    assert layout.started(text) is None


def test_a_task_of_an_array_has_two_numbers() -> None:
    assert layout.started("17_3\n") == "17_3"
    assert End.of("17_3 0 1700000000\n") is not None


def test_each_task_of_an_array_has_its_dataset_and_its_own_end(tmp_path: Path) -> None:
    places = (str(tmp_path / "it's $HOME"), str(tmp_path / "b"))
    datasets = [Dataset(f"demo:{at}", "x", "scan", place) for at, place in enumerate(places)]
    folder = tmp_path / "jobs" / "0123456789ab"
    (folder / layout.OURS).mkdir(parents=True)
    known = golden.batch_launch({"module_init": str(tmp_path / "modules.sh")})
    jobs = known.jobs.model_copy(update={"folder": str(folder.parent)})
    program = ("/bin/sh", "-c", 'echo "$*" "$JOB_TASK"; test "$JOB_TASK" = 0', "sh")
    program = (*program, f"--in={DATASET}", f"--ids={DATASET_IDS}", f"{DATASET_IDS}={DATASET}")
    launch = replace(known, jobs=jobs, program=program, environments=(Environment(),), hooks={}, container=None)
    fragment = Fragment(after=Shell("touch gone"))
    request = script.build(launch, folder.name, "job-hub-1", "t", [fragment], datasets, is_array=True)
    options = dict(slurm_jobs.directives(request))
    assert options["array"] == "0-1"
    assert (options["output"], options["error"]) == (f"{folder}/stdout.%a", f"{folder}/stderr.%a")
    for task, place in enumerate(places):
        variables = {"SLURM_JOB_ID": str(90 + task), "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": str(task)}
        ran = subprocess.run(
            ["bash", "-c", request.script],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        said = f"--in={place} --ids=demo:{task} demo:{task}={place} {task}\n"
        assert (ran.returncode, ran.stdout) == (task, said), ran.stderr
        assert (folder / layout.of_task(layout.STARTED, task)).read_text() == f"7_{task}\n"
        end = End.of((folder / layout.of_task(layout.END, task)).read_text())
        assert end is not None
        assert (end.native_id, end.status) == (f"7_{task}", task)
    assert not (folder / "gone").exists()


def test_of_two_jobs_that_name_themselves_the_first_is_the_job() -> None:
    assert layout.started("17\n18\n") == "17"


@pytest.mark.parametrize("is_whole", [True, False])
def test_the_job_unpacks_the_zips_that_came_for_it(folder: Path, is_whole: bool) -> None:
    job = BatchJob(folder, "cat sub/result", script.unpacking(("it's.ZIP", "notes.txt")))
    with zipfile.ZipFile(folder / "it's.ZIP", "w") as packed:
        packed.writestr("sub/result", "unpacked\n")
    (folder / "notes.txt").touch()
    if not is_whole:
        (folder / "it's.ZIP").write_bytes(b"PK")
    assert (job.run() == 0) is is_whole
    assert job.text("stdout") == ("unpacked\n" if is_whole else "")
    assert ("it's.ZIP could not be unpacked." in job.text("stderr")) is not is_whole
    assert (folder / "it's.ZIP").exists()


def test_without_a_zip_there_is_nothing_to_unpack() -> None:
    assert script.unpacking(("notes.txt",)) == Fragment()
