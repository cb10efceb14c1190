"""What a waiting person sees of her job: stages with their times, the end of its output, what failed."""

import re

from playwright.sync_api import Page

from lab import Lab
from tests.lab.browser import browser, log_in, pick
from tests.lab.look import FRONT_END, jobs_of, logged_in, running

STAGE = "#launch-stages li"
WORDS = ("Geneva has accepted job", "A node was found", "Begin on geneva-n", "Load modules")


def start(page: Page, name: str, profile: str) -> None:
    log_in(page, name)
    page.goto("/hub/spawn")
    pick(page, "profile", profile)
    # The form begins with what the person chose last.
    pick(page, "site", "geneva")
    page.click("[type=submit]")


def test_a_page_shows_stages_with_their_times_and_the_end_of_the_output(lab: Lab) -> None:
    with browser(lab) as page:
        start(page, "p11", "building")
        page.wait_for_selector(f"{STAGE}[data-state=now] >> text=Make kernels")
        done = page.locator(f"{STAGE}[data-state=done]").all_inner_texts()
        for words, text in zip(WORDS, done, strict=True):
            assert words in text
        assert all(re.search(r"\d( s|:\d\d)$", text.strip()) for text in done)
        assert page.locator(f"{STAGE}[data-state=to-come]").count() == 1
        page.wait_for_selector("#launch-output >> text=begun")
        # The clock goes on while nothing is reported.
        clock = f"{STAGE}[data-state=now] [data-since]"
        before = page.locator(clock).inner_text()
        page.wait_for_function(
            "([clock, before]) => document.querySelector(clock).textContent !== before", arg=[clock, before]
        )
        lab.run(FRONT_END["geneva"], ["touch", "/home/p11/go"], user="p11")
        page.wait_for_url("**/user/p11/**")
    with logged_in(lab, "p11") as person:
        person.stop()


def test_after_a_failure_the_page_keeps_the_stages_and_the_log(lab: Lab) -> None:
    with browser(lab) as page:
        start(page, "p12", "failing-slowly")
        page.wait_for_selector("#start-failed")
        assert page.locator("h1").inner_text() == "Default server could not start"
        said = page.locator("#start-problem").inner_text()
        assert "failed: it ended with status 3." in said
        assert "This may be a mistake in the profile, and not in what you chose." in said
        log = page.locator("pre[aria-labelledby=log-title]").inner_text()
        assert "no licence for <b>thalamus</b>" in log
        assert page.locator("pre b").count() == 0
        path = page.locator("#log-path").inner_text()
        assert re.fullmatch(r"/scratch/p12/jupyter/[0-9a-f]{12}\.log", path)
        assert page.locator("text=starting up").count() == 0


def test_logs_of_the_last_five_launches_stay_and_no_folder_does(lab: Lab) -> None:
    with logged_in(lab, "p13") as person:
        for _ in range(6):
            person.start({"profile": "stub"})
            person.stop()
    lab.wait("the end of the jobs", lambda: jobs_of(lab, "p13") == [])
    left = lab.run(FRONT_END["geneva"], ["ls", "/scratch/p13/jupyter"]).stdout.split()
    assert len(left) == 5
    assert all(name.endswith(".log") for name in left)


def test_a_job_that_is_killed_leaves_no_folder_either(lab: Lab) -> None:
    with logged_in(lab, "p14") as person:
        person.start({"profile": "stub"})
        (job,) = jobs_of(lab, "p14")
        lab.run(FRONT_END["geneva"], ["scancel", "--full", "--signal=KILL", job.split()[0]])
        lab.wait("the hub has noticed", lambda: person.model()["servers"] == {})
        find = ["find", "/scratch/p14/jupyter", "-mindepth", "1", "-type", "d"]
        lab.wait("no folder", lambda: lab.run(FRONT_END["geneva"], find).stdout == "")


def test_a_stage_that_hangs_ends_with_its_job(lab: Lab) -> None:
    with logged_in(lab, "p15") as person:
        person.submit_form({"profile": "building"})
        for event in person.progress():
            if event.message.startswith("kernel: script"):
                break
        person.stop()
    assert jobs_of(lab, "p15") == []
    lab.wait("no process", lambda: running(lab, "p15") == [])
    locks = lab.run(FRONT_END["geneva"], ["find", "/home/p15", "-name", "*.lock*"]).stdout
    assert locks == ""
