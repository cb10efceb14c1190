"""What the lab's bare machine and its realm have in place of what a page takes for granted, and nothing else.

- `apt-get`: Debian's packages are on the machine already; the one that is not is installed from the setup's copy.
- `npm`: puts the setup's copy of the proxy where npm would.
- `systemctl`, `journalctl`: tests/support/small_systemd.py, because the first process of a host is no systemd.
- pip finds wheels in two folders: ours, and those that the setup brought.
- Somebody administers the realm: `admin/admin`, with `kadmind`.
- A login host without Kerberos that knows no hub yet. Its `systemctl` tells sshd to read its settings again.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lab import Lab
from lab.folders import NODE_PROGRAM, PROXY_PROGRAM, SETUP, TREE
from lab.plan import BARE, KDC, REALM

ADMIN, ADMIN_PASSWORD = "admin/admin", "admin-pw"
HUB_WHEELS = SETUP / "hub-wheels"
_OUR_WHEEL = "/tmp/wheels"
_PROGRAMS = Path("/usr/local/sbin")
_UNITS = ("jupyterhub-proxy", "jupyterhub")
_KADMIND_PID = "/run/kadmind.pid"

_APT_GET = f"""\
#!/bin/sh
# As apt-get, it fails for what is nowhere; `update` has nothing to do.
set -e
[ "$1" = install ] || exit 0
shift
for package; do
    case $package in
        -* | nodejs | npm) ;;
        libpam-krb5) dpkg --install {SETUP}/pam/libpam-krb5_*.deb ;;
        *) dpkg-query --show "$package" ;;
    esac
done
"""

_NPM = f"""\
#!/bin/sh
set -e
[ "$*" = "install --global configurable-http-proxy" ]
printf '#!/bin/sh\\nexec {NODE_PROGRAM} {PROXY_PROGRAM} "$@"\\n' > /usr/local/bin/configurable-http-proxy
chmod 755 /usr/local/bin/configurable-http-proxy
"""

_SYSTEMD = f"""\
#!/bin/sh
exec /usr/bin/python3 -B {TREE}/tests/support/small_systemd.py "${{0##*/}}" "$@"
"""

_SSHD_CONFIG = """\
Include /etc/ssh/sshd_config.d/*.conf
HostKey /etc/ssh/ssh_host_ed25519_key
UsePAM yes
PasswordAuthentication no
KbdInteractiveAuthentication no
LogLevel VERBOSE
"""

_RELOAD = """\
#!/bin/sh
[ "$*" = "reload ssh" ] && kill -HUP "$(cat /run/sshd.pid)"
"""

ENVIRONMENT: Mapping[str, str] = {
    "PIP_CONFIG_FILE": "/dev/null",
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": f"{HUB_WHEELS} {_OUR_WHEEL}",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "DEBIAN_FRONTEND": "noninteractive",
    # A terminal without colours.
    "TERM": "dumb",
}


def our_wheel(scratch: Path) -> Path:
    """Build the wheel of this tree, from a copy: setuptools leaves things beside its sources."""
    source = scratch / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        cwd=TREE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (TREE / name).is_file() and not name.startswith(("tests/", "lab/")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(TREE / name, source / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(scratch), str(source)], check=True)
    (wheel,) = scratch.glob("jupyterhub_sites-*.whl")
    return wheel


@contextmanager
def ready(lab: Lab, wheel: Path, without_kerberos: str) -> Iterator[None]:
    """Give machines and the realm what is in place of others, for the length of a block.

    `without_kerberos` is a login host whose sshd trusts no hub once it has read its settings again.
    """
    for name, text in (("apt-get", _APT_GET), ("npm", _NPM), ("systemctl", _SYSTEMD), ("journalctl", _SYSTEMD)):
        _program(lab, BARE.name, name, text)
    _program(lab, without_kerberos, "systemctl", _RELOAD)
    write(lab, without_kerberos, "/etc/ssh/sshd_config", _SSHD_CONFIG)
    lab.run(
        without_kerberos, ["sh", "-c", "rm -rf /etc/ssh/sshd_config.d/* /etc/ssh/hub_ca.pub /etc/ssh/principals"]
    )
    _bring(lab, wheel)
    lab.run(KDC.name, ["kadmin.local", "-q", f"addprinc -pw {ADMIN_PASSWORD} {ADMIN}"])
    write(lab, KDC.name, "/var/lib/krb5kdc/kadm5.acl", f"{ADMIN}@{REALM} *\n")
    lab.run(KDC.name, ["/usr/sbin/kadmind", "-P", _KADMIND_PID])
    try:
        yield
    finally:
        # None of them may be there yet.
        lab.run(BARE.name, ["systemctl", "stop", *_UNITS], check=False)
        lab.run(KDC.name, ["sh", "-c", f"kill $(cat {_KADMIND_PID})"])


def write(lab: Lab, host: str, path: str, text: str, mode: str = "644") -> None:
    """Write a file on a host, with its folders."""
    lab.run(host, ["install", "-D", "-m", mode, "/dev/stdin", path], input=text)


def _program(lab: Lab, host: str, name: str, text: str) -> None:
    write(lab, host, str(_PROGRAMS / name), text, mode="755")


def _bring(lab: Lab, wheel: Path) -> None:
    command = lab.command(BARE.name, ["install", "-D", "-m", "644", "/dev/stdin", f"{_OUR_WHEEL}/{wheel.name}"])
    with wheel.open("rb") as content:
        subprocess.run(command, stdin=content, check=True)
