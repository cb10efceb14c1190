"""Files and logs over a real connection, cut in the middle."""

import base64
import hashlib
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from hubjobs import AsyncJobs, Away, Jobs, Problem, Unreadable, WrongFile
from tests.support.job_hub import JOB_ID, TOKEN, JobHub, as_json, job, plain, problem

FILES = f"jobs/{JOB_ID}/files"


@pytest.fixture
def jobs(hub: JobHub, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    monkeypatch.setattr("hubjobs.transfers.FIRST_LOOK_S", 0)
    with Jobs(hub.url, TOKEN, patience_s=60) as jobs:
        yield jobs


def _cut(body: bytes, length: int, **headers: str) -> bytes:
    """Return an answer that ends before it should."""
    return plain(200, body, **headers).replace(f"Length: {len(body)}".encode(), f"Length: {length}".encode())


def _part(body: bytes, first: int, total: int) -> bytes:
    return plain(206, body, Content_Range=f"bytes {first}-{first + len(body) - 1}/{total}", ETag='"1"')


def test_a_download_goes_on_where_it_was_cut(hub: JobHub, jobs: Jobs, tmp_path: Path) -> None:
    hub.gives(f"GET {FILES}/a/b.dat", _cut(b"0123", 10, ETag='"1"'), b"", _part(b"456789", 4, 10))
    told: list[tuple[int, int | None]] = []
    jobs.get(JOB_ID, "a/b.dat", tmp_path / "b.dat", lambda *done: told.append(done))
    assert (tmp_path / "b.dat").read_bytes() == b"0123456789"
    assert told[-1] == (10, 10)
    assert [each.headers.get("range") for each in hub.asked] == [None, "bytes=4-", "bytes=4-"]
    assert hub.asked[-1].headers["if-range"] == '"1"'
    assert [each.name for each in tmp_path.glob("b*")] == ["b.dat"]


def test_a_file_that_changed_meanwhile_comes_whole(hub: JobHub, jobs: Jobs, tmp_path: Path) -> None:
    hub.gives(f"GET {FILES}/b", _cut(b"0123", 10, ETag='"1"'), plain(200, b"new", ETag='"2"'))
    jobs.get(JOB_ID, "b", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"new"


def test_a_download_that_fails_leaves_what_was_there(hub: JobHub, jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("old")
    hub.gives(f"GET {FILES}/b", problem(404, "There is no b."))
    with pytest.raises(Problem, match="There is no b"):
        jobs.get(JOB_ID, "b", tmp_path / "b")
    hub.gives(f"GET {FILES}/c", _cut(b"0123", 10, ETag='"1"'), _part(b"89", 8, 10))
    with pytest.raises(Unreadable):
        jobs.get(JOB_ID, "c", tmp_path / "c")
    assert [each.name for each in tmp_path.iterdir()] == ["b"]
    assert (tmp_path / "b").read_text() == "old"


def test_a_download_replaces_a_link_and_does_not_follow_it(hub: JobHub, jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "b").symlink_to("mine")
    hub.gives(f"GET {FILES}/b", plain(200, b"theirs"))
    jobs.get(JOB_ID, "b", tmp_path / "b")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "b").read_text() == "theirs"


def test_a_download_leaves_all_other_files_as_they_are(hub: JobHub, jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "b.part").write_text("mine")
    hub.gives(f"GET {FILES}/b", plain(200, b"theirs"))
    jobs.get(JOB_ID, "b", tmp_path / "b")
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"b": "theirs", "b.part": "mine"}


def test_a_file_is_sent_with_its_length_and_digest_and_again_if_it_was_lost(
    hub: JobHub, jobs: Jobs, tmp_path: Path
) -> None:
    content = b"x" * 700_000
    (tmp_path / "in.zip").write_bytes(content)
    hub.gives(f"PUT {FILES}/in/new.zip", b"", as_json({"path": "in/new.zip", "size": len(content)}, 201))
    told: list[int] = []
    sent = jobs.put(JOB_ID, tmp_path / "in.zip", "in/new.zip", lambda done, _: told.append(done))
    assert sent.size == len(content)
    assert [each.body == content for each in hub.asked] == [True, True]
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert hub.asked[1].headers["content-digest"] == f"sha-256=:{digest}:"
    assert hub.asked[1].headers["content-length"] == "700000"
    assert told[-1] == len(content)


def test_what_is_no_file_is_not_sent(hub: JobHub, jobs: Jobs, tmp_path: Path) -> None:
    with pytest.raises(WrongFile, match="is not a file"):
        jobs.put(JOB_ID, tmp_path, "a")
    assert not hub.asked


def test_a_refused_upload_is_the_services_sentence(hub: JobHub, jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    hub.gives(f"PUT {FILES}/a", problem(507, "No space left.", "no_space", quoted="Disk quota exceeded"))
    with pytest.raises(Problem, match="No space") as caught:
        jobs.put(JOB_ID, tmp_path / "a")
    assert caught.value.quoted == "Disk quota exceeded"


def test_a_log_is_given_as_it_is(hub: JobHub, jobs: Jobs) -> None:
    hub.gives(f"GET jobs/{JOB_ID}/log", plain(200, b"\x1b[31mone\r\ntwo\xff"))
    assert b"".join(jobs.log(JOB_ID, "stderr", 5)) == b"\x1b[31mone\r\ntwo\xff"
    assert hub.asked[0].path.endswith("log?stream=stderr&tail=5")


LOG = f"jobs/{JOB_ID}/log"


def _log(body: bytes, offset: int) -> bytes:
    return plain(200, body, Log_Offset=str(offset))


def _asked(hub: JobHub) -> list[dict[str, str]]:
    """Return by what queries the log was asked for."""
    return [dict(parse_qsl(urlsplit(each.path).query)) for each in hub.asked if "/log" in each.path]


def test_a_log_is_followed_over_a_restart_to_its_last_byte(hub: JobHub, jobs: Jobs) -> None:
    hub.gives(f"GET jobs/{JOB_ID}", *[as_json(job("RUNNING"))] * 3, b"", as_json(job("SUCCESSFUL")))
    hub.gives(
        f"GET {LOG}",
        # Nothing yet; then the connection is lost while it is read, the service is away, and comes back.
        _log(b"", 0),
        _log(b"one\ntw", 0).replace(b"Length: 6", b"Length: 9"),
        problem(503, "Restarting.", headers={"Retry_After": "0"}),
        _log(b"o\n", 6),
        # Lost before its first byte, when the job is over.
        _log(b"", 8).replace(b"Length: 0", b"Length: 3"),
        _log(b"end", 8),
    )
    assert b"".join(jobs.follow(JOB_ID)) == b"one\ntwo\nend"
    assert [each.get("offset") for each in _asked(hub)] == [None, "0", "6", "6", "8", "8"]
    assert {(each["follow"], each["wait"], each["stream"]) for each in _asked(hub)} == {("true", "15", "stdout")}


def test_a_log_is_followed_from_its_last_lines_on(hub: JobHub, jobs: Jobs) -> None:
    hub.gives(f"GET jobs/{JOB_ID}", as_json(job("RUNNING")), as_json(job("SUCCESSFUL")))
    hub.gives(f"GET {LOG}", b"", _log(b"two\n", 96), _log(b"3", 100))
    assert b"".join(jobs.follow(JOB_ID, "stderr", 1)) == b"two\n3"
    assert [(each["tail"], each.get("offset")) for each in _asked(hub)] == [("1", None)] * 2 + [("1", "100")]


def test_a_log_that_the_job_began_anew_is_followed_from_its_begin(hub: JobHub, jobs: Jobs) -> None:
    hub.gives(f"GET jobs/{JOB_ID}", *[as_json(job("RUNNING"))] * 2, as_json(job("SUCCESSFUL")))
    hub.gives(f"GET {LOG}", _log(b"old\nold\n", 0), _log(b"new\n", 0), _log(b"end", 4))
    assert b"".join(jobs.follow(JOB_ID)) == b"old\nold\nnew\nend"
    assert [each.get("offset") for each in _asked(hub)] == [None, "8", "4"]


@pytest.mark.parametrize("offset", ["", "-1", "1" * 20, "\xb2"])
def test_a_log_without_its_place_is_not_followed(hub: JobHub, jobs: Jobs, offset: str) -> None:
    hub.gives(f"GET jobs/{JOB_ID}", as_json(job("RUNNING")))
    hub.gives(f"GET {LOG}", plain(200, b"one", Log_Offset=offset))
    with pytest.raises(Unreadable):
        list(jobs.follow(JOB_ID))


def test_a_log_that_is_lost_again_and_again_is_given_up(hub: JobHub) -> None:
    hub.gives(f"GET jobs/{JOB_ID}", as_json(job("SUCCESSFUL")))
    hub.gives(f"GET {LOG}", _log(b"", 0).replace(b"Length: 0", b"Length: 3"))
    with Jobs(hub.url, TOKEN, patience_s=0) as jobs, pytest.raises(Away):
        list(jobs.follow(JOB_ID))


def test_a_log_that_cannot_be_read_is_an_error(hub: JobHub, jobs: Jobs) -> None:
    hub.gives(f"GET jobs/{JOB_ID}", as_json(job("RUNNING")))
    hub.gives(f"GET {LOG}", problem(409, "Log in again.", "ticket_needed"))
    with pytest.raises(Problem, match="Log in again"):
        list(jobs.follow(JOB_ID))


def test_who_stops_to_follow_leaves_no_connection(hub: JobHub, jobs: Jobs) -> None:
    hub.gives(f"GET jobs/{JOB_ID}", as_json(job("RUNNING")))
    hub.gives(f"GET {LOG}", _log(b"one\n", 0))
    following = jobs.follow(JOB_ID)
    assert next(following) == b"one\n"
    following.close()


async def test_the_other_client_does_the_same(
    hub: JobHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubjobs.transfers.FIRST_LOOK_S", 0)
    (tmp_path / "in").write_bytes(b"x" * 700_000)
    hub.gives(f"PUT {FILES}/in", b"", as_json({"path": "in", "size": 700_000}, 201))
    hub.gives(f"GET {FILES}/b", _cut(b"0123", 10, ETag='"1"'), _part(b"456789", 4, 10))
    hub.gives(f"GET jobs/{JOB_ID}", as_json(job("SUCCESSFUL")))
    hub.gives(f"GET {LOG}", _log(b"one\n", 0))
    async with AsyncJobs(hub.url, TOKEN, patience_s=60) as jobs:
        assert (await jobs.put(JOB_ID, tmp_path / "in")).size == 700_000
        await jobs.get(JOB_ID, "b", tmp_path / "b")
        assert [each async for each in jobs.follow(JOB_ID)] == [b"one\n"]
    assert (tmp_path / "b").read_bytes() == b"0123456789"
    assert len(hub.asked[1].body) == 700_000


def test_a_download_that_never_comes_to_its_end_is_given_up(hub: JobHub, tmp_path: Path) -> None:
    hub.gives(f"GET {FILES}/b", _cut(b"0123", 10))
    with Jobs(hub.url, TOKEN, patience_s=0) as jobs, pytest.raises(Away):
        jobs.get(JOB_ID, "b", tmp_path / "b")
    assert not list(tmp_path.glob("b*"))
