"""`systemctl` and `journalctl` for a machine whose first process is no systemd: starts units as these are written.

Runs alone, by Debian's Python, as root.  What hardens a unit is left out (`_LEFT_OUT`); a directive that is in
neither list is an error, and not quietly left out.
"""

import os
import pwd
import re
import shlex
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

_UNITS = Path("/etc/systemd/system")
_STATE = Path("/run/small-systemd")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
_DYNAMIC_UID = 61184
_END_SECONDS = 60

_DONE = {
    *("User", "DynamicUser", "Environment", "EnvironmentFile", "UnsetEnvironment", "ExecStart", "UMask"),
    *("RuntimeDirectory", "RuntimeDirectoryMode", "StateDirectory", "StateDirectoryMode", "WorkingDirectory"),
}
_LEFT_OUT = {
    *("Restart", "RestartSec", "RuntimeDirectoryPreserve", "LimitNOFILE", "NoNewPrivileges", "ProtectSystem"),
    *("ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectKernelTunables", "ProtectControlGroups"),
    *("RestrictSUIDSGID", "LockPersonality", "ReadWritePaths", "TimeoutStopSec"),
}


def _name(unit):
    return unit if unit.endswith(".service") else f"{unit}.service"


def _directives(unit):
    """Return the values of each directive of [Service], in order."""
    text = re.sub(r"\\\n\s*", " ", (_UNITS / unit).read_text(encoding="utf-8"))
    found, section = defaultdict(list), ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[]")
        elif section == "Service" and line and not line.startswith("#"):
            key, _, value = line.partition("=")
            if key not in _DONE | _LEFT_OUT:
                sys.exit(f"{unit}: {key} is not known here")
            found[key].append(value)
    return found


def _order(units):
    """Return the units so that each stands behind those that it names in After=."""
    after = {unit: (_UNITS / unit).read_text(encoding="utf-8") for unit in units}
    return sorted(units, key=lambda unit: sum(f" {other}" in after[unit].split("[Service]")[0] for other in units))


def _environment(said, account):
    of_user = {"HOME": account.pw_dir, "USER": account.pw_name, "LOGNAME": account.pw_name} if account else {}
    environment = {"PATH": _PATH, "LANG": "C.UTF-8", **of_user}
    for words in said["Environment"]:
        environment |= dict(word.split("=", 1) for word in shlex.split(words))
    for file in said["EnvironmentFile"]:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
        environment |= dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    for words in said["UnsetEnvironment"]:
        for name in words.split():
            environment.pop(name, None)
    return environment


def _folders(said, uid, gid):
    for kind, root in (("Runtime", "/run"), ("State", "/var/lib")):
        for name in said[f"{kind}Directory"]:
            folder = Path(root, name)
            folder.mkdir(exist_ok=True, parents=True)
            os.chown(folder, uid, gid)
            folder.chmod(int((said[f"{kind}DirectoryMode"] or ["0755"])[-1], 8))


def start(unit):
    said = _directives(unit)
    account = pwd.getpwnam(said["User"][-1]) if said["User"] else None
    if account is None and said["DynamicUser"] != ["yes"]:
        sys.exit(f"{unit}: it would run as root")
    uid, gid = (account.pw_uid, account.pw_gid) if account else (_DYNAMIC_UID, _DYNAMIC_UID)
    _folders(said, uid, gid)
    _STATE.mkdir(exist_ok=True)
    with (_STATE / f"{unit}.log").open("ab") as log:
        process = subprocess.Popen(
            shlex.split(said["ExecStart"][-1]),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(said, account),
            cwd=(said["WorkingDirectory"] or ["/"])[-1],
            umask=int((said["UMask"] or ["0022"])[-1], 8),
            user=uid,
            group=gid,
            extra_groups=[] if account is None else os.getgrouplist(account.pw_name, gid),
            start_new_session=True,
        )
    (_STATE / f"{unit}.pid").write_text(str(process.pid), encoding="utf-8")


def _pid(unit):
    """Return the process id of a unit that runs, else 0."""
    try:
        pid = int((_STATE / f"{unit}.pid").read_text(encoding="utf-8"))
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return 0
    return 0 if state == "Z" else pid


def stop(unit):
    if not (pid := _pid(unit)):
        return
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + _END_SECONDS
    while _pid(unit):
        if time.monotonic() > end:
            sys.exit(f"{unit} did not end")
        time.sleep(0.05)


def systemctl(arguments):
    verb, *units = (word for word in arguments if not word.startswith("-"))
    units = _order([_name(unit) for unit in units])
    if verb in {"stop", "restart"}:
        for unit in reversed(units):
            stop(unit)
    if verb in {"start", "restart"} or (verb == "enable" and "--now" in arguments):
        for unit in units:
            if not _pid(unit):
                start(unit)
    elif verb == "is-active":
        states = ["active" if _pid(unit) else "inactive" for unit in units]
        print("\n".join(states))
        sys.exit(0 if set(states) == {"active"} else 3)
    elif verb not in {"daemon-reload", "enable", "stop"}:
        sys.exit(f"systemctl {verb} is not known here")


def journalctl(arguments):
    """Print the log of the unit behind `-u`."""
    unit = _name(arguments[arguments.index("-u") + 1])
    print((_STATE / f"{unit}.log").read_text(encoding="utf-8", errors="replace"), end="")


if __name__ == "__main__":
    {"systemctl": systemctl, "journalctl": journalctl}[sys.argv[1]](sys.argv[2:])
