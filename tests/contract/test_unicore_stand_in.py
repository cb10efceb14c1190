"""The stand-in for UNICORE, asked by pyunicore, which is not ours; a real server if `UNICORE_URL` names its site.

`UNICORE_URL` is `https://HOST/SITE/rest/core`; `UNICORE_USER` and `UNICORE_PASSWORD` are whose jobs these are, and
`UNICORE_CA` a file with the authority of its certificate. What only a stand-in can be told is left out there.
"""

import os
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from pyunicore.client import Client, Job, Transport
from pyunicore.credentials import UsernamePassword

from tests.support import gateways
from tests.support.gateways import Gateway
from tests.support.waiting import PATIENCE_SECONDS, until

_SESSION = "X-UNICORE-SecuritySession"
_MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class _Site:
    """A site as a client reaches it."""

    url: str
    user: str
    password: str
    trusting: ssl.SSLContext

    def client(self) -> Client:
        credential = UsernamePassword(self.user, self.password)
        return Client(Transport(credential, verify=self.trusting), self.url, cache_time=0)

    def get(self, url: str, **headers: str) -> httpx.Response:
        return httpx.get(url, headers=headers, verify=self.trusting)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("unicore") / "gateway"
    with gateways.running("unicore", folder, slots=2, file_bytes=_MEBIBYTE) as running:
        yield running


@pytest.fixture
def mended(gateway: Gateway) -> Iterator[Gateway]:
    """Give a stand-in that may be broken."""
    yield gateway
    gateway.breaks()


def _of(gateway: Gateway, user: str = gateways.ACCOUNT, password: str = gateways.PASSWORD) -> _Site:
    return _Site(f"{gateway.origin}/LAB/rest/core", user, password, gateway.authority.trusting())


@pytest.fixture
def site(request: pytest.FixtureRequest) -> _Site:
    """Give a stand-in, or a real server if there is one."""
    if url := os.environ.get("UNICORE_URL"):
        trusting = ssl.create_default_context(cafile=os.environ.get("UNICORE_CA"))
        return _Site(url, os.environ["UNICORE_USER"], os.environ["UNICORE_PASSWORD"], trusting)
    return _of(request.getfixturevalue("gateway"))


@pytest.fixture
def local(gateway: Gateway) -> _Site:
    return _of(gateway)


def _asked_each_time(job: Job) -> Job:
    job.cache_time = 0
    return job


def _send(client: Client, *, start: bool = True, inputs: dict[str, str] | None = None, **description: Any) -> Job:
    return _asked_each_time(client.new_job({"Name": "contract", **description}, inputs or {}, autostart=start))


def _wait_for(condition: Callable[[], bool]) -> None:
    """Return when the condition holds: a real site may take some minutes to run a job."""
    patience = 600 if os.environ.get("UNICORE_URL") else PATIENCE_SECONDS
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def _over(job: Job) -> Job:
    _wait_for(lambda: not job.is_running())
    return job


def _text(job: Job, name: str) -> str:
    """Return what a file of a job has, nothing if there is none."""
    folder = job.working_dir
    return folder.stat(name).read().decode() if name in folder.listdir() else ""


class TestAJob:
    def test_runs_with_its_files_once_it_is_started(self, site: _Site, tmp_path: Path) -> None:
        (tmp_path / "local").write_text("a line\n")
        client = site.client()
        job = _send(
            client,
            start=False,
            inputs={"given/in.txt": str(tmp_path / "local")},
            Executable='cat given/in.txt; echo "$GREETING" "$1" >&2; :',
            Arguments=["ignored"],
            Environment={"GREETING": "it's me"},
            haveClientStageIn="true",
        )
        assert str(job.status) == "READY"
        assert job.working_dir.stat("given/in.txt").size() == len("a line\n")
        job.start()
        _over(job)
        assert str(job.status) == "SUCCESSFUL"
        assert job.exit_code == 0
        assert job.working_dir.stat("stdout").read() == b"a line\n"
        assert job.working_dir.stat("stderr").read().startswith(b"it's me")
        assert job.log
        job.delete()
        with pytest.raises(httpx.HTTPError, match="404"):
            _ = job.status

    def test_hands_arguments_on_as_words_in_which_variables_are_expanded(self, site: _Site) -> None:
        job = _over(
            _send(
                site.client(),
                Executable="printf '%s|'",
                Arguments=["two words", 'a"b', "$USER_WORD", "`x`"],
                Environment={"USER_WORD": "expanded"},
            )
        )
        assert job.working_dir.stat("stdout").read() == b'two words|a"b|expanded|`x`|'
        job.delete()

    def test_that_ends_with_an_error_has_failed_and_says_its_code(self, site: _Site) -> None:
        job = _over(_send(site.client(), Executable="(exit 7)"))
        assert (str(job.status), job.exit_code) == ("FAILED", 7)
        assert job.properties["statusMessage"]
        job.delete()

    def test_is_found_by_its_tag(self, site: _Site) -> None:
        client = site.client()
        tag = f"mark-{time.time_ns()}"
        job = _send(client, Executable="true", Tags=[tag, "other"])
        _send(client, Executable="true", Tags=["other"])
        assert [found.resource_url for found in client.get_jobs(tags=[tag])] == [job.resource_url]
        assert client.get_jobs(tags=[f"{tag}x"]) == []
        for one in client.get_jobs(tags=["other"]):
            one.delete()

    def test_that_is_aborted_has_failed(self, site: _Site) -> None:
        job = _send(site.client(), Executable="echo begun; sleep 600")
        _wait_for(lambda: str(job.status) == "RUNNING")
        job.abort()
        _over(job)
        assert str(job.status) == "FAILED"
        assert job.exit_code is None
        job.abort()
        job.delete()

    def test_is_read_in_parts(self, site: _Site) -> None:
        job = _over(_send(site.client(), Executable="printf 0123456789"))
        out = job.working_dir.stat("stdout")
        assert out.read(offset=2, size=3) == b"234"
        assert out.read(offset=7) == b"789"
        assert out.read(offset=8, size=100) == b"89"
        job.delete()

    def test_has_a_folder_with_folders(self, site: _Site) -> None:
        job = _send(site.client(), start=False, Executable="true", haveClientStageIn="true")
        folder = job.working_dir
        folder.mkdir("one/two")
        folder.put(b"content", "one/file")
        assert {name: path.isdir() for name, path in folder.listdir("one").items()} == {
            "one/two/": True,
            "one/file": False,
        }
        folder.rename("one/file", "one/other")
        assert folder.stat("one/other").read() == b"content"
        folder.rm("one/other")
        folder.rmdir("one/two")
        assert folder.listdir("one") == {}
        with pytest.raises(httpx.HTTPError, match="404"):
            folder.stat("one/file")
        job.delete()


class TestTheStandIn:
    def test_shows_files_of_any_name(self, local: _Site) -> None:
        job = _over(_send(local.client(), Executable="printf x >'a #1?'; touch $'\\xff'"))
        assert job.working_dir.stat("stdout").size() == 0
        assert {"a #1?", "\ufffd"} <= set(job.working_dir.listdir())
        job.delete()

    def test_lets_jobs_wait_for_their_turn(self, local: _Site) -> None:
        client = local.client()
        first, second, third = (_send(client, Executable="sleep 600") for _ in range(3))
        _wait_for(lambda: str(second.status) == "RUNNING")
        assert str(third.status) == "QUEUED"
        first.abort()
        _wait_for(lambda: str(third.status) == "RUNNING")
        for job in (first, second, third):
            job.delete()

    def test_ends_a_job_whose_time_is_over(self, local: _Site) -> None:
        job = _over(_send(local.client(), Executable="sleep 600", Resources={"Runtime": "1"}))
        assert str(job.status) == "FAILED"
        assert "runtime" in job.properties["statusMessage"]
        job.delete()

    def test_leaves_nothing_of_a_job(self, local: _Site, gateway: Gateway) -> None:
        left_its_group = "setsid -f sh -c 'echo $$ >left; exec sleep 600'"
        forgot_whose_it_is = "env -i sh -c 'echo $$ >forgot; exec sleep 600' &"
        job = _send(local.client(), Executable=f"{left_its_group}\n{forgot_whose_it_is}\nsleep 600")

        def written() -> list[str]:
            return [text for name in ("left", "forgot") if (text := _text(job, name))]

        _wait_for(lambda: len(written()) == 2)
        processes = [psutil.Process(int(text)) for text in written()]
        job.delete()
        for process in processes:
            process.wait(PATIENCE_SECONDS)
        assert not (gateway.folder / job.job_id).exists()

    def test_takes_no_more_than_it_may(self, local: _Site) -> None:
        job = _send(local.client(), start=False, Executable="true", haveClientStageIn="true")
        with pytest.raises(httpx.HTTPError, match="413"):
            job.working_dir.put(b"x" * (_MEBIBYTE + 1), "large")
        assert job.working_dir.listdir() == {}
        job.delete()

    def test_writes_and_reads_nowhere_else(self, local: _Site, gateway: Gateway) -> None:
        job = _over(_send(local.client(), Executable="ln -s .. out"))
        within = f"{job.links['workingDirectory']}/files"
        with httpx.Client(auth=(local.user, local.password), verify=local.trusting) as asking:
            for path in ("%2e%2e/x", "a/%2e%2e/%2e%2e/x", "out/x", "%00"):
                for method in ("GET", "PUT", "POST", "DELETE"):
                    assert asking.request(method, f"{within}/{path}").status_code == 403, (method, path)
        assert not (gateway.folder / "x").exists()
        job.delete()

    def test_keeps_what_came_of_an_upload_that_broke_off(self, local: _Site) -> None:
        job = _send(local.client(), start=False, Executable="true", haveClientStageIn="true")

        def broken() -> Iterator[bytes]:
            yield b"some"
            _wait_for(lambda: _text(job, "file") == "some")
            raise ConnectionError

        with pytest.raises(ConnectionError):
            job.working_dir.put(broken(), "file")
        assert _text(job, "file") == "some"
        job.delete()

    def test_takes_no_json_for_a_file(self, local: _Site) -> None:
        job = _send(local.client(), start=False, Executable="true", haveClientStageIn="true")
        url = f"{job.links['workingDirectory']}/files/file"
        answer = httpx.put(url, json={}, auth=(local.user, local.password), verify=local.trusting)
        assert answer.status_code == 404
        assert job.working_dir.listdir() == {}
        job.delete()

    def test_knows_nobody_by_a_wrong_password(self, gateway: Gateway) -> None:
        with pytest.raises(httpx.HTTPError, match="401"):
            _of(gateway, password="wrong").client()

    def test_shows_nobody_the_jobs_of_others(self, local: _Site, gateway: Gateway) -> None:
        job = _send(local.client(), Executable="true")
        other = _of(gateway, gateways.OTHER, gateways.OTHER_PASSWORD).client()
        with pytest.raises(httpx.HTTPError, match="403"):
            _ = Job(other.transport, job.resource_url).status
        assert job.resource_url not in {one.resource_url for one in other.get_jobs()}
        job.delete()

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b'{"Executable": ""}', b'{"Executable": "a", "Stdout": "../a"}']
    )
    def test_refuses_what_is_no_job(self, local: _Site, body: bytes) -> None:
        answer = httpx.post(
            f"{local.url}/jobs", content=body, auth=(local.user, local.password), verify=local.trusting
        )
        assert answer.status_code == 500
        assert answer.json()["errorMessage"].startswith("Could not submit job")

    def test_gives_long_lists_in_pages(self, local: _Site) -> None:
        client = local.client()
        jobs = [_send(client, Executable="true", Tags=["paged"]) for _ in range(3)]
        assert len(client.get_jobs(tags=["paged"], num=2)) == 2
        assert len(client.get_jobs(tags=["paged"], offset=2, num=2)) == 1
        for job in jobs:
            job.delete()

    async def test_ends_all_jobs_when_it_ends(self, tmp_path: Path) -> None:
        with gateways.running("unicore", tmp_path / "gateway") as gateway:
            job = _send(_of(gateway).client(), Executable="echo $$ >pid; exec sleep 600")
            _wait_for(lambda: bool(_text(job, "pid")))
            running = psutil.Process(int(_text(job, "pid")))
        await until(lambda: not running.is_running())


class TestASession:
    def test_stands_for_the_password(self, local: _Site) -> None:
        client = local.client()
        session = client.transport.last_session_id
        assert local.get(local.url, **{_SESSION: session}).status_code == 200
        assert local.get(local.url, **{_SESSION: "0" * 32}).status_code == 432

    def test_that_is_over_is_begun_again(self, local: _Site, mended: Gateway) -> None:
        client = local.client()
        session = client.transport.last_session_id
        mended.breaks(is_session_over=True)
        assert local.get(local.url, **{_SESSION: session}).status_code == 432
        client.get_jobs()
        assert client.transport.last_session_id != session


class TestFaults:
    @pytest.mark.parametrize(("fault", "jobs"), [("lost_before", 0), ("lost_after", 1)])
    def test_the_answer_to_a_job_is_lost(self, local: _Site, mended: Gateway, fault: str, jobs: int) -> None:
        client = local.client()
        mended.breaks(submission=fault)
        with pytest.raises(httpx.TransportError):
            _send(client, Executable="true", Tags=[fault])
        found = client.get_jobs(tags=[fault])
        assert len(found) == jobs
        for job in found:
            assert str(_over(_asked_each_time(job)).status) == "SUCCESSFUL"
            job.delete()

    def test_it_is_away_without_a_word(self, local: _Site, mended: Gateway) -> None:
        client = local.client()
        mended.breaks(away="closed")
        with pytest.raises(httpx.TransportError):
            client.get_jobs()
        mended.breaks()
        client.get_jobs()

    def test_what_is_before_it_says_that_it_is_away(self, local: _Site, mended: Gateway) -> None:
        client = local.client()
        mended.breaks(away="busy")
        with pytest.raises(httpx.HTTPError, match="503"):
            client.get_jobs()

    def test_it_sends_elsewhere(self, local: _Site, mended: Gateway) -> None:
        mended.breaks(redirect="https://elsewhere.example:8080")
        answer = local.get(f"{local.url}/jobs?tags=a", Authorization="Basic eDp5")
        assert answer.status_code == 307
        assert answer.headers["location"] == "https://elsewhere.example:8080/LAB/rest/core/jobs?tags=a"

    def test_it_shows_another_certificate(self, local: _Site, mended: Gateway, tmp_path: Path) -> None:
        other = gateways.Authority(tmp_path / "other", "Another authority")
        mended.breaks(certificate=str(other.certificate()))
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            local.client()
        assert httpx.get(local.url, verify=other.trusting()).status_code == 401
        mended.breaks()
        local.client()
