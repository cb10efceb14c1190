"""Every page in each of its states in Chromium: as axe sees it, on a phone, without scripts; and what is live.

A new page, or a new state of one, is a row of `_SCENES`.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser, Page, Route, async_playwright, expect

from job_service.stages import Stage
from tests.job_service.accepting.deciding import TYPES
from tests.job_service.http.pages.test_datasets import RECON, SOURCES
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import ROOT, client, cookie
from tests.job_service.http.test_jobs import COMMAND, RUNS, V1, sent
from tests.lab.browser import CHROMIUM, FLAGS, PATIENCE_SECONDS
from tests.support import axe, kept_pictures
from tests.support.folders import TREE

expect.set_options(timeout=PATIENCE_SECONDS * 1000)


@dataclass(frozen=True)
class Scene:
    """What `who` sees at `path`; `shows` is what is seen in that state alone, `pressed` what is pressed first."""

    path: str
    shows: str
    who: str = "alice:submit"
    pressed: str = ""
    typed: dict[str, str] = field(default_factory=dict)


_SCENES = (
    Scene("/", "#jobs-table [data-stage=RUNNING]"),
    Scene("/", "#jobs-none", who="bob:submit"),
    Scene("/?q=nothinglikeit", "main p a"),
    Scene("/new", "#types h2"),
    Scene("/new?type=command", "#command"),
    Scene(
        "/new?type=command", "#time-problem", pressed="Send the job", typed={"time": "tomorrow", "title": "kept"}
    ),
    Scene("/new?type=command", "#preview", pressed="Look at it first", typed={"command": "hostname"}),
    Scene("/jobs/{running}", "[data-stage=RUNNING]"),
    Scene("/jobs/{failed}", "#timeline .sign-failed"),
    Scene("/jobs/{failed}/files", "tbody a"),
    Scene("/jobs/{failed}", "main .alert", who="bob:submit"),
    Scene("/new?type=slices", "#found input"),
    Scene("/new?type=slices", "#chosen input", pressed="Choose all that are found", typed={"q": "<2"}),
    Scene("/new?type=slices", "main .alert-danger", pressed="Go on"),
    Scene("/new?type=slices&dataset=demo:s2&dataset=demo:s3&dataset=demo:s4&project=proj1", "#mode-array"),
    Scene(
        "/new?type=slices&dataset=demo:s2&dataset=demo:s3&dataset=demo:mesh&mode=each&site=geneva&project=proj1",
        "#preview .alert",
        pressed="Look at it first",
    ),
    Scene(
        "/new?type=slices&dataset=demo:s2&dataset=demo:s3&dataset=demo:mesh&mode=each&site=geneva",
        "#not-sent",
        pressed="Send the job",
    ),
    Scene("/jobs/{array}", "#tasks [data-stage=FAILED]"),
    Scene("/?parent={array}", "#jobs-table"),
    Scene("/jobs/{task}", "#job-stage[data-stage=FAILED]"),
    Scene("/projects", "progress"),
    Scene("/projects/geneva/proj1", "tbody"),
    Scene("/admin", "#systems", who="ruth:admin"),
    Scene("/admin/people", "#bans", who="ruth:admin"),
)
_TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  Array.from(document.querySelectorAll("body *"))
    .filter(each => each.getBoundingClientRect().right > innerWidth + 1).slice(0, 4)
    .map(each => each.outerHTML.slice(0, 120))"""
_SEEN: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 360, "height": 700}},
    "plain": {"java_script_enabled": False, "viewport": {"width": 1280, "height": 900}},
}
_STATIC = {
    "/hub/static/": TREE / ".venv/share/jupyterhub/static",
    "/hub/launch-pages/": TREE / "slurm_ssh_spawner/hub/static",
}


@dataclass
class World:
    service: Serving
    url: str
    browser: Browser
    said: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def page(self, who: str, **seen: Any) -> AsyncIterator[Page]:
        context = await self.browser.new_context(base_url=self.url, **seen)
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        await context.add_cookies([{"name": "jupyterhub-jobs", "value": cookie(who), "url": f"{self.url}{ROOT}/"}])
        await context.route("**/hub/**", _as_the_hub)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        yield page
        await context.close()


async def _as_the_hub(route: Route) -> None:
    path = route.request.url.partition("://")[2].partition("/")[2].partition("?")[0]
    for prefix, folder in _STATIC.items():
        if f"/{path}".startswith(prefix):
            await route.fulfill(path=folder / f"/{path}".removeprefix(prefix))
            return
    await route.fulfill(path=_STATIC["/hub/static/"] / "images/jupyterhub-80.png")


@pytest.fixture
async def world(service: Serving) -> AsyncIterator[World]:
    sock = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(service.app(), http="httptools", ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    server.capture_signals = _no_signals  # type: ignore[method-assign]
    serving = asyncio.create_task(server.serve([sock]))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield World(service, f"http://127.0.0.1:{sock.getsockname()[1]}", browser)
        await browser.close()
    service.closing.set()
    server.should_exit = True
    await serving


def _no_signals() -> Any:
    return nullcontext()


@pytest.fixture
async def jobs(service: Serving) -> dict[str, str]:
    """Give jobs of alice's, one that runs and one that failed and left files."""
    service.offers({**TYPES, "slices": RECON}, SOURCES)
    await service.administration.create_project(
        "ruth", {"system": "geneva", "name": "proj1", "init_time": 360_000, "user_time": 300_000, "is_open": True}
    )
    # Two of one name, each at a site of its own.
    await service.administration.create_project("ruth", {"system": "lugano", "name": "proj1", "is_open": True})
    async with client(service.app(), "alice:submit") as alice:
        running = await sent(alice, title="Slices of the last beam time, once more", project="proj1")
        slices = {"type": "slices", "command": None, "mode": "array", "title": "Slices"}
        datasets = [f"demo:s{at}" for at in range(3, 60)]
        got = await alice.post(f"{V1}/jobs", json={**COMMAND, **slices, "datasets": datasets})
        array = got.json()["group"]
        failed = await sent(alice, title="averyveryverylongtitlewithoutanyplaceatwhichtobreakit" * 2)
    await service.running.goes(running, *RUNS, reason="The job runs on geneva-n1.")
    await service.running.goes(failed, *RUNS, Stage.FAILED, exit_code=7, reason="It failed with status 7.")
    tasks = await service.store.jobs.tasks(array)
    await service.running.goes(
        tasks[0].job_id, *RUNS, Stage.FAILED, exit_code=7, reason="It failed with status 7."
    )
    await service.running.goes(tasks[1].job_id, *RUNS, reason="The job runs on geneva-n1.")
    folder = service.files.folder / failed
    folder.mkdir(parents=True)
    (folder / "stdout").write_text("all is well\n" * 3)
    (folder / "results with a rather long name of their own.txt").write_text("x" * 2000)
    printed = service.files.folder / running
    printed.mkdir(parents=True)
    (printed / "stdout").write_text("the first line\n")
    await service.administration.ban("ruth", "bob", None, None, "Talk to us first.")
    return {"running": running, "failed": failed, "array": array, "task": tasks[0].job_id}


async def _open(page: Page, scene: Scene, jobs: dict[str, str]) -> None:
    await page.goto(ROOT + scene.path.format(**jobs))
    for name, value in scene.typed.items():
        await page.fill(f"[name={name}]", value)
    if scene.pressed:
        await page.get_by_role("button", name=scene.pressed).click()
    await page.locator(scene.shows).first.wait_for()


@pytest.mark.parametrize("seen", _SEEN)
async def test_every_page_is_for_everybody(world: World, jobs: dict[str, str], seen: str) -> None:
    wrong = []
    for who in dict.fromkeys(scene.who for scene in _SCENES):
        async with world.page(who, **_SEEN[seen]) as page:
            for scene in (each for each in _SCENES if each.who == who):
                await _open(page, scene, jobs)
                await kept_pictures.keep(page, f"jobs-{seen}-{_SCENES.index(scene):02}")
                found = [f"{await page.locator('main h1').count()} headings"]
                found = [] if found == ["1 headings"] else found
                if seen in {"light", "dark"}:
                    found += await axe.violations(page)
                found += await page.evaluate(_TOO_WIDE)
                wrong += [f"{scene.path} {scene.shows}: {each}" for each in found]
    # A page that is refused is answered by its status, which the browser tells as well.
    # Axe tries styles of its own, which the policy of pages keeps out; on a phone it is not run.
    of_others = ("status of 4", "Applying inline style") if seen in {"light", "dark"} else ("status of 4",)
    said = [each for each in world.said if not any(other in each for other in of_others)]
    assert (wrong, said) == ([], [])


async def test_a_list_and_a_job_change_by_themselves(world: World, jobs: dict[str, str]) -> None:
    async with world.page("alice:submit") as listed, world.page("alice:submit") as one:
        await listed.goto(f"{ROOT}/")
        await one.goto(f"{ROOT}/jobs/{jobs['running']}")
        row = listed.locator(f"[data-job='{jobs['running']}']")
        await row.locator("input").check()
        await one.locator("#follow").click()
        await expect(one.locator("#log")).to_contain_text("the first line")
        await world.service.running.goes(jobs["running"], Stage.STAGINGOUT, reason="It ends.")
        await expect(row).to_contain_text("It ends.")
        await expect(row.locator("input")).to_be_checked()
        await expect(one.locator("#job-stage")).to_have_attribute("data-stage", "STAGINGOUT")
        with (world.service.files.folder / jobs["running"] / "stdout").open("a") as printed:
            printed.write("the end\n")
        await world.service.running.goes(jobs["running"], Stage.SUCCESSFUL, reason="It has done its work.")
        await expect(one.locator("#log")).to_contain_text("the end")
        await expect(one.locator("#follow-said")).to_have_text("That is all.")
        await expect(one.locator("#job-news")).to_have_text("Done")
    assert world.said == []


async def test_an_array_changes_by_itself_and_keeps_what_is_chosen(world: World, jobs: dict[str, str]) -> None:
    tasks = await world.service.store.jobs.tasks(jobs["array"])
    async with world.page("alice:submit") as page:
        await page.goto(f"{ROOT}/jobs/{jobs['array']}")
        row = page.locator(f"[data-job='{tasks[2].job_id}']")
        await row.locator("input").check()
        await world.service.running.goes(
            tasks[1].job_id, Stage.SUCCESSFUL, exit_code=0, reason="It has done its work."
        )
        await expect(page.locator(f"[data-job='{tasks[1].job_id}']")).to_contain_text("Done")
        await expect(page.locator("#task-counts")).to_contain_text("Done: 1")
        await expect(row.locator("input")).to_be_checked()
        await page.get_by_role("button", name="Cancel the chosen ones").click()
        await page.wait_for_url(f"**/jobs/{jobs['array']}")
        assert ("cancel", tasks[2].job_id) in world.service.running.told
    assert world.said == []


async def test_only_fields_of_the_picked_cluster_are_seen(world: World) -> None:
    at_lugano = {"parameters": {"depth": {"title": "Depth", "min": 1, "max": 9, "argument": "--depth"}}}
    memory = {"time": {"default": "30m", "max": "1h"}}
    there = {"geneva": {}, "lugano": {**at_lugano, "resources": memory}}
    world.service.offers({**TYPES, "slices": {**RECON, "sites": there}}, SOURCES)
    async with world.page("alice:submit") as page:
        await page.goto(f"{ROOT}/new?type=slices&dataset=demo:s2&dataset=demo:s3")
        depth = page.locator("[data-field='param.depth']")
        await page.select_option("#site", "lugano")
        await expect(depth).to_be_visible()
        await depth.locator("input").fill("3")
        await expect(page.locator("#time-hint")).to_contain_text("1 h")
        await page.select_option("#site", "geneva")
        await expect(depth).to_be_hidden()
        await expect(page.locator("#time-hint")).not_to_contain_text("to 1 h")
        # What is not seen is not sent.
        await page.get_by_role("button", name="Send the job").click()
        await page.wait_for_url(f"**{ROOT}/jobs/*")
    assert world.said == []


async def test_what_was_typed_is_there_on_the_way_back(world: World) -> None:
    typed = {"title": "typed", "command": "hostname", "time": "17m", "cores": "2"}
    async with world.page("alice:submit") as page:
        await page.goto(f"{ROOT}/new?type=command")
        for name, value in typed.items():
            await page.fill(f"#{name}", value)
        await page.get_by_role("button", name="Send the job").click()
        await page.wait_for_url(f"**{ROOT}/jobs/*")
        await page.go_back()
        assert {name: await page.input_value(f"#{name}") for name in typed} == typed
    assert world.said == []


@pytest.mark.parametrize("has_scripts", [True, False])
async def test_a_job_is_deleted_with_a_second_click(world: World, jobs: dict[str, str], has_scripts: bool) -> None:
    async with world.page("alice:submit", java_script_enabled=has_scripts) as page:
        await page.goto(f"{ROOT}/jobs/{jobs['failed']}")
        await expect(page.get_by_role("button", name="Delete")).to_be_hidden()
        await page.locator("#remove summary").press("Enter")
        await expect(page.locator("#remove")).to_contain_text("Its folder goes, with all files in it.")
        assert world.service.running.told.count(("remove", jobs["failed"])) == 0
        await page.get_by_role("button", name="Delete").click()
        await page.wait_for_url(f"**{ROOT}/")
    assert world.service.running.told.count(("remove", jobs["failed"])) == 1


async def test_a_log_goes_on_where_its_connection_broke(world: World, jobs: dict[str, str]) -> None:
    files = world.service.files
    whole, printed = files._printed, files.folder / jobs["running"] / "stdout"
    asked, seen = list[int](), asyncio.Event()

    async def breaks(file: Path, at: int, follow: asyncio.Event | None) -> AsyncIterator[bytes]:
        asked.append(at)
        if len(asked) > 1:
            async for each in whole(file, at, follow):
                yield each
            return
        yield file.read_bytes()[at:]
        await seen.wait()
        printed.write_text("the first line\nand \u00e9 more\n")
        raise OSError

    files._printed = breaks  # type: ignore[method-assign]
    async with world.page("alice:submit") as page:
        await page.clock.install()
        await page.goto(f"{ROOT}/jobs/{jobs['running']}")
        await page.locator("#follow").click()
        await expect(page.locator("#log")).to_have_text("the first line\n")
        seen.set()
        await expect(page.locator("#follow-said")).to_have_text("The connection was lost; it goes on by itself.")
        await page.clock.run_for(10_000)
        await expect(page.locator("#log")).to_have_text("the first line\nand \u00e9 more\n")
        await world.service.running.goes(jobs["running"], Stage.STAGINGOUT, Stage.SUCCESSFUL, reason="Done.")
        await expect(page.locator("#follow-said")).to_have_text("That is all.")
        await expect(page.locator("#log")).to_have_text("the first line\nand \u00e9 more\n")
    assert asked[:2] == [0, len("the first line\n")]
    assert [each for each in world.said if "INCOMPLETE" not in each] == []


async def test_what_was_typed_survives_a_login_that_has_ended(world: World) -> None:
    async with world.page("alice:submit", viewport={"width": 360, "height": 700}) as page:
        kept = await page.context.cookies()
        await page.goto(f"{ROOT}/new?type=command")
        await page.fill("#title", "typed")
        await page.fill("#command", "echo 'one'\n" * 300)
        await page.context.clear_cookies()
        await page.get_by_role("button", name="Send the job").click()
        await expect(page.locator("main .alert")).to_contain_text("You are not logged in any more")
        await kept_pictures.keep(page, "jobs-kept")
        assert await page.evaluate(_TOO_WIDE) == []
        found = await axe.violations(page)
        assert found == []
        await page.context.add_cookies(kept)  # type: ignore[arg-type] - as they were given
        await page.get_by_role("button", name="Show the form again").click()
        await expect(page.locator("#title")).to_have_value("typed")
        await expect(page.locator("#command")).to_have_value("echo 'one'\n" * 300)
