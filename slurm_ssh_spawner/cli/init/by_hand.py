"""What is left for an admin to do by hand, in order.  Looks at this machine, changes nothing."""

import pwd
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from kerberos_auth import checks
from kerberos_auth.outcome import State
from profiles.loading import load
from profiles.loading.problems import CatalogueInvalid
from slurm_ssh_spawner.cli.init.answers import Answers, Pam
from slurm_ssh_spawner.cli.init.files import units
from slurm_ssh_spawner.cli.init.making import Made
from slurm_ssh_spawner.sentences import command_line as sentences

_MODULES = ("/lib/*/security", "/usr/lib/*/security", "/lib/security", "/usr/lib64/security", "/lib64/security")


def steps(answers: Answers, made: Sequence[Made], notes: Sequence[str]) -> tuple[str, ...]:
    """Return what is to be done, each a sentence with what is to be typed; `notes` are about the cluster."""
    return tuple(_steps(answers, made, notes))


def module_here() -> Pam:
    """Return the module that this machine has: pam_krb5, or else that of SSSD."""
    return Pam.SSS if not _has_module(Pam.KRB5) and _has_module(Pam.SSS) else Pam.KRB5


def _steps(answers: Answers, made: Sequence[Made], notes: Sequence[str]) -> Iterator[str]:
    if not _is_account(answers.account):
        yield sentences.MAKE_ACCOUNT.format(account=answers.account)
    if owned := [each.new.path for each in made if each.new.is_hubs and not _belongs(each.path, answers.account)]:
        yield sentences.GIVE_AWAY.format(account=answers.account, paths=" ".join(owned))
    if shutil.which("configurable-http-proxy") is None:
        yield sentences.NO_PROXY
    if answers.kerberos:
        yield from _of_kerberos(answers)
    yield from notes
    yield from _of_catalogue(made, answers)
    if answers.jobs:
        yield sentences.SET_UP_JOBS.format(account=answers.account, environment=answers.environment)
    yield sentences.OPEN_PORTS if answers.kerberos else sentences.OPEN_PORTS_WITHOUT_KDC
    yield sentences.START.format(units=" ".join(units(answers)))
    yield sentences.EXAMINE.format(account=answers.account)
    yield sentences.ADD_TLS.format(url=answers.bind_url)


def _of_kerberos(answers: Answers) -> Iterator[str]:
    keytab = f"{answers.config}/krb5.keytab"
    if shutil.which("kinit") is None:
        yield sentences.NO_KINIT
    if answers.pam is not Pam.NONE and not _has_module(answers.pam):
        yield sentences.NO_PAM_MODULE.format(module=f"pam_{answers.pam}.so")
    if not Path(keytab).exists():
        yield sentences.MAKE_KEYTAB.format(keytab=keytab, account=answers.account)
    if not _is_krb5_conf_right():
        yield sentences.SET_KRB5_CONF


def _of_catalogue(made: Sequence[Made], answers: Answers) -> Iterator[str]:
    file = f"{answers.config}/catalogue.yaml"
    catalogue = next(each.path for each in made if each.new.path.endswith("/catalogue.yaml"))
    try:
        load.read(str(catalogue))
    except CatalogueInvalid as error:
        problem = error.problems[0]
        yield sentences.MEND_CATALOGUE.format(file=file, path=problem.path, problem=problem.text)
    else:
        review = sentences.REVIEW_CATALOGUE if answers.kerberos else sentences.REVIEW_CATALOGUE_WITHOUT_TICKET
        yield review.format(file=file)


def _is_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _is_krb5_conf_right() -> bool:
    """Return whether krb5.conf, as libkrb5 reads it, says all that a start of the hub looks for."""
    found = [each.state for each in checks.kerberos(checks.Told(), {}) if each.check in ("B1", "B2")]
    return bool(found) and all(state is State.OK for state in found)


def _belongs(path: Path, account: str) -> bool:
    try:
        return path.owner() == account
    except (KeyError, OSError):
        return False


def _has_module(pam: Pam) -> bool:
    return any(next(Path("/").glob(f"{folder[1:]}/pam_{pam}.so"), None) for folder in _MODULES)
