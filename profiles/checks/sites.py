"""What in a site can be read and cannot work: addresses, host keys, folders, variables.  Pure."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from profiles.catalogue import host_key
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.menu import Menu
from profiles.catalogue.site import FrontEnd, Site
from profiles.catalogue.work import Listed
from profiles.catalogue.wrong import WrongAt
from profiles.checks import programs
from profiles.sentences import sites as sentences

Path = tuple[str, ...]

_QUOTES = re.compile("[\u00ab\u00b4\u00bb\u2018-\u201f\u2032\u2033\u2039\u203a]")
_PORT = re.compile(r":[0-9]+$")
_SHELLS = re.compile(r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})")
# What a shell puts something else for.
_SHELLS_IN_FOLDER = re.compile(rf"{_SHELLS.pattern}|\$\(|[`*?]")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_PROXY = re.compile(r"(https?|ftp|all|no)_proxy", re.IGNORECASE)
_SLURM = ("sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun")
# Of sbatch's options those by which two lines would say the same thing twice.
_OFFERED = {"reservation": "reservations", "qos": "qos"}


def misfits(catalogue: Catalogue) -> Iterator[WrongAt]:
    """Yield everything that cannot work, whatever the site is like."""
    for key, site in catalogue.sites.items():
        for index, front_end in enumerate(site.front_ends):
            yield from _front_end(("sites", key, "front_ends", str(index)), front_end, site.login.needs_ticket)
        yield from _addresses(("sites", key), site)
        yield from _folders(("sites", key), site)
        yield from _programs(("sites", key), site)
    for section, entries in (("profiles", catalogue.profiles), ("job_types", catalogue.job_types)):
        for key, entry in entries.items():
            yield from _variables((section, key, "environment"), entry.environment)
    yield from programs.misfits(catalogue)
    yield from _said_twice(catalogue)


def _front_end(path: Path, front_end: FrontEnd, needs_ticket: bool) -> Iterator[WrongAt]:
    if needs_ticket and _is_address(front_end.host):
        yield WrongAt((*path, "host"), sentences.HOST_IS_ADDRESS)
    for index, line in enumerate(front_end.host_keys):
        if text := host_key.wrong(line.removeprefix(host_key.AUTHORITY)):
            yield WrongAt((*path, "host_keys", str(index)), text)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _addresses(path: Path, site: Site) -> Iterator[WrongAt]:
    if _QUOTES.search(site.node_address) or "'" in site.node_address or '"' in site.node_address:
        yield WrongAt((*path, "node_address"), sentences.QUOTES)
    elif "{{" in site.node_address:
        yield WrongAt((*path, "node_address"), sentences.BRACES_TWICE.format(name="{node}"))
    elif _PORT.search(site.node_address):
        yield WrongAt((*path, "node_address"), sentences.PORT_OF_NODE)
    if site.hub_url is None:
        return
    if text := _wrong_url(site.hub_url):
        yield WrongAt((*path, "hub_url"), text)


def _wrong_url(url: str) -> str | None:
    if _QUOTES.search(url):
        return sentences.QUOTES
    try:
        parts = urlsplit(url)
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        return sentences.HUB_URL_PORT
    if parts.username is not None or parts.query or parts.fragment:
        return sentences.HUB_URL_MORE
    return _wrong_name(name)


def _wrong_name(host: str) -> str | None:
    """Return why nodes cannot find the hub by the name of its host."""
    address = ipaddress.ip_address(host) if _is_address(host) else None
    if address is not None and address.is_unspecified:
        return sentences.HUB_IS_ANY.format(host=host)
    if host == "localhost" or host.startswith("127.") or (address is not None and address.is_loopback):
        return sentences.HUB_IS_LOOPBACK.format(host=host)
    return None if address or _NAME.fullmatch(host) else sentences.HUB_URL_NAME.format(host=host[:40])


def _folders(path: Path, site: Site) -> Iterator[WrongAt]:
    folders: dict[Path, str | None] = {("job_folder",): site.job_folder, ("ticket_folder",): site.ticket_folder}
    if site.jobs is not None:
        folders["jobs", "folder"] = site.jobs.folder
    for place, folder in folders.items():
        if folder is not None and (text := _wrong_folder(folder)):
            yield WrongAt((*path, *place), text)


def _wrong_folder(folder: str) -> str | None:
    if found := _SHELLS_IN_FOLDER.search(folder):
        return sentences.NOT_EXPANDED_IN_FOLDER.format(name=found[0])
    if ".." in folder.split("/"):
        return sentences.FOLDER_ABOVE
    if "%" in folder:
        return sentences.PERCENT_IN_FOLDER
    if _QUOTES.search(folder):
        return sentences.QUOTES
    if "{owner}" not in folder:
        return sentences.FOLDER_OF_ALL
    return None


def _programs(path: Path, site: Site) -> Iterator[WrongAt]:
    if PurePosixPath(site.slurm_path).name in _SLURM:
        text = sentences.WRITE_FOLDER.format(folder=PurePosixPath(site.slurm_path).parent)
        yield WrongAt((*path, "slurm_path"), text)
    elif ":" in site.slurm_path:
        yield WrongAt((*path, "slurm_path"), sentences.SEVERAL_FOLDERS)
    for name in ("slurm_path", "module_init", "kernel_store"):
        if _QUOTES.search(getattr(site, name) or ""):
            yield WrongAt((*path, name), sentences.QUOTES)
    yield from _variables((*path, "jupyter", "variables"), site.jupyter.variables)
    yield from _variables((*path, "environment"), site.environment)
    for name in site.environment:
        if _PROXY.fullmatch(name):
            yield WrongAt((*path, "environment", name), sentences.NOT_FOR_JOBS.format(name=name))


def _variables(path: Path, variables: Mapping[str, str]) -> Iterator[WrongAt]:
    for name, value in variables.items():
        # Others are for whoever reads them, and a $ may mean something there.
        if name.endswith("PATH") and (found := _SHELLS.search(value)):
            yield WrongAt((*path, name), sentences.PATH_NOT_EXPANDED.format(name=found[0], variable=name))


def _said_twice(catalogue: Catalogue) -> Iterator[WrongAt]:
    """Find options of sbatch that people may choose too: the last line of a script would win."""
    for key, site in catalogue.sites.items():
        for option, offered in _OFFERED.items():
            if option in site.directives and getattr(site, offered):
                text = sentences.OFFERED_TOO.format(offered=offered, site=key)
                yield WrongAt(("sites", key, "directives", option), text)
    for menu in catalogue.menus:
        for key, entry in menu.entries.items():
            if not menu.is_of_another(key) and _names_offered(entry):
                yield from _of_entry(menu, key, catalogue)


def _names_offered(entry: Listed) -> bool:
    parts = (entry, *entry.at_sites.values())
    return any(option in (part.directives or {}) for part in parts for option in _OFFERED)


def _of_entry(menu: Menu, key: str, catalogue: Catalogue) -> Iterator[WrongAt]:
    for site_key in menu.sites_of(key):
        if site_key not in catalogue.sites or site_key not in menu.sites:
            continue
        site, directives = catalogue.sites[site_key], menu.offering(key, site_key).directives
        for option, offered in _OFFERED.items():
            if option in directives and getattr(site, offered):
                there = menu.entries[key].at_sites.get(site_key)
                is_there = there is not None and option in (there.directives or {})
                place = ("sites", site_key, "directives") if is_there else ("directives",)
                text = sentences.OFFERED_TOO.format(offered=offered, site=site_key)
                yield WrongAt((menu.section, key, *place, option), text)
