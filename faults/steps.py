"""Steps that break and mend, and what people do meanwhile."""

from dataclasses import dataclass
from functools import partial

from faults.row import Outcome, Step
from faults.scene import Scene
from faults.seen import answer_of, listed_by
from lab.plan import HOSTS, SITE_OF, SITES, Host, Role
from lab.quirks import Hold

_HUB_SECONDS = 300
_TOLD_SECONDS = 400
_LISTED_SECONDS = 180


@dataclass(frozen=True)
class Place:
    """A daemon on all hosts of one kind at the sites of the row, or `first`: on the first of them at each site."""

    role: Role
    daemon: str
    first: bool = False

    def hosts(self, scene: Scene) -> list[str]:
        """Return the names of those hosts."""
        return [host.name for host in HOSTS.values() if host.role is self.role and self._is_in(host, scene)]

    def _is_in(self, host: Host, scene: Scene) -> bool:
        site = SITE_OF.get(host.name)
        if site is None:
            return True
        return site.name in scene.sites and not (self.first and site.having(self.role)[0] is not host)


FRONT_ENDS = Place(Role.FRONT_END, "sshd")
FIRST_FRONT_END = Place(Role.FRONT_END, "sshd", first=True)
ACCOUNTING = Place(Role.CONTROLLER, "slurmdbd")
DATABASE = Place(Role.CONTROLLER, "mariadbd")
SLURM = Place(Role.CONTROLLER, "slurmctld")
NODES = Place(Role.NODE, "slurmd")
KDC = Place(Role.KDC, "krb5kdc")
HUB = Place(Role.HUB, "jupyterhub")
TUNNELS = Place(Role.HUB, "tunnels")
PROXY = Place(Role.HUB, "configurable-http-proxy")


def kill(place: Place) -> Step:
    """End the daemon by SIGKILL."""
    return _fault("kill", place)


def end(place: Place) -> Step:
    """End the daemon by SIGTERM, and see it end."""
    return _fault("stop", place)


def freeze(place: Place) -> Step:
    """Stop the daemon: it accepts connections and is silent."""
    return _fault("freeze", place)


def cut(place: Place) -> Step:
    """Pull the hosts' cables."""

    def step(scene: Scene) -> None:
        for host in place.hosts(scene):
            scene.fault("cut", host)

    return step


def join(place: Place) -> Step:
    """Plug the cables in again."""

    def step(scene: Scene) -> None:
        for host in place.hosts(scene):
            scene.mend(host)

    return step


def mend(place: Place) -> Step:
    """Start the daemon again, or let it go on."""

    def step(scene: Scene) -> None:
        for host in place.hosts(scene):
            scene.mend(host, place.daemon)

    return step


def _fault(verb: str, place: Place) -> Step:
    def step(scene: Scene) -> None:
        for host in place.hosts(scene):
            scene.fault(verb, host, place.daemon)

    return step


def start_hub(scene: Scene) -> None:
    """Start the hub again and see it answer."""
    mend(HUB)(scene)
    hub_answers(scene)


def hub_answers(scene: Scene) -> None:
    """See the hub answer."""
    scene.wait("the hub answers", scene.crowd.hub_answers, _HUB_SECONDS)


KILLED_AND_STARTED: tuple[Step, ...] = (kill(HUB), start_hub)
ENDED_AND_STARTED: tuple[Step, ...] = (end(HUB), start_hub)


def hold(program: str, how: Hold = Hold.BEFORE) -> Step:
    """Hold up every call of one of Slurm's programs from now on."""
    return lambda scene: scene.hold(program, how)


def let_go(name: str) -> Step:
    """Let go on what is held up."""
    return lambda scene: scene.let_go(name)


def others_start(outcome: Outcome = Outcome.EITHER, sites: tuple[str, ...] = ()) -> Step:
    """Let others press Start, at each site (of `sites`), and go on."""

    def step(scene: Scene) -> None:
        for name, site in scene.others(1):
            if not sites or site in sites:
                scene.start(name, site, outcome)

    return step


def all_stop(scene: Scene) -> None:
    """Let everybody press Stop, and go on."""
    for name, _ in scene.people:
        scene.stop(name)


def all_stop_perhaps(scene: Scene) -> None:
    """Let everybody press Stop, and go on: it may not come to it."""
    for name, _ in scene.people:
        scene.stop(name, outcome=Outcome.EITHER)


def first_stops(scene: Scene) -> None:
    """Let one at each site press Stop, and go on."""
    for site in scene.sites:
        scene.stop(next(name for name, where in scene.people if where == site))


def stops_noted(scene: Scene) -> None:
    """Wait until the hub has noted every stop, and everybody has their answer."""
    scene.wait("all stops are noted", lambda: all(record["stop_wanted"] for record in scene.records()))
    scene.answered()


def start_again(scene: Scene) -> None:
    """Let everybody press Start once more."""
    for name, _ in scene.people:
        scene.start_again(name)


def log_in_again(scene: Scene) -> None:
    """Let everybody log in anew, which gives the hub their new tickets."""
    for name, _ in scene.people:
        scene.told.append(scene.crowd.log_in_again(name))


def answered(scene: Scene) -> None:
    """Wait until everybody has their answer."""
    scene.answered()


def others_told(scene: Scene) -> None:
    """Wait until each launch that may be refused has come to its end, or to a server."""
    scene.answered()
    _told(scene, {key for key, each in scene.expected.items() if each.outcome is Outcome.EITHER})


def others_told_elsewhere(scene: Scene) -> None:
    """Do so where there is a second front end: a job that has begun is waited for while its site is cut off."""
    one = {site.name for site in SITES if len(site.having(Role.FRONT_END)) == 1}
    others = {
        key for key, each in scene.expected.items() if each.outcome is Outcome.EITHER and each.site not in one
    }
    _told(scene, others)


def _told(scene: Scene, others: set[tuple[str, str]]) -> None:
    def none_waits() -> bool:
        listed = {(each.user, each.server): each.ready for each in listed_by(scene.lab) or ()}
        return all(listed.get(key, True) for key in others)

    scene.wait("each launch is over, or is a server", none_waits, _TOLD_SECONDS)
    scene.told += [scene.crowd.page_of_start(*key) for key in others]


def all_listed(scene: Scene) -> None:
    """See the hub list each server that has to be there."""
    due = {key for key, each in scene.expected.items() if each.outcome is Outcome.THERE}

    def listed() -> bool:
        return {(each.user, each.server) for each in listed_by(scene.lab) or ()} >= due

    scene.wait("each server is listed", listed, _LISTED_SECONDS)


def all_answer(scene: Scene) -> None:
    """See each server that has to be there answer, whether or not there is a hub."""

    def answers(user: str, server: str, job_id: str) -> bool:
        return answer_of(scene.lab, user, server).get("job") == job_id

    for each in scene.expected.values():
        if each.outcome is Outcome.THERE:
            is_there = partial(answers, each.user, each.server, each.job_id)
            scene.wait(f"the server of {each} answers", is_there, _LISTED_SECONDS)


def pages_are_read(scene: Scene) -> None:
    """Let everybody read the page of their server until it says something else than the server does."""

    def page_says(name: str) -> bool:
        page = scene.crowd.page(name, "")
        scene.told.append(page)
        return page.status >= 400

    for name, _ in scene.people:
        scene.wait(f"the page of {name} says something", partial(page_says, name))
