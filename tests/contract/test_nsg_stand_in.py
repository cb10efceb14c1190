"""The stand-in for NSG, asked by pynsgr, which is not ours; a real gateway if `NSG_URL` names its API.

`NSG_URL` is `https://HOST/cipresrest/v1`; `NSG_USER`, `NSG_PASSWORD` and `NSG_APPKEY` are those of a registered
application with direct authentication, `NSG_TOOL` is a tool that runs Python files. What only a stand-in can be
told is left out there.
"""

import io
import os
import ssl
import subprocess
import sys
import tarfile
import time
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pynsgr.client
import pytest
import requests
from pynsgr.client import CipresError, Client, JobStatus, ValidationError

from tests.support import gateways
from tests.support.gateways import Gateway
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")

_KEY, _UMBRELLA_KEY = "direct-0001", "umbrella-0002"
_UNAUTHORIZED, _NO_SUCH, _MISTAKEN, _NOT_YOURS = 2, 4, 5, 6
_MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class _Site:
    """A gateway as a client reaches it."""

    url: str
    user: str
    password: str
    key: str
    tool: str = "PY_EXPANSE"
    trusting: ssl.SSLContext | None = None

    def client(self, end_user: dict[str, str] | None = None) -> Client:
        return Client("umbrella" if end_user else "direct", self.key, self.user, self.password, self.url, end_user)

    def asks(self, method: str, path: str, **more: object) -> httpx.Response:
        """Ask with a client that checks the certificate."""
        headers = {"cipres-appkey": self.key}
        assert self.trusting
        return httpx.request(
            method,
            self.url + path,
            auth=(self.user, self.password),
            headers=headers,
            verify=self.trusting,
            **more,
        )


@pytest.fixture(autouse=True)
def _what_pynsgr_opens_is_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the files that it sends, which it forgets."""
    with ExitStack() as stack:

        def remembered(*arguments: Any) -> Any:
            return stack.enter_context(open(*arguments))  # noqa: PTH123

        monkeypatch.setattr(pynsgr.client, "open", remembered, raising=False)
        yield


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("nsg") / "gateway"
    python = {"program": [sys.executable, "-S"]}
    applications = {
        _KEY: {"name": "direct", "owner": gateways.ACCOUNT},
        _UMBRELLA_KEY: {"name": "umbrella", "owner": gateways.ACCOUNT, "is_umbrella": True},
    }
    tools = {"PY_EXPANSE": python, "GONE": {"program": ["no-such-program"]}}
    settings = {"applications": applications, "tools": tools, "jobs_at_once": 3, "file_bytes": _MEBIBYTE}
    with gateways.running("nsg", folder, **settings) as running:
        yield running


@pytest.fixture
def mended(gateway: Gateway) -> Iterator[Gateway]:
    """Give a stand-in that may be broken."""
    yield gateway
    gateway.breaks()


def _of(
    gateway: Gateway, user: str = gateways.ACCOUNT, password: str = gateways.PASSWORD, key: str = _KEY
) -> _Site:
    return _Site(f"{gateway.origin}/cipresrest/v1", user, password, key, trusting=gateway.authority.trusting())


@pytest.fixture
def site(request: pytest.FixtureRequest) -> _Site:
    """Give a stand-in, or a real gateway if there is one."""
    if url := os.environ.get("NSG_URL"):
        names = ("NSG_USER", "NSG_PASSWORD", "NSG_APPKEY", "NSG_TOOL")
        return _Site(url, *(os.environ[name] for name in names))
    return _of(request.getfixturevalue("gateway"))


@pytest.fixture
def local(gateway: Gateway) -> _Site:
    return _of(gateway)


def _packed(folder: Path, program: str, **files: str) -> dict[str, str]:
    """Return the input of a job whose file to run has this text, in a folder as NSG wants it."""
    path = folder / f"{time.time_ns()}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {"run.py": program, **files}.items():
            archive.writestr(f"model/{name}", text)
    return {"infile_": str(path)}


def _params(site: _Site, **more: str) -> dict[str, str]:
    return {"toolId": site.tool, "filename_": "run.py", "subdirname_": "model", "runtime_": "0.1", **more}


def _send(site: _Site, folder: Path, program: str, mark: str = "", **more: str) -> JobStatus:
    about = {"clientJobId": mark} if mark else {}
    return site.client().submitJob(_params(site, **more), _packed(folder, program), about)


def _wait_for(condition: Callable[[], bool]) -> None:
    """Return when the condition holds: the real one may take minutes to run a job, and is asked once a minute."""
    is_real = bool(os.environ.get("NSG_URL"))
    end = time.monotonic() + (1800 if is_real else PATIENCE_SECONDS)
    while not condition():
        assert time.monotonic() < end
        time.sleep(60 if is_real else 0.02)


def _over(job: JobStatus) -> JobStatus:
    def is_over() -> bool:
        job.messages.clear()
        job.update()
        return bool(job.isDone())

    _wait_for(is_over)
    return job


def _results(job: JobStatus, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    job.downloadResults(str(folder))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class TestAJob:
    def test_runs_what_is_in_its_archive(self, site: _Site, tmp_path: Path) -> None:
        program = "import sys, pathlib\npathlib.Path('made').write_text('result')\nprint('here', sys.argv[1:])"
        job = _send(site, tmp_path, program, mark="job-17", cmdlineopts_="-a 'two words'")
        assert job.jobHandle.startswith(f"NGBW-JOB-{site.tool}-")
        _over(job)
        assert not job.isError()
        assert (job.jobStage, job.metadata) == ("COMPLETED", {"clientJobId": "job-17"})
        assert job.messages
        results = _results(job, tmp_path / "results")
        assert results["STDOUT"] == b"here ['-a', 'two words']\n"
        with tarfile.open(fileobj=io.BytesIO(results["output.tar.gz"])) as archive:
            assert any(name.endswith("model/made") for name in archive.getnames())
        job.delete()
        with pytest.raises(CipresError, match="404") as gone:
            job.update()
        assert gone.value.cipresCode == _NO_SUCH

    def test_is_found_by_what_the_client_calls_it(self, site: _Site, tmp_path: Path) -> None:
        mark = f"mark-{time.time_ns()}"
        job = _send(site, tmp_path, "", mark)
        found = [one for one in site.client().listJobs() if one.metadata.get("clientJobId") == mark]
        assert [one.jobHandle for one in found] == [job.jobHandle]
        job.delete()

    def test_that_is_deleted_while_it_runs_is_cancelled(self, site: _Site, tmp_path: Path) -> None:
        job = _send(site, tmp_path, "import time; time.sleep(600)")
        job.update()
        assert not job.isDone()
        job.delete()
        assert job.jobHandle not in {one.jobHandle for one in site.client().listJobs()}

    def test_is_refused_with_what_is_wrong_of_it(self, site: _Site, tmp_path: Path) -> None:
        params = _params(site, runtime_="x", no_such_="1")
        with pytest.raises(ValidationError) as refused:
            site.client().submitJob(params, _packed(tmp_path, ""), {})
        assert refused.value.cipresCode == _MISTAKEN
        assert {"runtime_", "no_such_"} <= {name.removeprefix("vparam.") for name in refused.value.fieldErrors}

    def test_may_be_looked_at_before(self, site: _Site, tmp_path: Path) -> None:
        job = site.client().validateJob(_params(site), _packed(tmp_path, ""), {})
        assert "run.py" in job.commandline
        assert job.jobHandle is None


class TestTheStandIn:
    def test_calls_no_failure_that_a_program_ended_with_an_error(self, local: _Site, tmp_path: Path) -> None:
        job = _over(_send(local, tmp_path, "raise SystemExit(7)"))
        assert not job.isError()
        assert _results(job, tmp_path / "results")["done.txt"] == b"retval=7\n"
        job.delete()

    def test_calls_it_a_failure_that_it_could_not_run_a_job(self, local: _Site, tmp_path: Path) -> None:
        (tmp_path / "no.zip").write_bytes(b"no archive")
        gone = local.client().submitJob(_params(local, tool="GONE"), _packed(tmp_path, ""), {})
        damaged = local.client().submitJob(_params(local), {"infile_": str(tmp_path / "no.zip")}, {})
        for job in (gone, damaged):
            assert _over(job).isError()
            assert job.listResults() == {}
            job.delete()

    def test_ends_a_job_whose_time_is_over(self, local: _Site, tmp_path: Path) -> None:
        job = _over(_send(local, tmp_path, "import time; time.sleep(600)", runtime_="0.0001"))
        assert b"DUE TO TIME LIMIT" in _results(job, tmp_path / "results")["_scheduler_stderr.txt"]
        job.delete()

    def test_shows_the_working_directory_while_a_job_runs(self, local: _Site, tmp_path: Path) -> None:
        files = "open(b'../\\xff', 'w'); open('../a #1', 'w').write('x')"
        program = f"import os, time; {files}; print(os.getpid(), flush=True); time.sleep(600)"
        job = _send(local, tmp_path, program)

        def has_begun() -> bool:
            said = job.listResults(final=False).get("stdout.txt")
            return bool(said and said.getLength())

        _wait_for(has_begun)
        assert job.listResults(final=True) == {}
        (tmp_path / "seen").mkdir()
        for name in ("stdout.txt", "a #1"):
            job.listResults(final=False)[name].download(str(tmp_path / "seen"))
        assert (tmp_path / "seen/a #1").read_text() == "x"
        running = psutil.Process(int((tmp_path / "seen/stdout.txt").read_text()))
        job.delete()
        running.wait(PATIENCE_SECONDS)

    def test_says_of_many_jobs_at_once_how_they_are(self, local: _Site, tmp_path: Path) -> None:
        jobs = [_over(_send(local, tmp_path, "")) for _ in range(2)]
        asked = "&".join(f"jh={job.jobHandle}" for job in jobs)
        listed = ET.fromstring(local.asks("GET", f"/job?{asked}").content)  # noqa: S314
        assert [status.findtext("jobHandle") for status in listed.iter("jobstatus")] == [
            job.jobHandle for job in jobs
        ]
        assert local.asks("GET", f"/job?{asked}&jh=other").status_code == 404
        for job in jobs:
            job.delete()

    def test_takes_only_so_many_jobs(self, local: _Site, tmp_path: Path) -> None:
        jobs = [_send(local, tmp_path, "import time; time.sleep(600)") for _ in range(3)]
        with pytest.raises(CipresError, match="429"):
            _send(local, tmp_path, "")
        for job in jobs:
            job.delete()

    def test_takes_no_more_than_it_may(self, local: _Site, gateway: Gateway, tmp_path: Path) -> None:
        before = set(gateway.folder.iterdir())
        packed = {"infile_": str(tmp_path / "large")}
        for size in (_MEBIBYTE + 1, 3 * _MEBIBYTE):
            (tmp_path / "large").write_bytes(os.urandom(size))
            with pytest.raises(CipresError, match="413"):
                local.client().submitJob(_params(local), packed, {})
        many = {f"metadata.{number}": "x" * 900_000 for number in range(4)}
        with pytest.raises(CipresError, match="413"):
            local.client().submitJob(_params(local), _packed(tmp_path, ""), many)
        assert set(gateway.folder.iterdir()) == before

    def test_unpacks_and_gives_nothing_elsewhere(self, local: _Site, gateway: Gateway, tmp_path: Path) -> None:
        program = "import os, time; os.symlink('/etc/passwd', '../shadow'); print(1, flush=True); time.sleep(600)"
        packed = _packed(tmp_path, program, **{"../../../../escaped": "x"})
        job = local.client().submitJob(_params(local), packed, {})
        _wait_for(lambda: "stdout.txt" in job.listResults(final=False))
        path = f"/job/{local.user}/{job.jobHandle}/workingdir"
        for name in ("shadow", "..%2finfile_", "%2e%2e"):
            assert local.asks("GET", f"{path}/{name}").status_code in {404, 405}, name
        assert not list(gateway.folder.parent.glob("**/jobs/escaped")) + list(
            gateway.folder.parent.glob("escaped")
        )
        job.delete()

    def test_leads_nowhere_by_a_subfolder(self, local: _Site, tmp_path: Path) -> None:
        job = _over(_send(local, tmp_path, "", subdirname_="../.."))
        assert job.isError()
        job.delete()


class TestWhoAsks:
    @pytest.mark.parametrize(
        ("wrong", "word"),
        [
            ({"password": "wrong"}, "password"),
            ({"key": "other-0003"}, "key"),
            ({"key": ""}, "headers"),
            ({"user": gateways.OTHER, "password": gateways.OTHER_PASSWORD, "key": _UMBRELLA_KEY}, "credentials"),
            ({"key": _UMBRELLA_KEY}, "end user"),
        ],
    )
    def test_is_refused(self, gateway: Gateway, wrong: dict[str, str], word: str, tmp_path: Path) -> None:
        before = set(gateway.folder.iterdir())
        stranger = _of(gateway, **wrong)
        for asking in (stranger.client().listJobs, lambda: _send(stranger, tmp_path, "")):
            with pytest.raises(CipresError, match=word) as refused:
                asking()
            assert (refused.value.httpStatus, refused.value.cipresCode) == (401, _UNAUTHORIZED)
        assert set(gateway.folder.iterdir()) == before

    def test_sees_no_jobs_of_others(self, local: _Site, gateway: Gateway, tmp_path: Path) -> None:
        job = _send(local, tmp_path, "")
        other = _of(gateway, gateways.OTHER, gateways.OTHER_PASSWORD)
        with pytest.raises(CipresError) as refused:
            other.client().getJobStatus(job.jobHandle)
        assert refused.value.cipresCode == _NOT_YOURS
        assert other.asks("GET", f"/job/{local.user}").status_code == 403
        assert other.client().listJobs() == []
        job.delete()

    def test_asks_for_somebody_by_an_umbrella(self, gateway: Gateway, tmp_path: Path) -> None:
        umbrella = _of(gateway, key=_UMBRELLA_KEY)
        alice, bob = (
            umbrella.client({"cipres-eu": name, "cipres-eu-email": f"{name}@example.org"})
            for name in ("alice", "bob")
        )
        job = _over(alice.submitJob(_params(umbrella), _packed(tmp_path, ""), {}))
        assert f"/job/umbrella.alice/{job.jobHandle}" in job.jobUrl
        with pytest.raises(CipresError, match="404"):
            bob.getJobStatus(job.jobHandle)
        assert umbrella.asks("GET", f"/job?jh={job.jobHandle}").status_code == 200
        job.delete()


class TestTheCommandsOfPynsgr:
    @pytest.fixture
    def runs(self, local: _Site, tmp_path: Path) -> Callable[..., str]:
        written = tmp_path / "nsgrest.conf"
        values = {"URL": local.url, "USERNAME": local.user, "PASSWORD": local.password.replace(":", "\\:")}
        values |= {"APPID": local.key, "APPNAME": "direct"}
        written.write_text("".join(f"{name}={value}\n" for name, value in values.items()))

        def run(command: str, *arguments: str) -> str:
            return subprocess.run(
                [
                    sys.executable,
                    "-W",
                    "ignore",
                    "-m",
                    f"pynsgr.commands.{command}",
                    *arguments,
                    "-c",
                    str(written),
                ],
                env={**os.environ, "HOME": str(tmp_path)},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=True,
            ).stdout

        return run

    def test_list_show_fetch_and_remove_a_job(
        self, local: _Site, tmp_path: Path, runs: Callable[..., str]
    ) -> None:
        job = _over(_send(local, tmp_path, "print('by a command')"))
        assert f"Job {job.jobHandle} finished" in runs("nsgr_job", "-l")
        assert "finished" in runs("nsgr_job", "-j", job.jobHandle)
        runs("nsgr_job", "-j", job.jobHandle, "-d", "fetched")
        assert (tmp_path / "fetched/STDOUT").read_text() == "by a command\n"
        runs("nsgr_job", "-j", job.jobHandle, "-r")
        assert job.jobHandle not in runs("nsgr_job", "-l")

    def test_look_at_a_job_before(self, tmp_path: Path, runs: Callable[..., str]) -> None:
        template = tmp_path / "template"
        template.mkdir()
        packed = _packed(template, "")["infile_"]
        (template / "testInput.properties").write_text(f"infile_={packed}\n")
        (template / "testParam.properties").write_text("toolId=PY_EXPANSE\nfilename_=run.py\nruntime_=.1\n")
        assert "validated" in runs("nsgr_submit", str(template), "validate")


class TestFaults:
    @pytest.mark.parametrize(("fault", "jobs"), [("lost_before", 0), ("lost_after", 1)])
    def test_the_answer_to_a_job_is_lost(
        self, local: _Site, mended: Gateway, tmp_path: Path, fault: str, jobs: int
    ) -> None:
        mended.breaks(submission=fault)
        with pytest.raises(requests.ConnectionError):
            _send(local, tmp_path, "", mark=fault)
        found = [job for job in local.client().listJobs() if job.metadata.get("clientJobId") == fault]
        assert len(found) == jobs
        for job in found:
            assert not _over(job).isError()
            job.delete()

    @pytest.mark.parametrize(("away", "error"), [("closed", requests.ConnectionError), ("busy", CipresError)])
    def test_it_is_away(self, local: _Site, mended: Gateway, away: str, error: type[Exception]) -> None:
        mended.breaks(away=away)
        with pytest.raises(error):
            local.client().listJobs()
        mended.breaks()
        local.client().listJobs()

    def test_it_sends_elsewhere(self, local: _Site, mended: Gateway) -> None:
        mended.breaks(redirect="https://elsewhere.example:8443")
        answer = local.asks("GET", "/job?jh=1")
        assert answer.status_code == 307
        assert answer.headers["location"] == "https://elsewhere.example:8443/cipresrest/v1/job?jh=1"

    def test_it_shows_another_certificate(self, local: _Site, mended: Gateway, tmp_path: Path) -> None:
        other = gateways.Authority(tmp_path / "other", "Another authority")
        mended.breaks(certificate=str(other.certificate()))
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            local.asks("GET", "/job")
