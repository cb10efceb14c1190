"""What must hold between interactive job types and the profiles whose servers they start.  Pure."""

from collections.abc import Collection, Iterator

from profiles.catalogue.catalogue import Catalogue
from profiles.catalogue.menu import DATASETS
from profiles.catalogue.profile import Offering
from profiles.catalogue.spelling import meant
from profiles.catalogue.texts import LONGEST
from profiles.catalogue.wrong import WrongAt
from profiles.checks.names import Unsure
from profiles.sentences import checks, mistakes


def misfits(
    catalogue: Catalogue, known_profiles: Collection[str] | None, unsure: Unsure, *, all_sites: bool
) -> Iterator[WrongAt]:
    """Yield profiles that there are not, or not there, and those whose servers would learn of no dataset.

    `known_profiles` are the names of all, also of those that could not be read; None if not all are known.
    `unsure` is as for `names.misfits`; `all_sites`: whether all sites could be read.
    """
    for key, entry in catalogue.job_types.items():
        name = entry.profile
        if name is None or known_profiles is None:
            continue
        path = ("job_types", key, "profile")
        if name not in known_profiles:
            yield WrongAt(path, mistakes.NO_PROFILE.format(name=name, hint=meant(name, known_profiles)))
        elif name in catalogue.profiles:
            yield from _sites(catalogue, key, name, all_sites=all_sites)
            text = next(filter(None, _unseen(catalogue, key, name, unsure)), None)
            if text is not None:
                yield WrongAt(path, text)


def _sites(catalogue: Catalogue, key: str, profile: str, *, all_sites: bool) -> Iterator[WrongAt]:
    entry, offered = catalogue.job_types[key], catalogue.notebooks.sites_of(profile)
    for site in entry.sites:
        if site in catalogue.gateways:
            yield WrongAt(("job_types", key, "sites", site), checks.NOT_AT_GATEWAY.format(gateway=site))
        elif site in catalogue.sites and site not in offered:
            text = mistakes.PROFILE_ELSEWHERE.format(profile=profile, site=site)
            yield WrongAt(("job_types", key, "sites", site), text)
    if all_sites and not entry.sites and catalogue.jobs.taking and not catalogue.jobs.sites_of(key):
        yield WrongAt(("job_types", key, "profile"), mistakes.PROFILE_NOWHERE.format(profile=profile))


def _unseen(catalogue: Catalogue, key: str, profile: str, unsure: Unsure) -> Iterator[str | None]:
    """Yield for each site why servers there would not learn which datasets were chosen, None if they would."""
    for site in catalogue.jobs.sites_of(key):
        is_known = not {("profiles", profile, site), ("job_types", key, site)} & set(unsure)
        if is_known and catalogue.jobs.offering(key, site).datasets is not None:
            yield _why_unseen(catalogue.notebooks.offering(profile, site), profile)


def _why_unseen(what: Offering, profile: str) -> str | None:
    parameter = what.parameters.get(DATASETS)
    text = parameter.text if parameter is not None else None
    # A path may be as long as any choice, and of any letters.
    if parameter is None or text is None or text.pattern is not None or text.longest < LONGEST:
        return mistakes.NO_DATASETS_PARAMETER.format(profile=profile)
    used = any(f"{{param.{DATASETS}}}" in each for _, each in what.templates())
    return None if parameter.variable or used else mistakes.DATASETS_UNSEEN.format(profile=profile)
