"""`jupyterhub-sites init` into a folder, as anybody; its cluster is a real sshd."""

import asyncio
import errno
import json
import os
import re
import shutil
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from profiles.loading import load
from slurm_ssh_spawner.cli import main
from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.cli.init import making
from slurm_ssh_spawner.cli.init.files import New
from tests.support import openssh
from tests.support.folders import TREE
from tests.support.openssh import OpenSSH
from tests.support.realm import Realm
from tests.support.terminal import Terminal


@pytest.fixture
async def sshd(tmp_path: Path) -> AsyncIterator[OpenSSH]:
    async with openssh.running(tmp_path / "sshd") as running:
        yield running


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


async def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = await asyncio.to_thread(main.main, ["init", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def _modes(root: Path) -> dict[str, str]:
    return {f"/{path.relative_to(root)}": f"{stat.S_IMODE(path.stat().st_mode):o}" for path in root.rglob("*")}


async def test_a_hub_is_set_up_by_options(sshd: OpenSSH, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [
        "localhost",
        "--port",
        str(sshd.port),
        "--key",
        "geneva",
        "--hub-url",
        "http://hub.example.org:8081",
    ]
    code, out, err = await _run(
        capsys, *options, "--root", str(root), "--jobs", "--tunnel", "--pam", "sss", "--yes"
    )
    assert (code, err) == (0, "")
    modes = _modes(root)
    assert {path: mode for path, mode in modes.items() if mode not in ("755", "644")} == {
        "/var/lib/jupyterhub": "700",
        "/var/lib/jupyterhub-jobs": "700",
        "/etc/jupyterhub/proxy.env": "600",
        "/etc/jupyterhub/jobs-token": "600",
    }
    assert {Path(path).name for path in modes if path.startswith("/etc/systemd/system/")} == {
        "jupyterhub.service",
        "jupyterhub-proxy.service",
        "jupyterhub-tunnels.service",
        "jupyterhub-jobs.service",
    }
    assert re.fullmatch(
        "CONFIGPROXY_AUTH_TOKEN=[0-9a-f]{64}\n", (root / "etc/jupyterhub/proxy.env").read_text(encoding="utf-8")
    )
    assert "pam_sss.so" in (root / "etc/pam.d/jupyterhub").read_text(encoding="utf-8")
    site = load.read(str(root / "etc/jupyterhub/catalogue.yaml")).sites["geneva"]
    assert (site.hub_url, site.tunnel.kind) == ("http://hub.example.org:8081", "ssh")
    assert len(site.front_ends[0].host_keys) == 1
    assert "made  0600" in out
    assert re.search(r"\d\. Compare the SHA256 of each host key", out)
    assert "/etc/jupyterhub/catalogue.yaml: folders, where" in out
    assert "enable --now jupyterhub-proxy.service jupyterhub-tunnels.service jupyterhub.service" in out


async def test_what_is_there_is_never_changed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = root / "etc/jupyterhub"
    config.mkdir(parents=True, mode=0o750)
    (config / "proxy.env").write_text("mine", encoding="utf-8")
    (config / "catalogue.yaml").symlink_to("nowhere")
    options = ["127.0.0.1", "--port", "1", "--root", str(root), "--yes", "--json"]
    code, out, _ = await _run(capsys, *options)
    assert code == 0
    told = json.loads(out)
    assert told["kept"] == [str(config), f"{config}/proxy.env", f"{config}/catalogue.yaml"]
    assert f"{config}/jupyterhub_config.py" in told["made"]
    assert (config / "proxy.env").read_text(encoding="utf-8") == "mine"
    assert not (config / "nowhere").exists()
    assert any("127.0.0.1 into the catalogue. They could not be seen" in step for step in told["by_hand"])
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    code, out, _ = await _run(capsys, *options)
    assert json.loads(out)["made"] == []
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_file_that_is_not_written_to_its_end_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """The disk is full, or somebody presses Ctrl-C; `init` can be run again."""

    def failing(*_: object) -> None:
        raise error

    new = New("/etc/proxy.env", "TOKEN=1\n", 0o600)
    with monkeypatch.context() as patched:
        patched.setattr("os.fchmod", failing)
        with pytest.raises((KeyboardInterrupt, Failed), match=f"^$|^{tmp_path}/etc/proxy.env cannot be made"):
            making.make([new], tmp_path, "nobody")
    assert list((tmp_path / "etc").iterdir()) == []
    assert making.make([new], tmp_path, "nobody")[0].is_new


async def test_the_hub_can_read_its_configuration_whatever_the_umask_is(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = os.umask(0o077)
    try:
        await _run(capsys, "127.0.0.1", "--port", "1", "--root", str(root), "--yes")
    finally:
        os.umask(before)
    modes = _modes(root)
    assert (modes["/etc/jupyterhub"], modes["/etc/jupyterhub/catalogue.yaml"]) == ("755", "644")
    assert (modes["/var/lib/jupyterhub"], modes["/etc/jupyterhub/proxy.env"]) == ("700", "600")


async def test_a_catalogue_that_lacks_something_is_left_with_what_it_is(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = await _run(capsys, "127.0.0.1", "--port", "1", "--root", str(root), "--yes")
    assert "Mend /etc/jupyterhub/catalogue.yaml (sites." in out
    assert "host_keys: is empty" in out


async def test_a_catalogue_that_is_there_needs_no_login_host(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = root / "etc/jupyterhub"
    config.mkdir(parents=True)
    shutil.copy(TREE / "examples/certificates.yaml", config / "catalogue.yaml")
    code, out, _ = await _run(capsys, "--root", str(root), "--yes")
    assert code == 0
    assert (config / "catalogue.yaml").read_bytes() == (TREE / "examples/certificates.yaml").read_bytes()
    assert "Compare the SHA256 of each host key" in out
    # Its site has a tunnel.
    assert (root / "etc/systemd/system/jupyterhub-tunnels.service").exists()
    monkeypatch.setattr(sys, "stdin", Terminal("two\n\nn\n"))
    again = root / "again"
    shutil.copytree(config, again / "etc/jupyterhub", ignore=shutil.ignore_patterns("*.py", "proxy.env"))
    code, _, err = await _run(capsys, "--root", str(again))
    assert (code, "login hosts" in err, "compute nodes" in err) == (0, False, False)
    assert 'hub_name = "two"' in (again / "etc/jupyterhub/jupyterhub_config.py").read_text(encoding="utf-8")


async def test_a_configuration_without_kerberos_is_asked_for_nothing_of_it(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = root / "etc/jupyterhub"
    config.mkdir(parents=True)
    shutil.copy(TREE / "examples/oauth_config.py", config / "jupyterhub_config.py")
    shutil.copy(TREE / "examples/certificates.yaml", config / "catalogue.yaml")
    # All that is left to ask is whether it takes batch jobs.
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    code, out, _ = await _run(capsys, "--root", str(root))
    _, steps = out.split("To be done by hand:")
    assert code == 0
    assert [word for word in ("krb5", "keytab", "KDC", "kinit", "ticket", "PAM") if word in steps] == []
    assert not (root / "etc/pam.d").exists()
    assert "jupyterhub-sites check /etc/jupyterhub/catalogue.yaml" in steps
    assert "port 22 of the login hosts" in steps


async def test_on_a_terminal_it_asks_for_what_was_not_said(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [
        "127.0.0.1 login2",
        "Big Geneva",
        "y",
        "/gpfs/{owner}/jobs",
        "/opt/jupyter",
        "two",
        "ann bob",
        "",
    ]
    monkeypatch.setattr(sys, "stdin", Terminal("\n".join(answers) + "\n"))
    code, _, err = await _run(
        capsys, "--root", str(root), "--port", "1", "--hub-url", "http://h:8081", "--key", "g"
    )
    assert (code, "Traceback" in err) == (0, False)
    site = yaml.safe_load((root / "etc/jupyterhub/catalogue.yaml").read_text(encoding="utf-8"))["sites"]["g"]
    assert [each["host"] for each in site["front_ends"]] == ["127.0.0.1", "login2"]
    assert (site["title"], site["job_folder"], site["tunnel"]) == (
        "Big Geneva",
        "/gpfs/{owner}/jobs",
        {"kind": "ssh"},
    )
    assert site["jupyter"] == {"prefix": "/opt/jupyter"}
    config = (root / "etc/jupyterhub/jupyterhub_config.py").read_text(encoding="utf-8")
    assert 'hub_name = "two"' in config
    assert 'admin_users = {"ann", "bob"}' in config


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--yes"], "No login host is named."),
        (["h.example.org", "--yes", "--hub-name", "My Hub"], "cannot be 'My Hub'"),
        (["h.example.org", "--yes", "--hub-url", "hub"], "'hub' is no URL of a hub"),
    ],
)
async def test_what_cannot_be_is_refused_before_anything_is_made(
    root: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = await _run(capsys, "--root", str(root), *options)
    assert (code, out) == (1, "")
    assert said in err
    assert not root.exists()


async def test_where_nothing_can_be_made_it_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "root").write_text("a file", encoding="utf-8")
    code, _, err = await _run(capsys, "127.0.0.1", "--port", "1", "--root", str(tmp_path / "root"), "--yes")
    assert code == 1
    assert "Run this as root, or with --root DIR for a dry run. Made before: nothing." in err


@pytest.mark.parametrize("line", ["", "forwardable = true", "renew_lifetime = 7d", "rdns = false"])
async def test_krb5_conf_is_left_to_do_only_where_a_line_is_lacking(
    realm: Realm,
    root: Path,
    tmp_path: Path,
    line: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = realm.configs["good"].read_text(encoding="utf-8")
    assert line in written
    (tmp_path / "krb5.conf").write_text(written.replace(line, "") if line else written, encoding="utf-8")
    monkeypatch.setenv("KRB5_CONFIG", str(tmp_path / "krb5.conf"))
    _, out, _ = await _run(capsys, "127.0.0.1", "--port", "1", "--root", str(root), "--yes", "--json")
    steps = json.loads(out)["by_hand"]
    assert any("/etc/krb5.conf" in step for step in steps) == bool(line)
