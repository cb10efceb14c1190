"""What a site's scheduler does not know: sites whose jobs PBS runs, and what is offered there.  Pure."""

from collections.abc import Iterator, Mapping

from kernels import hook
from kernels.hook import Hook
from kernels.kernel import KernelScript
from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.profile import Offering
from profiles.catalogue.site import Site
from profiles.catalogue.work import Work
from profiles.catalogue.wrong import WrongAt
from profiles.checks.names import Where
from profiles.sentences import schedulers as sentences

Path = tuple[str, ...]

# Hooks whose cluster is a job of Slurm.
_SPARK = frozenset({"spark", "init-cluster"})


def misfits(catalogue: Catalogue) -> Iterator[WrongAt]:
    """Yield what is written of sites with PBS, and of what they offer, and cannot be had there."""
    theirs = {key: site for key, site in catalogue.sites.items() if site.scheduler.kind == "pbs"}
    for key, site in theirs.items():
        yield from _of_site(("sites", key), site)
    found: dict[Path, WrongAt] = {}
    for menu in catalogue.menus:
        for key, entry in menu.entries.items():
            for site_key in menu.sites_of(key):
                if site_key in theirs and site_key in menu.sites and not menu.is_of_another(key):
                    where = Where(menu.section, key, entry, site_key)
                    for each in _of_entry(where, menu.offering(key, site_key)):
                        found.setdefault(each.path, each)
    yield from found.values()


def _of_site(path: Path, site: Site) -> Iterator[WrongAt]:
    of_slurm = {
        "slurm_path": sentences.PATH,
        "slurm_cluster": sentences.OF_SLURM,
        "directives": sentences.OF_SBATCH,
        "qos": sentences.OF_SLURM,
        "reservations": sentences.RESERVATIONS,
        "monitor": sentences.MONITOR,
        "jobs": sentences.JOBS,
    }
    for name, text in of_slurm.items():
        if name in site.model_fields_set and getattr(site, name) not in (None, (), {}):
            yield WrongAt((*path, name), text)
    if site.projects == "accounting":
        yield WrongAt((*path, "projects"), sentences.ACCOUNTING)
    if site.ticket.delivery == "auks":
        yield WrongAt((*path, "ticket", "delivery"), sentences.AUKS)
    if any(sign in site.job_folder for sign in ":,"):
        yield WrongAt((*path, "job_folder"), sentences.FOLDER)


def _implied(what: Offering) -> Mapping[str, Hook]:
    scripts = [kernel.script for kernel in what.kernels if isinstance(kernel, KernelScript)]
    return hook.implied(scripts, what.hooks.values())


def _of_entry(where: Where, what: Work) -> Iterator[WrongAt]:
    if what.directives:
        yield WrongAt(where.path("directives"), sentences.OF_SBATCH_AT.format(site=where.site_key))
    if what.reservations:
        yield WrongAt(where.path("reservations"), sentences.RESERVATIONS_AT.format(site=where.site_key))
    if what.resources.gpu_types:
        yield WrongAt(where.path("resources", "gpu_types"), sentences.GPU_TYPES_AT.format(site=where.site_key))
    for name in _SPARK & what.hooks.keys():
        yield WrongAt(where.path("hooks", name), sentences.SPARK_AT.format(site=where.site_key))
    if isinstance(what, Offering) and _SPARK & _implied(what).keys():
        yield WrongAt(where.literal(("kernels",)), sentences.KERNELS_AT.format(site=where.site_key))
    for group, differing in what.by_group.items():
        if differing.directives:
            text = sentences.OF_SBATCH_AT.format(site=where.site_key)
            yield WrongAt(where.path("by_group", group, "directives"), text)
        if differing.resources.gpu_types:
            text = sentences.GPU_TYPES_AT.format(site=where.site_key)
            yield WrongAt(where.path("by_group", group, "resources", "gpu_types"), text)
