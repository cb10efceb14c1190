"""Logins by certificate at a real sshd that trusts the authority."""

import getpass
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from kernels.shell import Shell
from profiles.catalogue.login import SiteLogin
from profiles.catalogue.site import FrontEnd
from slurm_ssh.errors import Broken, FrontEndRefused
from slurm_ssh.ssh import signing
from slurm_ssh.ssh.by_certificate import ByCertificate
from slurm_ssh.ssh.connecting import connect
from slurm_ssh.ssh.connection import Connection, ForwardingForbidden
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.signing import Wanted
from tests.support import openssh
from tests.support.authority import Authority
from tests.support.openssh import OpenSSH

ME = getpass.getuser()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
async def front_end(tmp_path: Path, authority: Authority) -> AsyncIterator[OpenSSH]:
    """Give a front end that trusts the authority, where alice, and nobody else, is the user of the tests."""
    (tmp_path / "principals").write_text("alice\n")
    async with openssh.running(
        tmp_path / "sshd",
        f"TrustedUserCAKeys {authority.path}.pub",
        f"AuthorizedPrincipalsFile {tmp_path}/principals",
        "LogLevel VERBOSE",
    ) as running:
        yield running


async def _connect(front_end: OpenSSH, how: SiteLogin, principal: str = "alice", *keys: str) -> Connection:
    wanted = Wanted("alice", ME, (principal,), forwards=False, serial=4711)
    proof = ByCertificate(await signing.certified(wanted, how))
    there = FrontEnd(host="127.0.0.1", port=front_end.port, host_keys=keys or (front_end.host_key,))
    return await connect(there, Login("alice", ME, "zurich"), proof, "Zurich")


async def _said(connection: Connection, program: str) -> str:
    try:
        return (await connection.run(Shell(program), environ={}, timeout_seconds=60)).stdout
    finally:
        await connection.close()


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"])
async def test_a_person_is_let_in_by_a_certificate_that_the_log_of_sshd_tells_of(
    front_end: OpenSSH, authority: Authority, kind: str
) -> None:
    changed = Authority(authority.path, kind)
    assert await _said(await _connect(front_end, changed.login()), "echo there") == "there\n"
    assert "ID jupyterhub:alice (serial 4711)" in front_end.log


async def test_another_principal_is_refused_with_what_was_shown(front_end: OpenSSH, authority: Authority) -> None:
    with pytest.raises(FrontEndRefused, match="Zurich did not let you in with a certificate") as refused:
        await _connect(front_end, authority.login(), "bob")
    assert "it was shown a certificate for bob, signed by SHA256:" in refused.value.detail
    assert "TrustedUserCAKeys" in refused.value.detail


async def test_a_certificate_is_good_for_its_minutes_and_no_longer(
    front_end: OpenSSH, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now - 9 * 60)
    await (await _connect(front_end, authority.login())).close()
    monkeypatch.setattr(signing.time, "time", lambda: now - 11 * 60)
    with pytest.raises(FrontEndRefused, match="Zurich did not let you in"):
        await _connect(front_end, authority.login())
    assert "Certificate invalid: expired" in front_end.log


async def test_another_authority_is_not_believed(front_end: OpenSSH, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger")
    with pytest.raises(FrontEndRefused, match="Zurich did not let you in"):
        await _connect(front_end, stranger.login())


async def test_sshd_runs_the_forced_command_in_place_of_the_hubs_which_it_finds_there(
    front_end: OpenSSH, authority: Authority, tmp_path: Path
) -> None:
    forced = tmp_path / "forced"
    forced.write_text(f'#!/bin/sh\necho "$LOGNAME" >> {tmp_path}/came\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n')
    forced.chmod(0o755)
    connection = await _connect(front_end, authority.login(force_command=str(forced)))
    assert await _said(connection, "echo there") == "there\n"
    assert (tmp_path / "came").read_text() == f"{ME}\n"


async def test_a_certificate_is_of_use_from_its_addresses_alone(front_end: OpenSSH, authority: Authority) -> None:
    here = await _connect(front_end, authority.login(source_address=["192.0.2.7", "127.0.0.0/8"]))
    await here.close()
    with pytest.raises(FrontEndRefused, match="Zurich did not let you in") as refused:
        await _connect(front_end, authority.login(source_address=["192.0.2.0/24"]))
    assert "source_address" in refused.value.detail


async def test_nothing_is_carried_on_where_no_tunnel_leads(front_end: OpenSSH, authority: Authority) -> None:
    connection = await _connect(front_end, authority.login())
    with pytest.raises(ForwardingForbidden):
        async with connection.stream("127.0.0.1", front_end.port):
            pass
    await connection.close()


@pytest.mark.parametrize(("passwords", "offered"), [("yes", "password"), ("no", "nothing")])
async def test_a_front_end_that_takes_no_keys_is_told(
    tmp_path: Path, authority: Authority, passwords: str, offered: str
) -> None:
    lines = ("PubkeyAuthentication no", f"PasswordAuthentication {passwords}", "KbdInteractiveAuthentication no")
    async with openssh.running(tmp_path / "sshd", *lines) as running:
        with pytest.raises(FrontEndRefused, match=r"127\.0\.0\.1 does not let anybody in by certificate") as said:
            await _connect(running, authority.login())
    assert said.value.detail == f"127.0.0.1 offers {offered}: see PubkeyAuthentication of its sshd"


async def test_a_host_certificate_is_trusted_if_the_authority_in_the_catalogue_has_signed_it(
    tmp_path: Path, authority: Authority
) -> None:
    hosts = Authority(tmp_path / "hosts")
    (tmp_path / "principals").write_text("alice\n")
    lines = (
        f"TrustedUserCAKeys {authority.path}.pub",
        f"AuthorizedPrincipalsFile {tmp_path}/principals",
    )
    async with openssh.running(tmp_path / "sshd", *lines, hosts=hosts.key) as running:
        connection = await _connect(running, authority.login(), "alice", f"@cert-authority {hosts.public}")
        await connection.close()
        with pytest.raises(Broken, match="shows a host key that is not in the catalogue"):
            await _connect(running, authority.login(), "alice", f"@cert-authority {authority.public}")


class _Hosts:
    """An authority whose certificates of hosts say something else."""

    def __init__(self, authority: Authority, **said: Any) -> None:
        self._key, self._said = authority.key, said

    def generate_host_certificate(self, key: Any, name: str, **said: Any) -> Any:
        """Return one that says what was said at first, whatever is asked for."""
        return self._key.generate_host_certificate(key, name, **{**said, **self._said})


@pytest.mark.parametrize(
    "said",
    [{"principals": ["login2.example.org"]}, {"valid_before": 60}, {"valid_after": "+1h", "valid_before": "+2h"}],
    ids=["of another host", "of the past", "of the future"],
)
async def test_a_host_certificate_has_to_be_for_the_host_and_valid(
    tmp_path: Path, authority: Authority, said: dict[str, Any]
) -> None:
    hosts = Authority(tmp_path / "hosts")
    line = f"TrustedUserCAKeys {authority.path}.pub"
    async with openssh.running(tmp_path / "sshd", line, hosts=cast(Any, _Hosts(hosts, **said))) as running:
        with pytest.raises(Broken, match="shows a host key that is not in the catalogue"):
            await _connect(running, authority.login(), "alice", f"@cert-authority {hosts.public}")
        assert "Accepted" not in running.log
        assert "publickey" not in running.log
