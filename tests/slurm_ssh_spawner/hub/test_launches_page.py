"""The page of launches at a real hub: how sites stand, which launches are found, what is kept of one."""

import csv
import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jupyterhub import roles
from jupyterhub.app import JupyterHub

from slurm_ssh.job import LaunchId
from tests.support import builders, launching
from tests.support.launching import LaunchingHub, Person

_TAGS = re.compile(r"<[^>]*>")
_MODULE = "Module nowhere/1.0 could not be loaded"


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def _launch(
    hub: LaunchingHub, number: int, user: str = "alice", *, server: str = "", reason: str = "", node: str = ""
) -> LaunchId:
    records, launch_id = hub.core.launcher.records, LaunchId(f"{number:012x}")
    await records.begin(
        launch_id, builders.launch(hub.core.catalogue.current, {"cores": "2"}, user), server=server
    )
    records.submitted(launch_id, str(4700 + number))
    if node:
        records.reached(launch_id, node, 8888, 0)
    if reason:
        records.end(launch_id, reason)
    await records.settled()
    return launch_id


def _text(markup: str) -> str:
    return " ".join(html.unescape(_TAGS.sub(" ", markup)).split())


async def _people(ruth: Person, query: str = "") -> list[str]:
    """Return whose launches the table lists."""
    page = await ruth.page(f"launches{query}")
    assert page.status_code == 200, page.text
    rows = page.text.partition('<tbody id="launches-rows"')[2].split("<tr")[1:]
    return [_text(row.partition("</td>")[2].partition("</td>")[0]) for row in rows]


async def test_only_admins_see_it_and_only_they_are_led_there(hub: LaunchingHub) -> None:
    alice, ruth = await hub.person("alice"), await hub.person("ruth", admin=True)
    launch_id = await _launch(hub, 1)
    for path in ("launches", "launches.csv", f"launches/{launch_id}"):
        assert (await alice.page(path)).status_code == 403
        assert (await ruth.page(path)).status_code == 200
    assert ("hub/launches" in (await ruth.page("home")).text) is True
    assert ("hub/launches" in (await alice.page("home")).text) is False
    assert (await ruth.page("launches/ffffffffffff")).status_code == 404


async def test_the_admin_of_a_group_does_not_see_everybodys(hub: LaunchingHub) -> None:
    # JupyterHub's own admin page shows such a person the members of the group.
    bob, db = await hub.person("bob", "chemists"), hub.app.db
    scopes = ["admin-ui", "list:users!group=chemists", "admin:servers!group=chemists"]
    roles.create_role(db, {"name": "chemists-admin", "scopes": scopes})
    roles.grant_role(db, bob.user.orm_user, "chemists-admin")
    launch_id = await _launch(hub, 1)
    for path in ("launches", "launches.csv", f"launches/{launch_id}"):
        assert (await bob.page(path)).status_code == 403
    assert (await bob.post("launches/announcement", [("text", "x"), ("hours", "4")])).status_code == 403
    assert "hub/launches" not in (await bob.page("home")).text


async def test_launches_are_found_by_words_state_and_place(hub: LaunchingHub) -> None:
    ruth = await hub.person("ruth", admin=True)
    await _launch(hub, 1, "alice", reason=_MODULE)
    await _launch(hub, 2, "bob", node="n17")
    await _launch(hub, 3, "carol", server="50%_south")
    await hub.core.launcher.records.want_stop(await _launch(hub, 4, "dave", node="n1"))
    await _launch(hub, 5, "erin", node="n1", reason="TIMEOUT")
    for query, people in (
        ("", ["erin", "dave", "carol", "bob", "alice"]),
        ("?words=NOWHERE", ["alice"]),
        ("?words=4702", ["bob"]),
        ("?words=470", []),
        ("?words=n17", ["bob"]),
        ("?words=50%25_", ["carol"]),
        ("?words=%25", ["carol"]),
        ("?state=on-its-way", ["carol"]),
        ("?state=up", ["bob"]),
        ("?state=stop-owed", ["dave"]),
        ("?state=failed", ["alice"]),
        ("?state=ended", ["erin"]),
        ("?state=nonsense&page=-1", ["erin", "dave", "carol", "bob", "alice"]),
        ("?page=1", []),
        ("?site=nowhere", []),
        ("?site=geneva&profile=jupyterlab&words=erin", ["erin"]),
    ):
        assert await _people(ruth, query) == people, query


async def test_a_tile_says_how_a_site_stands(hub: LaunchingHub) -> None:
    ruth = await hub.person("ruth", admin=True)
    await _launch(hub, 1, reason=_MODULE)
    await _launch(hub, 2, node="n1")
    await hub.core.launcher.records.want_stop(await _launch(hub, 3, node="n1"))
    page = _text((await ruth.page("launches")).text)
    assert "Geneva not asked yet 1 running, 0 waiting, 0 starting" in page
    assert "1 of 1 launches of the last day failed to start 1 stop not carried out yet" in page
    assert "Catalogue no problem (sites: 1, profiles: 1)" in page


async def test_a_tile_says_when_the_next_maintenance_of_a_site_is(hub: LaunchingHub) -> None:
    ruth, now = await hub.person("ruth", admin=True), datetime.now(UTC).replace(second=0, microsecond=0)
    days = [(-3, -2), (9, 10), (4, 5)]
    moments = [tuple(now + timedelta(days=day) for day in pair) for pair in days]
    written = [[f"{each:%Y-%m-%d %H:%M}+00:00" for each in pair] for pair in moments]
    pauses = [{"begins": begins, "ends": ends} for begins, ends in written]
    hub.offer(sites={"geneva": launching.site(hub.local, maintenance=pauses)})
    page = (await ruth.page("launches")).text
    told = re.findall(r"maintenance from <time datetime=\"([^\"]+)\".*?<time datetime=\"([^\"]+)\"", page)
    assert [[datetime.fromisoformat(each) for each in pair] for pair in told] == [list(moments[2])]


async def test_the_same_error_is_told_once_and_leads_to_its_launches(hub: LaunchingHub) -> None:
    ruth = await hub.person("ruth", admin=True)
    for number in range(3):
        await _launch(hub, number, f"p{number}", reason=f"{_MODULE} by job {4700 + number}.")
    await _launch(hub, 9, reason="Another reason.")
    page = (await ruth.page("launches")).text
    assert "3 times since" in _text(page)
    assert "in profile jupyterlab on geneva: Module nowhere/1.0 could not be loaded by job" in _text(page)
    (link,) = re.findall(r'<a href="(\?[^"]*words=Module[^"]*)"', page)
    assert await _people(ruth, html.unescape(link)) == ["p2", "p1", "p0"]


async def test_all_that_is_kept_of_a_launch_is_shown_as_text(hub: LaunchingHub) -> None:
    ruth, records = await hub.person("ruth", admin=True), hub.core.launcher.records
    launch_id = await _launch(hub, 1, node="n1")
    records.note_script(launch_id, "#!/bin/sh\necho '<i>script</i>'\n")
    stage = {"name": "modules", "text": "<b>bold</b>", "began": 0, "seconds": 2.25, "failed": False}
    records.note_stages(launch_id, [stage])
    records.end(launch_id, "FAILED")
    records.explain(launch_id, "FAILED", "The job's program failed (exit status 3).", "<script>alert(1)</script>")
    await records.settled()
    page = (await ruth.page(f"launches/{launch_id}")).text
    assert "<b>bold" not in page
    assert "<script>alert" not in page
    shown = _text(page)
    assert "cores 2" in shown
    for each in ("modules <b>bold</b> 2.2 s", "exit status 3", "<script>alert(1)</script>", "<i>script</i>"):
        assert each in shown


async def test_a_table_is_for_spreadsheets_and_no_cell_is_a_formula(hub: LaunchingHub) -> None:
    ruth = await hub.person("ruth", admin=True)
    await _launch(hub, 1, reason="=1+1, says the job")
    await _launch(hub, 2, "bob")
    answer = await ruth.page("launches.csv?state=failed")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(answer.text.splitlines())
    assert (row["user"], row["site"], row["job_id"]) == ("alice", "geneva", "4701")
    assert row["end_reason"] == "'=1+1, says the job"


async def test_without_the_database_it_says_so(hub: LaunchingHub) -> None:
    ruth = await hub.person("ruth", admin=True)
    hub.local.home.joinpath("launches.sqlite").unlink()
    for path in ("launches", "launches.csv", "launches/000000000001"):
        page = await ruth.page(path)
        assert (page.status_code, "The hub cannot use its database of launches." in page.text) == (503, True)


async def test_an_announcement_is_on_all_pages_until_it_is_taken_back(hub: LaunchingHub) -> None:
    alice, ruth = await hub.person("alice"), await hub.person("ruth", admin=True)
    address, text = "/@/space%20word/hub/launches/announcement", "Update at <b>noon</b>."
    assert (await alice.post(address, [("text", text), ("hours", "4")])).status_code == 403
    assert (await ruth.post(address, [("text", text), ("hours", "4")], xsrf="")).status_code == 403
    answer = await ruth.post(address, [("text", text), ("hours", "4")])
    assert (answer.status_code, answer.headers["location"]) == (302, "/@/space%20word/hub/launches")
    assert (await ruth.page("launches/announcement")).headers["location"] == "/@/space%20word/hub/launches"
    assert "Update at &lt;b&gt;noon&lt;/b&gt;." in (await alice.page("home")).text
    records = hub.core.launcher.records
    announced = records.announcements.current
    assert announced is not None
    # As a hub that starts finds it.
    await records.announcements.announce("Something else.", announced.until, "ruth")
    await records.announcements.recall()
    alice.forget_cookies()
    assert "Something else." in (await alice.page("login")).text
    assert (await ruth.post(address, [("text", text), ("take_back", "yes")])).status_code == 302
    assert "launch-announcement" not in (await ruth.page("home")).text
    await records.announcements.announce("Too late.", datetime.now(UTC), "ruth")
    assert "Too late." not in (await ruth.page("home")).text
