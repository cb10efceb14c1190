"""Why a job waits: Slurm's reason in words for people.  Pure."""

import re

from slurm_ssh.sentences import waiting

# CPU, SubmitJob and WallDuration are further names of what stands in the table.
_LIMIT = re.compile(
    r"(?P<whose>Assoc|QOS|)(?P<kind>Grp|Max|Min)"
    r"(?P<what>C(?:pu|PU)|Mem(?:ory)?|Node|GRES|License|BB|Energy|Billing|Unknown|(?:Submit)?Jobs?|Wall(?:Duration)?)"
    r"(?:Run)?(?:Minutes|)(?:Per(?P<each>Job|Node|User|Account))?(?:Limit|NotSatisfied|)"
)
_SAME = {"CPU": "Cpu", "Job": "Jobs", "SubmitJob": "SubmitJobs", "WallDuration": "Wall"}


def is_known(reason: str) -> bool:
    """Return whether there is a sentence for a reason of Slurm."""
    return _sentence(reason) != waiting.OTHER


def in_words(reason: str, site: str) -> str | None:
    """Return why a job waits at a site, by its title, as a sentence; None for a reason that has none."""
    return _sentence(reason).format(site=site) if is_known(reason) else None


def why_waits(reason: str, site: str) -> str:
    """Return why a job waits at a site, by its title, as a sentence, with Slurm's own word in brackets.

    `reason` is what `squeue` says: a word, which others may follow after a comma, or "" for nothing.
    """
    sentence = _sentence(reason).format(site=site)
    return waiting.WITH_WORD.format(sentence=sentence, word=reason) if reason else sentence


def _sentence(reason: str) -> str:
    word = reason.strip("() ").partition(",")[0].strip()
    if found := waiting.REASONS.get(word):
        return found
    limit = _LIMIT.fullmatch(word)
    if limit is None:
        return waiting.OTHER
    what = waiting.AMOUNTS[_SAME.get(limit["what"], limit["what"])]
    whose = waiting.OWNERS[limit["whose"]]
    return _of(limit["kind"], limit["each"]).replace("{whose}", whose).replace("{what}", what)


def _of(kind: str, each: str | None) -> str:
    if kind == "Min":
        return waiting.TOO_LITTLE
    if kind == "Grp" or each == "Account":
        return waiting.TOGETHER
    # The limits of jobs and of those in the queue are a person's, though their names do not say so.
    return waiting.TOO_MUCH if each in {"Job", "Node"} else waiting.YOURS
