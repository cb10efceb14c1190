"""What one person is offered, as lines for an administrator, and why not the rest.  Pure."""

from collections.abc import Iterator

from profiles.catalogue.profile import Offering
from profiles.catalogue.resources import Parameter
from profiles.offer import limits
from profiles.offer.limits import Limit
from profiles.offer.offer import Offer

# No graphics processors and one node are what people expect.
_UNSAID = {"gpus": 0, "nodes": 1}


def summary(offer: Offer) -> str:
    """Return what the person can start now and where; below, what she cannot, each with the reason."""
    lines: list[str] = []
    refused: list[str] = []
    for key, profile in offer.catalogue.profiles.items():
        here: list[str] = []
        for site in offer.catalogue.sites_of(key):
            if why := offer.why_not(key, site):
                refused.append(f"  {key} at {site}: {why}")
            else:
                here += _offered(offer, site, offer.catalogue.offering(key, site))
        if here:
            lines += [f"{key}: {profile.name}", *here]
    name = offer.person.name
    if not lines:
        lines.append(f"{name} can start nothing.")
    if refused:
        lines += ["", f"{name} cannot start:", *refused]
    return "\n".join(lines)


def _offered(offer: Offer, site: str, what: Offering) -> Iterator[str]:
    names = limits.partitions(offer, site, what)
    yield f"  {site}: {', '.join(_numbers(what))}"
    if names:
        yield f"    partitions: {', '.join(names)}"
    if projects := offer.projects(site):
        yield f"    projects: {', '.join(projects)}"
    elif projects is None:
        yield "    projects: those that Slurm's accounting has for the person (--projects says which)"
    for name, parameter in what.parameters.items():
        yield f"    {name}: {_picked_from(parameter)}, usually {parameter.usual}"


def _numbers(what: Offering) -> Iterator[str]:
    for name in limits.NUMBERS:
        limit = Limit(name, getattr(what.resources, name))
        if limit.bounds.most > _UNSAID.get(name, -1):
            kinds = (
                f" ({' or '.join(what.resources.gpu_types)})"
                if name == "gpus" and what.resources.gpu_types
                else ""
            )
            yield f"{name} {limit.accepted}{kinds}"


def _picked_from(parameter: Parameter) -> str:
    return " or ".join(parameter.options) if parameter.options else f"{parameter.min} to {parameter.max}"
