"""Delivery through auks, against a stand-in for auks and its daemon (tests/support/auks.py)."""

import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from kerberos_auth import ccache
from kernels.fragment import Fragment
from kernels.shell import Shell
from profiles.catalogue.ticket import Auks
from slurm_ssh import delivery, sentences
from slurm_ssh.delivery import AuksDelivery, Delivered
from slurm_ssh.delivery import auks as module
from slurm_ssh.errors import Broken, LaunchError, Refused, Unavailable
from slurm_ssh.job import mark
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import submission
from slurm_ssh.ssh import remote
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from slurm_ssh.ssh.transport import Completed
from slurm_ssh_spawner.launch import script
from tests.kerberos_auth import krb_caches
from tests.support import builders, shells
from tests.support.folders import TREE
from tests.support.local import LocalSite

ID = builders.LAUNCH_ID
STAND_IN = TREE / "tests" / "support" / "auks.py"
NOW = int(time.time())
HOUR = 3600


def _ticket(end: int = NOW + 8 * HOUR, renew_until: int = NOW + 24 * HOUR, owner: str = "alice@LAB.TEST") -> bytes:
    return krb_caches.cache(krb_caches.credential(owner, end=end, renew_until=renew_until), owner=owner)


@dataclass
class AuksSite:
    """A site with an auksd, where somebody has logged in with a ticket."""

    local: LocalSite
    store: Path

    @property
    def auks(self) -> Auks:
        return Auks(path=str(self.local.home / "it's auks"), conf=str(self.local.home / "auks.conf"))

    @property
    def delivery(self) -> AuksDelivery:
        return AuksDelivery("Geneva", self.auks)

    def log_in(self, ticket: bytes) -> bytes:
        """Delegate a ticket, and return it."""
        self.local.delegated = self.local.home / "delegated"
        self.local.delegated.write_bytes(ticket)
        return ticket

    def ail(self, mode: str) -> None:
        (self.store / "mode").write_text(mode)

    @property
    def kept(self) -> ccache.Facts:
        (path,) = self.store.glob("aukscc_*")
        return ccache.parse(path.read_bytes())

    async def place(self, ticket: bytes) -> Delivered:
        return await self.delivery.place(self.local.run, "alice", ID, ticket)

    async def renew(self, ticket: bytes) -> str:
        return await self.delivery.renew(self.local.run, "alice", ID, ticket)

    async def error(self, family: type[LaunchError], ticket: bytes | None = None) -> LaunchError:
        """Return why a ticket (the delegated one, unless another is given) could not be delivered."""
        given = ticket or _ticket()
        with pytest.raises(family) as of_place:
            await self.place(given)
        with pytest.raises(family) as of_renewal:
            await self.renew(given)
        assert of_place.value.message == of_renewal.value.message
        return of_place.value


@pytest.fixture
def site(tmp_path: Path) -> AuksSite:
    store = tmp_path / "store"
    store.mkdir()
    site = AuksSite(LocalSite(tmp_path), store)
    Path(site.auks.path).symlink_to(STAND_IN)
    Path(str(site.auks.conf)).write_text(f'common {{\n CacheDir = "{store}" ;\n}}\n')
    site.log_in(_ticket())
    return site


async def test_auksd_has_the_delegated_ticket_and_slurm_is_told_so(site: AuksSite) -> None:
    ticket = site.log_in(_ticket(NOW + 5 * HOUR))
    delivered = await site.place(ticket)
    assert (delivered.sbatch_options, delivered.unset) == (("--auks=done",), ("SLURM_SPANK_AUKS",))
    assert delivered.fragment.environ == {}
    assert delivered.notice == ""
    assert site.kept.end == NOW + 5 * HOUR


async def test_the_command_lines_are_those_of_auks(site: AuksSite) -> None:
    Path(site.auks.path).unlink()
    said = site.local.home / "said"
    script = f'#!/bin/sh\necho "$*" >> {said}\nprintenv KRB5CCNAME >> {said}\nexec {STAND_IN} "$@"\n'
    Path(site.auks.path).write_text(script)
    Path(site.auks.path).chmod(0o755)
    await site.place(_ticket())
    asked, caches = said.read_text().splitlines()[::2], said.read_text().splitlines()[1::2]
    conf = f"-f {site.auks.conf}"
    assert asked[:2] == [f"{conf} -p", f"{conf} -a"]
    assert asked[2].startswith(f"{conf} -g -C /tmp/tmp.")
    assert caches == [f"FILE:{site.local.delegated}"] * 3


def _said_by(site: AuksSite, first: str) -> Path:
    """Put a program before the stand-in that writes down each command line and then runs `first`."""
    said = site.local.home / "said"
    Path(site.auks.path).unlink()
    Path(site.auks.path).write_text(f'#!/bin/sh\necho "$*" >> {said}\n{first}\nexec {STAND_IN} "$@"\n')
    Path(site.auks.path).chmod(0o755)
    return said


async def test_without_a_configuration_file_auks_takes_its_own(site: AuksSite) -> None:
    said = site.local.home / "said"
    path = site.local.home / "echo"
    path.write_text(f'#!/bin/sh\necho "$*" >> {said}\nexit 1\n')
    path.chmod(0o755)
    with pytest.raises(Broken):
        await AuksDelivery("Geneva", Auks(path=str(path))).place(site.local.run, "alice", ID, _ticket())
    assert said.read_text() == "-p\n"


async def test_what_is_read_back_is_private_and_leaves_nothing(site: AuksSite) -> None:
    seen = site.local.home / "seen"
    Path(site.auks.path).unlink()
    # $5 is what follows -C.
    Path(site.auks.path).write_text(
        f'#!/bin/sh\n{STAND_IN} "$@" || exit\n[ "$3" != -g ] || stat -c "%a %n" "${{5%/*}}" "$5" > {seen}\n'
    )
    Path(site.auks.path).chmod(0o755)
    await site.place(_ticket())
    (folder_mode, folder), (mode, _) = [line.split() for line in seen.read_text().splitlines()]
    assert (folder_mode, mode) == ("700", "600")
    assert not Path(folder).exists()


async def test_a_renewed_ticket_takes_the_place_of_the_older_one(site: AuksSite) -> None:
    await site.place(_ticket())
    assert await site.renew(site.log_in(_ticket(NOW + 10 * HOUR))) == ""
    assert site.kept.end == NOW + 10 * HOUR


async def test_a_ticket_kept_that_ends_later_is_as_good(site: AuksSite) -> None:
    await site.place(site.log_in(_ticket(NOW + 10 * HOUR, NOW + 48 * HOUR)))
    ticket = site.log_in(_ticket())
    assert (await site.place(ticket)).notice == ""
    assert site.kept.end == NOW + 10 * HOUR


async def test_a_ticket_kept_that_ends_earlier_is_told(site: AuksSite) -> None:
    end = NOW + 2 * HOUR
    await site.place(site.log_in(_ticket(end, NOW + 48 * HOUR)))
    ticket = site.log_in(_ticket())
    when = time.strftime("%H:%M UTC on ", time.gmtime(end)) + str(time.gmtime(end).tm_mday)
    notice = (await site.place(ticket)).notice
    assert notice.startswith(f"Your job's ticket could not be extended past {when} ")
    assert await site.renew(ticket) == notice
    assert site.kept.end == end


async def test_a_connection_with_an_older_ticket_is_told_too(site: AuksSite) -> None:
    site.log_in(_ticket(NOW + 2 * HOUR))
    assert "could not be extended past" in await site.renew(_ticket(NOW + 10 * HOUR))


async def test_a_ticket_kept_that_has_expired_is_replaced(site: AuksSite) -> None:
    (site.store / f"aukscc_{os.getuid()}").write_bytes(_ticket(NOW - 2, NOW + 48 * HOUR))
    assert (await site.place(_ticket())).notice == ""
    assert site.kept.end == NOW + 8 * HOUR


async def test_a_ticket_kept_that_lives_is_never_removed(site: AuksSite) -> None:
    said = _said_by(site, "true")
    await site.place(_ticket())
    assert " -r" not in said.read_text()


async def test_a_ticket_kept_that_has_expired_and_cannot_be_removed_is_no_ticket(site: AuksSite) -> None:
    (site.store / f"aukscc_{os.getuid()}").write_bytes(_ticket(NOW - 2, NOW + 48 * HOUR))
    _said_by(site, '[ "$3" != -r ] || exit 147')
    error = await site.error(Refused)
    assert "keeps a ticket of yours that has expired" in error.message
    assert "Log in again" in error.message
    assert str(NOW - 2) in error.detail


_TELLS = "notice() { printf 'told: %s\\n' \"$1\"; }\n"


@pytest.mark.parametrize(
    ("ticket", "tools", "is_told"),
    [
        (None, "/usr/bin:/bin", True),
        ("FILE:{folder}/gone", "/usr/bin:/bin", True),
        ("FILE:{folder}/expired", "/usr/bin:/bin", True),
        ("FILE:{folder}/good", "/usr/bin:/bin", False),
        ("{folder}/good", "/usr/bin:/bin", False),
        ("FILE:{folder}/good", "/nowhere", False),
        ("FILE:{folder}/gone", "/nowhere", True),
    ],
)
async def test_a_job_that_slurm_gave_no_ticket_says_so(
    site: AuksSite, tmp_path: Path, ticket: str | None, tools: str, *, is_told: bool
) -> None:
    (tmp_path / "good").write_bytes(_ticket())
    (tmp_path / "expired").write_bytes(_ticket(NOW - HOUR))
    before = (await site.place(_ticket())).fragment.before
    environ = {"PATH": tools} | ({"KRB5CCNAME": ticket.format(folder=tmp_path)} if ticket else {})
    answer = shells.run(["/bin/bash", "-c", _TELLS + before], environ=environ)
    told = "\n".join(answer.lines)
    assert answer.stderr == b""
    assert told.startswith("told: The job runs without a Kerberos ticket") is is_told
    assert told == "" or "Geneva" in told


async def test_a_ticket_kept_of_somebody_else_is_not_used(site: AuksSite) -> None:
    site.log_in(_ticket(owner="eve@LAB.TEST"))
    error = await site.error(Broken)
    assert "keeps somebody else's ticket" in error.message
    assert error.detail == "pushed for alice@LAB.TEST, got one of eve@LAB.TEST"


async def test_a_login_without_a_ticket(site: AuksSite) -> None:
    site.local.delegated = None
    error = await site.error(Refused)
    assert error.message.startswith("Your ticket was not forwarded to Geneva")
    assert error.detail == "no KRB5CCNAME"


async def test_a_login_whose_ticket_is_gone(site: AuksSite) -> None:
    site.local.delegated = site.local.home / "gone"
    error = await site.error(Refused)
    assert error.message.startswith("Your ticket was not forwarded to Geneva")
    assert error.detail.endswith("unable to read credential cache auks -a: exit status 4")


async def test_a_login_whose_ticket_has_expired_reads_as_if_auksd_were_away(site: AuksSite) -> None:
    site.log_in(_ticket(NOW - HOUR))
    error = await site.error(Unavailable)
    assert error.message.startswith("The ticket server of Geneva cannot be reached")
    assert "auks -a: exit status 247" in error.detail


async def test_a_login_whose_ticket_has_expired_is_told_apart_where_there_are_two_daemons(site: AuksSite) -> None:
    site.ail("secondary")
    site.log_in(_ticket(NOW - HOUR))
    error = await site.error(Refused)
    assert error.message.startswith("The ticket server of Geneva did not take your ticket")
    assert "auks -a: exit status 153" in error.detail


async def test_a_daemon_that_cannot_be_reached(site: AuksSite) -> None:
    site.ail("down")
    error = await site.error(Unavailable)
    assert error.message.startswith("The ticket server of Geneva cannot be reached")
    assert "auks -p: exit status 90" in error.detail
    assert error.detail.endswith("auks api : connection failed auks -a: exit status 247")


async def test_a_daemon_that_hangs(site: AuksSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CALL_SECONDS", 0.2)
    site.ail("hang")
    error = await site.error(Unavailable)
    assert error.message.startswith("The ticket server of Geneva cannot be reached")
    assert error.detail == "auks -p: exit status 124"


def test_all_calls_end_before_the_site_counts_as_silent() -> None:
    assert 4 * module._CALL_SECONDS < remote.COMMAND_SECONDS


@pytest.mark.parametrize(
    ("mode", "said"), [("stranger", "auks -a: exit status 145"), ("guest", "auks -g: exit status 146")]
)
async def test_a_daemon_that_refuses(site: AuksSite, mode: str, said: str) -> None:
    site.ail(mode)
    error = await site.error(Refused)
    assert error.message.startswith("The ticket server of Geneva did not take your ticket")
    assert error.detail.endswith(said)


@pytest.mark.parametrize("status", [146, 147])
async def test_a_push_that_is_answered_by_no(site: AuksSite, status: int) -> None:
    async def run(program: Shell, data: bytes) -> Completed:
        return Completed(status, "", "auks api : reply seems corrupted\n")

    with pytest.raises(Refused, match="did not take your ticket"):
        await site.delivery.renew(run, "alice", ID, _ticket())


async def test_a_site_without_auks(site: AuksSite) -> None:
    Path(site.auks.path).unlink()
    error = await site.error(Broken)
    missing = sentences.TICKET_PROGRAM_MISSING.format(site="Geneva", program=site.auks.path)
    assert error.message == missing


async def test_an_auks_with_a_trouble_of_its_own(site: AuksSite) -> None:
    Path(str(site.auks.conf)).unlink()
    error = await site.error(Broken)
    assert error.message == sentences.SERVER_FAILED.format(site="Geneva")
    assert "auks -p: exit status 63" in error.detail


@pytest.mark.parametrize("answer", ["", "AAAA", "%%%"])
async def test_what_is_read_back_is_not_a_ticket(site: AuksSite, answer: str) -> None:
    async def run(program: Shell, data: bytes) -> Completed:
        return Completed(0, answer, "")

    with pytest.raises(Broken, match="could not be read back"):
        await site.delivery.place(run, "alice", ID, _ticket())


@pytest.mark.parametrize(
    ("ticket", "words"),
    [(_ticket(NOW - HOUR), "has expired. Log in again."), (b"\x05", "cannot be used.")],
    ids=["expired", "damaged"],
)
async def test_a_ticket_that_nobody_would_take_is_not_pushed(site: AuksSite, ticket: bytes, words: str) -> None:
    assert words in (await site.error(Refused, ticket)).message
    assert not list(site.store.iterdir())


async def test_the_ticket_stays_for_the_persons_other_jobs(site: AuksSite) -> None:
    await site.place(_ticket())
    await site.delivery.release(site.local.run, "alice", ID)
    assert stat.S_ISREG(next(site.store.glob("aukscc_*")).stat().st_mode)


async def _submit(site: AuksSite, ticket: bytes) -> list[str]:
    local = site.local
    local.install_slurm()
    entry = builders.site(
        slurm_path=str(local.slurm),
        job_folder=f"{local.home}/{{owner}}/jobs",
        environment={"SLURM_SPANK_AUKS": "no"},
        ticket={"delivery": "auks", "auks": {"path": site.auks.path, "conf": site.auks.conf}},
    )
    launch = builders.launch(builders.catalogue(sites={"geneva": entry}))
    said: list[str] = []
    access = Remote(local, Login("alice", "alice", "geneva"), launch.site)  # type: ignore[arg-type]

    def build(fragment: Fragment) -> JobRequest:
        return script.build(launch, ID, mark("jupyter", "hub", ID), builders.process(), (fragment,))

    await submission.submit(access, builders.job(job_id=""), build, ticket, said.append)
    return said


async def test_sbatch_is_told_that_auks_is_done_and_gets_no_ticket_of_the_front_end(site: AuksSite) -> None:
    assert await _submit(site, _ticket()) == []
    assert site.local.exchanges == 2
    assert site.local.told("sbatch.arguments").splitlines() == ["--parsable", "--export=ALL", "--auks=done"]
    names = {line.split("=", 1)[0] for line in site.local.told("sbatch.environ").splitlines()}
    assert not names & {"KRB5CCNAME", "SLURM_SPANK_AUKS"}
    assert "KRB5CCNAME=" not in site.local.told("sbatch.stdin")


async def test_a_job_whose_ticket_ends_early_starts_all_the_same(site: AuksSite) -> None:
    await site.place(site.log_in(_ticket(NOW + 2 * HOUR, NOW + 48 * HOUR)))
    (sentence,) = await _submit(site, site.log_in(_ticket()))
    assert "could not be extended past" in sentence
    assert site.local.told("submissions") == "x\n"


async def test_no_job_is_submitted_without_the_ticket_it_should_have(site: AuksSite) -> None:
    site.ail("down")
    with pytest.raises(Unavailable, match="The ticket server of Geneva cannot be reached"):
        await _submit(site, _ticket())
    assert site.local.told("submissions") == ""


@pytest.mark.parametrize("settings", [{}, {"auks": {"path": "/opt/auks"}}])
def test_the_catalogue_names_the_delivery(settings: dict[str, object]) -> None:
    entry = builders.site(ticket={"delivery": "auks", **settings})
    assert isinstance(delivery.of(builders.catalogue(sites={"geneva": entry}).sites["geneva"]), AuksDelivery)
