"""JupyterHub's page of metrics at a real hub: what it says of launches, sites and tickets."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from kerberos_auth.renewal import Counts
from lab.plain_http import NO_TLS
from slurm_ssh.facts.snapshots import Health
from slurm_ssh.job import LaunchId
from slurm_ssh_spawner.hub.metrics import SitesMetrics
from slurm_ssh_spawner.hub.standing import standing
from slurm_ssh_spawner.launch.progress import Stage
from slurm_ssh_spawner.launch.tally import REASONS, RESULTS
from tests.support import builders, launching
from tests.support.folders import TREE
from tests.support.launching import LaunchingHub, site
from tests.support.waiting import until

_LABELS = ("site", "profile", "result", "state", "stage", "reason")

Samples = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch) as hub:
        yield hub
        await hub.core.close()


async def _metrics(hub: LaunchingHub) -> Samples:
    """Return each sample of ours by its name and the values of its labels."""
    row = orm.User.find(hub.app.db, "ruth")
    token = (hub.app.users[row] if row else (await hub.person("ruth", admin=True)).user).new_api_token()
    async with httpx.AsyncClient(verify=NO_TLS, trust_env=False, timeout=60) as client:
        page = await client.get(f"{hub.app.hub.url}metrics", headers={"Authorization": f"token {token}"})
    assert page.status_code == 200
    families = text_string_to_metric_families(page.text)
    samples = [sample for family in families for sample in family.samples]
    assert any(sample.name.startswith("jupyterhub_request_duration") for sample in samples)
    return {
        (name.removeprefix("jupyterhub_sites_"), tuple(labels[each] for each in _LABELS if each in labels)): value
        for name, labels, value, *_ in samples
        if name.startswith("jupyterhub_sites_")
    }


def _launches(samples: Samples) -> dict[tuple[str, ...], float]:
    return {labels: count for (name, labels), count in samples.items() if name == "launches_total"}


async def test_launches_are_counted_by_how_they_ended(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await alice.send([("profile", "jupyterlab")])
    await alice.send([("profile", "<b>anything</b>")])
    await alice.call("POST", json={"profile": "jupyterlab", "time": "99h"})
    assert _launches(await _metrics(hub)) == {
        ("geneva", "jupyterlab", "refused", "refused"): 1,
        ("", "", "refused", "choice"): 2,
    }
    assert all(labels[2] in RESULTS and labels[3] in REASONS for labels in _launches(await _metrics(hub)))


async def test_what_goes_on_is_counted_at_its_site_and_what_has_ended_once(hub: LaunchingHub) -> None:
    records, endings = hub.core.launcher.records, hub.core.launcher.endings
    launch = builders.launch(hub.core.catalogue.current)
    jobs = [builders.job(launch_id=LaunchId(f"{number:012x}"), job_id=str(number)) for number in range(4)]
    for number, job in enumerate(jobs):
        await records.begin(job.launch_id, launch)
        if number:
            records.reached(job.launch_id, "n1", 8888, 0)
    await records.want_stop(jobs[3].launch_id)
    await records.settled()
    samples = await _metrics(hub)
    going_on = {labels: count for (name, labels), count in samples.items() if name == "launches_going_on"}
    assert going_on == {
        ("geneva", "running"): 2,
        ("geneva", "waiting"): 0,
        ("geneva", "starting"): 1,
        ("geneva", "stop_owed"): 1,
    }
    for _ in range(2):
        endings.over(jobs[0], "The hub was restarted, and Slurm does not have the job.")
        records.stopped(jobs[3])
        await until(lambda: not endings._telling)
    assert _launches(await _metrics(hub)) == {
        ("geneva", "jupyterlab", "failed", "lost"): 1,
        ("geneva", "jupyterlab", "used", "stopped"): 1,
    }


async def test_a_site_is_up_when_it_has_answered(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    hub.offer(sites={"geneva": site(hub.local), "lugano": site(hub.local, title="Lugano")})
    assert ("site_up", ("geneva",)) not in await _metrics(hub)
    await alice.page("spawn/alice")
    await until(lambda: len(hub.core.availability.health()) == 2)
    samples = await _metrics(hub)
    assert {name for name, labels in samples if labels == ("lugano",)} >= {"site_up", "site_answer_seconds"}
    assert samples["connections", ("geneva",)] == 0
    assert samples["catalogue_usable", ()] == 1


async def test_without_the_database_the_rest_is_shown(hub: LaunchingHub) -> None:
    hub.local.home.joinpath("launches.sqlite").unlink()
    samples = await _metrics(hub)
    assert samples["database_up", ()] == 0
    assert not any(name == "launches_going_on" for name, _ in samples)


async def test_the_dashboard_and_the_docs_name_metrics_that_there_are(hub: LaunchingHub) -> None:
    alice = await hub.person("alice")
    await alice.send([("profile", "jupyterlab")])
    counts = Counts(valid=1, ending=0, refused=0, unanswered=0)
    # With a site that was asked, whose monitor has a ticket, and a launch that came up.
    one = replace((await standing(hub.core))[0], health=Health(datetime.now(UTC), 0.1), has_monitor=True)
    now = datetime.now(UTC)
    hub.core.launcher.tally.arrived("geneva", now, [Stage("modules", "", now, now)])
    page = generate_latest(SitesMetrics(hub.core, (one,), counts)).decode()
    there = set(re.findall(r"^(jupyterhub_sites_\w+)", page, re.MULTILINE))
    used = set(re.findall(r"jupyterhub_sites_\w+", (TREE / "examples" / "grafana-dashboard.json").read_text()))
    assert used <= there
    table = (TREE / "docs" / "operations.md").read_text().partition("| metric `jupyterhub_sites_...` |")[2]
    told = set(
        re.findall(r"`(\w+)`", " ".join(re.findall(r"^\|([^|]*)\|", table.partition("\n\n")[0], re.MULTILINE)))
    )
    assert {f"jupyterhub_sites_{name}" for name in told} <= there | {name.removesuffix("_count") for name in there}
    plain = {name for name in there if not name.endswith(("_bucket", "_count", "_sum", "_created"))}
    assert plain <= {f"jupyterhub_sites_{name}" for name in told}
