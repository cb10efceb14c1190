"""The page on which datasets are found and chosen; what is chosen, and typed already, goes with its form."""

from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from job_service.datasets.source import Found
from job_service.errors import Invalid, JobError
from job_service.http.caller import Caller
from job_service.http.given import Kept
from job_service.http.pages import filling, rendering, written
from job_service.http.pages.filling import Typed
from job_service.http.pages.route import one
from job_service.sentences import accepting as refusals
from profiles.catalogue.dataset import Dataset, WantedDatasets
from slurm_ssh.errors import LaunchError

_LONGEST_WORDS = 200


@dataclass(frozen=True)
class _Looked:
    """What was found, and the sentences about what was not."""

    found: Found
    said: tuple[str, ...] = ()


async def chooser(request: Request, kept: Kept, caller: Caller, fields: Typed, message: str = "") -> Response:
    """Return the page: what was looked for, and what is chosen; `message` says what is wrong with that.

    Raises Invalid for a type that is not offered, or takes no datasets.
    """
    kind = one(fields, "type")
    offer = await filling.offered(kept, caller, kind)
    entry, takes = offer.menu.entries[kind], filling.wanted(offer, kind)
    if takes is None:
        raise Invalid(refusals.NO_DATASETS.format(type=entry.name), {})
    words, of = one(fields, "q")[:_LONGEST_WORDS], one(fields, "of")
    of = of if of in takes.types else takes.types[0]
    looked = await _looked(kept, caller, words, of, one(fields, "at") or None)
    ids = written.chosen(fields)
    if one(fields, "act") == "all":
        ids = await _with_all(kept, caller, words, of, ids, takes)
    known, away = await filling.known(kept, caller, ids)
    values: dict[str, Any] = {
        "type": kind,
        "name": entry.name,
        "takes": takes,
        "q": words,
        "of": of,
        "found": [each for each in looked.found.items if each.id not in ids],
        "is_all_chosen": bool(looked.found.items),
        "at": looked.found.next_cursor,
        "said": [each for each in (*looked.said, *looked.found.problems, away) if each],
        "chosen": [known.get(each) or Dataset(each, each, "", "") for each in ids],
        "typed": {name: value for name, value in written.typed(fields).items() if value},
        "message": message,
        "titles": {key: site.title for key, site in offer.menu.sites.items()},
    }
    return rendering.page(request, "datasets.html", 422 if message else 200, **values)


async def why_not(kept: Kept, caller: Caller, fields: Typed) -> str:
    """Return why nobody can go on with so many datasets, "" if they can.  Raises Invalid."""
    kind, count = one(fields, "type"), len(written.chosen(fields))
    offer = await filling.offered(kept, caller, kind)
    takes, name = filling.wanted(offer, kind), offer.menu.entries[kind].name
    if takes is None:
        return ""
    if count < takes.min:
        return refusals.TOO_FEW_DATASETS.format(type=name, least=takes.min)
    return refusals.TOO_MANY_DATASETS.format(type=name, most=takes.max) if count > takes.max else ""


async def _looked(kept: Kept, caller: Caller, words: str, of: str, at: str | None) -> _Looked:
    try:
        return _Looked(await kept.service.accepting.datasets.search(caller.person, words, of, at))
    except (JobError, LaunchError) as error:
        return _Looked(Found(()), (error.message,))


async def _with_all(
    kept: Kept, caller: Caller, words: str, of: str, ids: tuple[str, ...], takes: WantedDatasets
) -> tuple[str, ...]:
    """Return the ids with those of all that is found, as many as the type takes."""
    chosen, at = dict.fromkeys(ids), None
    while len(chosen) < takes.max:
        found = (await _looked(kept, caller, words, of, at)).found
        chosen.update(dict.fromkeys(each.id for each in found.items))
        if (at := found.next_cursor) is None:
            break
    return tuple(chosen)[: max(takes.max, len(ids))]
