import asyncio
import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from job_service.http.pages import rendering
from job_service.sentences import running
from job_service.stages import Stage
from job_service.store.values import JobFilter
from profiles.facts import SiteFacts
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import browser, client, xsrf
from tests.job_service.http.test_jobs import RUNS, sent
from tests.support import builders

ALICE = "alice:submit"
FORM = {"type": "command", "site": "geneva", "command": "hostname", "title": "a job"}


@pytest.fixture
async def alice(app: FastAPI) -> Any:
    async with browser(app, ALICE) as found:
        yield found


@pytest.fixture
async def bob(app: FastAPI) -> Any:
    async with browser(app, "bob:submit") as found:
        yield found


@pytest.fixture
async def api(app: FastAPI) -> Any:
    async with client(app, ALICE) as found:
        yield found


async def press(page: httpx.AsyncClient, path: str, token: str = ALICE, **fields: Any) -> httpx.Response:
    """Send a form of ours."""
    return await page.post(path, data={"_xsrf": xsrf(token), **fields})


async def fill(page: httpx.AsyncClient, file: tuple[str, bytes] | None = None, **fields: str) -> httpx.Response:
    """Send the form of a new job, with a file behind its fields."""
    values = {"_xsrf": xsrf(ALICE), **FORM, **fields}
    return await page.post("/new", data=values, files={"file": file or ("", b"")})


async def test_an_empty_list_says_how_to_begin(alice: httpx.AsyncClient) -> None:
    got = await alice.get("/")
    assert got.status_code == 200
    assert "You have no jobs yet." in got.text
    assert 'href="/services/jobs/new"' in got.text


async def test_a_list_shows_own_jobs_in_words(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient, api: httpx.AsyncClient, service: Serving
) -> None:
    job_id = await sent(api, title="my <b>title</b>")
    await service.running.goes(job_id, *RUNS, reason="Because.")
    text = (await alice.get("/")).text
    assert "my &lt;b&gt;title&lt;/b&gt;" in text
    assert "Because." in text
    assert "Runs</span>" in text
    assert job_id not in (await bob.get("/")).text


async def test_a_list_is_narrowed(alice: httpx.AsyncClient, api: httpx.AsyncClient, service: Serving) -> None:
    running, waiting = await sent(api, title="one"), await sent(api, title="two")
    await service.running.goes(running, *RUNS)
    for query, found in (
        ("stage=RUNNING", {running}),
        ("stage=live", {running, waiting}),
        ("q=tw", {waiting}),
        ("stage=over", set()),
    ):
        text = (await alice.get(f"/?{query}")).text
        assert set(re.findall(r'data-job="(\w+)"', text)) == found, query
    assert "No job is like that." in (await alice.get("/?q=nothing")).text


async def test_chosen_jobs_are_cancelled(
    alice: httpx.AsyncClient, bob: httpx.AsyncClient, api: httpx.AsyncClient, service: Serving
) -> None:
    chosen, other = await sent(api), await sent(api)
    got = await press(bob, "/cancel", "bob:submit", job=[chosen])
    assert (got.status_code, service.running.told.count(("cancel", chosen))) == (409, 0)
    got = await press(alice, "/cancel", job=[chosen], back="stage=live")
    assert (got.status_code, got.headers["Location"]) == (303, "/services/jobs/?stage=live")
    assert (await service.store.jobs.get(chosen)).stage is Stage.CANCELED
    assert (await service.store.jobs.get(other)).stage is Stage.READY
    again = await press(alice, "/cancel", job=[chosen])
    assert (again.status_code, "It is over." in again.text) == (409, True)


async def test_types_are_found_by_words(alice: httpx.AsyncClient) -> None:
    text = (await alice.get("/new")).text
    assert "/services/jobs/new?type=command" in text
    assert "/services/jobs/new?type=command" not in (await alice.get("/new?q=nothinglikeit")).text


async def test_a_form_has_what_the_catalogue_asks(alice: httpx.AsyncClient) -> None:
    text = (await alice.get("/new?type=command&title=of+a+link")).text
    for name in ("title", "command", "site", "time", "cores", "project", "file", "key"):
        assert f'name="{name}"' in text, name
    assert 'value="of a link"' in text
    assert (await alice.get("/new?type=nothing")).status_code == 422


async def test_a_form_sends_a_job_once(alice: httpx.AsyncClient, service: Serving) -> None:
    got = await fill(alice, time="30", key="k1")
    assert got.status_code == 303, got.text
    again = await fill(alice, time="30", key="k1")
    assert again.headers["Location"] == got.headers["Location"]
    record = await service.store.jobs.get(got.headers["Location"].rpartition("/")[2])
    assert (record.owner, record.limit_s, record.title, record.spec.command) == (
        "alice",
        1800,
        "a job",
        "hostname",
    )
    assert service.running.told == [("wake", record.job_id)]


async def test_one_form_too_many_is_told_so(service: Serving) -> None:
    async with browser(service.app(jobs_a_minute=1), ALICE) as alice:
        job_id = (await fill(alice)).headers["Location"].rpartition("/")[2]
        for got in (await fill(alice, key="k2"), await press(alice, f"/jobs/{job_id}/resubmit", key="k3")):
            assert got.status_code == 429
            assert 0 < int(got.headers["Retry-After"]) <= 60
    assert len(service.running.told) == 1


async def test_a_file_comes_with_the_form(alice: httpx.AsyncClient, service: Serving) -> None:
    data = bytes(range(256)) * 2000
    got = await fill(alice, ("in put.zip", data), unpack="yes")
    assert got.status_code == 303, got.text
    record = await service.store.jobs.get(got.headers["Location"].rpartition("/")[2])
    assert (record.spec.inputs, record.spec.unpack, record.spec.start) == (("in put.zip",), True, "when-complete")
    assert (service.files.folder / record.job_id / "in put.zip").read_bytes() == data
    assert [act for act, _ in service.running.told] == ["wake", "prepare", "arrived"]


async def test_a_file_that_is_not_taken_leaves_no_job_behind(alice: httpx.AsyncClient, service: Serving) -> None:
    got = await fill(alice, ("big", b"x" * 1_000_001), title="kept")
    assert got.status_code == 422
    assert "It is too large." in got.text
    assert 'value="kept"' in got.text
    page = await service.store.jobs.page(JobFilter("alice"), 9)
    assert [each.stage for each in page.items] == [Stage.CANCELED]


async def test_after_a_file_that_was_not_taken_the_next_one_is_sent(
    alice: httpx.AsyncClient, service: Serving
) -> None:
    got = await fill(alice, ("a", b"x" * 1_000_001), key="k1")
    (key,) = re.findall(r'name="key" value="([^"]+)"', got.text)
    assert key != "k1"
    again = await fill(alice, ("a", b"x"), key=key)
    record = await service.store.jobs.get(again.headers["Location"].rpartition("/")[2])
    assert (record.stage, (service.files.folder / record.job_id / "a").read_bytes()) == (Stage.NEW, b"x")


async def test_refusals_stand_at_their_fields_with_what_was_typed(
    alice: httpx.AsyncClient, service: Serving
) -> None:
    got = await fill(alice, title="a\tb", cores="many", command="", project="nobodys", file=None)
    assert got.status_code == 422
    for name in ("title", "cores", "command", "project"):
        assert f'id="{name}-problem"' in got.text, name
    assert 'value="many"' in got.text
    assert not service.running.told


async def test_without_a_ticket_it_is_said_in_the_form(alice: httpx.AsyncClient, service: Serving) -> None:
    service.tickets.left["alice"] = None
    got = await fill(alice, command="keep <me>")
    assert got.status_code == 409
    assert "keep &lt;me&gt;" in got.text
    assert 'role="alert"' in got.text


async def test_a_preview_sends_nothing(alice: httpx.AsyncClient, service: Serving) -> None:
    got = await press(alice, "/new/preview", **FORM, time="30")
    assert got.status_code == 200
    assert "Nothing is sent yet." in got.text
    assert "#SBATCH" in got.text
    assert "hubjobs submit command --on geneva" in got.text
    assert "/services/jobs/api/v1/jobs" in got.text
    wrong = await press(alice, "/new/preview", **{**FORM, "cores": "many"})
    assert (wrong.status_code, 'id="cores-problem"' in wrong.text) == (422, True)
    assert not service.running.told


async def test_a_preview_knows_the_names_of_the_files(alice: httpx.AsyncClient, service: Serving) -> None:
    # A form that is not sent with its files has their names.
    got = await press(alice, "/new/preview", **FORM, unpack="yes", file=["a b.zip", "in.txt"])
    assert got.status_code == 200, got.text
    assert "Pick the files again" in got.text
    assert "--input &#39;a b.zip&#39; --input in.txt --unpack -- hostname" in got.text
    assert "curl -K ~/.jobs-token -T &#39;a b.zip&#39; https://" in got.text
    assert "/services/jobs/api/v1/jobs/JOB_ID/files/a%20b.zip" in got.text
    wrong = await press(alice, "/new/preview", **FORM, file=["in.txt", "in.txt"])
    assert (wrong.status_code, 'id="file-problem"' in wrong.text) == (422, True)
    other = await press(alice, "/new/preview", **{**FORM, "cores": "many"}, file="in.txt")
    assert (other.status_code, "Pick the files again" in other.text) == (422, True)
    each = await press(alice, "/new/preview", **FORM, file="in.txt", mode="each")
    assert (each.status_code, "takes no files here" in each.text) == (422, True)
    assert not service.running.told


async def test_a_job_says_what_became_of_it(
    alice: httpx.AsyncClient, api: httpx.AsyncClient, service: Serving
) -> None:
    job_id = await sent(api)
    await service.running.goes(job_id, *RUNS, reason="It runs on n1.")
    text = (await alice.get(f"/jobs/{job_id}")).text
    for said in ("It runs on n1.", "It is RUNNING now.", "<h1", ">Cancel<", "hostname", "noscript"):
        assert said in text, said
    await service.running.goes(job_id, Stage.FAILED, exit_code=7, reason="It failed.")
    text = (await alice.get(f"/jobs/{job_id}")).text
    for said in ("status 7", ">Delete<", ">Send again<", "It failed."):
        assert said in text, said
    assert "noscript" not in text


async def test_what_can_be_done_is_done(
    alice: httpx.AsyncClient, api: httpx.AsyncClient, service: Serving
) -> None:
    job_id = await sent(api)
    await service.running.goes(job_id, *RUNS)
    for act in ("hold", "release", "cancel"):
        got = await press(alice, f"/jobs/{job_id}/{act}")
        assert got.headers["Location"] == f"/services/jobs/jobs/{job_id}"
    assert [act for act, _ in service.running.told[1:]] == ["hold", "release", "cancel"]
    again = await press(alice, f"/jobs/{job_id}/resubmit")
    assert again.status_code == 303
    assert job_id not in again.headers["Location"]
    filled = await alice.get(f"/new?again={job_id}")
    assert "hostname" in filled.text
    await service.running.goes(job_id, Stage.SUCCESSFUL)
    assert (await press(alice, f"/jobs/{job_id}/cancel")).status_code == 409
    gone = await press(alice, f"/jobs/{job_id}/remove")
    assert (gone.status_code, gone.headers["Location"]) == (303, "/services/jobs/")


async def test_a_job_at_a_gateway_can_be_cancelled_and_not_held(
    alice: httpx.AsyncClient, api: httpx.AsyncClient, service: Serving
) -> None:
    types = {"recon": builders.job_type(sites=["daint", "geneva"])}
    service.offers(types, gateways={"daint": builders.gateway()})
    assert "Daint" in (await alice.get("/new")).text
    got = await api.post("/api/v1/jobs", json={"type": "recon", "system": "daint"})
    job_id = got.json()["job_id"]
    assert (got.status_code, got.json()["folder"]) == (201, "")
    await service.running.goes(job_id, Stage.QUEUED)
    text = (await alice.get(f"/jobs/{job_id}")).text
    assert ">Cancel<" in text
    assert ">Hold<" not in text
    # Slurm has no part in it, and only the gateway knows its folder.
    assert "Slurm" not in text.partition("<main")[2]
    assert "What Daint is sent" in text
    assert ("<dt>Job id</dt>" in text, "<dt>Folder</dt>" in text) == (True, False)
    seen = (await press(alice, "/new/preview", type="recon", site="daint")).text
    assert ("Daint does not say." in seen, "What Daint would be sent" in seen) == (True, True)
    got = await api.post("/api/v1/jobs", json={"type": "recon", "system": "geneva"})
    await service.running.goes(got.json()["job_id"], Stage.QUEUED)
    assert ">Hold<" in (await alice.get(f"/jobs/{got.json()['job_id']}")).text


async def test_files_are_seen_and_saved(
    alice: httpx.AsyncClient, api: httpx.AsyncClient, service: Serving
) -> None:
    job_id = await sent(api)
    folder = service.files.folder / job_id
    (folder / "results").mkdir(parents=True)
    (folder / "results/a b#?<i>.html").write_text("<script>alert(1)</script>")
    (folder / "stdout").write_text("printed\n")
    text = (await alice.get(f"/jobs/{job_id}/files")).text
    assert "<i>" not in text.replace('<i aria-hidden="true"', "")
    link = next(each for each in re.findall(r'href="/services/jobs(/jobs/[^"]*)"', text) if "html" in each)
    got = await alice.get(link)
    assert got.text == "<script>alert(1)</script>"
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in got.headers["Content-Security-Policy"]
    log = await alice.get(f"/jobs/{job_id}/log")
    assert (log.text, log.headers["Content-Type"]) == ("printed\n", "text/plain; charset=utf-8")
    assert (await alice.get(f"/jobs/{job_id}/archive.tar")).headers["Content-Type"] == "application/x-tar"


async def test_somebody_elses_job_is_not_there(
    bob: httpx.AsyncClient, api: httpx.AsyncClient, service: Serving
) -> None:
    job_id = await sent(api)
    for path in ("", "/files", "/log", "/archive.tar", "/script", "/files/stdout"):
        got = await bob.get(f"/jobs/{job_id}{path}")
        assert (got.status_code, "text/html" in got.headers["Content-Type"]) == (404, True), path
        assert f"There is no job {job_id} of yours." in got.text
    for act in ("cancel", "hold", "release", "start", "resubmit", "remove"):
        assert (await press(bob, f"/jobs/{job_id}/{act}", "bob:submit")).status_code == 404
    assert service.running.told == [("wake", job_id)]


async def test_projects_show_what_is_left(
    alice: httpx.AsyncClient, api: httpx.AsyncClient, service: Serving
) -> None:
    text = (await alice.get("/projects")).text
    assert "For jobs that name no project: Zurich itself decides what is charged" in text
    assert "proj3" in text
    await service.administration.create_project(
        "ruth", {"system": "geneva", "name": "proj1", "init_time": 36_000, "user_time": 18_000, "is_open": True}
    )
    await sent(api, project="proj1", choices={"time": "30"})
    text = (await alice.get("/projects")).text
    assert "You have 4 h 30 min of 5 h left." in text
    rows = (await alice.get("/projects/geneva/proj1")).text
    assert "Held for a job" in rows
    assert "−30 min" in rows
    assert (await alice.get("/projects/geneva/other")).status_code == 404


async def test_admins_see_everybody_and_act(
    app: FastAPI, alice: httpx.AsyncClient, api: httpx.AsyncClient, service: Serving
) -> None:
    job_id = await sent(api, title="hers")
    await service.administration.create_project("ruth", {"system": "geneva", "name": "proj1", "init_time": 36_000})
    for path in ("/admin", "/admin/people"):
        assert (await alice.get(path)).status_code == 403
    async with browser(app, "ruth:admin") as ruth:
        text = (await ruth.get("/admin?owner=alice")).text
        assert "hers" in text
        assert "Asked as alice" in text
        assert (await press(ruth, f"/admin/jobs/{job_id}/cancel", "ruth:admin")).status_code == 303
        assert ("cancel", job_id) in service.running.told
        banned = await press(ruth, "/admin/bans", "ruth:admin", user="bob", reason="Talk to us.", project="")
        assert banned.status_code == 303
        text = (await ruth.get("/admin/people")).text
        assert "Talk to us." in text
        assert (await press(ruth, "/admin/bans/lift", "ruth:admin", user="bob", project="")).status_code == 303
        assert "Talk to us." not in (await ruth.get("/admin/people")).text
        given = await press(ruth, "/admin/grants", "ruth:admin", project="geneva/proj1", hours="2.5", user="bob")
        assert given.status_code == 303
        quota = await service.administration.quota("geneva", "proj1", "bob")
        assert quota.time_left == 9000
        wrong = await press(ruth, "/admin/grants", "ruth:admin", project="geneva/proj1", hours="many", user="bob")
        assert (wrong.status_code, "Write a number of hours" in wrong.text, 'value="many"' in wrong.text) == (
            422,
            True,
            True,
        )
        assert [each.action for each in (await service.administration.audit()).items][:1] == ["grant"]


def test_no_two_sentences_of_the_pages_have_the_same_name() -> None:
    names = [
        name for module in rendering._SENTENCES for name in vars(module) if name.isupper() and name.strip("_")
    ]
    assert len(names) > 150
    assert sorted(names) == sorted(set(names))


async def test_pages_are_in_the_readers_language_and_the_api_is_not(
    app: FastAPI, alice: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    french = {"Accept-Language": "fr-CH, fr;q=0.9"}
    text = (await alice.get("/", headers=french)).text
    assert '<html lang="fr">' in text
    assert "Vous n’avez pas encore de job." in text
    form = (await alice.get("/new?type=command", headers=french)).text
    assert "Votre projet par défaut" in form
    assert "Vous n’avez pas de job nothing." in (await alice.get("/jobs/nothing", headers=french)).text
    assert "You have no job" in (await api.get("/api/v1/jobs/nothing", headers=french)).json()["detail"]
    wrong = {"_xsrf": xsrf(ALICE), **FORM, "command": ""}
    refused = await alice.post("/new/preview", data=wrong, headers=french)
    assert "Command a besoin d’une commande" in refused.text
    sent_wrong = await api.post(
        "/api/v1/jobs", json={"type": "command", "choices": {"cores": "many"}}, headers=french
    )
    assert "Command needs a command: the line that it runs." in sent_wrong.json()["detail"]
    assert "is not a whole number" in sent_wrong.json()["fields"]["choices.cores"]


async def test_what_was_kept_of_a_job_is_said_in_the_readers_language(
    alice: httpx.AsyncClient, api: httpx.AsyncClient, service: Serving
) -> None:
    french = {"Accept-Language": "fr"}
    job_id = await sent(api)
    reason = running.QUEUED_SAYING.format(site="Geneva", reason="Prio. <b>")
    await service.running.goes(job_id, Stage.QUEUED, reason=reason)
    for path in (f"/jobs/{job_id}", "/"):
        text = (await alice.get(path, headers=french)).text
        assert "Le job attend dans la file de Geneva, qui dit\u00a0: Prio. &lt;b&gt;." in text, path
    assert "Le job a été accepté." in (await alice.get(f"/jobs/{job_id}", headers=french)).text
    assert "which says: Prio." in (await alice.get(f"/jobs/{job_id}")).text
    assert "which says: Prio." in (await api.get(f"/api/v1/jobs/{job_id}", headers=french)).json()["reason"]


async def test_why_a_cluster_cannot_be_picked_is_read_without_opening_the_list(
    alice: httpx.AsyncClient, service: Serving
) -> None:
    assert 'id="closed"' not in (await alice.get("/new?type=command")).text
    service.accepting.offered.offer = _with_no_project_anywhere(service.accepting.offered.offer)
    text = (await alice.get("/new?type=command")).text
    assert re.search(r'id="closed"><li class="why">Lugano \(you have no project there', text)


def _with_no_project_anywhere(offer: Any) -> Any:
    async def offered(person: Any, system: str | None = None) -> Any:
        found = await offer(person, system)
        facts = {key: SiteFacts(projects=()) for key in found.menu.sites}
        return replace(found, facts=facts)

    return offered


async def fill_many(page: httpx.AsyncClient, files: list[tuple[str, bytes]], **fields: str) -> httpx.Response:
    """Send the form of a new job, with files behind its fields."""
    values = {"_xsrf": xsrf(ALICE), **FORM, **fields}
    return await page.post("/new", data=values, files=[("file", each) for each in files])


async def test_several_files_come_with_one_form(alice: httpx.AsyncClient, service: Serving) -> None:
    files = [("a.zip", bytes(range(256)) * 2000), ("empty", b""), ("b c", b"--x\r\n" * 50_000)]
    got = await fill_many(alice, files, unpack="yes", key="k1")
    assert got.status_code == 303, got.text
    record = await service.store.jobs.get(got.headers["Location"].rpartition("/")[2])
    assert (record.spec.inputs, record.spec.unpack) == (("a.zip", "empty", "b c"), True)
    for name, data in files:
        assert (service.files.folder / record.job_id / name).read_bytes() == data
    # The job goes on when the last of them is there.
    assert [act for act, _ in service.running.told] == ["wake", "prepare", "arrived"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([("a", b"1"), ("b", b"x" * 1_000_001)], "It is too large."),
        ([("a", b"1"), ("a", b"2")], "a is named twice"),
        ([("a", b"1"), (".job/x", b"2")], ".job"),
        ([(f"f{at}", b"") for at in range(101)], "At most 100 inputs"),
    ],
)
async def test_of_several_files_one_that_is_not_taken_leaves_no_job_behind(
    alice: httpx.AsyncClient, service: Serving, files: list[tuple[str, bytes]], said: str
) -> None:
    got = await fill_many(alice, files, title="kept")
    assert (got.status_code, said in got.text, 'id="file-problem"' in got.text) == (422, True, True), got.text
    assert 'value="kept"' in got.text
    page = await service.store.jobs.page(JobFilter("alice"), 9)
    assert [each.stage for each in page.items] == [Stage.CANCELED]
    assert "arrived" not in [act for act, _ in service.running.told]


async def test_files_that_break_off_leave_no_job_behind(alice: httpx.AsyncClient, service: Serving) -> None:
    part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    file = '--x\r\nContent-Disposition: form-data; name="file"; filename="{}"\r\n\r\n{}\r\n'
    fields = "".join(part.format(name, value) for name, value in {"_xsrf": xsrf(ALICE), **FORM}.items())
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    for rest in (
        file.format("a", "1") + "--x\r\nContent-Disp",
        file.format("a", "1") + part.format("title", "late"),
    ):
        got = await alice.post("/new", content=f"{fields}{rest}".encode(), headers=kind)
        assert got.status_code == 400, rest
    page = await service.store.jobs.page(JobFilter("alice"), 9)
    assert {each.stage for each in page.items} == {Stage.CANCELED}
    many = part.format("a", "") * 3000
    got = await alice.post("/new", content=f"{fields}{many}--x--\r\n".encode(), headers=kind)
    assert got.status_code == 400


async def test_what_was_typed_is_in_the_form_again_after_a_login(app: FastAPI, alice: httpx.AsyncClient) -> None:
    typed = {"type": "command", "title": "a <title> & more", "command": "echo 'é'\n", "param.x": ""}
    for path in ("/new", "/new/preview"):
        async with browser(app) as nobody:
            if path == "/new":
                got = await nobody.post(path, data={**typed, "_xsrf": "old"}, files={"file": ("a", b"x" * 10**6)})
            else:
                got = await nobody.post(path, data={**typed, "_xsrf": "old"})
        assert (got.status_code, "You are not logged in any more" in got.text) == (401, True), path
        (link,) = re.findall(r'href="(/services/jobs/login\?next=[^"]*)"', got.text)
        to = parse_qs(urlsplit(html.unescape(link)).query)["next"][0]
        back = await alice.get(to.removeprefix("/services/jobs"))
        assert 'value="a &lt;title&gt; &amp; more"' in back.text
        assert "echo &#39;é&#39;" in back.text


async def test_what_is_too_long_for_a_link_is_kept_in_the_page(
    app: FastAPI, alice: httpx.AsyncClient, service: Serving
) -> None:
    typed = {"type": "command", "command": "x" * 60_000, "title": '"kept"'}
    async with browser(app) as nobody:
        got = await nobody.post("/new", data=typed, files={"file": ("", b"")})
        assert (got.status_code, "login?next" in got.text) == (401, False)
        kept = {
            name: html.unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', got.text)
        }
        assert kept == typed
        # Whoever has not logged in yet loses nothing.
        early = await nobody.post("/new/filled", data=kept)
        assert (early.status_code, "x" * 60_000 in early.text) == (401, True)
    back = await alice.post("/new/filled", data=kept)
    assert (back.status_code, "x" * 60_000 in back.text) == (200, True)
    assert not service.running.told


async def test_a_form_of_an_earlier_login_does_nothing_and_loses_nothing(
    alice: httpx.AsyncClient, service: Serving
) -> None:
    old = {**FORM, "_xsrf": xsrf("alice:read"), "command": "echo kept"}
    for got in (
        await alice.post("/new", data=old, files={"file": ("a", b"x" * 10**6)}),
        await alice.post("/new/preview", data=old),
    ):
        assert (got.status_code, "You have logged in anew" in got.text) == (403, True)
        assert 'value="echo kept"' in got.text
        assert 'action="/services/jobs/new/filled"' in got.text
    assert not service.running.told


async def test_of_those_who_are_logged_out_not_many_forms_are_read_at_once(app: FastAPI) -> None:
    reading, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        reading.release()
        await go_on.wait()
        yield b"--x--\r\n"

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    async with browser(app) as nobody:
        under_way = [asyncio.create_task(nobody.post("/new", content=slow(), headers=kind)) for _ in range(20)]
        for _ in under_way:
            await reading.acquire()
        assert (await nobody.post("/new/preview", data=FORM)).status_code == 429
        go_on.set()
        assert {each.status_code for each in await asyncio.gather(*under_way)} <= {400, 401}
        assert (await nobody.post("/new/preview", data=FORM)).status_code == 401


async def test_what_is_wrong_where_the_form_has_no_field_is_told_too(alice: httpx.AsyncClient) -> None:
    for name, value, said in (
        ("profile", "x", "There is no choice named profile."),
        ("command", "hostname", "runs a program of its own. Omit the command."),
    ):
        got = await fill(alice, type="recon", **{"command": "", name: value})
        assert got.status_code == 422
        assert said in got.text, name


@pytest.mark.parametrize("path", ["/nothing", "/jobs/0a1b2c3d4e5f/", "/jobs/0a1b2c3d4e5f/cancel", "/a/b?next=c"])
async def test_an_address_of_no_page_is_answered_by_a_page(alice: httpx.AsyncClient, path: str) -> None:
    got = await alice.get(path)
    assert (got.status_code, "There is nothing at this address." in got.text) == (404, True)
    assert (">My jobs</a>" in got.text, ">Back to the jobs</a>" in got.text) == (True, True)


async def test_programs_are_told_of_an_unknown_address_as_ever(
    alice: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    for who, path in ((api, "/nothing"), (api, "/api/v1/nothing"), (alice, "/api/nothing")):
        got = await who.get(path)
        assert (got.status_code, got.headers["Content-Type"]) == (404, "application/problem+json"), path


@pytest.mark.parametrize("path", ["/new/", "/new/preview", "/new/form", "/new/datasets"])
async def test_the_address_of_a_form_leads_to_where_it_begins(alice: httpx.AsyncClient, path: str) -> None:
    got = await alice.get(path)
    assert (got.status_code, got.headers.get("Location")) == (303, "/services/jobs/new")


async def test_who_is_no_admin_reads_that_of_their_pages(alice: httpx.AsyncClient) -> None:
    for path in ("/admin", "/admin/people"):
        got = await alice.get(path)
        assert (got.status_code, "for administrators of batch jobs alone" in got.text) == (403, True)
        assert "token" not in got.text.partition("<main")[2]


async def test_what_cannot_be_cancelled_is_not_offered(
    alice: httpx.AsyncClient, api: httpx.AsyncClient, service: Serving
) -> None:
    job_id = await sent(api)
    assert "Cancel the chosen ones</button>" in (await alice.get("/")).text
    await service.running.goes(job_id, *RUNS, Stage.SUCCESSFUL)
    assert "Cancel the chosen ones</button>" not in (await alice.get("/")).text
