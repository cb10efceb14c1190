"""What lets people do what they like as an account that they share with others.  Pure."""

from collections.abc import Callable, Iterator

from profiles.catalogue.dataset import IDS_PLACE, PLACE
from profiles.catalogue.job_type import JobOffering
from profiles.catalogue.work import PARAMETER
from profiles.catalogue.wrong import WrongAt
from profiles.sentences import checks

At = Callable[..., tuple[str, ...]]
"""Returns the place of a field of what is looked at, or of something in it."""


def of_service(what: JobOffering, at: At) -> Iterator[WrongAt]:
    """Yield it of what runs as the account of its site."""
    if what.run is None:
        yield WrongAt(at("identity"), checks.SERVICE_WITHOUT_RUN)
    if what.free_arguments:
        yield WrongAt(at("free_arguments"), checks.SERVICE_WITH_ARGUMENTS)
    if what.visible_to and what.visible_to.projects:
        yield WrongAt(at("visible_to"), checks.SERVICE_FOR_PROJECTS)
    yield from of_program(what, at)


def of_program(what: JobOffering, at: At) -> Iterator[WrongAt]:
    """Yield that a text of people's own, or a dataset of theirs, is the program or a part of its name."""
    program = what.run[0] if what.run else ""
    given = (what.parameters.get(found[1]) for found in PARAMETER.finditer(program))
    is_any = any(each is not None and each.text is not None and each.text.pattern is None for each in given)
    if is_any or PLACE in program or IDS_PLACE in program:
        yield WrongAt(at("run", "0"), checks.PROGRAM_OF_PEOPLE)
