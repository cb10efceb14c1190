"""E9: whether Slurm would take what people may start, asked with the real scripts and without submitting any."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kerberos_auth.outcome import Outcome, State
from kernels.fragment import Fragment
from profiles.errors import ChoiceRefused
from profiles.facts import SiteFacts
from profiles.offer.choices import Choices
from profiles.offer.launch import NotebookLaunch, resolve
from profiles.offer.offer import Offer
from slurm_ssh import delivery
from slurm_ssh.errors import LaunchError
from slurm_ssh.job import LaunchId, mark
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import attempt
from slurm_ssh.slurm import forecast as forecasts
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh.ssh.pool import ConnectionPool
from slurm_ssh_spawner.doctor.site.visit import Visit, outcome, quoted, told
from slurm_ssh_spawner.launch import script
from slurm_ssh_spawner.launch.script import ServerProcess
from slurm_ssh_spawner.sentences import doctor_sites as sentences

_LAUNCH_ID = LaunchId("0" * 12)
_AT_ONCE = 4
_MOST = 60
_MOST_NAMED = 6
# What Slurm says where a partition is for others; that it keeps this one out is as it should be.
_FOR_OTHERS = "User's group not permitted"
# Also said of nodes that are drained or down today.
_NOT_NOW = "Requested node configuration is not available"
# What is of one launch alone.
_OWN = ("job-name", "output")


@dataclass(frozen=True)
class Trial:
    """A job as one profile would have it: what Slurm is asked for, and of which profiles and partition it is."""

    names: tuple[str, ...]
    key: str
    launch: NotebookLaunch
    request: JobRequest
    text: str


def offer(visit: Visit, known: SiteFacts) -> Offer:
    """Return what the person may start at the site."""
    return Offer(visit.catalogue.notebooks, {visit.key: known}, visit.person, datetime.now().astimezone())


def choices(visit: Visit, known: SiteFacts) -> Iterator[tuple[str, str]]:
    """Yield each profile that the person sees at the site, with each partition that it has there, "" for none."""
    seen = offer(visit, known)
    for key in seen.entries():
        if visit.key in seen.sites(key):
            what = seen.offering(key, visit.key)
            for partition in what.partitions or tuple(visit.site.partitions) or ("",):
                # Of one that Slurm does not have, E8 has said so.
                if not partition or known.partitions is None or partition in known.partitions:
                    yield key, partition


def resolved(visit: Visit, known: SiteFacts, key: str, partition: str) -> NotebookLaunch:
    """Return the launch of a profile in a partition, with its defaults.  Raises ChoiceRefused."""
    wanted = {"profile": key, "site": visit.key, "partition": partition}
    return resolve(offer(visit, known), Choices.of({name: value for name, value in wanted.items() if value}))


def untried(visit: Visit, known: SiteFacts) -> list[NotebookLaunch]:
    """Return what the person may start, with its defaults, where no scheduler can be asked about it before."""
    found = []
    for key, partition in choices(visit, known):
        with contextlib.suppress(ChoiceRefused):
            found.append(resolved(visit, known, key, partition))
    return found


async def test_only(
    visit: Visit, pool: ConnectionPool, known: SiteFacts
) -> tuple[list[Outcome], list[NotebookLaunch]]:
    """E9: Return what Slurm would refuse of all profiles in all their partitions, and what it would take."""
    found: list[Outcome] = []
    trials: dict[tuple[tuple[str, str | None], ...], Trial] = {}
    for key, partition in choices(visit, known):
        try:
            _add(trials, visit, key, resolved(visit, known, key, partition))
        except ChoiceRefused as error:
            # What Slurm has no room for, E8 has said with its place.
            text = sentences.NOT_OFFERED_NOW.format(profile=key, partition=_named(partition), reason=error)
            found.append(outcome("E9", State.WARN, text, sentences.SEE_E8, visit.where(("profiles", key))))
        except LaunchError as error:
            found.append(_unusable(visit, key, error))
    asked = list(trials.values())[:_MOST]
    turns = asyncio.Semaphore(_AT_ONCE)
    try:
        answers = await asyncio.gather(*(_asked(visit, pool, each, turns) for each in asked))
    except LaunchError as error:
        return [*found, outcome("E9", State.FAIL, told(error), sentences.TRY_AGAIN)], []
    taken = [each.launch for each, said in zip(asked, answers, strict=True) if said == ""]
    found += _refusals(visit, asked, answers)
    if more := len(trials) - len(asked):
        found.append(outcome("E9", State.SKIP, sentences.MORE_TO_TRY.format(count=more, most=_MOST)))
    elif taken and not any(each.state is State.FAIL for each in found):
        count = sum(len(each.names) for each in asked)
        found.append(outcome("E9", State.OK, sentences.ALL_TAKEN.format(site=visit.key, count=count)))
    if not found:
        text = sentences.NOTHING_OFFERED.format(person=visit.person.name, site=visit.key)
        found.append(outcome("E9", State.WARN, text, sentences.SEE_VISIBLE_TO))
    return found, taken


def _add(
    trials: dict[tuple[tuple[str, str | None], ...], Trial], visit: Visit, key: str, launch: NotebookLaunch
) -> None:
    """Add a launch to what is tried; one that asks Slurm for the same is asked once."""
    name = mark("jupyter", visit.hub_name, _LAUNCH_ID)
    process = ServerProcess(
        arguments=(),
        environ={"JUPYTERHUB_USER": visit.person.name},
        secrets={},
        report_url=f"{visit.api_url or 'http://hub/hub/api'}/launches/{_LAUNCH_ID}",
    )

    def build(fragment: Fragment) -> JobRequest:
        return script.build(launch, _LAUNCH_ID, name, process, (fragment,))

    request, text = attempt.built(
        visit.site, build, delivery.of(visit.site).fragment(visit.login.owner, _LAUNCH_ID)
    )
    alike = tuple(pair for pair in slurm_jobs.directives(request) if pair[0] not in _OWN)
    names = (*(trials[alike].names if alike in trials else ()), key)
    first = trials.get(alike, Trial(names, key, launch, request, text))
    trials[alike] = replace(first, names=names)


async def _asked(visit: Visit, pool: ConnectionPool, trial: Trial, turns: asyncio.Semaphore) -> str:
    """Return Slurm's own words against a job, "" if it would take that.  Raises LaunchError."""
    called = delivery.without_ticket(visit.site)
    question = forecasts.question(visit.site, called.sbatch_options, called.unset)
    async with turns:
        answer = await visit.remote(pool).run(question, trial.text.encode())
    return (_words(answer.stderr) or sentences.NO_WORDS) if answer.status else ""


def _refusals(visit: Visit, asked: Sequence[Trial], answers: Sequence[str]) -> Iterator[Outcome]:
    """Yield what Slurm has against the jobs, one outcome for all against which it says the same."""
    by_words: dict[str, list[Trial]] = {}
    for trial, said in zip(asked, answers, strict=True):
        if said and _FOR_OTHERS not in said:
            by_words.setdefault(said, []).append(trial)
    for said, trials in by_words.items():
        named = {
            "profiles": _listed(name for each in trials for name in each.names),
            "partitions": _listed(_named(each.launch.partition or "") for each in trials),
            "said": quoted(said),
        }
        if _NOT_NOW in said:
            yield outcome("E9", State.WARN, sentences.NOT_TAKEN_NOW.format(**named), sentences.SEE_NODES)
        else:
            fix, place = _fix(visit, trials[0], said)
            yield outcome("E9", State.FAIL, sentences.NOT_TAKEN.format(**named), fix, place)


def _listed(names: Iterable[str]) -> str:
    found = list(dict.fromkeys(names))
    return ", ".join([*found[:_MOST_NAMED], *(["..."] if len(found) > _MOST_NAMED else [])])


def _fix(visit: Visit, trial: Trial, said: str) -> tuple[str, str]:
    """Return what to do about a refusal, and where in the catalogue."""
    of_site, of_profile = visit.place("directives"), visit.where(("profiles", trial.key))
    if "feature" in said or "constraint" in said:
        names = visit.site.directives
        return sentences.SEE_DIRECTIVES, of_site if "constraint" in names else of_profile
    if "partition" in said and "account" not in said:
        return sentences.SEE_PARTITIONS, visit.place("partitions")
    if "account" in said.lower():
        return sentences.SEE_PROJECTS.format(owner=visit.login.owner), visit.place("projects")
    if "qos" in said.lower():
        return sentences.SEE_QOS, of_profile
    return sentences.SEE_PROFILE, of_site if visit.site.directives and "option" in said else of_profile


def _words(stderr: str) -> str:
    """Return Slurm's own words, the last lines of what sbatch says."""
    lines = [line.strip().removeprefix("sbatch: ").removeprefix("error: ") for line in stderr.splitlines()]
    return " ".join(line for line in lines if line)


def _named(partition: str) -> str:
    return partition or sentences.DEFAULT_PARTITION


def _unusable(visit: Visit, key: str, error: LaunchError) -> Outcome:
    text = sentences.NO_SCRIPT.format(profile=key, reason=error.detail or error.message)
    return outcome("E9", State.FAIL, text, sentences.SEE_PROFILE, visit.where(("profiles", key)))
