"""`jupyterhub-sites add-site`: an entry for a cluster, to be reviewed, from what its front ends and Slurm say."""

import asyncio
import getpass
import json
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from kerberos_auth.errors import AuthFailed
from kerberos_auth.own_ticket import own_ticket
from kerberos_auth.tickets import Ticket
from kernels.units import say_mebibytes, say_minutes
from profiles.catalogue.site import HUB_URL, Site
from profiles.catalogue.values import KEY
from profiles.facts import PartitionFacts, SiteFacts
from slurm_ssh.errors import LaunchError
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh.ssh.remote import Remote
from slurm_ssh_spawner.cli import cluster, into, yaml_text
from slurm_ssh_spawner.cli.cluster import Places
from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.cli.host_keys import HostKey, scan
from slurm_ssh_spawner.cli.yaml_text import Place
from slurm_ssh_spawner.sentences import command_line as sentences

_IDLE_SECONDS = 60
_NO_KEY = re.compile(r"[^a-z0-9]+")
_SSH = 22
_LONGEST_KEY = 40
_MOST_KINDS = 4

JOB_FOLDER = "/scratch/{owner}/jupyter"
_PREFIX = "/opt/jupyter"
_MODULE = "jupyterlab"
_MODULE_INIT = "/etc/profile.d/modules.sh"


@dataclass(frozen=True)
class FrontEnd:
    """A front end that was looked at: the keys that it shows, and what is odd about its name."""

    host: str
    port: int
    keys: tuple[HostKey, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What an admin says of the cluster; "" is for what is to be guessed.

    `jupyter` is a list of modules, or one folder of an environment.  `ca_key`, the path of a key, is for a cluster
    to which people come by certificate.
    """

    key: str = ""
    title: str = ""
    hub_url: str = ""
    job_folder: str = ""
    jupyter: str = ""
    with_tunnel: bool = False
    ca_key: str = ""


def front_end(host: str, port: int, *, needs_ticket: bool = True) -> FrontEnd:
    """Look at a host.  Raises Failed if it shows no key."""
    return FrontEnd(host, port, scan(host, port), tuple(_odd(host, port)) if needs_ticket else ())


def _odd(host: str, port: int) -> list[str]:
    """Return what an admin has to know of the name: a Kerberos principal is of one host, by its full name."""
    if "." not in host or re.fullmatch(r"[0-9.]+", host):
        return [sentences.NO_FULL_NAME.format(host=host)]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    v4 = {address[0] for kind, _, _, _, address in found if kind == socket.AF_INET}
    return [sentences.SEVERAL_ADDRESSES.format(host=host, count=len(v4))] if len(v4) > 1 else []


def explored(entry: Mapping[str, Any], key: str) -> tuple[Places, SiteFacts] | str:
    """Return what a cluster says of itself to whoever runs this, or whose ticket they have; or why it did not."""
    try:
        site = Site.model_validate(entry)
        return asyncio.run(_explored(site, key, _ticket(site)))
    except AuthFailed as error:
        return error.message
    except LaunchError as error:
        return str(error)


def _ticket(site: Site) -> Ticket | None:
    """Return the ticket of whoever runs this, None where they have none and need none."""
    try:
        return own_ticket()
    except AuthFailed:
        if site.login.needs_ticket:
            raise
        return None


async def _explored(site: Site, key: str, ticket: Ticket | None) -> tuple[Places, SiteFacts]:
    pool = ConnectionPool(lambda _: cast(Ticket, ticket), _IDLE_SECONDS)
    user = ticket.user if ticket else getpass.getuser()
    try:
        return await cluster.explored(Remote(pool, Login(user, user, key), site))
    finally:
        await pool.close()


def check(asked: Asked) -> None:
    """Raise Failed if something of it cannot stand in a catalogue."""
    if asked.key and not (re.fullmatch(KEY, asked.key) and len(asked.key) <= _LONGEST_KEY):
        raise Failed(sentences.NO_KEY_OF_AN_ENTRY.format(key=repr(asked.key)))
    if asked.hub_url and not re.fullmatch(HUB_URL, asked.hub_url):
        raise Failed(sentences.NO_URL_OF_A_HUB.format(url=repr(asked.hub_url)))
    if asked.ca_key and not asked.ca_key.startswith("/"):
        raise Failed(sentences.NO_PATH_OF_A_KEY.format(path=repr(asked.ca_key)))


def key_of(asked: Asked, front_ends: Sequence[FrontEnd]) -> str:
    """Return the key of the entry: what an admin says, else the name of the cluster in that of its front end."""
    if asked.key:
        return asked.key
    labels = front_ends[0].host.split(".")
    # login1.geneva.example.org; where there is less, the host itself.
    name = labels[1] if len(labels) > 3 else labels[0]
    return _NO_KEY.sub("-", name.lower()).strip("-")[:_LONGEST_KEY].strip("-") or "site"


def entry(asked: Asked, front_ends: Sequence[FrontEnd], places: Places, facts: SiteFacts) -> dict[str, Any]:
    """Return the site as the catalogue has it; what nobody can know from outside is as most clusters have it."""
    key = key_of(asked, front_ends)
    host, dot, domain = front_ends[0].host.partition(".")
    named = bool(dot) and not host.isdigit()
    site: dict[str, Any] = {
        "title": asked.title or key.capitalize(),
        "front_ends": as_written(front_ends),
    }
    if asked.ca_key:
        site["login"] = {"kind": "certificate", "ca_key": asked.ca_key}
    if places.slurm_path and places.slurm_path != Site.model_fields["slurm_path"].default:
        site["slurm_path"] = places.slurm_path
    if asked.hub_url:
        site["hub_url"] = asked.hub_url
    site["node_address"] = f"{{node}}.{domain}" if named else "{node}"
    site["job_folder"] = asked.job_folder or JOB_FOLDER
    words = (asked.jupyter or (_MODULE if places.module_init else _PREFIX)).split()
    if words[0].startswith("/"):
        site["jupyter"] = {"prefix": words[0]}
    else:
        site |= {"module_init": places.module_init or _MODULE_INIT, "jupyter": {"modules": words}}
    site["tunnel"] = {"kind": "ssh" if asked.with_tunnel else "direct"}
    partitions = _offered(facts.partitions or {})
    if partitions:
        site["partitions"] = {
            name: {"time_max": say_minutes(each.time_max_minutes)} if each.time_max_minutes else {}
            for name, each in partitions.items()
        }
    return site


def as_written(front_ends: Sequence[FrontEnd]) -> list[dict[str, Any]]:
    """Return front ends as the catalogue has them."""
    return [
        {"host": each.host}
        | ({} if each.port == _SSH else {"port": each.port})
        | {"host_keys": list(map(str, each.keys))}
        for each in front_ends
    ]


def _offered(partitions: Mapping[str, PartitionFacts]) -> dict[str, PartitionFacts]:
    """Return the partitions that take jobs, Slurm's default first."""
    up = {name: each for name, each in partitions.items() if each.is_up}
    return dict(sorted(up.items(), key=lambda pair: not pair[1].is_default))


def comments(
    key: str, front_ends: Sequence[FrontEnd], places: Places, facts: SiteFacts, trouble: str
) -> dict[Place, tuple[str, ...]]:
    """Return what is to be reviewed, by place in `{"sites": {key: entry}}`."""
    at = ("sites", key)
    said: dict[Place, tuple[str, ...]] = {
        at: (sentences.REVIEW, *((sentences.SLURM_NOT_ASKED.format(reason=trouble),) if trouble else ())),
        (*at, "hub_url"): (sentences.REVIEW_HUB_URL,),
        (*at, "node_address"): (sentences.REVIEW_NODE_ADDRESS,),
        (*at, "job_folder"): (sentences.REVIEW_JOB_FOLDER,),
        (*at, "jupyter"): (sentences.REVIEW_JUPYTER,),
        (*at, "tunnel"): (sentences.REVIEW_TUNNEL,),
        (*at, "login"): (sentences.REVIEW_LOGIN,),
    }
    if not places.module_init:
        said[(*at, "module_init")] = (sentences.REVIEW_MODULE_INIT,)
    if places.name:
        said[(*at, "title")] = (sentences.CALLED_BY_SLURM.format(name=places.name),)
    said |= about_front_ends(key, front_ends)
    for name, partition in _offered(facts.partitions or {}).items():
        said[*at, "partitions", name] = tuple(_about(partition))
    return said


def about_front_ends(key: str, front_ends: Sequence[FrontEnd]) -> dict[Place, tuple[str, ...]]:
    """Return what is to be known of front ends, by place: what is odd, and the fingerprint of each key."""
    said: dict[Place, tuple[str, ...]] = {}
    for index, front in enumerate(front_ends):
        here = ("sites", key, "front_ends", index)
        said |= {here: front.notes} if front.notes else {}
        for number, each in enumerate(front.keys):
            said[*here, "host_keys", number] = (sentences.FINGERPRINT.format(fingerprint=each.fingerprint),)
    return said


def _about(partition: PartitionFacts) -> list[str]:
    kinds = sorted(partition.nodes, key=lambda each: -each.count)[:_MOST_KINDS]
    lines = [
        sentences.NODES_OF_A_KIND.format(
            count=each.count,
            cores=each.whole.cores,
            memory=say_mebibytes(each.whole.memory_mib),
            gpus=", ".join(f"{number} {kind}".strip() for kind, number in each.whole.gpus) or sentences.NO_GPUS,
        )
        for each in kinds
    ]
    if partition.groups is not None:
        lines.append(sentences.FOR_GROUPS.format(groups=", ".join(partition.groups)))
    return lines


def told(key: str, front_ends: Sequence[FrontEnd], site: Mapping[str, Any], trouble: str) -> str:
    """Return the same for programs: the entry, the keys with their fingerprints, and why Slurm was not asked."""
    keys = [
        {"host": front.host, "port": front.port, "key": str(each), "fingerprint": each.fingerprint}
        for front in front_ends
        for each in front.keys
    ]
    notes = [note for front in front_ends for note in front.notes]
    found = {"key": key, "site": site, "host_keys": keys, "notes": notes, "slurm_not_asked": trouble}
    return json.dumps(found, indent=2, ensure_ascii=False)


def show_keys(front_ends: Sequence[FrontEnd]) -> None:
    """Print the keys' fingerprints, and what to do with them, on standard error."""
    for front in front_ends:
        for each in front.keys:
            print(f"{front.host}: {each.kind} {each.fingerprint}", file=sys.stderr)
    print(sentences.COMPARE, file=sys.stderr)


def add_site(
    asked: Asked, front_ends: Sequence[FrontEnd], *, with_slurm: bool, as_json: bool, file: Path | None = None
) -> None:
    """Print the entry, or put it into a catalogue; with `with_slurm` ask the cluster too, as whoever runs this."""
    key, nothing = key_of(asked, front_ends), (Places(), SiteFacts())
    answer = explored(entry(asked, front_ends, *nothing), key) if with_slurm else sentences.KEYS_NOT_COMPARED
    trouble = answer if isinstance(answer, str) else ""
    places, facts = nothing if isinstance(answer, str) else answer
    site = entry(asked, front_ends, places, facts)
    text = yaml_text.written({"sites": {key: site}}, comments(key, front_ends, places, facts, trouble))
    if file:
        into.add(file, key, text)
        print(sentences.PUT_INTO.format(key=key, file=file), file=sys.stderr)
    if as_json:
        print(told(key, front_ends, site, trouble))
    elif not file:
        print(text, end="")
