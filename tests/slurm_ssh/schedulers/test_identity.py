from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kerberos_auth.keytabs import KeytabTickets
from profiles.catalogue.site import Site
from slurm_ssh.errors import Broken, FrontEndRefused, Refused, SiteUnreachable, Unavailable
from slurm_ssh.schedulers.identity import SiteQueries
from slurm_ssh.ssh.pool import ConnectionPool
from tests.support import builders, loopback
from tests.support.folders import DATA
from tests.support.realm import KRB5_CONF, Realm
from tests.support.sshd import Sshd
from tests.support.waiting import until
from tests.support.wallet import Wallet

SLURM = DATA / "slurm"


class _Slurm:
    """Slurm's commands on the front end; `says` is what a shell does for the first of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "answer").write_text((SLURM / "snapshot-geneva-22.05.txt").read_text())
        self.says(f"cat {folder}/answer; exit 0")

    def says(self, program: str) -> None:
        # All three answers are the first one's, and the others have nothing to add.
        text = f"""#!/bin/sh\ncase "$*" in *-N*) exit 0;; esac\n{program}\n"""
        (self.folder / "sinfo").write_text(text)
        (self.folder / "scontrol").write_text("#!/bin/sh\n[ \"$2\" != config ] || echo 'ClusterName = geneva'\n")
        for path in self.folder.iterdir():
            path.chmod(0o755)

    def accounting(self, associations: dict[str, str]) -> None:
        """Have sacctmgr answer for these logins."""
        cases = "".join(f"*user={login}*) echo '{row}';; " for login, row in associations.items())
        path = self.folder / "sacctmgr"
        path.write_text(f"""#!/bin/sh\ncase " $* " in {cases} esac\n""")
        path.chmod(0o755)


@pytest.fixture
def slurm(tmp_path: Path) -> _Slurm:
    slurm = _Slurm(tmp_path / "slurm")
    partitions = (slurm.folder / "answer").read_text().split("== nodes")[0]
    (slurm.folder / "answer").write_text(partitions)
    return slurm


@pytest.fixture
def site(login1: Sshd, slurm: _Slurm, realm: Realm) -> dict[str, Any]:
    login1.people.add("jmonitor")
    return builders.site(
        front_ends=[{"host": "localhost", "port": login1.port, "host_keys": [login1.host_key]}],
        slurm_path=str(slurm.folder),
        monitor={"principal": "jmonitor@LAB.TEST", "keytab": realm.monitor_keytab, "login": "jmonitor"},
        login_name={"judy": "jmeier"},
    )


@pytest.fixture
def sites() -> dict[str, Site]:
    return {}


@pytest.fixture
async def queries(sites: dict[str, Site], wallet: Wallet) -> AsyncIterator[SiteQueries]:
    pool = ConnectionPool(wallet.store.get, 60)
    queries = SiteQueries(sites, pool, KeytabTickets(wallet.store.folder), 60)
    yield queries
    await queries.close()
    await pool.close()


def _made(**fields: Any) -> Site:
    return builders.catalogue(sites={"geneva": fields}).sites["geneva"]


async def test_a_site_with_a_monitor_is_asked_by_it(
    queries: SiteQueries, sites: dict[str, Site], site: dict[str, Any], login1: Sshd
) -> None:
    sites["geneva"] = _made(**site)
    for _ in range(2):
        facts = await queries.snapshot(None, "geneva")
        assert facts.partitions
        assert facts.asked_at
    assert login1.logins == ["jmonitor"]


async def test_whose_projects_are_which_is_said_by_the_monitor_and_not_by_their_shell(
    queries: SiteQueries, sites: dict[str, Site], site: dict[str, Any], login1: Sshd, slurm: _Slurm
) -> None:
    sites["geneva"] = _made(**{**site, "projects": "accounting"})
    slurm.accounting({"bob": "geneva|proj3", "jmeier": "geneva|proj12"})
    facts = [await queries.projects(user, "geneva") for user in ("bob", "judy", "nobody")]
    assert [known.projects for known in facts if known] == [("proj3",), ("proj12",), ()]
    assert login1.logins == ["jmonitor"]


async def test_while_the_monitor_cannot_ask_nobodys_projects_are_known(
    queries: SiteQueries, sites: dict[str, Site], site: dict[str, Any], login1: Sshd, slurm: _Slurm, tmp_path: Path
) -> None:
    slurm.accounting({"bob": "geneva|proj3"})
    sites["geneva"] = _made(**{**site, "projects": "accounting"})
    login1.people.remove("jmonitor")
    assert await queries.projects("bob", "geneva") is None
    gone = {**site["monitor"], "keytab": str(tmp_path / "gone"), "principal": "gone@LAB.TEST"}
    sites["geneva"] = _made(**{**site, "monitor": gone, "projects": "accounting"})
    assert await queries.projects("bob", "geneva") is None
    assert login1.logins == []


async def test_without_a_monitor_people_speak_for_themselves(
    queries: SiteQueries, sites: dict[str, Site], site: dict[str, Any], login1: Sshd, slurm: _Slurm
) -> None:
    sites["geneva"] = _made(**{**site, "monitor": None, "projects": "accounting"})
    slurm.accounting({"bob": "geneva|proj3"})
    facts = await queries.projects("bob", "geneva")
    assert facts
    assert facts.projects == ("proj3",)
    assert login1.logins == ["bob"]
    with pytest.raises(Refused):
        await queries.snapshot(None, "geneva")


async def test_a_site_without_one_is_asked_by_the_person(
    queries: SiteQueries, sites: dict[str, Site], site: dict[str, Any], login1: Sshd
) -> None:
    sites["geneva"] = _made(**{**site, "monitor": None})
    assert (await queries.snapshot("alice", "geneva")).partitions
    assert login1.logins == ["alice"]


async def test_who_has_no_ticket_or_no_account_is_refused(
    queries: SiteQueries, sites: dict[str, Site], site: dict[str, Any], login1: Sshd
) -> None:
    sites["geneva"] = _made(**{**site, "monitor": None})
    with pytest.raises(Refused, match="no Kerberos ticket"):
        await queries.snapshot("nobody", "geneva")
    login1.people.remove("bob")
    with pytest.raises(FrontEndRefused):
        await queries.snapshot("bob", "geneva")


async def test_a_broken_keytab_is_one_line_that_says_what_to_do(
    queries: SiteQueries,
    sites: dict[str, Site],
    site: dict[str, Any],
    login1: Sshd,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    keytab = tmp_path / "monitor.keytab"
    sites["geneva"] = _made(**{**site, "monitor": {**site["monitor"], "keytab": str(keytab)}})
    for _ in range(3):
        with pytest.raises(Refused):
            await queries.snapshot(None, "geneva")
    assert login1.logins == []
    (line,) = [record.getMessage() for record in caplog.records if record.name.endswith("identity")]
    assert f"kadmin -q 'ktadd -k {keytab} jmonitor@LAB.TEST'" in line
    assert "not found" in line
    assert "each person's own connection asks geneva, for them alone" in line
    keytab.write_bytes(Path(site["monitor"]["keytab"]).read_bytes())
    assert (await queries.snapshot(None, "geneva")).partitions
    assert login1.logins == ["jmonitor"]


async def test_a_further_ticket_is_not_waited_for(
    queries: SiteQueries,
    sites: dict[str, Site],
    site: dict[str, Any],
    login1: Sshd,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sites["geneva"] = _made(**site)
    await queries.snapshot(None, "geneva")
    ticket = queries._tickets.get("jmonitor@LAB.TEST")
    late = ticket.end - (ticket.end - ticket.start) / 8
    monkeypatch.setattr("kerberos_auth.keytabs.time", SimpleNamespace(time=lambda: late))
    with loopback.silent() as port:
        (tmp_path / "krb5.conf").write_text(KRB5_CONF.format(port=port))
        monkeypatch.setenv("KRB5_CONFIG", str(tmp_path / "krb5.conf"))
        assert (await queries.snapshot(None, "geneva")).partitions
        assert "gets no ticket" not in caplog.text
        await until(lambda: "jmonitor@LAB.TEST gets no ticket at present" in caplog.text)
    assert login1.logins == ["jmonitor"]


async def test_a_monitor_that_is_not_let_in_is_one_line(
    queries: SiteQueries,
    sites: dict[str, Site],
    site: dict[str, Any],
    login1: Sshd,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sites["geneva"] = _made(**site)
    login1.people.remove("jmonitor")
    for _ in range(3):
        with pytest.raises(Refused):
            await queries.snapshot(None, "geneva")
    assert login1.logins == []
    (line,) = [record.getMessage() for record in caplog.records if record.name.endswith("identity")]
    assert "jmonitor@LAB.TEST may not ask geneva" in line


async def test_a_site_that_cannot_be_reached_is_not_asked_twice(
    queries: SiteQueries, sites: dict[str, Site], site: dict[str, Any], login1: Sshd
) -> None:
    sites["geneva"] = _made(**site)
    await login1.stop()
    with pytest.raises(SiteUnreachable):
        await queries.snapshot("alice", "geneva")
    assert login1.logins == []
    await login1.start()


@pytest.mark.parametrize(
    "words",
    [
        "slurm_load_partitions: Unable to contact slurm controller (connect failure)",
        "slurm_load_partitions: Socket timed out on send/recv operation",
    ],
)
async def test_a_slurm_that_does_not_answer_is_unavailable(
    queries: SiteQueries, sites: dict[str, Site], site: dict[str, Any], slurm: _Slurm, words: str
) -> None:
    sites["geneva"] = _made(**site)
    slurm.says(f"echo '{words}' >&2; exit 1")
    with pytest.raises(Unavailable, match="Slurm at Geneva does not answer"):
        await queries.snapshot("alice", "geneva")


@pytest.mark.parametrize("program", ["echo 'maintenance until Monday'", "echo 'no such option' >&2; exit 1"])
async def test_words_we_do_not_know_are_for_the_admin(
    queries: SiteQueries, sites: dict[str, Site], site: dict[str, Any], slurm: _Slurm, program: str
) -> None:
    sites["geneva"] = _made(**site)
    slurm.says(program)
    with pytest.raises(Broken, match=r"until Monday|no such option"):
        await queries.snapshot("alice", "geneva")


async def test_a_site_that_left_the_catalogue_is_not_asked(queries: SiteQueries) -> None:
    with pytest.raises(Broken, match="no longer in the catalogue"):
        await queries.snapshot("alice", "geneva")
    assert await queries.projects("alice", "geneva") is None
