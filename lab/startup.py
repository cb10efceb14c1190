"""The first half of `up`: prepare the state folder and start the rack."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from lab.catalogue import compose
from lab.folders import (
    EXAMPLE_CATALOGUE,
    IMAGING,
    INTERACTIVE,
    SYSTEM_PATH,
    SYSTEMS,
    TEST_PROFILES,
    TREE,
    ZURICH_CATALOGUE,
    StateFolder,
)
from lab.plan import HOSTS, ZURICH, Role, Site
from lab.preflight import open_listener
from lab.realm import Realm, ensure_realm
from lab.sites import write_sites

RACK = "rack"
"""Its name among the logs."""

NO_FILE = -1
"""Stands for an open file that the rack is not given."""


def start(
    state: StateFolder, lock: int, sites: tuple[Site, ...], port: int | None, lifeline: int | None
) -> subprocess.Popen[bytes]:
    """Start the rack of the lab in `state`, with those sites, and return its first process.

    `lock` is the open lock file, which the rack keeps from now on and this process gives up. `port` is where the
    URL listens: 0 for any free port, None for a lab without a hub. `lifeline` is the reading end of a pipe with
    whose writing end the lab is to end, if it is to.
    """
    listener = None
    try:
        state.port.unlink(missing_ok=True)
        if port is not None:
            listener = open_listener(port)
            state.port.write_text(str(listener.getsockname()[1]))
        realm = ensure_realm(state.realm)
        write_sites(state, sites)
        state.catalogue.write_text(_catalogue(realm, sites))
        _clear_logs(state)
        return _spawn_rack(state, (lock, listener.fileno() if listener else NO_FILE, lifeline or NO_FILE))
    finally:
        os.close(lock)
        if listener:
            listener.close()


def _catalogue(realm: Realm, sites: tuple[Site, ...]) -> str:
    front_ends = [host for site in sites for host in site.having(Role.FRONT_END)]
    keys = {host.fqdn: realm.known_host(host.name) for host in front_ends}
    parts = [SYSTEMS, INTERACTIVE, IMAGING / "catalogue.yaml", *((ZURICH_CATALOGUE,) if ZURICH in sites else ())]
    sections = [part.read_text() for part in parts]
    return compose(EXAMPLE_CATALOGUE.read_text(), TEST_PROFILES.read_text(), keys, *sections)


def _clear_logs(state: StateFolder) -> None:
    for host in (*HOSTS, RACK):
        folder: Path = state.logs(host)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)


def _spawn_rack(state: StateFolder, files: tuple[int, int, int]) -> subprocess.Popen[bytes]:
    with state.log(RACK, RACK).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "lab.rack", str(state.root), *map(str, files)],
            cwd=TREE,
            env={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[file for file in files if file != NO_FILE],
            start_new_session=True,
        )
