"""What becomes of launches that an earlier hub began, of promised stops, and of what was left at a site."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kerberos_auth.errors import TicketMissing
from kerberos_auth.tickets import Ticket
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.login import SiteLogin
from slurm_ssh.errors import Broken, JobEnded, Refused, Unavailable
from slurm_ssh.job import LaunchId, mark, new_launch_id
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub import going_on
from slurm_ssh_spawner.launch import coming_back
from slurm_ssh_spawner.launch.launcher import Launcher
from slurm_ssh_spawner.launch.place import Place
from slurm_ssh_spawner.launch.reconciliation import Reconciliation
from slurm_ssh_spawner.launch.records import LaunchRecord, LaunchRecords
from slurm_ssh_spawner.launch.reports import UnknownLaunch, token_hash
from tests.support import builders, composing, launching, names
from tests.support.local import LocalSite
from tests.support.waiting import PATIENCE_SECONDS, until

ID = builders.LAUNCH_ID


class _Tickets:
    """Whoever is not `away` has a ticket."""

    def __init__(self) -> None:
        self.away: set[str] = set()
        self.subscribers: list[Callable[[str], None]] = []

    def get(self, user: str) -> Ticket:
        if user in self.away:
            raise TicketMissing
        return builders.ticket(user)

    def read(self, user: str) -> bytes:
        self.get(user)
        return b"ticket"

    def subscribe(self, callback: Callable[[str], None]) -> None:
        self.subscribers.append(callback)


class _Servers:
    """The servers of a hub that notes which it is to start."""

    def __init__(self) -> None:
        self.started: list[tuple[str, str]] = []
        self.choices: dict[str, str] = {}
        self.refuses = False
        self.meanwhile: list[Coroutine[Any, Any, None]] = []

    async def ready(self) -> None:
        """It knows them all."""

    def close(self) -> None:
        """Nothing is open."""

    async def start(self, user: str, server: str, choices: Mapping[str, str]) -> None:
        self.choices = dict(choices)
        if self.refuses:
            raise Unavailable("Not now.")
        self.started.append((user, server))
        for each in self.meanwhile:
            await each


class Restarted:
    """A hub that has just started, with the records of the one before."""

    def __init__(self, launcher: Launcher, offer: Catalogue, local: LocalSite, tickets: _Tickets) -> None:
        self.launcher = launcher
        self.local = local
        self.tickets = tickets
        self.servers = _Servers()
        self.reconciliation = Reconciliation(launcher, tickets, self.servers)
        self._offer = offer

    async def had(self, job_id: str = "42", launch_id: LaunchId = ID, **told: str) -> None:
        """Let the earlier hub have begun a launch of alice's server."""
        records = self.launcher.records
        known = {"server": "", "mark": mark("jupyter", "hub", launch_id), "token_hash": "f" * 64, **told}
        await records.begin(launch_id, builders.launch(self._offer), **known)
        if job_id:
            records.submitted(launch_id, job_id)
        await records.settled()

    def queue(self, word: str, launch_id: LaunchId = ID, *, more: str = "") -> None:
        self.local.tell("queue", f"42|{word}|n1|alice|None|{mark('jupyter', 'hub', launch_id)}\n{more}")

    @property
    def cancelled(self) -> list[str]:
        lines = self.local.told("scancel.arguments").splitlines()
        return [line.removeprefix("--name=") for line in lines if line.startswith("--name=")]

    async def record(self, launch_id: LaunchId = ID) -> LaunchRecord:
        await self.launcher.records.settled()
        record = await self.launcher.records.get(launch_id)
        assert record is not None
        return record

    async def look(self) -> None:
        await self.reconciliation.of_everybody()


@pytest.fixture
async def hub(local: LocalSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Restarted]:
    monkeypatch.setattr("slurm_ssh.core._END_LOOK_SECONDS", 0.01)
    for module in (
        "slurm_ssh.core",
        "slurm_ssh.jobs.watch",
        "slurm_ssh_spawner.launch.unattended",
        "slurm_ssh_spawner.launch.launcher",
    ):
        monkeypatch.setattr(f"{module}.ABSENT_SECONDS", 0.01)
    offer = builders.catalogue(sites={"geneva": launching.site(local)})
    tickets = _Tickets()
    launcher = composing.launcher(offer.sites, tickets, f"sqlite:///{tmp_path}/launches", local)
    hub = Restarted(launcher, offer, local, tickets)
    yield hub
    await hub.reconciliation.close()
    await launcher.close()


@pytest.mark.parametrize("word", ["PENDING", "RUNNING"])
async def test_a_launch_that_goes_on_gets_its_server_back(hub: Restarted, word: str) -> None:
    await hub.had(server="south")
    hub.queue(word)
    await hub.look()
    assert hub.servers.started == [("alice", "south")]
    # JupyterHub's database may be an older one, with choices of another launch.
    assert hub.servers.choices == (await hub.record()).choices
    assert (await hub.record()).is_open


async def test_a_launch_whose_site_cannot_be_asked_gets_its_server_back(hub: Restarted) -> None:
    await hub.had()
    hub.local.refusal = Unavailable("Geneva cannot be reached.")
    await hub.look()
    assert hub.servers.started == [("alice", "")]
    hub.local.refusal = None


async def test_one_that_its_owner_ends_while_its_site_is_asked_is_not_begun_anew(hub: Restarted) -> None:
    await hub.had()
    answers = asyncio.Event()
    hub.local.holds.append(answers)
    hub.local.refusal = Unavailable("Geneva cannot be reached.")
    looking = asyncio.create_task(hub.look())
    await until(lambda: not hub.local.holds)
    await hub.launcher.unattended.give_up((await hub.record()).job("hub"))
    answers.set()
    await looking
    assert hub.servers.started == []
    hub.local.refusal = None


async def test_a_launch_that_jupyterhub_has_a_server_of_is_left_alone(hub: Restarted) -> None:
    await hub.had()
    hub.queue("RUNNING")
    hub.launcher.reports.expect((await hub.record()).job("hub"), "", "f" * 64)
    await hub.look()
    assert (hub.servers.started, hub.cancelled) == ([], [])


async def test_a_job_whose_submission_was_never_answered_is_found_by_its_mark(hub: Restarted) -> None:
    await hub.had(job_id="")
    hub.queue("PENDING")
    await hub.look()
    assert (await hub.record()).job_id == "42"
    assert hub.servers.started == [("alice", "")]


async def test_a_launch_that_slurm_never_got_is_begun_anew(hub: Restarted) -> None:
    await hub.had(job_id="")
    await hub.look()
    record = await hub.record()
    assert record.ended
    assert record.released
    assert hub.servers.started == [("alice", "")]


async def test_whether_slurm_has_it_is_not_guessed(hub: Restarted) -> None:
    await hub.had(job_id="")
    hub.local.tell("silent", "")
    await hub.look()
    assert (hub.servers.started, (await hub.record()).is_open) == ([], True)


async def test_a_launch_whose_job_is_over_ends_and_leaves_nothing(hub: Restarted) -> None:
    await hub.had()
    hub.queue("TIMEOUT")
    await hub.look()
    record = await hub.record()
    assert (hub.servers.started, bool(record.ended), bool(record.released)) == ([], True, True)
    assert not hub.launcher.is_over(record.job("hub")), "it is remembered for ever"


async def test_a_launch_whose_job_slurm_has_forgotten_ends_and_leaves_nothing(hub: Restarted) -> None:
    await hub.had()
    await hub.look()
    record = await hub.record()
    assert (hub.servers.started, bool(record.ended), bool(record.released)) == ([], True, True)


@pytest.mark.parametrize("word", ["TIMEOUT", ""])
async def test_a_start_does_not_go_on_with_a_job_that_is_over(hub: Restarted, word: str) -> None:
    await hub.had()
    if word:
        hub.queue(word)
    assert await going_on.find(hub.launcher, "alice", "", {}) is None
    assert (await hub.record()).released


async def test_a_promised_stop_is_carried_out_and_leaves_nothing(hub: Restarted) -> None:
    await hub.had()
    await hub.launcher.records.want_stop(ID)
    hub.queue("RUNNING")
    await hub.look()
    await until(lambda: hub.local.told("queue") == "")
    assert set(hub.cancelled) == {mark("jupyter", "hub", ID)}
    async with asyncio.timeout(60):
        while not (await hub.record()).released:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_without_a_ticket_nothing_is_done_until_there_is_one(hub: Restarted) -> None:
    await hub.had()
    hub.queue("PENDING")
    hub.tickets.away.add("alice")
    await hub.look()
    assert hub.servers.started == []
    hub.tickets.away.clear()
    hub.reconciliation.begin()
    hub.tickets.subscribers[-1]("alice")
    await until(lambda: ("alice", "") in hub.servers.started)


async def test_where_people_come_by_certificate_no_ticket_is_waited_for(hub: Restarted) -> None:
    sites: Any = hub.launcher._core._sites
    login = SiteLogin(kind="certificate", ca_key="/etc/jupyterhub/ca")
    sites["geneva"] = sites["geneva"].model_copy(update={"login": login})
    await hub.had()
    hub.queue("PENDING")
    hub.tickets.away.add("alice")
    await hub.look()
    assert hub.servers.started == [("alice", "")]


async def test_what_becomes_of_servers_at_a_site_that_was_taken_out_is_told_once(
    hub: Restarted, caplog: pytest.LogCaptureFixture
) -> None:
    def told() -> list[str]:
        return [
            each.getMessage() for each in caplog.records if "not in the catalogue any more" in each.getMessage()
        ]

    sites: Any = hub.launcher._core._sites
    await hub.had()
    hub.queue("RUNNING")
    await hub.look()
    assert told() == []
    geneva = sites.pop("geneva")
    for _ in range(2):
        await hub.look()
    (said,) = told()
    assert "launches go on there: 1. They stay listed" in said
    assert "end its jobs jupyter-hub-... with scancel" in said
    assert not (await hub.record()).ended
    sites["geneva"] = geneva
    await hub.look()
    del sites["geneva"]
    await hub.look()
    assert len(told()) == 2


async def test_a_server_that_the_hub_will_not_start_now_is_asked_for_again(hub: Restarted) -> None:
    await hub.had()
    hub.queue("PENDING")
    hub.servers.refuses = True
    await hub.look()
    assert (await hub.record()).is_open
    hub.servers.refuses = False
    await hub.look()
    assert hub.servers.started == [("alice", "")]


async def test_a_server_that_is_let_go_while_its_launch_is_looked_at_is_looked_at_again(hub: Restarted) -> None:
    await hub.had()
    hub.queue("RUNNING")
    hub.launcher.reports.expect((await hub.record()).job("hub"), "", "f" * 64)
    hub.reconciliation.soon("alice")
    hub.reconciliation.soon("alice")
    await until(lambda: "alice" not in hub.reconciliation._people)
    assert hub.servers.started == []
    hub.reconciliation.soon("alice")
    hub.launcher.reports.let_go(ID)
    hub.reconciliation.soon("alice")
    await until(lambda: ("alice", "") in hub.servers.started)


async def test_a_launch_in_the_place_of_another_server_is_stopped(hub: Restarted) -> None:
    await hub.had()
    hub.queue("RUNNING")
    other = builders.job(launch_id=new_launch_id(), job_id="43")
    hub.launcher.reports.expect(other, "", "e" * 64)
    await hub.look()
    assert (await hub.record()).stop_wanted
    await until(lambda: hub.local.told("queue") == "")


async def test_a_launch_of_an_older_version_that_was_not_up_is_stopped(hub: Restarted) -> None:
    await hub.had(token_hash="")
    hub.queue("PENDING")
    await hub.look()
    await until(lambda: hub.local.told("queue") == "")
    assert hub.servers.started == []
    assert (await hub.record()).end_reason == sentences.BEGUN_BY_AN_OLDER_HUB


async def test_a_job_that_no_record_knows_is_cancelled_and_others_are_not(hub: Restarted) -> None:
    await hub.had()
    stray, other_hubs = mark("jupyter", "hub", new_launch_id()), mark("jupyter", "hub-2", new_launch_id())
    rows = [f"50|RUNNING|n1|alice|None|{name}\n" for name in (stray, other_hubs, "jupyter-hub-x", "analysis")]
    hub.queue("RUNNING", more="".join(rows))
    await hub.look()
    await until(lambda: hub.cancelled != [])
    assert set(hub.cancelled) == {stray}


async def test_batch_jobs_are_not_swept_whatever_they_are_called(hub: Restarted) -> None:
    await hub.had()
    batch = [mark("job", name, new_launch_id()) for name in ("hub", "jupyter-hub", "hub-jupyter")]
    stray = mark("jupyter", "hub", new_launch_id())
    rows = [f"50|RUNNING|n1|alice|None|{name}\n" for name in (*batch, stray)]
    hub.queue("RUNNING", more="".join(rows))
    await hub.look()
    await until(lambda: hub.cancelled != [])
    assert set(hub.cancelled) == {stray}


async def test_a_start_goes_on_with_the_newest_launch_of_its_choices(hub: Restarted) -> None:
    older, newer = LaunchId("000000000001"), LaunchId("000000000002")
    for launch_id in (older, newer):
        await hub.had(launch_id=launch_id)
    hub.queue("PENDING", newer)
    found = await going_on.find(hub.launcher, "alice", "", {})
    assert found is not None
    assert found.launch_id == newer
    assert (await hub.record(older)).stop_wanted
    assert await going_on.find(hub.launcher, "alice", "another", {}) is None


async def test_a_start_with_other_choices_stops_the_launch_of_before(hub: Restarted) -> None:
    await hub.had()
    assert await going_on.find(hub.launcher, "alice", "", {"time": "1h"}) is None
    assert (await hub.record()).stop_wanted


async def test_a_job_that_reports_before_its_number_is_known_is_gone_on_with_by_its_number(hub: Restarted) -> None:
    await hub.had(job_id="", token_hash=token_hash("5ec4e7"))
    hub.queue("RUNNING")
    reports, slow = hub.launcher.reports, threading.Event()
    assert (await reports.of(ID, "5ec4e7")).job.job_id == ""
    # Nothing is written while the start looks for its launch.
    hub.launcher.records._worker.soon("something slow", lambda _: slow.wait(10))
    found = await going_on.find(hub.launcher, "alice", "", {})
    slow.set()
    assert found is not None
    assert (found.job_id, (await reports.take_up(found)).job.job_id) == ("42", "42")


async def test_a_job_that_jupyterhub_knows_better_than_its_record_keeps_its_number(hub: Restarted) -> None:
    await hub.had(job_id="", token_hash=token_hash("5ec4e7"))
    reports, job = hub.launcher.reports, (await hub.record()).job("hub")
    await reports.of(ID, "5ec4e7")
    assert reports.expect(replace(job, job_id="42"), "", token_hash("5ec4e7")).job.job_id == "42"
    assert (await reports.take_up(await hub.record())).job.job_id == "42"


async def test_a_launch_that_cannot_be_looked_at_holds_no_other_up(hub: Restarted) -> None:
    await hub.had(server="south")
    await hub.had(server="north", launch_id=LaunchId("000000000001"), job_id="")
    hub.local.tell("silent", "")
    await hub.look()
    assert hub.servers.started == [("alice", "south")]


async def test_a_launch_that_ended_while_others_were_looked_at_is_not_begun_anew(hub: Restarted) -> None:
    await hub.had(server="south")
    await hub.had(server="north", launch_id=LaunchId("000000000001"))

    async def south_ends() -> None:
        hub.launcher.records.end(ID, "stopped")
        await hub.launcher.records.settled()

    hub.local.refusal = Unavailable("Geneva cannot be reached.")
    hub.servers.meanwhile.append(south_ends())
    await hub.look()
    hub.local.refusal = None
    assert hub.servers.started == [("alice", "north")]


async def test_the_end_of_a_server_that_was_let_go_and_is_back_is_noted(
    hub: Restarted, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.known(monkeypatch)["n1"] = ("203.0.113.7",)
    await hub.had()
    hub.queue("RUNNING")
    record = await hub.record()
    hub.launcher.detach(record.job("hub"))
    live = await hub.launcher.reports.take_up(record)
    await coming_back.until_back(hub.launcher, live, Place("n1", 5555))
    hub.queue("TIMEOUT")
    assert (await hub.launcher.report(live.job)).state.is_over
    assert (await hub.record()).ended


async def test_the_token_that_a_job_presents_is_shown_nowhere(hub: Restarted) -> None:
    await hub.had(token_hash=token_hash("5ec4e7"))
    live = await hub.launcher.reports.of(ID, "5ec4e7")
    assert live.token == "5ec4e7"
    assert "5ec4e7" not in repr(live)


async def test_the_way_to_a_server_that_was_up_is_waited_for(
    hub: Restarted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slurm_ssh_spawner.launch.coming_back._LOOK_SECONDS", 0.01)
    known = names.known(monkeypatch)
    await hub.had()
    hub.queue("RUNNING")
    live = await hub.launcher.reports.take_up(await hub.record())
    coming = asyncio.create_task(coming_back.until_back(hub.launcher, live, Place("n1", 5555)))
    await asyncio.wait((coming,), timeout=0.3)
    assert not coming.done()
    known["n1"] = ("203.0.113.7",)
    assert (await coming)[0] == "http://203.0.113.7:5555"
    known.clear()
    hub.queue("TIMEOUT")
    with pytest.raises(JobEnded):
        await coming_back.until_back(hub.launcher, live, Place("n1", 5555))


async def test_a_server_that_comes_up_later_and_cannot_be_reached_ends_with_its_reason(
    hub: Restarted, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(_host: str, _port: int) -> str:
        return "Connection refused"

    monkeypatch.setattr("slurm_ssh_spawner.launch.reachable.SECONDS", 0.05)
    # What stands between this machine and the network may take connections for addresses that nobody has.
    monkeypatch.setattr("slurm_ssh_spawner.launch.reachable._refusal", refused)
    names.known(monkeypatch)["n1"] = ("203.0.113.7",)
    await hub.had()
    hub.queue("RUNNING")
    live = await hub.launcher.reports.take_up(await hub.record())
    live.port.report(8888)
    with pytest.raises(Broken, match="The hub cannot reach the server on n1 at "):
        await coming_back.until_back(hub.launcher, live, None)


async def test_what_could_not_be_removed_is_looked_at_again_soon(
    hub: Restarted, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("slurm_ssh_spawner.launch.reconciliation._UNSETTLED_SECONDS", 0.01)
    await hub.had(job_id="", launch_id=(launch_id := new_launch_id()))
    job = (await hub.record(launch_id)).job("hub")
    hub.launcher.records.end(launch_id, "not submitted: Geneva cannot be reached.")
    await hub.record(launch_id)
    hub.tickets.away.add("alice")
    hub.reconciliation.begin()
    hub.local.refusal = Unavailable("Geneva cannot be reached.")
    hub.launcher.unattended.abandon(job)
    await until(lambda: "its folder at geneva may be left over" in caplog.text)
    hub.tickets.away.clear()
    hub.local.refusal = None
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await hub.record(launch_id)).released:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_what_can_never_be_removed_is_tried_less_and_less_and_for_its_owner_alone(
    hub: Restarted, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("slurm_ssh_spawner.launch.reconciliation._UNSETTLED_SECONDS", 0.001)
    await hub.had()
    hub.launcher.records.end(ID, "stopped")
    await hub.record()
    rounds = _counted(monkeypatch, hub.launcher.records, "people")
    hub.local.refusal = Refused("Your account has expired.")
    hub.reconciliation.begin()
    await until(lambda: caplog.text.count("its folder at geneva may be left over") >= 5)
    assert rounds == ["people"]
    (pause,) = hub.reconciliation._pauses.values()
    assert pause >= 0.001 * 2**4


def _counted(patch: pytest.MonkeyPatch, records: LaunchRecords, name: str) -> list[str]:
    """Return a list that has the name of a method once for each call."""
    calls: list[str] = []
    method = getattr(records, name)
    patch.setattr(records, name, lambda *arguments: calls.append(name) or method(*arguments))
    return calls


async def test_a_job_that_is_to_be_stopped_is_told_to_end(hub: Restarted) -> None:
    await hub.had(token_hash=token_hash("secret"))
    hub.local.tell("silent", "")
    assert await hub.launcher.reports.of(ID, "secret")
    await hub.launcher.unattended.give_up((await hub.record()).job("hub"))
    with pytest.raises(UnknownLaunch):
        await hub.launcher.reports.of(ID, "secret")
