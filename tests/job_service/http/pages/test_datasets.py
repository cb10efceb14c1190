"""Many datasets with one form: found, chosen, sent in the way that was picked, and told one by one."""

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from job_service.record import JobRecord
from job_service.stages import Stage
from job_service.store import rows
from job_service.store.values import JobFilter
from slurm_ssh.errors import Broken
from tests.job_service.accepting.deciding import TYPES
from tests.job_service.http.pages.test_pages import ALICE, press
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import browser, xsrf
from tests.support import builders

_SCANS = [
    {"id": f"s{at}", "name": f"Scan <{at}>", "type": "scan", "location": f"/data/{at}", "parameters": {"at": at}}
    for at in range(250)
]
_PARAMETERS = {
    "cutoff": {"title": "Cut-off", "decimal": {}, "argument": "--cutoff", "when": "at > 1"},
    "quality": {"title": "Quality", "min": 1, "max": 10, "argument": "--quality"},
}
RECON = builders.job_type(
    name="Slices",
    run=["/opt/recon", "--in={dataset_ids}"],
    parameters=_PARAMETERS,
    datasets={"types": ["scan"], "min": 2, "max": 200},
)
_ANY = builders.job_type(
    name="Any", run=["/opt/any"], parameters={}, datasets={"types": ["scan", "mesh"], "min": 0, "modes": ["each"]}
)
SOURCES: dict[str, Any] = {
    "demo": {"list": [*_SCANS, {"id": "mesh", "type": "mesh", "location": "/data/mesh"}]},
}


@pytest.fixture(autouse=True)
def _offered(service: Serving) -> None:
    service.offers({**TYPES, "slices": RECON, "any": _ANY}, SOURCES)


@pytest.fixture
async def alice(app: FastAPI) -> Any:
    async with browser(app, ALICE) as found:
        yield found


class _Fields(HTMLParser):
    """What a browser would send of the form with an id: the names of fields and their values."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._form, self._inside = form, False
        self.sent: list[tuple[str, str]] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "form":
            self._inside = has.get("id") == self._form
        if not self._inside or not has.get("name") or tag not in {"input", "select", "textarea"}:
            return
        self.seen.append(str(has["name"]))
        if has.get("type") in {"checkbox", "radio"} and "checked" not in has:
            return
        if tag == "input" and has.get("type") != "file":
            self.sent.append((str(has["name"]), has.get("value") or ""))


def _form(got: httpx.Response, form: str) -> _Fields:
    fields = _Fields(form)
    fields.feed(got.text)
    return fields


def _sends(got: httpx.Response, form: str, **other: str | list[str]) -> dict[str, Any]:
    """Return what a page's form sends, with what was typed over it."""
    sent: dict[str, Any] = {}
    for name, value in _form(got, form).sent:
        sent.setdefault(name, []).append(value)
    return {**sent, **other}


def _chosen(got: httpx.Response, form: str = "choose-datasets") -> list[str]:
    return list(_sends(got, form).get("dataset", []))


async def _send(alice: httpx.AsyncClient, form: dict[str, Any]) -> httpx.Response:
    return await alice.post("/new", data=form, files={"file": ("", b"")})


async def test_from_three_ticks_to_three_tasks(alice: httpx.AsyncClient, service: Serving) -> None:
    """Without scripts: each page's form has all that is needed for the next."""
    found = await alice.get("/new?type=slices&title=kept+all+the+way")
    assert found.text.count('name="dataset"') == 100
    assert "Scan &lt;7&gt;" in found.text
    assert "Choose 2 to 200 datasets." in found.text
    ticked = _sends(found, "choose-datasets", dataset=["demo:s2", "demo:s3"], q="scan <19")
    looked = await alice.post("/new/datasets", data=ticked)
    assert _chosen(looked) == ["demo:s2", "demo:s3"]
    assert re.findall(r'value="(demo:s19\d*)"', looked.text) == ["demo:s19", *(f"demo:s19{n}" for n in range(10))]
    ticked = _sends(looked, "choose-datasets", dataset=["demo:s2", "demo:s3", "demo:s19"])
    form = await alice.post("/new/form", data=ticked)
    assert 'value="kept all the way"' in form.text
    assert "3 datasets are chosen" in form.text
    wanted = _sends(form, "new-job", mode="array", site="geneva", **{"param.cutoff": "0.5"})
    seen = await alice.post("/new/preview", data=wanted)
    assert "#SBATCH --array=0-2" in seen.text
    line = "hubjobs submit slices --on geneva --title &#39;kept all the way&#39; --set param.cutoff=0.5"
    assert f"{line} --dataset demo:s2 --dataset demo:s3 --dataset demo:s19 --array" in seen.text
    assert "&#34;mode&#34;: &#34;array&#34;" in seen.text
    sent = await _send(alice, _sends(seen, "new-job", mode="array", site="geneva", **{"param.cutoff": "0.5"}))
    assert sent.status_code == 303, sent.text
    record = await service.store.jobs.get(sent.headers["Location"].rpartition("/")[2])
    assert (record.kind, record.spec.datasets) == ("array", ("demo:s2", "demo:s3", "demo:s19"))
    assert record.spec.choices["param.cutoff"] == "0.5"
    page = (await alice.get(sent.headers["Location"].removeprefix("/services/jobs"))).text
    assert all(name in page for name in ("Scan &lt;2&gt;", "Scan &lt;3&gt;", "Scan &lt;19&gt;"))


async def test_only_what_holds_for_all_of_them_is_asked(alice: httpx.AsyncClient) -> None:
    async def asked(*ids: str) -> set[str]:
        got = await alice.get("/new", params={"type": "slices", "dataset": [f"demo:{each}" for each in ids]})
        return {each for each in _form(got, "new-job").seen if each.startswith("param.")}

    assert await asked("s2", "s3") == {"param.cutoff", "param.quality"}
    assert await asked("s1", "s2", "s3") == {"param.quality"}
    assert await asked("s2", "gone") == {"param.quality"}


async def test_all_that_is_found_is_chosen_at_once_up_to_what_the_type_takes(alice: httpx.AsyncClient) -> None:
    begun = _sends(await alice.get("/new?type=slices"), "choose-datasets")
    assert len(_chosen(await alice.post("/new/datasets", data={**begun, "q": "<1", "act": "all"}))) == 111
    everything = await alice.post("/new/datasets", data={**begun, "act": "all"})
    assert _chosen(everything) == [f"demo:s{at}" for at in range(200)]
    further = await alice.post("/new/datasets", data={**begun, "at": "demo:100"})
    assert 'value="demo:s100"' in further.text
    wrong = await alice.post("/new/datasets", data={**begun, "at": "nonsense"})
    assert (wrong.status_code, "no cursor" in wrong.text) == (200, True)


async def test_too_few_or_too_many_are_told_before_the_form(alice: httpx.AsyncClient) -> None:
    begun = _sends(await alice.get("/new?type=slices"), "choose-datasets", title="kept")
    few = await alice.post("/new/form", data={**begun, "dataset": ["demo:s1"]})
    assert (few.status_code, "Choose at least this many: 2." in few.text) == (422, True)
    assert _chosen(few) == ["demo:s1"]
    assert 'value="kept"' in few.text
    many = await alice.post("/new/form", data={**begun, "dataset": [f"demo:s{at}" for at in range(201)]})
    assert (many.status_code, "Choose at most this many: 200." in many.text) == (422, True)


async def test_a_type_that_can_do_without_shows_its_form_at_once(alice: httpx.AsyncClient) -> None:
    got = await alice.get("/new?type=any")
    assert 'id="new-job"' in got.text
    assert "None is chosen." in got.text
    assert 'name="mode"' not in got.text
    found = await alice.post("/new/datasets", data={**_sends(got, "new-job"), "of": "mesh"})
    assert re.findall(r'value="(demo:\w+)"', found.text) == ["demo:mesh"]
    form = await alice.post("/new/form", data=_sends(found, "choose-datasets", dataset=["demo:mesh"]))
    assert "A job of its own for each." in form.text


async def test_of_a_type_that_takes_none_there_is_nothing_to_choose(alice: httpx.AsyncClient) -> None:
    got = await press(alice, "/new/datasets", type="command")
    assert (got.status_code, "Command takes no datasets." in got.text) == (422, True)
    assert 'id="datasets"' not in (await alice.get("/new?type=command")).text


async def test_what_has_no_job_is_told_dataset_by_dataset(alice: httpx.AsyncClient, service: Serving) -> None:
    values = {
        "_xsrf": xsrf(ALICE),
        "type": "slices",
        "site": "geneva",
        "mode": "each",
        "key": "k1",
        "title": "slices",
    }
    wanted = {**values, "dataset": ["demo:s1", "demo:mesh", "demo:gone", "demo:s2"]}
    got = await _send(alice, wanted)
    assert (got.status_code, "Jobs were sent for 2 of 4 datasets." in got.text) == (200, True)
    assert "demo:mesh is of the type mesh" in got.text
    assert "There is no dataset demo:gone" in got.text
    assert [act for act, _ in service.running.told] == ["wake", "wake"]
    # Loaded once more, it sends nothing more, and says the same.
    again = await _send(alice, wanted)
    assert again.text == got.text
    assert len(service.running.told) == 2
    link = re.search(r'href="/services/jobs(/\?group=\w+)"', got.text)
    assert link
    await press(alice, "/new", type="command")
    listed = (await alice.get(link[1])).text
    assert len(re.findall(r"<tr[^>]*data-job=", listed)) == 2
    assert "slices: Scan &lt;1&gt;" in listed
    # What is left can be looked at, and sent again.
    rest = await alice.post("/new/form", data=_sends(got, "not-sent-form"))
    assert _chosen(rest, "new-job") == ["demo:mesh", "demo:gone"]


async def test_where_each_has_a_job_their_list_is_shown(alice: httpx.AsyncClient, service: Serving) -> None:
    values = {"_xsrf": xsrf(ALICE), "type": "slices", "site": "geneva", "mode": "each"}
    got = await _send(alice, {**values, "dataset": ["demo:s1", "demo:s2"]})
    (first, _) = (await service.store.jobs.page(JobFilter("alice"), 9)).items[::-1]
    assert (got.status_code, got.headers["Location"]) == (303, f"/services/jobs/?group={first.job_id}")


async def test_where_none_has_one_it_is_said_in_the_form(alice: httpx.AsyncClient, service: Serving) -> None:
    values = {"_xsrf": xsrf(ALICE), "type": "slices", "site": "geneva", "mode": "each", "title": "kept"}
    got = await _send(alice, {**values, "dataset": ["demo:mesh", "demo:gone"]})
    assert (got.status_code, "None of the 2 datasets can have a job." in got.text) == (422, True)
    assert 'value="kept"' in got.text
    for field, wrong in (
        ("datasets", {"mode": "single"}),
        ("mode", {"mode": "sometimes", "dataset": ["demo:s1"] * 2}),
    ):
        got = await _send(alice, {**values, "dataset": ["demo:mesh", "demo:s1"], **wrong})
        assert (got.status_code, f'id="{field}-problem"' in got.text) == (422, True), field
    assert not service.running.told


async def test_what_all_would_cost_is_seen_beside_what_is_left(alice: httpx.AsyncClient, service: Serving) -> None:
    await service.administration.create_project(
        "ruth", {"system": "geneva", "name": "proj1", "init_time": 36_000, "user_time": 18_000, "is_open": True}
    )
    form = {"type": "slices", "site": "geneva", "project": "proj1", "time": "2h", "mode": "each"}
    ids = ["demo:s1", "demo:s2", "demo:s3", "demo:mesh"]
    text = (await press(alice, "/new/preview", **form, dataset=ids)).text
    assert "2 h each, 6 h in all, of 5 h that you have left in proj1." in text
    assert "Not all of them can be paid." in text
    assert "1 dataset has no job:" in text


async def test_a_site_that_is_away_takes_nothing_that_is_chosen(
    alice: httpx.AsyncClient, service: Serving
) -> None:
    async def away(*_: Any) -> Any:
        raise Broken("Geneva is away.")

    service.accepting.datasets.search = service.accepting.datasets.get = away
    begun: dict[str, Any] = {"type": "slices", "dataset": ["demo:s1", "demo:s2"]}
    for path, form in (("/new/datasets", "choose-datasets"), ("/new/form", "new-job")):
        got = await press(alice, path, **begun)
        assert (got.status_code, "Geneva is away." in got.text) == (200, True), path
        assert _chosen(got, form) == ["demo:s1", "demo:s2"]
    sent = await _send(alice, {**begun, "_xsrf": xsrf(ALICE), "site": "geneva", "mode": "array"})
    assert (sent.status_code, "Geneva is away." in sent.text) == (422, True)


async def test_a_type_that_goes_while_its_datasets_are_looked_for_is_shown_as_it_was(
    alice: httpx.AsyncClient, service: Serving
) -> None:
    get = service.accepting.datasets.get

    async def slowly(*asked: Any) -> Any:
        found = await get(*asked)
        service.offers({name: each for name, each in TYPES.items() if name != "slices"})
        # A look that takes long is waited for no longer than a form would.
        while "slices" in (await service.catalogue.refreshed()).job_types:
            pass
        return found

    while "slices" not in (await service.catalogue.refreshed()).job_types:
        pass

    service.accepting.datasets.get = slowly
    got = await alice.get("/new?type=slices&dataset=demo:s1&dataset=demo:s2")
    assert (got.status_code, "2 datasets are chosen" in got.text) == (200, True)


async def test_the_page_of_an_array_has_its_tasks(alice: httpx.AsyncClient, service: Serving) -> None:
    values = {"_xsrf": xsrf(ALICE), "type": "slices", "site": "geneva", "mode": "array", "title": "slices"}
    got = await _send(alice, {**values, "dataset": [f"demo:s{at}" for at in range(60)]})
    path = got.headers["Location"].removeprefix("/services/jobs")
    array = path.rpartition("/")[2]
    tasks = await service.store.jobs.tasks(array)
    await service.running.goes(tasks[0].job_id, Stage.QUEUED, Stage.RUNNING)
    await service.running.goes(tasks[0].job_id, Stage.FAILED, exit_code=7, reason="It failed with status 7.")
    text = (await alice.get(path)).text
    assert len(re.findall(r"<tr[^>]*data-job=", text)) == 50
    for said in ("It failed with status 7.", "Failed: 1", "Is being sent: 59", "Scan &lt;0&gt;"):
        assert said in text, said
    assert f"/jobs/{tasks[0].job_id}/log" in text
    assert "Further tasks" in text
    rest = (await alice.get(f"{path}?from=50")).text
    assert len(re.findall(r"<tr[^>]*data-job=", rest)) == 10
    assert f'href="/services/jobs{path}?from=0"' in rest
    failed = (await alice.get(f"/?parent={array}&stage=FAILED")).text
    assert re.findall(r'data-job="(\w+)"', failed) == [tasks[0].job_id]
    # One row in the list of jobs, with how many there are.
    listed = (await alice.get("/")).text
    assert re.findall(r'data-job="(\w+)"', listed) == [array]
    assert "60 tasks" in listed
    # Some are cancelled here, and one leads back.
    back = await press(alice, "/cancel", job=[tasks[1].job_id], of=array)
    assert back.headers["Location"] == f"/services/jobs{path}"
    assert ("cancel", tasks[1].job_id) in service.running.told
    one = (await alice.get(f"/jobs/{tasks[0].job_id}")).text
    assert f'href="/services/jobs{path}"' in one
    assert "Task 0 of this array" in one
    assert ">Delete<" not in one
    assert f"{array}/start" not in (await alice.get(path)).text


async def test_the_page_of_an_array_reads_no_more_tasks_than_it_shows(
    alice: httpx.AsyncClient, service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"_xsrf": xsrf(ALICE), "type": "slices", "site": "geneva", "mode": "array"}
    got = await _send(alice, {**values, "dataset": [f"demo:s{at}" for at in range(60)]})
    read: list[JobRecord] = []
    made = rows.record

    def record(row: Any) -> JobRecord:
        read.append(made(row))
        return read[-1]

    monkeypatch.setattr(rows, "record", record)
    text = (await alice.get(got.headers["Location"].removeprefix("/services/jobs"))).text
    assert "Is being sent: 60" in text
    assert sum(each.kind == "task" for each in read) == 50


async def test_what_was_chosen_is_chosen_when_it_is_sent_again(alice: httpx.AsyncClient) -> None:
    values = {"_xsrf": xsrf(ALICE), "type": "slices", "site": "geneva", "mode": "each", "title": "slices"}
    got = await _send(alice, {**values, "dataset": ["demo:s1", "demo:s2"]})
    assert "Location" in got.headers, (got.status_code, got.text)
    listed = (await alice.get(got.headers["Location"].removeprefix("/services/jobs"))).text
    job_id = re.findall(r'data-job="(\w+)"', listed)[0]
    again = await alice.get(f"/new?again={job_id}")
    assert _chosen(again, "new-job") == ["demo:s2"]
    assert 'value="slices"' in again.text
    assert re.search(r'value="each" checked', again.text)
