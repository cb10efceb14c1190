from collections.abc import Awaitable, Callable

from tests.slurm_ssh_spawner.conftest import RunningHub
from tests.support.hub import ComposedSpawner


async def test_nobody_shares_a_server_unless_an_admin_lets_them(
    start: Callable[[type], Awaitable[RunningHub]],
) -> None:
    running = await start(ComposedSpawner)
    token = running.person("alice").new_api_token()
    running.person("bob")
    # A guest would act with the owner's ticket.
    answer = await running.post("shares/alice/", token, json={"user": "bob"})
    assert answer.status_code == 403
    code = await running.post("share-codes/alice/", token, json={})
    assert code.status_code == 403
