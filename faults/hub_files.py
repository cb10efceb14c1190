"""Steps that spoil what the hub keeps: its databases, its folder, the catalogue."""

from collections.abc import Iterator
from contextlib import contextmanager

import yaml

from faults.crowd import Answer
from faults.scene import Scene
from faults.steps import HUB, end, start_hub
from lab import Lab

FOLDER = "/var/lib/jupyterhub"
RECORDS = f"{FOLDER}/launches.sqlite"
DATABASE = f"{FOLDER}/jupyterhub.sqlite"
CATALOGUE = "/etc/jupyterhub/catalogue.yaml"
SPOILT = "spoilt"
_END_SECONDS = 300
_SMALL = "/run/small"
_MAKE_SMALL = f"mkdir -p {_SMALL} && mount -t tmpfs -o size=16m tmpfs {_SMALL} && chown jupyterhub: {_SMALL}"

_COPY = """
import sqlite3, sys
here, there = sqlite3.connect(sys.argv[1]), sqlite3.connect(sys.argv[1] + ".older")
here.backup(there)
"""
_OLDER_STATES = """
import json, sqlite3, sys
base = sqlite3.connect(sys.argv[1])
for number, text in base.execute("select id, state from spawners where state is not null").fetchall():
    state = json.loads(text)
    if state and "job" in state:
        state = {"job_id": state["job_id"], "job": state["job"]}
        state["job"].pop("started_with", None)
        base.execute("update spawners set state = ? where id = ?", (json.dumps(state), number))
base.commit()
"""


def spoil_records(scene: Scene) -> None:
    """Put a file that is no database in the place of the launch records, until `let_go(SPOILT)`."""
    scene.keep(SPOILT, _in_place_of(scene.lab, RECORDS, "cat >{path}", "Dear diary, this is no database. " * 200))


def hide_records(scene: Scene) -> None:
    """Put a folder in the place of the launch records, until `let_go(SPOILT)`."""
    scene.keep(SPOILT, _in_place_of(scene.lab, RECORDS, "mkdir {path}"))


def lose_records(scene: Scene) -> None:
    """Remove the launch records."""
    scene.lab.run("hub", ["sh", "-c", f"rm -f {RECORDS}*"])


def copy_database(scene: Scene) -> None:
    """Copy JupyterHub's database."""
    _python(scene, _COPY)
    scene.at_the_end(lambda: scene.lab.run("hub", ["rm", "-f", f"{DATABASE}.older"]))


def put_back_copy(scene: Scene) -> None:
    """Put the copy in the place of JupyterHub's database."""
    scene.lab.run("hub", ["sh", "-c", f"rm -f {DATABASE}-*; cat {DATABASE}.older >{DATABASE}"])


def age_states(scene: Scene) -> None:
    """Leave of each server's stored state what version 0.1.0 stored."""
    _python(scene, _OLDER_STATES)


def small_disk(scene: Scene) -> None:
    """Move the folder of the hub's databases to a small file system of its own, for the rest of the row."""
    _move(scene, f"{_MAKE_SMALL} && cp -a {FOLDER}/. {_SMALL} && mount --bind {_SMALL} {FOLDER}")
    back = f"umount {FOLDER} && rm -rf {FOLDER}/* && cp -a {_SMALL}/. {FOLDER} && umount {_SMALL}"
    scene.at_the_end(lambda: _move(scene, back))


def full_disk(scene: Scene) -> None:
    """Fill that file system, until `let_go(SPOILT)`."""
    scene.keep(SPOILT, _filled(scene.lab))


def read_only_folder(scene: Scene) -> None:
    """Let nothing be written into the folder of the hub's databases, until `let_go(SPOILT)`."""
    scene.keep(SPOILT, _read_only(scene.lab))


def leave_out_site(scene: Scene) -> None:
    """Take the last of the sites out of the catalogue, until `let_go(SPOILT)`."""
    text = without(scene.lab.run("hub", ["cat", CATALOGUE]).stdout, scene.sites[-1])
    scene.keep(SPOILT, _in_place_of(scene.lab, CATALOGUE, "cat >{path}", text))


def without(text: str, gone: str) -> str:
    """Return a catalogue without one of its sites."""
    tree = yaml.safe_load(text)
    del tree["sites"][gone]
    # An entry says where it is offered by a list, or by a mapping to what is special there.
    for section in ("profiles", "job_types"):
        for key, entry in list(tree.get(section, {}).items()):
            if sites := entry.get("sites"):
                sites.pop(gone, None) if isinstance(sites, dict) else gone in sites and sites.remove(gone)
                if not sites:
                    del tree[section][key]
    return yaml.safe_dump(tree, sort_keys=False)


def spoil_catalogue(scene: Scene) -> None:
    """Let the catalogue be half written, until `let_go(SPOILT)`."""
    scene.keep(SPOILT, _in_place_of(scene.lab, CATALOGUE, "cat >{path}", "sites: [\n"))


def hub_refuses_to_start(scene: Scene) -> None:
    """Start the hub, and see it end by itself; what it says is told."""
    log = scene.lab.log("hub", HUB.daemon)
    before = len(log.read_text())
    scene.lab.fault("start", "hub", HUB.daemon)
    scene.wait("the hub ends", lambda: _has_ended(scene.lab), _END_SECONDS)
    scene.told.append(Answer("admin", 0, log.read_text()[before:]))


def hub_starts_or_refuses(scene: Scene) -> None:
    """Start the hub, and see it answer or end; if it answers, end it again."""
    scene.lab.fault("start", "hub", HUB.daemon)
    scene.wait("the hub answers or ends", lambda: _has_ended(scene.lab) or scene.crowd.hub_answers(), _END_SECONDS)
    if not _has_ended(scene.lab):
        scene.lab.fault("stop", "hub", HUB.daemon)


def _move(scene: Scene, how: str) -> None:
    end(HUB)(scene)
    scene.lab.run("hub", ["sh", "-c", how])
    start_hub(scene)


@contextmanager
def _filled(lab: Lab) -> Iterator[None]:
    lab.run("hub", ["sh", "-c", f"cat /dev/zero >{FOLDER}/filler"], check=False)
    try:
        yield
    finally:
        lab.run("hub", ["rm", "-f", f"{FOLDER}/filler"])


def _has_ended(lab: Lab) -> bool:
    return any(each.name == HUB.daemon and not each.pid for each in lab.status()["hub"])


def _python(scene: Scene, program: str) -> None:
    scene.lab.run("hub", ["/usr/bin/python3", "-c", program, DATABASE])


@contextmanager
def _in_place_of(lab: Lab, path: str, make: str, text: str = "") -> Iterator[None]:
    lab.run("hub", ["sh", "-c", f"mv {path} {path}.kept && {make.format(path=path)}"], input=text)
    try:
        yield
    finally:
        lab.run("hub", ["sh", "-c", f"rm -rf {path} && mv {path}.kept {path}"])


@contextmanager
def _read_only(lab: Lab) -> Iterator[None]:
    lab.run("hub", ["sh", "-c", f"mount --bind {FOLDER} {FOLDER} && mount -o remount,ro,bind {FOLDER}"])
    try:
        yield
    finally:
        lab.run("hub", ["umount", "-l", FOLDER])
