"""What a certificate says, and which ones of a program's are used."""

import asyncio
import base64
import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import asyncssh
import pytest
from asyncssh.asn1 import der_decode, der_encode

from profiles.catalogue.login import SiteLogin
from slurm_ssh.errors import Broken, Refused, Unavailable
from slurm_ssh.ssh import by_certificate, ca_program, signing
from slurm_ssh.ssh.by_certificate import ByCertificate, Certificates
from slurm_ssh.ssh.ca_program import NoCertificate
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.signing import Certified, Wanted
from tests.support import builders
from tests.support.authority import Authority
from tests.support.waiting import Timeouts, is_over, until

ALICE = Wanted("alice", "asmith", ("asmith",), forwards=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


def _site(login: SiteLogin, **changed: Any) -> Any:
    said = login.model_dump(mode="json", exclude_unset=True)
    site = builders.site(ticket={"delivery": "none"}, login=said, **changed)
    return builders.catalogue(sites={"geneva": site}).sites["geneva"]


async def _made(site: Any, user: str) -> ByCertificate:
    return await Certificates().made(Login(user, site.login_of(user), "geneva"), site)


def _says(certified: Certified) -> dict[str, Any]:
    certificate = certified.certificate
    return {
        **certificate.options,
        "principals": list(certificate.principals),
        "minutes": round((certificate._valid_before - time.time()) / 60),
    }


async def test_a_certificate_allows_what_is_needed_and_nothing_else(authority: Authority) -> None:
    made = await _made(_site(authority.login()), "alice")
    assert _says(made.certified) == {"principals": ["alice"], "minutes": 10}


async def test_what_the_catalogue_says_of_certificates_stands_in_them(authority: Authority) -> None:
    how = authority.login(principals=["{owner}", "hub:{user}"], validity="5m", force_command="/usr/bin/gate x")
    site = _site(how, tunnel={"kind": "ssh"}, login_name={"alice": "asmith"})
    assert _says((await _made(site, "alice")).certified) == {
        "principals": ["asmith", "hub:alice"],
        "minutes": 5,
        "force-command": "/usr/bin/gate x",
        "permit-port-forwarding": True,
    }


async def test_each_certificate_has_a_key_of_its_own_and_shows_none(authority: Authority) -> None:
    site = _site(authority.login())
    one, two = await _made(site, "alice"), await _made(site, "alice")
    assert one.certified.key.public_data != two.certified.key.public_data
    assert "key" not in repr(one)


@pytest.mark.parametrize("user", ["root", "asmith", "b,root", "-x", "b\n", "@geneva/alice", ""])
async def test_nobody_gets_a_certificate_for_root_or_by_the_name_of_somebody_elses_login(
    authority: Authority, user: str
) -> None:
    site = _site(authority.login(), login_name={"alice": "asmith"})
    with pytest.raises(Refused, match="does not log you in to Geneva as"):
        await _made(site, user)


async def test_who_is_mapped_to_root_gets_none_either(authority: Authority) -> None:
    with pytest.raises(Refused):
        await _made(_site(authority.login(), login_name={"alice": "root"}), "alice")


@pytest.mark.parametrize("user", ["-x", "{minutes}"])
async def test_a_name_that_would_be_something_else_never_reaches_a_program(tmp_path: Path, user: str) -> None:
    program = _program(tmp_path, "touch ran")
    site = _site(program, login_name={user: "xavier"})
    with pytest.raises(Refused):
        await _made(site, user)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604])
async def test_a_key_that_others_may_read_signs_nothing(authority: Authority, mode: int) -> None:
    authority.path.chmod(mode)
    with pytest.raises(Broken, match="The hub cannot make certificates for Geneva") as broken:
        await _made(_site(authority.login()), "alice")
    assert f"mode {mode:04o}; it has to be a file" in broken.value.detail


def _make_locked(path: Path) -> None:
    command: list[str | Path] = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", path]
    subprocess.run(command, input=b"y", check=True, capture_output=True)


def _make_damaged(path: Path) -> None:
    """Write a key of RSA whose first prime is not one of its modulus."""
    key = asyncssh.generate_private_key("ssh-rsa", key_size=1024).export_private_key("pkcs1-der")
    numbers: list[Any] = list(cast(tuple[int, ...], der_decode(key)))
    numbers[4] += 2
    _write_pem(path, der_encode(tuple(numbers)))


def _make_deep(path: Path) -> None:
    """Write a key whose values lie within each other, some thousand times."""
    text = b"\x05\x00"
    for _ in range(5000):
        length = bytes([len(text)]) if len(text) < 128 else b"\x83" + len(text).to_bytes(3, "big")
        text = b"\x30" + length + text
    _write_pem(path, text)


def _write_pem(path: Path, text: bytes) -> None:
    begin, end = (f"-----{word} RSA PRIVATE KEY-----\n".encode() for word in ("BEGIN", "END"))
    path.write_bytes(begin + base64.encodebytes(text) + end)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file"),
        ("a key, honestly", "private key without a passphrase"),
        ("locked", "passphrase"),
        (_make_damaged, "it is damaged; it has to be a private key without a passphrase"),
        (_make_deep, "it is damaged"),
    ],
)
async def test_a_key_that_cannot_be_used_is_told_with_its_file(
    authority: Authority, text: str | Callable[[Path], None] | None, said: str
) -> None:
    authority.path.unlink()
    if text == "locked":
        _make_locked(authority.path)
    elif text:
        text(authority.path) if callable(text) else authority.path.write_text(text)
        authority.path.chmod(0o600)
    assert said in signing.problem(authority.login())
    with pytest.raises(Broken) as broken:
        await _made(_site(authority.login()), "alice")
    assert broken.value.detail.startswith(f"{authority.path}: ")
    assert said in broken.value.detail


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_told_and_not_held_open(tmp_path: Path, make: Callable[[Path, int], None]) -> None:
    path = tmp_path / "ca"
    make(path, 0o700)
    how = SiteLogin.model_validate({"kind": "certificate", "ca_key": str(path)})
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - they are counted
    said = [signing.problem(how) for _ in range(3)]
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    assert len(set(said)) == 1
    assert said[0].startswith(f"{path}: ")


# -- a program ---------------------------------------------------------------------------------------------


def _program(folder: Path, *lines: str, **changed: Any) -> SiteLogin:
    """Return a login by certificates of a shell program, which has the principals and the minutes as words."""
    script = folder / "sign"
    script.write_text("\n".join(("#!/bin/sh", "set -e", f"cd {folder}", *lines)))
    script.chmod(0o755)
    words = [str(script), "{principals}", "{minutes}"]
    return SiteLogin.model_validate({"kind": "certificate", "command": words, **changed})


def _signs(options: str) -> tuple[str, ...]:
    """Return what a program does that signs by ssh-keygen."""
    return (
        'mkdir -p "made.$$"; trap \'rm -rf "made.$$"\' EXIT; cat > "made.$$/key.pub"',
        f'ssh-keygen -q -s ca -I test {options} "made.$$/key.pub"; cat "made.$$/key-cert.pub"',
    )


async def test_a_program_signs_in_place_of_a_key(tmp_path: Path, authority: Authority) -> None:
    program = _program(tmp_path, *_signs('-n "$1" -V "+$2m" -O clear'), validity="5m")
    certified = (await _made(_site(program), "alice")).certified
    assert _says(certified) == {"principals": ["alice"], "minutes": 5}
    assert certified.authority == authority.key.get_fingerprint()


async def test_the_log_has_the_number_of_a_programs_certificate_which_sshds_log_has_too(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await _made(_site(_program(tmp_path, *_signs('-n "$1" -z 4711 -V "+$2m" -O clear'))), "alice")
    assert "certificate 4711 for alice at geneva: alice" in caplog.text


async def test_a_program_knows_nothing_of_the_hubs_environment(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFIGPROXY_AUTH_TOKEN", "5ec4e7")
    await signing.certified(ALICE, _program(tmp_path, "env > environment", *_signs('-n "$1" -V "+$2m" -O clear')))
    assert "5ec4e7" not in (tmp_path / "environment").read_text()


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ("-V +10m", r"its principals are \[\]"),
        ("-n asmith,root -V +10m", r"its principals are \['asmith', 'root'\]"),
        ("-n asmith", "it is valid for more than 10 minutes"),
        ("-n asmith -V +10m -h", "Invalid certificate type"),
        ("-n asmith -V -20m:-10m", "Certificate expired"),
        ("-n asmith -V +10m -O force-command=true", "its force-command is 'true', that of the catalogue None"),
    ],
)
async def test_a_certificate_that_says_something_else_is_not_used(
    tmp_path: Path, authority: Authority, options: str, wrong: str
) -> None:
    with pytest.raises(NoCertificate, match=wrong) as said:
        await signing.certified(ALICE, _program(tmp_path, *_signs(options)))
    assert not said.value.is_temporary


async def test_limits_of_the_catalogue_have_to_be_in_a_programs_certificate(
    tmp_path: Path, authority: Authority
) -> None:
    named = '-n "$1" -V "+$2m"'
    limits = {"source_address": ["192.0.2.0/24"]}
    with pytest.raises(NoCertificate, match="its source-address is not that of the catalogue"):
        await signing.certified(ALICE, _program(tmp_path, *_signs(named), **limits))
    limited = _signs(f"{named} -O source-address=192.0.2.0/24")
    assert await signing.certified(ALICE, _program(tmp_path, *limited, **limits))


async def test_a_certificate_for_another_key_is_not_used(tmp_path: Path, authority: Authority) -> None:
    other = authority.key.generate_user_certificate(
        asyncssh.generate_private_key("ssh-ed25519"), "x", principals=["asmith"], valid_before=time.time() + 60
    )
    other.write_certificate(tmp_path / "cert")
    with pytest.raises(NoCertificate, match="it is for another key"):
        await signing.certified(ALICE, _program(tmp_path, "cat cert"))


@pytest.mark.parametrize(
    "line",
    [
        "echo Hello",
        "echo",
        "head -c 100000 /dev/urandom",
        # One of a web server; one whose parts lie within each other.
        "printf -- '-----BEGIN CERTIFICATE-----\\nMAMCAQA=\\n-----END CERTIFICATE-----\\n'",
        "head -c 60000 /dev/zero | tr '\\0' '0'",
        "cat ca.pub",
        "echo ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29t",
    ],
)
async def test_a_program_that_prints_no_certificate_is_for_the_admin(
    tmp_path: Path, authority: Authority, line: str
) -> None:
    with pytest.raises(Broken) as broken:
        await _made(_site(_program(tmp_path, line)), "alice")
    assert "what the program printed is no certificate" in broken.value.detail


async def test_a_program_that_fails_may_succeed_later(tmp_path: Path) -> None:
    with pytest.raises(
        Unavailable, match="The certificate authority of Geneva gave the hub no certificate"
    ) as said:
        await _made(_site(_program(tmp_path, "echo sealed >&2; exit 3")), "alice")
    assert said.value.detail == f"{tmp_path}/sign: exit status 3: sealed"


async def test_a_program_that_is_not_there_is_for_the_admin(tmp_path: Path) -> None:
    how = SiteLogin.model_validate({"kind": "certificate", "command": [f"{tmp_path}/nowhere"]})
    with pytest.raises(Broken) as broken:
        await _made(_site(how), "alice")
    assert broken.value.detail == f"{tmp_path}/nowhere: No such file or directory"


@pytest.mark.parametrize("line", ["sleep 600 & echo $! > child; wait", "yes & echo $! > child; wait"])
async def test_a_program_that_does_not_end_is_ended_with_what_it_has_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    timeouts, written = Timeouts(monkeypatch, ca_program), tmp_path / "child"
    signing_now = asyncio.create_task(signing.certified(ALICE, _program(tmp_path, line)))
    await until(lambda: written.exists() and written.read_text().endswith("\n"))
    timeouts.come()
    with pytest.raises(NoCertificate, match="has not ended within 10 s") as said:
        await signing_now
    assert said.value.is_temporary
    child = int(written.read_text())
    await until(lambda: is_over(child))


async def test_a_program_that_leaves_something_behind_is_over_when_it_ends_itself(
    tmp_path: Path, authority: Authority
) -> None:
    line = "sleep 60 & echo $! > child"
    try:
        await signing.certified(ALICE, _program(tmp_path, line, *_signs('-n "$1" -V "+$2m" -O clear')))
        assert not is_over(int((tmp_path / "child").read_text()))
    finally:
        os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)


async def test_a_program_that_prints_faster_than_it_is_heard_is_ended_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ca_program, "PROGRAM_SECONDS", 0.3)
    monkeypatch.setattr(ca_program, "_LONGEST", 1)
    async with asyncio.timeout(60):
        with pytest.raises(NoCertificate, match="has not ended"):
            await signing.certified(ALICE, _program(tmp_path, "exec yes"))


_STEPS = 30


@pytest.mark.parametrize("line", ["exec sleep 600", "exec cat ca.pub"])
async def test_whoever_waits_no_longer_leaves_nothing_behind(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture, line: str
) -> None:
    """They are gone after each number of steps of the loop; then all turns are free again."""
    certificates, site = Certificates(), _site(_program(tmp_path, "echo $$ >> begun", line))
    for steps in range(_STEPS):
        waiting = asyncio.create_task(certificates.made(Login("alice", "alice", "geneva"), site))
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        async with asyncio.timeout(60):
            with pytest.raises((asyncio.CancelledError, Broken)):
                await waiting
    begun = (
        [int(each) for each in (tmp_path / "begun").read_text().split()] if (tmp_path / "begun").exists() else []
    )
    for each in begun:
        await until(partial(is_over, each))
    assert certificates._turns._value == by_certificate._AT_ONCE
    assert caplog.text == ""
