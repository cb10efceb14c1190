"""Servers that a real JupyterHub starts with somebody's own token, and each reason for which it does not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from jupyterhub import orm, roles
from jupyterhub.app import JupyterHub
from jupyterhub.httpclient import JupyterHubHTTPClient
from jupyterhub.spawner import Spawner
from jupyterhub.user import User
from tornado import web
from traitlets.config import Config

from job_service.accepting.servers import PATH, Server
from job_service.errors import HubBusy, HubUnavailable, JobError, NoServer, ScopeMissing, TicketNeeded
from job_service.http.caller import Caller
from job_service.http.hub_servers import HubServers
from languages import speaking
from tests.support import builders, launching
from tests.support.hub import NoProxy
from tests.support.local import LocalSite

LIST = "/scratch/alice/jobs/.servers/0123456789ab.json"
OPTIONS = {"profile": "jupyterlab", "site": "geneva", PATH: LIST}
LOOK = Server("look_at", "Look at scans", "geneva", OPTIONS, LIST, ())
OTHER = replace(LOOK, path="/other.json", options={**OPTIONS, PATH: "/other.json"})
PLAIN = replace(LOOK, path="", options={"profile": "jupyterlab"})
KNOWS = {"datasets": {"title": "Datasets", "text": {}, "variable": "DATASETS"}}


class Waiting(Spawner):  # type: ignore[misc]
    """Starts until the test is over, or fails as it says."""

    over: ClassVar[asyncio.Event]
    fails: ClassVar[Exception | None] = None

    async def start(self) -> Any:
        if self.fails:
            raise self.fails
        await self.over.wait()
        raise web.HTTPError(400, "The test is over.")

    async def stop(self, now: bool = False) -> None:
        """There is nothing to stop."""

    async def poll(self) -> int | None:
        return None if self._spawn_pending else 0


class Hub:
    def __init__(self, app: JupyterHub) -> None:
        self.app = app
        self.servers = HubServers(f"{app.hub.url}api", app.hub.base_url)

    def person(self, name: str = "alice") -> User:
        row = orm.User(name=name)
        self.app.db.add(row)
        roles.assign_default_roles(self.app.db, row)
        self.app.db.commit()
        return self.app.users[row]


@pytest.fixture
def hubs(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AbstractAsyncContextManager[Hub]]:
    @asynccontextmanager
    async def made(**settings: Any) -> AsyncIterator[Hub]:
        monkeypatch.chdir(tmp_path)
        Waiting.over, Waiting.fails = asyncio.Event(), None
        told = {
            "proxy_class": NoProxy,
            "spawner_class": Waiting,
            "allow_named_servers": True,
            # It does not wait whether a start fails.
            "tornado_settings": {"slow_spawn_timeout": 0},
            **settings,
        }
        hub = Hub(await hub_app(Config({"JupyterHub": told})))
        yield hub
        Waiting.over.set()
        for user in hub.app.users.values():
            begun = [each._spawn_future for each in user.spawners.values() if each._spawn_future]
            await asyncio.gather(*begun, return_exceptions=True)
        await JupyterHubHTTPClient.loop_instance().close()

    return made


Hubs = Callable[..., AbstractAsyncContextManager[Hub]]


async def _refused(hub: Hub, token: str, server: Server = LOOK) -> JobError:
    with pytest.raises(JobError) as refused:
        await hub.servers.start("alice", token, server)
    return refused.value


async def test_a_named_server_starts_with_the_choices_and_the_title_of_its_type(hubs: Hubs) -> None:
    async with hubs() as hub:
        alice = hub.person()
        name = await hub.servers.start("alice", alice.new_api_token(), LOOK)
        assert name == "look-at"
        spawner = alice.spawners[name]
        assert spawner.pending == "spawn"
        assert (spawner.user_options, spawner.display_name) == (OPTIONS, "Look at scans")
        assert hub.servers.page("alice", name).endswith("/hub/spawn-pending/alice/look-at")
        assert hub.servers.page("a/b@c", name).endswith("/hub/spawn-pending/a%2Fb%40c/look-at")


async def test_what_was_asked_for_before_is_found_and_anything_else_gets_a_name_of_its_own(hubs: Hubs) -> None:
    async with hubs() as hub:
        token = hub.person().new_api_token()
        asked = [await hub.servers.start("alice", token, each) for each in (LOOK, OTHER, LOOK, PLAIN, OTHER)]
        assert asked == ["look-at", "look-at-2", "look-at", "look-at-3", "look-at-2"]


async def test_of_two_at_the_same_moment_each_leads_to_its_own(hubs: Hubs) -> None:
    async with hubs() as hub:
        alice = hub.person()
        token = alice.new_api_token()
        same = await asyncio.gather(*(hub.servers.start("alice", token, LOOK) for _ in range(3)))
        assert set(same) == {"look-at"}
        two = await asyncio.gather(*(hub.servers.start("alice", token, each) for each in (OTHER, PLAIN)))
        assert alice.spawners[two[0]].user_options == OTHER.options
        assert len(set(two)) == 2


async def test_a_server_that_was_stopped_is_started_anew_under_its_name(hubs: Hubs) -> None:
    async with hubs(named_server_limit_per_user=1) as hub:
        alice = hub.person()
        alice._new_orm_spawner("look-at", "Look at scans")
        assert await hub.servers.start("alice", alice.new_api_token(), OTHER) == "look-at"
        assert alice.spawners["look-at"].user_options == OTHER.options


async def test_a_server_that_is_being_stopped_is_not_the_one(hubs: Hubs) -> None:
    async with hubs() as hub:
        alice = hub.person()
        token = alice.new_api_token()
        await hub.servers.start("alice", token, LOOK)
        spawner = alice.spawners["look-at"]
        spawner._stop_pending, spawner._spawn_pending = True, False
        assert await hub.servers.start("alice", token, LOOK) == "look-at-2"
        spawner._stop_pending = False


async def test_names_are_such_as_the_hub_takes(hubs: Hubs) -> None:
    async with hubs() as hub:
        token = hub.person().new_api_token()
        for key, name in (("2d_view", "type-2d-view"), ("a" * 40, "a" * 26)):
            server = replace(PLAIN, type_key=key)
            other = replace(server, options={"profile": "jupyterlab", "cores": "2"})
            assert await hub.servers.start("alice", token, server) == name
            assert await hub.servers.start("alice", token, other) == f"{name}-2"
            assert await hub.servers.start("alice", token, server) == name


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"allow_named_servers": False}, "lets nobody have a server beside the first one"),
        ({"named_server_limit_per_user": 1}, "as many servers as the hub allows"),
    ],
)
async def test_a_hub_without_room_for_it_says_so(hubs: Hubs, settings: dict[str, Any], said: str) -> None:
    async with hubs(**settings) as hub:
        alice = hub.person()
        alice._new_orm_spawner("mine", "Mine")
        refused = await _refused(hub, alice.new_api_token())
        assert isinstance(refused, NoServer)
        assert said in refused.message
        assert refused.hint


async def test_a_token_that_may_not_is_told_before_and_by_the_hub(hubs: Hubs) -> None:
    async with hubs() as hub:
        alice = hub.person()
        token = alice.new_api_token(scopes=["read:servers!user"])
        for each in (token, alice.new_api_token(scopes=["read:users:name!user"]), "nobodys"):
            assert isinstance(await _refused(hub, each), ScopeMissing)
        for scopes in (["servers!user=alice"], ["start:servers!user=alice"], ["start:servers!user=bob"]):
            with pytest.raises(ScopeMissing, match=r"lacks (start|read):servers!user"):
                hub.servers.check(Caller("alice", scopes=frozenset(scopes)))
        hub.servers.check(
            Caller("alice", scopes=frozenset({"start:servers!user=alice", "read:servers!user=alice"}))
        )
        hub.servers.check(Caller("ruth", scopes=frozenset({"start:servers", "read:servers"})))


async def test_a_hub_that_is_away_has_started_nothing() -> None:
    nobody = HubServers("http://127.0.0.1:9/hub/api", "/hub/")
    with pytest.raises(HubUnavailable, match="no server was started"):
        await nobody.start("alice", "token", LOOK)
    await JupyterHubHTTPClient.loop_instance().close()


async def test_a_hub_that_does_not_answer_may_have_started_it(hubs: Hubs, monkeypatch: pytest.MonkeyPatch) -> None:
    async with hubs(tornado_settings={"slow_spawn_timeout": 600}) as hub:
        monkeypatch.setattr("job_service.http.hub_servers._SECONDS", 0.5)
        with pytest.raises(HubUnavailable, match="whether the server starts"):
            await hub.servers.start("alice", hub.person().new_api_token(), LOOK)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (web.HTTPError(429, "Too many users trying to log in."), HubBusy, "too many servers"),
        (web.HTTPError(403, "auth has expired for alice, login again"), TicketNeeded, "Your login"),
        (web.HTTPError(500, "It broke.\x1b[2J"), NoServer, "The hub did not start the server: It broke."),
        (ValueError("secret"), NoServer, "The hub did not start the server"),
    ],
)
async def test_what_else_the_hub_says_is_passed_on(
    hubs: Hubs, error: Exception, kind: type[JobError], said: str
) -> None:
    async with hubs(tornado_settings={"slow_spawn_timeout": 600}) as hub:
        Waiting.fails = error
        refused = await _refused(hub, hub.person().new_api_token())
        assert isinstance(refused, kind)
        assert said in refused.message
        assert "\x1b" not in refused.message
        assert "secret" not in refused.message


def _catalogue(local: LocalSite) -> dict[str, Any]:
    profiles = {
        "jupyterlab": builders.profile(parameters=KNOWS),
        "staff": builders.profile(visible_to={"groups": ["staff"]}),
    }
    return {"sites": {"geneva": launching.site(local)}, "profiles": profiles}


async def test_the_sentence_of_our_own_gate_and_of_the_site_reaches_whoever_asks(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with launching.launching(hub_app, tmp_path, monkeypatch, _catalogue) as whole:
        hub = Hub(whole.app)
        alice = hub.person()
        token = alice.new_api_token()
        assert launching.REFUSED_BY_SLURM in (await _refused(hub, token)).message
        for options, said in (
            ({**OPTIONS, "profile": "staff"}, "staff"),
            ({**OPTIONS, "cores": "99"}, "99"),
            ({"profile": "jupyterlab", "site": "nowhere"}, "nowhere"),
        ):
            refused = await _refused(hub, token, replace(LOOK, options=options))
            assert said in refused.message, options
        with speaking("fr"):
            assert "pas accepté" in (await _refused(hub, token)).message
        await whole.core.close()
        await JupyterHubHTTPClient.loop_instance().close()
