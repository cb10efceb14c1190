"""A: the machine that the hub runs on, its configuration, files and databases."""

import importlib.util
import os
import pwd
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from kerberos_auth import groups
from kerberos_auth.errors import AuthFailed
from kerberos_auth.outcome import Outcome, State
from kerberos_auth.reader import TicketReader, real, unusable
from slurm_ssh_spawner.checks.hub import hub
from slurm_ssh_spawner.checks.machine import machine
from slurm_ssh_spawner.checks.written import written
from slurm_ssh_spawner.doctor.check import Check
from slurm_ssh_spawner.doctor.examined import Examined
from slurm_ssh_spawner.doctor.listening import listeners
from slurm_ssh_spawner.doctor.running import Running, running
from slurm_ssh_spawner.hub import databases
from slurm_ssh_spawner.hub.configured import Logins
from slurm_ssh_spawner.hub.databases import Database
from slurm_ssh_spawner.sentences import doctor as sentences

_DISTRIBUTION = "jupyterhub-sites"
_PACKAGES = ("kernels", "profiles", "languages", "slurm_ssh", "kerberos_auth")
_PROXIES = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
# For a thousand servers behind tunnels; see docs/hub.md.
_FILES = 10_000
_SLOW_SECONDS = 1.0
# Of a new file: what others, and a group, must not get.
_TO_OTHERS = 0o027
_CONNTRACK = Path("/proc/sys/net/netfilter")
# Of the connections that the kernel can keep track of: it throws packets away when there are more.
_NEARLY_ALL = 0.75


def _hub(examined: Examined) -> Running | None:
    return running(examined.configured.addresses.hub_bind_url)


def _environ(examined: Examined) -> Mapping[str, str]:
    """Return the environment of the hub if it runs, else that of this process."""
    found = _hub(examined)
    return found.environ if found else os.environ


def _written(examined: Examined) -> Iterator[Outcome]:
    yield from written(examined.configuration)


def _account(examined: Examined) -> Iterator[Outcome]:
    """Yield as whom this runs: what follows is true of the hub only if it is the hub's account."""
    owner = _owner(examined)
    uid = os.geteuid()
    if owner is not None and owner not in (uid, 0):
        name = _name(owner)
        said = sentences.ANOTHER_ACCOUNT.format(account=name, mine=_name(uid))
        yield Outcome("A3", State.FAIL, said, sentences.RUN_AS.format(account=name))
        return
    if owner is None and _is_root():
        # Of a hub that has no files yet it is not known as whom it runs.
        yield Outcome("A3", State.WARN, sentences.AS_ROOT, sentences.RUN_AS_THE_HUB)
        return
    yield from (each for each in machine(examined.configured.files) if each.check == "A3")
    found = _hub(examined)
    if found and found.umask is not None and found.umask & _TO_OTHERS != _TO_OTHERS:
        said = sentences.OPEN_UMASK.format(umask=f"{found.umask:04o}")
        yield Outcome("A3", State.WARN, said, sentences.CLOSE_UMASK)


def _is_root() -> bool:
    return os.geteuid() == 0


def _owner(examined: Examined) -> int | None:
    """Return whose the hub's files are, None if there are none yet."""
    files = examined.configured.files
    for path in (*files.secrets, *files.databases, *filter(None, (files.tickets,))):
        try:
            return path.stat().st_uid
        except OSError:
            continue
    return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _files(examined: Examined) -> Iterator[Outcome]:
    yield from machine(examined.configured.files)
    logins = examined.configured.logins
    if logins is None:
        return
    try:
        if logins.ticket_folder.exists():
            TicketReader(logins.ticket_folder, logins.realm).close()
        elif not os.access(real(logins.ticket_folder).parent, os.W_OK | os.X_OK):
            yield _unusable(logins, sentences.CANNOT_MAKE.format(folder=logins.ticket_folder))
    except OSError as error:
        yield _unusable(logins, unusable(logins.ticket_folder, error).message)
    except AuthFailed as error:
        yield _unusable(logins, error.message)


def _unusable(logins: Logins, sentence: str) -> Outcome:
    setting = (type(logins.authenticator).__name__, "ticket_folder")
    return Outcome("A4", State.FAIL, sentence, sentences.RUNTIME_DIRECTORY, setting)


def _environment(examined: Examined) -> Iterator[Outcome]:
    environ, logins = _environ(examined), examined.configured.logins
    yield from logins.outcomes if logins else ()
    if logins and "KRB5_KTNAME" in environ:
        said = sentences.KEYTAB_IS_SET.format(path=environ["KRB5_KTNAME"])
        yield Outcome("A5", State.WARN, said, sentences.UNSET.format(name="KRB5_KTNAME"))
    if (path := environ.get("KRB5_CONFIG")) and not any(Path(each).exists() for each in path.split(":")):
        said = sentences.NO_SUCH_KRB5_CONF.format(path=path)
        yield Outcome("A5", State.FAIL, said, sentences.UNSET.format(name="KRB5_CONFIG"))
    # What JupyterHub asks by itself goes through no proxy, what it asks by libcurl does.
    if importlib.util.find_spec("pycurl"):
        for name in filter(environ.__contains__, _PROXIES):
            said = sentences.PROXY_IS_SET.format(name=name)
            yield Outcome("A5", State.WARN, said, sentences.UNSET.format(name=name))


def _pam(examined: Examined) -> Iterator[Outcome]:
    yield from examined.configured.logins.outcomes if examined.configured.logins else ()


def _known(examined: Examined) -> Iterator[Outcome]:
    """Yield whether the machine knows the person, and how long it takes to say so."""
    name, begun = str(examined.person), time.monotonic()
    try:
        pwd.getpwnam(name)
    except KeyError:
        setting = ("KerberosPAMAuthenticator", "pam_service")
        yield Outcome("A7", State.FAIL, sentences.UNKNOWN.format(name=name), sentences.MAKE_KNOWN, setting)
        return
    found = groups.of(name)
    if (seconds := time.monotonic() - begun) > _SLOW_SECONDS:
        said = sentences.SLOW_ACCOUNTS.format(name=name, seconds=seconds)
        yield Outcome("A7", State.WARN, said, sentences.LOOK_AT_SSSD)
        return
    yield Outcome("A7", State.OK, sentences.KNOWN.format(name=name, groups=", ".join(found) or "none"))


def _is_asked(examined: Examined) -> bool:
    logins = examined.configured.logins
    return bool(examined.person and logins and logins.pam_service)


def _limits(examined: Examined) -> Iterator[Outcome]:
    found = _hub(examined)
    if found and found.most_files is not None and found.most_files < _FILES:
        said = sentences.FEW_FILES.format(count=found.most_files)
        yield Outcome("A8", State.WARN, said, sentences.MORE_FILES.format(count=_FILES))
    ports, me = examined.settings.tunnel_ports, os.geteuid()
    taken = sorted({each.port for each in listeners() if each.port in ports and each.uid != me})
    if taken:
        named = {"ports": ", ".join(map(str, taken[:10])), "first": ports[0], "last": ports[-1]}
        setting = ("SlurmSSHSpawner", "tunnel_ports")
        yield Outcome("A8", State.WARN, sentences.PORTS_TAKEN.format(**named), sentences.OTHER_PORTS, setting)
    yield from _connections()


def _connections() -> Iterator[Outcome]:
    """Yield whether the kernel keeps track of nearly as many connections as it can, if it does so at all."""
    try:
        count, most = (int((_CONNTRACK / f"nf_conntrack_{each}").read_text()) for each in ("count", "max"))
    except (OSError, ValueError):
        return
    if count > most * _NEARLY_ALL:
        said = sentences.MANY_CONNECTIONS.format(count=count, most=most)
        yield Outcome("A8", State.WARN, said, sentences.MORE_CONNECTIONS.format(most=max(4 * most, 1 << 18)))


def _databases(examined: Examined) -> Iterator[Outcome]:
    yield from (each for each in machine(examined.configured.files) if each.check == "A9")
    yield from databases.usable(Database(("JupyterHub", "db_url"), examined.configured.db_url))
    yield from databases.usable(
        Database(("SlurmSSHSpawner", "records_url"), examined.settings.records_url, has_records=True)
    )


def _installed(examined: Examined) -> Iterator[Outcome]:
    yield from (each for each in machine(examined.configured.files) if each.check == "A10")
    root = Path(__file__).parents[2]
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None or Path(spec.origin).parents[1] != root:
            said = sentences.ANOTHER_PACKAGE.format(name=name, path=spec.origin if spec else "")
            yield Outcome("A10", State.FAIL, said, sentences.OWN_ENVIRONMENT)
    yield from _versions()


def _versions() -> Iterator[Outcome]:
    try:
        needs = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return
    for each in map(Requirement, needs):
        if each.marker is not None and not each.marker.evaluate({"extra": ""}):
            continue
        try:
            there = metadata.version(each.name)
        except metadata.PackageNotFoundError:
            there = ""
        if not there or not each.specifier.contains(there, prereleases=True):
            named = {"name": each.name, "needed": str(each.specifier), "there": there or "not installed"}
            fix = sentences.INSTALL_VERSION.format(**named)
            yield Outcome("A10", State.FAIL, sentences.WRONG_VERSION.format(**named), fix)


def _pages(examined: Examined) -> Iterator[Outcome]:
    yield from hub(examined.configured.hub)


CHECKS = (
    Check(("A2",), _written),
    Check(("A3",), _account),
    Check(("A4",), _files, needs=("A3",)),
    Check(("A5",), _environment),
    Check(("A6",), _pam, applies=lambda examined: examined.configured.logins is not None),
    Check(("A7",), _known, applies=_is_asked),
    Check(("A8",), _limits, needs=("A3",)),
    Check(("A9",), _databases, needs=("A3",)),
    Check(("A10",), _installed),
    Check(("A11",), _pages),
)
