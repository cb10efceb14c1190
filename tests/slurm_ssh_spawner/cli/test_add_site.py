"""`jupyterhub-sites add-site`: what real sshds show, and what Slurm said once."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from profiles.loading import load
from slurm_ssh.slurm import nodes
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from slurm_ssh_spawner.cli import add_site, cluster, host_keys, main, yaml_text
from slurm_ssh_spawner.cli.add_site import Asked, FrontEnd
from slurm_ssh_spawner.cli.cluster import Places
from slurm_ssh_spawner.cli.host_keys import HostKey
from tests.support import builders, openssh
from tests.support.folders import DATA
from tests.support.local import LocalSite
from tests.support.openssh import OpenSSH
from tests.support.ports import free_port
from tests.support.terminal import Terminal

_KEY = HostKey(*builders.HOST_KEY.split(" "))


@pytest.fixture
async def sshd(tmp_path: Path) -> AsyncIterator[OpenSSH]:
    async with openssh.running(tmp_path / "sshd") as running:
        yield running


async def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = await asyncio.to_thread(main.main, ["add-site", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def _public(private: Path) -> tuple[str, str]:
    """Return the public half of a key, and its fingerprint, as OpenSSH prints them."""
    run: Any = partial(subprocess.run, capture_output=True, text=True, check=True)
    public = run(["ssh-keygen", "-y", "-f", private]).stdout
    return " ".join(public.split()[:2]), run(["ssh-keygen", "-lf", "-"], input=public).stdout.split()[1]


class TestKeys:
    async def test_those_that_a_host_shows_are_printed_with_their_fingerprint(
        self, sshd: OpenSSH, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, out, err = await _run(capsys, "127.0.0.1", "--port", str(sshd.port), "--key", "geneva", "--no-slurm")
        assert (code, err) == (0, "")
        public, fingerprint = await asyncio.to_thread(_public, sshd.folder / "host_key")
        site = yaml.safe_load(out)["sites"]["geneva"]
        assert site["front_ends"] == [{"host": "127.0.0.1", "port": sshd.port, "host_keys": [public]}]
        assert f"          # {fingerprint} - compare it" in out
        assert "# Its Slurm was not asked: " in out
        assert "# 127.0.0.1 is no full name." in out

    async def test_programs_get_the_entry_and_the_keys(
        self, sshd: OpenSSH, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, out, _ = await _run(
            capsys, "127.0.0.1", "--port", str(sshd.port), "--json", "--hub-url", "http://h:8081"
        )
        told = json.loads(out)
        assert code == 0
        assert told["site"]["front_ends"][0]["host_keys"] == [told["host_keys"][0]["key"]]
        assert told["site"]["hub_url"] == "http://h:8081"
        assert told["host_keys"][0]["fingerprint"].startswith("SHA256:")
        assert told["slurm_not_asked"]

    @pytest.mark.parametrize(
        ("answer", "reason"), [("n", "it is asked only over"), ("y", "You have no ticket in")]
    )
    async def test_on_a_terminal_they_are_shown_before_slurm_is_asked(
        self,
        sshd: OpenSSH,
        answer: str,
        reason: str,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("KRB5CCNAME", "FILE:/nowhere/ticket")
        monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))
        code, out, err = await _run(capsys, "127.0.0.1", "--port", str(sshd.port))
        _, fingerprint = await asyncio.to_thread(_public, sshd.folder / "host_key")
        assert code == 0
        assert err.startswith(f"127.0.0.1: ssh-ed25519 {fingerprint}\nCompare these fingerprints")
        assert f"# Its Slurm was not asked: {reason}" in out

    async def test_where_nobody_listens_the_reason_is_said(self, capsys: pytest.CaptureFixture[str]) -> None:
        port = free_port()
        code, out, err = await _run(capsys, "127.0.0.1", "--port", str(port))
        assert (code, out) == (1, "")
        assert err.startswith(f"127.0.0.1 shows no usable host key on port {port}: ")

    @pytest.mark.parametrize("host", ["-oProxyCommand=x", "a,b", "a b", "a/b", "é.example.org"])
    async def test_what_is_no_host_is_not_asked(self, host: str, capsys: pytest.CaptureFixture[str]) -> None:
        code, _, err = await _run(capsys, "--", host)
        assert code == 1
        assert "is no name of a host" in err

    def test_what_a_terminal_would_take_for_more_than_words_is_left_out(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scanner = tmp_path / "ssh-keyscan"
        scanner.write_text("#!/bin/sh\nprintf 'gone\\033]0;home\\007 away\\n' >&2\n")
        scanner.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert main.main(["add-site", "login1.example.org"]) == 1
        assert (
            capsys.readouterr().err == "login1.example.org shows no usable host key on port 22: gone]0;home away\n"
        )

    def test_the_best_kind_is_taken_and_nothing_that_is_no_key(self) -> None:
        rsa = "AAAAB3NzaC1yc2EAAAADAQABAAAAAQ=="
        said = (
            "# login1:22 SSH-2.0-OpenSSH_9.2\n"
            f"login1 ssh-rsa {rsa}\n"
            f"login1 ssh-ed25519 {rsa}\n"
            "login1 ssh-ed25519 %%%\n"
            f"other {builders.HOST_KEY}\n"
            "login1 ssh-dss AAAAB3NzaC1kc3M=\n"
        )
        assert host_keys.parse(said, "login1") == (HostKey("ssh-rsa", rsa),)
        assert host_keys.parse(f"{said}[login1]:2222 {builders.HOST_KEY}\n", "login1") == (_KEY,)
        assert host_keys.parse("", "login1") == ()


def _facts(name: str) -> Any:
    text = (DATA / "slurm" / f"snapshot-{name}-22.05.txt").read_text()
    return nodes.parse_snapshot(text, datetime.now(UTC))


class TestEntry:
    def test_it_says_what_slurm_has_and_is_one_that_can_be_used(self) -> None:
        fronts = [
            FrontEnd("login1.lugano.example.org", 22, (_KEY,)),
            FrontEnd("login2.example.org", 2222, (_KEY,)),
        ]
        places = Places("/opt/slurm/bin", "/etc/profile.d/lmod.sh", "lug")
        asked, facts = Asked(), _facts("two-types")
        key = add_site.key_of(asked, fronts)
        site = add_site.entry(asked, fronts, places, facts)
        said = add_site.comments(key, fronts, places, facts, "")
        text = yaml_text.written({"sites": {key: site}}, said)
        read = load.parse(text + "profiles: {jupyterlab: {name: JupyterLab}}\n", "catalogue.yaml").sites["lugano"]
        assert read.title == "Lugano"
        assert read.slurm_path == "/opt/slurm/bin"
        assert read.node_address == "{node}.lugano.example.org"
        assert [(each.host, each.port) for each in read.front_ends] == [
            ("login1.lugano.example.org", 22),
            ("login2.example.org", 2222),
        ]
        assert {name: each.time_max for name, each in read.partitions.items()} == {
            "normal": 480,
            "debug": 10,
            "gpu": 480,
            "staff": 480,
            "scavenge": 480,
        }
        assert "# Slurm's name of the cluster is lug.\n" in text
        assert "      # Nodes: 1, each with cores: 16, memory: 4000M, GPUs: 1 a100, 1 v100\n      gpu: " in text
        assert "      # For members of staff-lugano only.\n      staff: " in text
        assert "was not asked" not in text

    @pytest.mark.parametrize(
        ("host", "key"),
        [
            ("login1.geneva.example.org", "geneva"),
            ("geneva.example.org", "geneva"),
            ("Login-1", "login-1"),
            ("10.0.0.1", "0"),
            ("x" * 60, "x" * 40),
        ],
    )
    def test_its_key_is_the_clusters_name(self, host: str, key: str) -> None:
        assert add_site.key_of(Asked(), [FrontEnd(host, 22, (_KEY,))]) == key

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            (["--key", "Big One"], "'Big One' is no key"),
            (["--hub-url", "http://hub/hub"], "'http://hub/hub' is no URL of a hub"),
        ],
    )
    async def test_what_cannot_stand_in_a_catalogue_is_refused_before_anybody_is_asked(
        self, wrong: list[str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, _, err = await _run(capsys, "login1.geneva.example.org", *wrong)
        assert code == 1
        assert said in err

    async def test_without_a_ticket_it_says_why_slurm_was_not_asked(
        self, sshd: OpenSSH, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KRB5CCNAME", "FILE:/nowhere/ticket")
        code, out, _ = await _run(capsys, "127.0.0.1", "--port", str(sshd.port), "--slurm")
        assert code == 0
        assert "# Its Slurm was not asked: You have no ticket in /nowhere/ticket" in out


class TestCluster:
    async def test_places_are_looked_for_and_slurm_is_asked_where_it_is(
        self, local: LocalSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        modules = tmp_path / "modules.sh"
        modules.touch()
        monkeypatch.setattr(cluster, "_SLURM", ("/nowhere", str(local.slurm)))
        monkeypatch.setattr(cluster, "_MODULES", ("/nowhere.sh", str(modules)))
        answer = DATA / "slurm" / "snapshot-two-types-22.05.txt"
        sinfo = local.slurm / "sinfo"
        sinfo.write_text(
            "#!/bin/sh\n"
            f"case $* in *-N*) sed -n '/^== nodes/,/^== res/s/^ *1 /n1|/p' {answer};;\n"
            f"*) sed '/^== nodes/,$d' {answer};; esac\n"
        )
        sinfo.chmod(0o755)
        site = builders.catalogue().sites["geneva"]
        pool: Any = local
        places, facts = await cluster.explored(Remote(pool, Login("alice", "alice", "geneva"), site))
        assert places == Places(str(local.slurm), str(modules), "lugano")
        assert facts.partitions is not None
        assert facts.partitions["gpu"].nodes[0].whole.cores == 16

    def test_only_what_was_asked_for_is_believed(self) -> None:
        said = "slurm /tmp/evil\nmodules /etc/profile.d/lmod.sh\nname a b\nnoise\n"
        assert cluster.parse(said) == Places("", "/etc/profile.d/lmod.sh", "")
