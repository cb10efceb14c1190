"""Every page in each of its states in Chromium: as axe sees it, on a phone, without scripts; and what is live.

A new page, or a new state of one, is a row of `_SCENES`.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser, Page, Route, async_playwright, expect

from job_service.stages import Stage
from tests.job_service.http.serving import Serving
from tests.job_service.http.support import ROOT, client, cookie
from tests.job_service.http.test_jobs import RUNS, sent
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
    await service.administration.create_project(
        "ruth", {"system": "geneva", "name": "proj1", "init_time": 36_000, "user_time": 18_000, "is_open": True}
    )
    async with client(service.app(), "alice:submit") as alice:
        running = await sent(alice, title="Slices of the last beam time, once more", project="proj1")
        failed = await sent(alice, title="averyveryverylongtitlewithoutanyplaceatwhichtobreakit" * 2)
    await service.running.goes(running, *RUNS, reason="The job runs on geneva-n1.")
    await service.running.goes(failed, *RUNS, Stage.FAILED, exit_code=7, reason="It failed with status 7.")
    folder = service.files.folder / failed
    folder.mkdir(parents=True)
    (folder / "stdout").write_text("all is well\n" * 3)
    (folder / "results with a rather long name of their own.txt").write_text("x" * 2000)
    printed = service.files.folder / running
    printed.mkdir(parents=True)
    (printed / "stdout").write_text("the first line\n")
    await service.administration.ban("ruth", "bob", None, None, "Talk to us first.")
    return {"running": running, "failed": failed}


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
