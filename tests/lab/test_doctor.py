"""`jupyterhub-sites doctor` in the lab: all is well, and then things that doubles cannot show truly are broken.

What is wrong in a catalogue costs no run of its own: one catalogue has a site for each mistake.
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from lab import Lab
from lab.daemons import HUB_CONFIG
from lab.plan import HUB, SITES
from lab.quirks import Hold, held
from tests.lab.doctor import COMMAND, Found, catalogue, doctor, told, typed, wrong

pytestmark = pytest.mark.xdist_group("doctor")

_OF_E = {f"E{number}" for number in range(1, 11)}
_OF_JOBS = {*(f"F{number}" for number in range(1, 10)), *(f"G{number}" for number in range(1, 6))}

_LEFT = ["squeue", "-h", "-t", "pending,running,suspended"]
"""Asks for what has not been ended: what has been is listed too until its node has tidied up."""

Change = Callable[[dict[str, Any]], None]
"""Puts one mistake into a site, as the catalogue's YAML has it."""


def test_all_is_well_at_both_sites(lab: Lab) -> None:
    found = doctor(lab, job=True)
    assert {site: wrong(found, site) for site in ("geneva", "lugano")} == {"geneva": {}, "lugano": {}}, told(found)
    for site, more in (("geneva", set()), ("lugano", {"E11"})):
        checks = {check for at, check in found if at == site}
        assert checks == _OF_E | _OF_JOBS | more
        assert {each["state"] for (at, _), some in found.items() if at == site for each in some} == {"ok"}
    for site in SITES:
        queue = lab.run(site.controller.name, [*_LEFT, "-u", "alice", "-o", "%j"]).stdout.split()
        assert not [name for name in queue if name.startswith("doctor-")]


def test_nothing_is_wrong_with_the_hub_its_machine_and_its_ways(lab: Lab) -> None:
    found = doctor(lab, None, "--only", "A,B,C,D")
    of_machine = {f"A{number}" for number in range(1, 12)}
    assert {check for _, check in found} >= {*of_machine, "B6", "C1", "C2", "C3", "D1"}
    assert {each["state"] for some in found.values() for each in some} == {"ok"}, told(found)


def test_who_is_interrupted_leaves_no_job(lab: Lab) -> None:
    names: list[str] = []

    def until_it_runs() -> Callable[[], None]:
        lab.wait("the job of doctor runs", lambda: bool(_jobs(lab, "-t", "running")))
        names.extend(_jobs(lab))
        return stack.close

    words = [COMMAND, "doctor", "-f", HUB_CONFIG, "--as", "alice", "--only", "B,F,G", "--job", "--site", "geneva"]
    with ExitStack() as stack:
        # On a busy machine it might be over before anybody interrupts it: it cannot cancel its job until then.
        for front_end in ("geneva-login1", "geneva-login2"):
            stack.enter_context(held(lab, front_end, "scancel", Hold.BEFORE))
        said = typed(lab, words, "alice-pw\n", until_it_runs)
    assert "G5" not in said, said
    assert _jobs(lab, *_LEFT[2:]) == []
    (number,) = {name.rpartition("-")[2] for name in names}
    find = ["find", "/scratch/alice/jupyter", "/scratch/alice/tickets", "-name", f"*{number}*"]
    assert lab.run("geneva-login1", find).stdout == ""


def _jobs(lab: Lab, *options: str) -> list[str]:
    """Return the jobs of doctor that geneva's Slurm has."""
    listed = lab.run("geneva-ctl", ["squeue", "-h", "-u", "alice", "-o", "%j", *options]).stdout.split()
    return [name for name in listed if name.startswith("doctor-")]


def _front_end(**changed: Any) -> Change:
    return lambda site: site.update(front_ends=[{**site["front_ends"][0], **changed}])


def _with(**changed: Any) -> Change:
    return lambda site: site.update(changed)


def _partition(site: dict[str, Any]) -> None:
    site["partitions"] = {"normal": {}, "normall": {}}


_OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDVgo6BZVy8AwU2yZ3cVYBqZqjKnPvYH1b0cFJ3yGm6k"

_MISTAKES: Mapping[str, tuple[str, Change, str, str]] = {
    "key": ("lugano", _front_end(host_keys=[_OTHER_KEY]), "E3", r"add this to host_keys: ssh-ed25519 AAAA"),
    "port": ("lugano", _front_end(port=2222), "E2", r"cannot be connected to \(Connection refused\)"),
    "name": (
        "lugano",
        _front_end(host="lugano-login.lab.example"),
        "E1",
        r"finds no host lugano-login\.lab\.example",
    ),
    "kdc": ("lugano", _front_end(host="lugano-ctl.lab.test"), "E2", r"Connection refused"),
    "path": ("lugano", _with(slurm_path="/opt/slurm/bin"), "E7", r"Write slurm_path: /usr/bin"),
    "cluster": ("lugano", _with(slurm_cluster="lausanne"), "E7", r"calls itself `?lugano"),
    "partition": ("geneva", _partition, "E8", r"did you mean `normal`"),
    "reservation": ("geneva", _with(reservations=["school"]), "E8", r"no reservation `school`"),
    "feature": ("geneva", _with(directives={"constraint": "ib"}), "E9", r"nvalid feature specification"),
    "project": ("lugano", _with(projects=["proj99"]), "E9", r"Invalid account or account/partition"),
    "folder": ("lugano", _with(job_folder="/usr/local/{owner}/jupyter"), "E10", r"Permission denied"),
    "local": ("geneva", _with(job_folder="/var/tmp/{owner}/jupyter"), "E10", r"not seen on geneva-login2"),
    "log": ("lugano", _with(job_folder="/var/tmp/{owner}/jupyter"), "F2", r"Choose a job_folder that front ends"),
    "init": ("lugano", _with(module_init="/etc/profile.d/nope.sh"), "F4", r"Write module_init: "),
    "modules": (
        "geneva",
        _with(jupyter={"module_paths": ["/opt/modulefiles"], "modules": ["jupyterlap"]}),
        "F4",
        r"jupyterlap",
    ),
    "server": ("geneva", _with(jupyter={"prefix": "/opt/nowhere"}), "F5", r"has no jupyterhub-singleuser on PATH"),
    "ticket": ("lugano", _with(ticket_folder="/var/tmp/{owner}/tickets"), "F6", r"ticket_folder has to be on the"),
    "address": ("geneva", _with(node_address="{node}.wrong.test"), "G1", r"finds no host geneva-n\d\.wrong\.test"),
    "hub": ("geneva", _with(hub_url="http://kdc.lab.test:88"), "G2", r"See that hub_url is the hub's own API"),
    "direct": ("lugano", _with(tunnel={"kind": "direct"}), "G3", r"or set tunnel: \{kind: ssh\}"),
}
"""By key of the site: which one it is made of, the mistake, the one check that finds it, and some of its words."""


_ORDER = [*(f"E{number}" for number in range(1, 12)), *sorted(_OF_JOBS)]
_FOLLOWS: Mapping[str, set[str]] = {
    **{check: set(_ORDER[_ORDER.index(check) + 1 :]) for check in ("E1", "E2", "E3", "F2")},
    "E7": {"E8", "E9", "E11", *_OF_JOBS},
    "E9": _OF_JOBS,
    "E10": _OF_JOBS,
    "F4": {"F5"},
    "G1": {"G3"},
    "G2": {"G4"},
}
"""What cannot be looked at once a check has failed."""


@pytest.fixture(scope="class")
def mistaken(lab: Lab) -> Found:
    """What doctor finds in a catalogue with a site for each mistake, and one with none."""
    tree = catalogue(lab)
    sites = {"well": copy.deepcopy(tree["sites"]["geneva"])}
    for key, (of, change, _, _) in _MISTAKES.items():
        sites[key] = copy.deepcopy(tree["sites"][of])
        sites[key]["front_ends"] = sites[key]["front_ends"] if key == "local" else sites[key]["front_ends"][:1]
        change(sites[key])
    for site in sites.values():
        site.pop("jobs", None)
    tree = {"sites": sites, "profiles": {"jupyterlab": {**tree["profiles"]["jupyterlab"], "sites": list(sites)}}}
    return doctor(lab, tree, job=True)


class TestMistakes:
    def test_what_is_well_beside_them_stays_so(self, mistaken: Found) -> None:
        assert wrong(mistaken, "well") == {}, told(mistaken)

    @pytest.mark.parametrize("key", _MISTAKES)
    def test_each_is_found_by_its_own_line_and_by_no_other(self, mistaken: Found, key: str) -> None:
        _, _, check, words = _MISTAKES[key]
        problems = wrong(mistaken, key)
        assert list(problems) == [check], told(mistaken, key)
        line = f"{problems[check]['sentence']} {problems[check]['fix']}"
        assert re.search(words, line), line

    @pytest.mark.parametrize("key", _MISTAKES)
    def test_what_follows_is_skipped_with_its_reason_and_nothing_else(self, mistaken: Found, key: str) -> None:
        skipped = {
            check: each["sentence"]
            for (at, check), some in mistaken.items()
            for each in some
            if at == key and each["state"] == "skip"
        }
        assert skipped.keys() == _FOLLOWS.get(_MISTAKES[key][2], set()), told(mistaken, key)
        reasons = ("Not looked at, because ", "Not looked at on ", "No job was submitted, because ")
        assert [said for said in skipped.values() if not said.startswith(reasons)] == []


@contextmanager
def _sshd(lab: Lab, host: str, line: str) -> Iterator[None]:
    """Have a front end's sshd run with a further first line, which counts."""
    path = "/etc/ssh/sshd_config"
    before = lab.run(host, ["cat", path]).stdout
    lab.run(host, ["sh", "-c", f"cat > {path}"], input=f"{line}\n{before}")
    _restart(lab, host)
    try:
        yield
    finally:
        lab.run(host, ["sh", "-c", f"cat > {path}"], input=before)
        _restart(lab, host)


def _restart(lab: Lab, host: str) -> None:
    lab.fault("kill", host, "sshd")
    lab.fault("start", host, "sshd")


@contextmanager
def _old_key(lab: Lab, host: str) -> Iterator[None]:
    """Have the KDC know a newer key of a host than its keytab has."""
    principal, new = f"host/{host}.lab.test", f"/tmp/{host}.keytab"
    lab.run("kdc", ["kadmin.local", "-q", f"cpw -randkey {principal}"])
    try:
        yield
    finally:
        lab.run("kdc", ["kadmin.local", "-q", f"ktadd -k {new} {principal}"])
        keytab = lab.run("kdc", ["base64", new]).stdout
        lab.run("kdc", ["rm", new])
        lab.run(host, ["sh", "-c", "base64 -d > /etc/krb5.keytab"], input=keytab)


@contextmanager
def _no_way_to_hub(lab: Lab, *nodes: str) -> Iterator[None]:
    way = ["unreachable", f"{HUB.address}/32"]
    for node in nodes:
        lab.run(node, ["ip", "route", "add", *way])
    try:
        yield
    finally:
        for node in nodes:
            lab.run(node, ["ip", "route", "del", *way])


def test_logins_that_front_ends_refuse(lab: Lab) -> None:
    with _sshd(lab, "geneva-login2", "GSSAPIAuthentication no"), _old_key(lab, "lugano-login"):
        found = doctor(lab)
    assert list(wrong(found, "geneva")) == ["E4"], told(found)
    said = wrong(found, "geneva")["E4"]["sentence"]
    assert said == "geneva-login2.lab.test does not offer gssapi-with-mic; it offers nothing."
    # The other front end lets in, so all else was looked at.
    assert found["geneva", "E9"][0]["state"] == "ok"
    assert list(wrong(found, "lugano")) == ["E6"], told(found)
    assert "keytab (`klist -k`; a key of an old kvno is not taken)" in wrong(found, "lugano")["E6"]["fix"]


def test_ways_that_are_closed(lab: Lab) -> None:
    """Between geneva's nodes and the hub, and through lugano's front end; its mended keytab is good."""
    with _no_way_to_hub(lab, "geneva-n1", "geneva-n2"), _sshd(lab, "lugano-login", "AllowTcpForwarding no"):
        found = doctor(lab, job=True)
    problems = wrong(found, "geneva")
    # The hub, in its turn, gets no answer of the nodes.
    assert list(problems) == ["G2", "G3"], told(found)
    assert "cannot reach the hub at http://hub.lab.test:8081/hub/api" in problems["G2"]["sentence"]
    assert list(wrong(found, "lugano")) == ["E11"], told(found)
    assert "Set `AllowTcpForwarding local`" in wrong(found, "lugano")["E11"]["fix"]
    assert [each["state"] for each in found["lugano", "G3"]] == ["skip"]


def test_a_controller_that_is_away(lab: Lab) -> None:
    lab.fault("kill", "lugano-ctl", "slurmctld")
    try:
        found = doctor(lab, None, "--site", "lugano")
    finally:
        lab.fault("start", "lugano-ctl", "slurmctld")
    assert list(wrong(found, "lugano")) == ["E7"], told(found)
    assert "Unable to contact slurm controller" in wrong(found, "lugano")["E7"]["sentence"]
