"""What must hold between entries of a catalogue: each name means something, each demand can be met.  Pure."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from kernels import units
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.gateway import Gateway
from profiles.catalogue.job_type import JobOffering, JobType
from profiles.catalogue.menu import Jobs, Menu
from profiles.catalogue.site import Site
from profiles.catalogue.spelling import meant
from profiles.catalogue.system import System
from profiles.catalogue.visibility import Visibility
from profiles.catalogue.work import PARAMETER, Listed, Work
from profiles.catalogue.wrong import WrongAt
from profiles.checks import shared
from profiles.sentences import checks, mistakes

Unsure = Collection[tuple[str, str, str]]
"""A section, an entry of it and a site (keys) of which it is not known what the entry is at the site."""

Path = tuple[str, ...]

# What has a meaning elsewhere in the catalogue, or is nearly a parameter; `${HOME}` is the shell's own.
_BRACES = re.compile(r"(?<!\$)\{((?:owner|launch_id|node|image|user|param\w*)(?:[^\w{}][^{}]*)?)\}")

_NAME = re.compile(r"(?<!\$)\{([a-z0-9_-]+)\}")


@dataclass(frozen=True)
class Where:
    """An entry of a section at a site, and where the file says what it is there."""

    section: str
    key: str
    entry: Listed
    site_key: str

    def path(self, field: str, *inner: str) -> Path:
        """Return the place of a field of the offering: with the site, if it differs there."""
        there = self.entry.at_sites.get(self.site_key)
        if there is not None and field in there.model_fields_set and _has(getattr(there, field), inner):
            return (self.section, self.key, "sites", self.site_key, field, *inner)
        return (self.section, self.key, field, *inner)

    def literal(self, place: Path) -> Path:
        """Return the place of a text of `Work.literals`, maybe of its short form."""
        there = self.entry.at_sites.get(self.site_key)
        if place[0] == "kernels":
            if there is not None and "kernel" in there.model_fields_set:
                return (self.section, self.key, "sites", self.site_key, "kernel")
            if "kernel" in self.entry.model_fields_set and not (there and "kernels" in there.model_fields_set):
                return (self.section, self.key, "kernel")
        return self.path(*place)

    @property
    def top(self) -> Path:
        """The place of the entry."""
        return (self.section, self.key)

    def resource(self, name: str) -> Path:
        """Return the place of one of the resources, maybe of its short form; nothing if it is not written."""
        there = self.entry.at_sites.get(self.site_key)
        short = {"cores": "core", "memory": "memory"}.get(name, "")
        for offering, path in ((there, ("sites", self.site_key)), (self.entry, ())):
            if offering is not None and short in offering.model_fields_set:
                return (self.section, self.key, *path, short)
            if offering is not None and name in offering.resources.model_fields_set:
                return (self.section, self.key, *path, "resources", name)
        return ()


def _has(value: object, inner: tuple[str, ...]) -> bool:
    return not inner or not isinstance(value, dict) or inner[0] in value


def misfits(
    catalogue: Catalogue,
    known_sites: Collection[str] | None,
    unsure: Unsure,
    known_gateways: Collection[str] = (),
) -> Iterator[WrongAt]:
    """Yield every reference that leads nowhere and every demand that no site meets, some of them more than once.

    `known_sites` are the names of all sites, also of those that could not be read; None if not all are known.
    `known_gateways` are those of all gateways.
    """
    for key in known_gateways:
        if key in (known_sites or ()):
            yield WrongAt(("gateways", key), checks.KEY_OF_A_SITE)
    yield from _old_names(catalogue, (*(known_sites or ()), *known_gateways))
    for menu in catalogue.menus:
        known = known_sites
        if known is not None and isinstance(menu, Jobs):
            known = (*known, *known_gateways)
        for key in menu.entries:
            yield from _of_entry(menu, key, known, unsure)


def _old_names(catalogue: Catalogue, keys: Collection[str]) -> Iterator[WrongAt]:
    """Find former names by which two systems would be meant."""
    taken = set(keys)
    for key, gateway in catalogue.gateways.items():
        if gateway.old_name in taken - {key}:
            yield WrongAt(("gateways", key, "old_name"), mistakes.OLD_NAME_TAKEN)
        taken |= {gateway.old_name or key}


def _of_entry(menu: Menu, key: str, known_sites: Collection[str] | None, unsure: Unsure) -> Iterator[WrongAt]:
    yield from _unknown_sites(menu, key, known_sites)
    yield from _sites_that_take_none(menu, key, known_sites)
    yield from _unknown_projects(menu, key, known_sites)
    if menu.is_of_another(key):
        return
    looked_at = set()
    if not menu.sites:
        # An entry by itself.
        entry = menu.entries[key]
        yield from _in_itself(Where(menu.section, key, entry, ""), entry.written_out())
    for site_key in menu.sites_of(key):
        if site_key not in menu.sites or (menu.section, key, site_key) in unsure:
            continue
        where, what = Where(menu.section, key, menu.entries[key], site_key), menu.offering(key, site_key)
        yield from _at_site(where, what, menu.sites[site_key])
        # Most entries are the same at every site.
        if id(what) not in looked_at:
            looked_at.add(id(what))
            yield from _in_itself(where, what)


def _unknown_sites(menu: Menu, key: str, known: Collection[str] | None) -> Iterator[WrongAt]:
    for name in menu.entries[key].at_sites:
        if known is not None and name not in known:
            text = checks.NO_SITE.format(name=name, hint=meant(name, known))
            yield WrongAt((menu.section, key, "sites", name), text)


def _sites_that_take_none(menu: Menu, key: str, known_sites: Collection[str] | None) -> Iterator[WrongAt]:
    """Find sites that do not take what is on this menu, and entries that no site takes."""
    named = menu.entries[key].at_sites
    for name in named:
        if name in menu.sites and name not in menu.taking:
            yield WrongAt((menu.section, key, "sites", name), checks.TAKES_NO_JOBS.format(site=name))
    all_read = bool(menu.sites) and known_sites is not None and set(known_sites) == set(menu.sites)
    if not named and all_read and not menu.taking:
        yield WrongAt((menu.section, key), checks.NONE_TAKES_JOBS)


def _unknown_projects(menu: Menu, key: str, known_sites: Collection[str] | None) -> Iterator[WrongAt]:
    """Find projects that no site lists, where all of them list theirs."""
    entry, offered = menu.entries[key], menu.sites_of(key)
    if known_sites is not None and entry.visible_to and offered and all(site in menu.sites for site in offered):
        yield from _unlisted((menu.section, key), entry.visible_to, [menu.sites[site] for site in offered])
    for site, there in entry.at_sites.items():
        if there.visible_to and site in menu.sites:
            yield from _unlisted((menu.section, key, "sites", site), there.visible_to, [menu.sites[site]])


def _unlisted(path: Path, visible_to: Visibility, sites: list[System]) -> Iterator[WrongAt]:
    if any(site.projects == "accounting" for site in sites):
        return
    listed = [project for site in sites if isinstance(site.projects, tuple) for project in site.projects]
    sentence = checks.PROJECT_NOT_AT_SITE if len(sites) == 1 else checks.PROJECT_NOT_AT_SITES
    for index, project in enumerate(visible_to.projects):
        if project not in listed:
            text = sentence.format(name=project, hint=meant(project, dict.fromkeys(listed)))
            yield WrongAt((*path, "visible_to", "projects", str(index)), text)


def unknown_partitions(where: Where, path: Path, names: Sequence[str], site: System) -> Iterator[WrongAt]:
    """Yield the names, at a path, of partitions that a site does not list, though it lists some."""
    for index, name in enumerate(names):
        if site.partitions and name not in site.partitions:
            text = checks.NO_PARTITION.format(site=where.site_key, name=name, hint=meant(name, site.partitions))
            yield WrongAt((*path, str(index)), text)


def _at_site(where: Where, what: Work, site: System) -> Iterator[WrongAt]:
    if site.partitions:
        yield from unknown_partitions(where, where.path("partitions"), what.partitions, site)
        yield from _too_long(where, what, site)
    if isinstance(site, Gateway):
        yield from _at_gateway(where, what, site)
    elif what.container is not None and site.container is None:
        yield WrongAt(where.path("container"), checks.NO_CONTAINER.format(site=where.site_key))
    is_served = isinstance(what, JobOffering) and what.identity == "service"
    if isinstance(site, Site) and is_served and site.jobs and site.jobs.run_as is None:
        yield WrongAt(where.path("identity"), checks.NO_RUN_AS.format(site=where.site_key))


def _at_gateway(where: Where, what: Work, gateway: Gateway) -> Iterator[WrongAt]:
    """Find what a gateway cannot do, and what lets people do more there than they should."""
    key = where.site_key
    nothing = {name: bool(getattr(what, name)) for name in ("hooks", "container", "reservations")}
    if isinstance(what, JobOffering):
        nothing["identity"] = what.identity == "service"
    for name in (name for name, is_said in nothing.items() if is_said):
        yield WrongAt(where.path(name), checks.NOT_AT_GATEWAY.format(gateway=key))
    if not isinstance(what, JobOffering):
        return
    own_line = isinstance(where.entry, JobType) and where.entry.command is not None
    if gateway.kind == "nsg" and own_line:
        yield WrongAt((*where.top, "command"), checks.NOT_AT_GATEWAY.format(gateway=key))
    for name in ("command",) * own_line + ("free_arguments",) * bool(what.free_arguments):
        if not gateway.own_lines:
            path = (*where.top, name) if name == "command" else where.path(name)
            yield WrongAt(path, checks.LINES_AT_GATEWAY.format(gateway=key))
    if not gateway.own_lines:
        yield from shared.of_program(what, where.path)
    if gateway.kind == "nsg":
        yield from _no_tool(where, what, gateway)


def _no_tool(where: Where, what: JobOffering, gateway: Gateway) -> Iterator[WrongAt]:
    """Find tools that NSG does not have, and words behind one of which it is not known how NSG gets them."""
    key, tool = where.site_key, what.run[0] if what.run else ""
    if tool and "{" not in tool and tool not in gateway.tools:
        text = checks.NO_TOOL.format(gateway=key, name=tool[:40], hint=meant(tool, gateway.tools))
        yield WrongAt(where.path("run", "0"), text)
    elif what.run and len(what.run) > 1:
        names = [tool] if tool in gateway.tools else list(gateway.tools)
        if not all(gateway.tools[name].arguments for name in names):
            yield WrongAt(where.path("run"), mistakes.NO_ARGUMENTS_OF_TOOL.format(gateway=key))


def _too_long(where: Where, what: Work, site: System) -> Iterator[WrongAt]:
    """Find partitions in which not even the least time may be asked for."""
    time = what.resources.time
    limits = {
        name: site.partitions[name].time_max
        for name in what.partitions or site.partitions
        if name in site.partitions
    }
    short = [name for name, most in limits.items() if most is not None and most < time.least]
    # Of partitions that nobody named, the others will do.
    if not what.partitions and len(short) < len(limits):
        return
    for name in short:
        written = where.resource("time")
        text = (checks.TOO_SHORT if written else checks.ITS_TIME_TOO_SHORT).format(
            least=units.say_minutes(time.least),
            partition=name,
            site=where.site_key,
            most=units.say_minutes(limits[name] or 0),
        )
        yield WrongAt((*written, "min") if written else where.top, text)


def _in_itself(where: Where, what: Work) -> Iterator[WrongAt]:
    if what.resources.gpu_types and what.resources.gpus.most == 0:
        yield WrongAt(where.resource("gpu_types") or where.top, checks.GPU_TYPES_ALONE)
    for place, template in what.templates():
        if "{" in template:
            yield from _unknown_braces(where, what, place, template)
    not_replaced = checks.NOT_REPLACED_OF_JOB if isinstance(what, JobOffering) else checks.NOT_REPLACED
    for place, text in what.literals():
        for found in PARAMETER.finditer(text):
            yield WrongAt(where.literal(place), not_replaced.format(name=found[0]))
    yield from _words_without_program(where, what)
    if isinstance(what, JobOffering) and what.identity == "service":
        yield from shared.of_service(what, where.path)
    variables: dict[str, str] = dict.fromkeys(what.environment, checks.SET_BY_ENVIRONMENT)
    for name, parameter in what.parameters.items():
        if parameter.variable is None:
            continue
        if parameter.variable in variables:
            yield WrongAt(where.path("parameters", name, "variable"), variables[parameter.variable])
        variables[parameter.variable] = checks.SET_BY_PARAMETER.format(parameter=name)


def _words_without_program(where: Where, what: Work) -> Iterator[WrongAt]:
    """Find what would stand behind a program where none is run, and conditions over datasets where none are."""
    runs = isinstance(what, JobOffering) and what.run is not None
    for name, parameter in what.parameters.items():
        path = where.path("parameters", name)
        if not runs and parameter.argument is not None:
            yield WrongAt((*path, "argument"), mistakes.ONLY_BEHIND_RUN)
        if not runs and parameter.words:
            yield WrongAt((*path, "words"), mistakes.ONLY_BEHIND_RUN)
        if not isinstance(what, JobOffering) and parameter.when is not None:
            yield WrongAt((*path, "when"), mistakes.ONLY_OF_JOB_TYPES)


def _unknown_braces(where: Where, what: Work, place: Path, template: str) -> Iterator[WrongAt]:
    for found in PARAMETER.finditer(template):
        if found[1] not in what.parameters:
            text = checks.NO_PARAMETER.format(name=found[1], hint=meant(found[1], what.parameters))
            yield WrongAt(where.path(*place), text)
    for found in _BRACES.finditer(PARAMETER.sub("", template)):
        text = checks.BRACES.format(name=f"{{{found[1]}}}", example="{param.<name>}")
        yield WrongAt(where.path(*place), text)
    for found in _NAME.finditer(PARAMETER.sub("", template)):
        if found[1] not in what.parameters or _BRACES.fullmatch(found[0]):
            continue
        text = checks.BRACES_OF_PARAMETER.format(name=found[0], example=f"{{param.{found[1]}}}")
        yield WrongAt(where.path(*place), text)
