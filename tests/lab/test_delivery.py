"""Deliveries through the lab's own sshd and KDC; auks is a stand-in (tests/support/auks.py)."""

import base64
import time
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from kerberos_auth import ccache
from kernels.shell import Shell, join
from lab import Lab
from lab.demo import CELL
from profiles.catalogue.ticket import Auks
from slurm_ssh.delivery import AuksDelivery, CopyDelivery
from slurm_ssh.errors import Unavailable
from slurm_ssh.ssh.transport import Completed, unwrap, wrap
from tests.lab.look import delegated, delivered, logged_in
from tests.support import builders
from tests.support.folders import TREE

ID = builders.LAUNCH_ID
LOGIN = "geneva-login1"
STAND_IN = TREE / "tests" / "support" / "auks.py"
STORE = "/var/cache/auks"
CCACHE = "/tmp/krb5cc_delivery"
_MARKER = "answer-0011223344556677"
_SSH = (
    *("ssh", "-K", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
    *("-o", "PreferredAuthentications=gssapi-with-mic", "-l", "alice", f"{LOGIN}.lab.test"),
)


class Alice:
    """Alice's ticket on the hub's machine, and programs at the front end that it is delegated to."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def ticket(self, *options: str) -> bytes:
        """Take a new ticket, which is delegated from now on, and return it."""
        self._lab.run("hub", ["kinit", "-f", "-c", CCACHE, *options, "alice"], input="alice-pw\n")
        return base64.b64decode(self._lab.run("hub", ["base64", CCACHE]).stdout)

    async def run(self, program: Shell, data: bytes) -> Completed:
        """Run a program as a `delivery.Run` does, with data on its stdin; the data may be any bytes."""
        sent = wrap(program, data, {}, _MARKER)
        pipe = f"base64 -d | KRB5CCNAME=FILE:{CCACHE} {join([*_SSH, sent.command])}"
        stdin = base64.b64encode(sent.stdin).decode()
        done = self._lab.run("hub", ["sh", "-c", pipe], input=stdin, check=False)
        return unwrap(done.stdout, done.stderr, _MARKER)


@pytest.fixture
def alice(lab: Lab) -> Iterator[Alice]:
    yield Alice(lab)
    lab.run("hub", ["rm", "-f", CCACHE])


@pytest.fixture
def auks(lab: Lab) -> Iterator[AuksDelivery]:
    """The delivery of a site whose front end has the stand-in."""
    install = f"cat > /usr/local/bin/auks; chmod 755 /usr/local/bin/auks; mkdir -pm 1777 {STORE} /etc/auks"
    lab.run(LOGIN, ["sh", "-c", install], input=STAND_IN.read_text())
    lab.run(LOGIN, ["tee", "/etc/auks/auks.conf"], input=f'common {{\n CacheDir = "{STORE}" ;\n}}\n')
    yield AuksDelivery("Geneva", Auks(path="/usr/local/bin/auks"))
    lab.run(LOGIN, ["rm", "-rf", "/usr/local/bin/auks", "/etc/auks", STORE])


def _kept(lab: Lab) -> ccache.Facts:
    return ccache.parse(base64.b64decode(lab.run(LOGIN, ["sh", "-c", f"base64 {STORE}/aukscc_*"]).stdout))


async def test_a_running_job_works_on_with_a_ticket_delivered_later(lab: Lab, alice: Alice) -> None:
    with logged_in(lab, "alice") as person:
        person.start({"profile": "jupyterlab", "site": "geneva"})
        (path,) = delivered(lab, "alice")
        launch_id = PurePosixPath(path).stem
        ticket = alice.ticket("-l", "90m")
        await CopyDelivery("Geneva", "/scratch/{owner}/tickets").renew(alice.run, "alice", launch_id, ticket)
        assert delivered(lab, "alice") == [path]
        assert lab.run("geneva-n1", ["stat", "-c", "%a %U", path]).stdout == "600 alice\n"
        ends = time.strftime("%m/%d/%y %H:%M:%S", time.gmtime(ccache.parse(ticket).end))
        look = "import subprocess; print(subprocess.run(['env', 'TZ=UTC', 'klist'], capture_output=True).stdout)"
        assert ends in person.run(look)
        assert "nfs/storage.lab.test@LAB.TEST: kvno = 1" in person.run(CELL)
        person.stop()


async def test_the_delegated_ticket_is_what_auks_pushes(lab: Lab, alice: Alice, auks: AuksDelivery) -> None:
    ticket = alice.ticket("-l", "90m", "-r", "1d")
    delivered = await auks.place(alice.run, "alice", ID, ticket)
    assert (delivered.sbatch_options, delivered.notice) == (("--auks=done",), "")
    kept, pushed = _kept(lab), ccache.parse(ticket)
    assert (kept.principal, kept.end) == (pushed.principal, pushed.end)
    assert delegated(lab, "alice").count("tmp.") == 0


async def test_a_longer_ticket_takes_the_place_of_the_one_in_auks(
    lab: Lab, alice: Alice, auks: AuksDelivery
) -> None:
    await auks.place(alice.run, "alice", ID, alice.ticket("-l", "30m", "-r", "1d"))
    newer = alice.ticket("-l", "90m", "-r", "2d")
    assert await auks.renew(alice.run, "alice", ID, newer) == ""
    assert _kept(lab).end == ccache.parse(newer).end


async def test_auks_keeps_a_ticket_that_can_be_renewed_for_longer(
    lab: Lab, alice: Alice, auks: AuksDelivery
) -> None:
    first = alice.ticket("-l", "30m", "-r", "2d")
    await auks.place(alice.run, "alice", ID, first)
    said = await auks.renew(alice.run, "alice", ID, alice.ticket("-l", "90m", "-r", "1d"))
    assert said.startswith("Your job's ticket could not be extended past ")
    assert _kept(lab).end == ccache.parse(first).end


async def test_an_auksd_that_is_down(lab: Lab, alice: Alice, auks: AuksDelivery) -> None:
    lab.run(LOGIN, ["tee", f"{STORE}/mode"], input="down")
    with pytest.raises(Unavailable, match="The ticket server of Geneva cannot be reached"):
        await auks.place(alice.run, "alice", ID, alice.ticket())
