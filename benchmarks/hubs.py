"""The hubs that are compared, one after the other in the place of the lab's own: ours, and batchspawner's."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.inside.hub_config import MASTERS, TICKETS
from lab import Lab
from lab.daemons import HUB_CONFIG
from lab.etc import HUB_CONFIG_TEXT
from lab.folders import TREE
from lab.person import Person
from lab.plan import HUB, HUB_USER

DAEMON = "jupyterhub"
STATE = "/var/lib/jupyterhub"
SHORT_IDLE_SECONDS = 60
_ANSWER_SECONDS = 120
_LAB_SERVICE = {"Authorization": "token lab-service-token"}
_LOGINS_AT_ONCE = 8
_END_MASTERS = f"for each in {MASTERS}/*; do [ ! -S $each ] || ssh -q -o ControlPath=$each -O exit any; done"

_BEGIN = f"import sys\nsys.path.append({str(TREE)!r})\nfrom benchmarks.inside import hub_config\n"
_ANY = f"load_subconfig({str(TREE / 'lab/any_jupyterhub_config.py')!r})\n"


@dataclass(frozen=True)
class Hub:
    """One that may be in the lab: what it is called in tables, and the text of its configuration file."""

    name: str
    config: str

    @property
    def is_ours(self) -> bool:
        """Whether people log in to it with their passwords."""
        return self.name == OURS.name


OURS = Hub("ours", f"{HUB_CONFIG_TEXT}{_BEGIN}hub_config.ours(get_config())\n")
OURS_BRIEFLY = Hub(
    "ours", f"{HUB_CONFIG_TEXT}{_BEGIN}hub_config.ours(get_config(), idle_seconds={SHORT_IDLE_SECONDS})\n"
)
"""The same, which closes connections that nobody needs after a minute instead of five."""

_THEIRS = f"{_BEGIN}{_ANY}hub_config.batchspawner(get_config(), %s)\n"
PLAIN = Hub("batchspawner, plain ssh", _THEIRS % "False")
MASTER = Hub("batchspawner, ControlMaster", _THEIRS % "True")
BARE = Hub("batchspawner, ControlMaster, no module", _THEIRS % "True, False")
"""Its jobs load no module, as only a server in the nodes' own system could do."""


@contextmanager
def put(lab: Lab, hub: Hub, people: Sequence[str]) -> Iterator[None]:
    """Have a hub that knows nothing but these people, with a ticket each; afterwards the lab's own comes back."""
    _begin(lab, hub.config)
    try:
        if hub.is_ours:
            with ThreadPoolExecutor(_LOGINS_AT_ONCE) as threads:
                list(threads.map(lambda name: _log_in(lab, name), people))
        else:
            api(lab, "POST", "/users", {"usernames": list(people)})
            _take_tickets(lab, people)
        yield
    finally:
        _begin(lab, HUB_CONFIG_TEXT)


def again(lab: Lab) -> float:
    """Kill the hub and start it; return the seconds until it answers."""
    lab.fault("kill", HUB.name, DAEMON)
    return start(lab)


def start(lab: Lab) -> float:
    """Start the hub, which was killed; return the seconds until it answers."""
    began = time.monotonic()
    lab.fault("start", HUB.name, DAEMON)
    lab.wait("the hub answers", lambda: _answers(lab), _ANSWER_SECONDS)
    return time.monotonic() - began


def api(lab: Lab, method: str, path: str, body: object = None) -> Any:
    """Call the hub's API as the lab's service; return what it says, None if that is nothing."""
    url = f"{lab.url}/hub/api{path}"
    answer = httpx.request(method, url, headers=_LAB_SERVICE, json=body, timeout=_ANSWER_SECONDS)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def browser(lab: Lab) -> httpx.AsyncClient:
    """Return what asks as the lab's service, as often at once as one likes."""
    return httpx.AsyncClient(
        base_url=lab.url,
        headers=_LAB_SERVICE,
        timeout=_ANSWER_SECONDS,
        limits=httpx.Limits(max_connections=None),
    )


def servers(lab: Lab) -> dict[str, dict[str, Any]]:
    """Return each server that the hub has, running or not yet, by the name of its person and its own."""
    users = api(lab, "GET", "/users?limit=200")
    return {f"{user['name']}/{name}": server for user in users for name, server in user["servers"].items()}


def _begin(lab: Lab, config: str) -> None:
    lab.fault("kill", HUB.name, DAEMON)
    lab.run(HUB.name, ["sh", "-c", _END_MASTERS], user=HUB_USER)
    lab.run(HUB.name, ["sh", "-c", f"rm -f {STATE}/*.sqlite* {STATE}/*.jsonl"])
    lab.run(HUB.name, ["tee", HUB_CONFIG], input=config)
    start(lab)


def _answers(lab: Lab) -> bool:
    try:
        return httpx.get(f"{lab.url}/hub/api/", timeout=5).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _log_in(lab: Lab, name: str) -> None:
    with Person(lab.url, name) as person:
        person.log_in()


def _take_tickets(lab: Lab, people: Sequence[str]) -> None:
    """Let kinit take a ticket of each person for the hub's account, as batchspawner needs them."""
    each = f'echo "$n-pw" | kinit -c FILE:{TICKETS}/$n $n >/dev/null || exit'
    script = f"mkdir -p {TICKETS} && for n in {' '.join(people)}; do {each}; done"
    lab.run(HUB.name, ["sh", "-c", script], user=HUB_USER)
