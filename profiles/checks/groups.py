"""What must hold of what differs for members of groups.  Pure."""

from collections.abc import Iterator

from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.system import System
from profiles.catalogue.work import Work
from profiles.catalogue.wrong import WrongAt
from profiles.checks.names import Unsure, Where, unknown_partitions
from profiles.sentences import checks


def misfits(catalogue: Catalogue, unsure: Unsure) -> Iterator[WrongAt]:
    """Yield what members of a group cannot have, some of it more than once; `unsure` is as for `names.misfits`."""
    for menu in catalogue.menus:
        for key, entry in menu.entries.items():
            if menu.is_of_another(key):
                continue
            for site in menu.sites_of(key):
                if site in menu.sites and (menu.section, key, site) not in unsure:
                    where = Where(menu.section, key, entry, site)
                    yield from _at_site(where, menu.offering(key, site), menu.sites[site])


def _at_site(where: Where, what: Work, site: System) -> Iterator[WrongAt]:
    for group, differing in what.by_group.items():
        path = where.path("by_group", group)
        yield from unknown_partitions(where, (*path, "partitions"), differing.partitions, site)
        theirs = what.overridden(differing).resources
        if "gpu_types" in differing.resources.model_fields_set and theirs.gpus.most == 0:
            yield WrongAt((*path, "resources", "gpu_types"), checks.GPU_TYPES_ALONE)
