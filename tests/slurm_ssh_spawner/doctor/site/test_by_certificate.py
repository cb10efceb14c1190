"""A site to which people come by certificate, without any ticket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kerberos_auth.outcome import State
from tests.slurm_ssh_spawner.doctor.site.conftest import Place, told, wrong
from tests.support import sshd
from tests.support.authority import Authority
from tests.support.sshd import Sshd


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
async def front_end(tmp_path: Path, authority: Authority) -> AsyncIterator[Sshd]:
    home = tmp_path / "another-home"
    home.mkdir()
    async with sshd.running_for_key(home, authority=authority.public) as running:
        yield running


@pytest.fixture
def zurich(place: Place, front_end: Sshd, authority: Authority) -> Place:
    place.site |= {
        "front_ends": [{"host": "localhost", "port": front_end.port, "host_keys": [front_end.host_key]}],
        "login": {"kind": "certificate", "ca_key": str(authority.path)},
        "ticket": {"delivery": "none"},
    }
    place.changed = {"ticket": None, "ticket_bytes": b""}
    return place


async def test_all_is_well(zurich: Place) -> None:
    found = await zurich.look(with_job=True)
    assert {each.state for each in found} == {State.OK}, told(found)
    by_check = {each.check: str(each.sentence) for each in found}
    assert by_check["E4"] == "localhost offers publickey."
    assert by_check["E5"] == "localhost lets in by certificate, without a ticket."
    assert by_check["F6"] == "Jobs get no ticket, as ticket.delivery says."


async def test_e4_a_front_end_that_takes_no_keys(zurich: Place, place: Place) -> None:
    tickets = place.front_end
    zurich.site["front_ends"] = [{"host": "localhost", "port": tickets.port, "host_keys": [tickets.host_key]}]
    problems = wrong(await zurich.look())
    assert list(problems) == ["E4"]
    assert "does not offer publickey; it offers gssapi-with-mic" in str(problems["E4"].sentence)
    assert "PubkeyAuthentication yes" in str(problems["E4"].fix)


async def test_e6_an_authority_that_the_front_end_does_not_trust(zurich: Place, tmp_path: Path) -> None:
    zurich.site["login"]["ca_key"] = str(Authority(tmp_path / "stranger").path)
    problems = wrong(await zurich.look())
    assert list(problems) == ["E6"]
    assert "TrustedUserCAKeys and AuthorizedPrincipalsFile of its sshd" in str(problems["E6"].fix)


async def test_e6_a_key_of_the_authority_that_cannot_be_read(zurich: Place, authority: Authority) -> None:
    authority.path.chmod(0o644)
    problems = wrong(await zurich.look())
    assert list(problems) == ["E6"]
    assert "cannot make certificates" in str(problems["E6"].sentence)
    assert f"{authority.path}: owner " in str(problems["E6"].sentence)
    assert str(problems["E6"].fix).startswith("Mend ca_key, or command, of login")


async def test_e3_a_host_that_the_authority_for_hosts_has_not_signed(zurich: Place, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "hosts")
    key = " ".join(stranger.public.split()[:2])
    zurich.site["front_ends"][0]["host_keys"] = [f"@cert-authority {key}"]
    found = await zurich.look()
    assert list(wrong(found)) == ["E3"], told(found)
