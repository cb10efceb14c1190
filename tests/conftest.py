import gc
import logging
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import coverage
import pytest
from hypothesis import settings
from jupyterhub.tests import mocking

from job_service.store import engines
from profiles.loading import live
from slurm_ssh_spawner.launch.records import database, worker
from tests.support import sshd
from tests.support.folders import TREE
from tests.support.local import LocalSite
from tests.support.ports import free_port
from tests.support.realm import Realm, running
from tests.support.sshd import Sshd
from tests.support.wallet import Wallet

# On a busy machine any example may take long.
settings.register_profile(
    "any machine", parent=settings.get_profile(settings.get_current_profile_name()), deadline=None
)
settings.load_profile("any machine")
# So may a catalogue that a test has changed take to be read.
live.PATIENCE_SECONDS = 60
# And a database to answer.
worker.PATIENCE_SECONDS = 60
database._LIBPQ["connect_timeout"] = "60"
engines._POSTGRESQL.update(timeout=60, command_timeout=60)


class _Lost(logging.Handler):
    """Keeps what asyncio says of exceptions that nobody looked at: to Python these are no warnings."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # JupyterHub looks at a start for a second, and at its end not at all if that comes later.
        if "never retrieved" in (said := record.getMessage()) and "spawn_single_user" not in said:
            self.said.append(self.format(record))


_lost = _Lost()
logging.getLogger("asyncio").addHandler(_lost)


_LONGEST_BYTES_IN_A_NAME, _LONGEST_TEXT_IN_A_NAME = 40, 200


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name no test by a long value.

    The bytes of a ticket tell the time, and all processes must name a test alike. A name is sent to each of them,
    and is in the environment of each program that a test starts.
    """
    is_long = (isinstance(val, bytes) and len(val) > _LONGEST_BYTES_IN_A_NAME) or (
        isinstance(val, str) and len(val) > _LONGEST_TEXT_IN_A_NAME
    )
    return argname if is_long else None


_UNCOUNTED = ("uncounted", "lab", "hypothesis")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Count no lines in tests that run others' processes, or the same lines thousands of times.

    Python takes two to three times as long while they are counted, and the lines are those of plain tests too.
    (pytest-cov's own `no_cover` stops one of the two collectors that it starts in each process of xdist.)
    """
    if not any(map(item.get_closest_marker, _UNCOUNTED)):
        return (yield)
    here, elsewhere = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]
    try:
        return (yield)
    finally:
        sys.settrace(here)
        threading.settrace(elsewhere)  # type: ignore[arg-type]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage while tests are found: all that is made stays, and it takes a seventh of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


_LAST_LONG = 0.8
"""Where in the run the last long one begins: later, one process would be alone with it at the end."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread what is long over most of the run, and each file over all of it.

    What computes and what waits then are side by side all the time: were the long ones first, all processes would
    wait at once. The unit tests stay in their order. Groups are tests that share something long; they stay
    together, here as in xdist.
    """
    parts: dict[object, list[pytest.Item]] = defaultdict(list)
    long: dict[object, list[pytest.Item]] = defaultdict(list)
    for item in items:
        group, in_lab = item.get_closest_marker("xdist_group"), item.get_closest_marker("lab")
        if group or item.get_closest_marker("long"):
            long[group.args if group else item].append(item)
        else:
            parts[item.path if in_lab else "unit"].append(item)
    places = {item: (at + 0.5) / len(part) for part in parts.values() for at, item in enumerate(part)}
    # The groups that have long tests go before single ones, and the groups that only compute come last.
    longest = sorted(long.values(), key=_how_long)
    places |= {item: _LAST_LONG * at / len(longest) for at, group in enumerate(longest) for item in group}
    items[:] = sorted(places, key=places.__getitem__)


def _how_long(group: list[pytest.Item]) -> tuple[bool, int]:
    return not any(item.get_closest_marker("long") for item in group), -len(group)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how many lines of each package the tests ran in processes of their own, where `--cov` asks for it."""
    if not config.pluginmanager.hasplugin("_cov"):
        return
    measured = coverage.Coverage()
    measured.load()
    lines, missed = Counter[str](), Counter[str]()
    # Templates that jinja compiled are in it too.
    for file in filter(lambda path: path.endswith(".py"), measured.get_data().measured_files()):
        package = ".".join(Path(file).relative_to(TREE).parent.parts)
        _, statements, _, missing, _ = measured.analysis2(file)
        lines[package] += len(statements)
        missed[package] += len(missing)
    terminalreporter.section("lines that ran, without those in other processes")
    for package, count in sorted(lines.items()):
        terminalreporter.line(f"{100 * (count - missed[package]) // count:4}% of {count:5} {package}")


@pytest.fixture(scope="session", autouse=True)
def _hubs_in_memory() -> Iterator[None]:
    """Keep the databases of pytest-jupyterhub's hubs off the disk, which would sync at every step of a start.

    Their ports are nobody else's either.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTERHUB_TEST_DB_URL", "sqlite:///:memory:")
        patch.setattr(mocking, "random_port", free_port)
        yield


@pytest.fixture(autouse=True)
def _no_exception_is_lost() -> Iterator[None]:
    yield
    said, _lost.said = _lost.said, []
    assert said == [], "of this test, or of one before it"


@pytest.fixture(scope="session")
def kdc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    with running(tmp_path_factory.mktemp("kdc")) as realm:
        yield realm


@pytest.fixture
def realm(kdc: Realm, monkeypatch: pytest.MonkeyPatch) -> Realm:
    """The realm, with libkrb5 of this process pointed at its good KDC; set KRB5_CONFIG for another."""
    monkeypatch.setenv("KRB5_CONFIG", str(kdc.configs["good"]))
    monkeypatch.delenv("KRB5CCNAME", raising=False)
    return kdc


@pytest.fixture(scope="session")
def taken() -> dict[str, bytes]:
    return {}


@pytest.fixture
def wallet(realm: Realm, tmp_path: Path, taken: dict[str, bytes]) -> Wallet:
    """A ticket store where alice and bob have logged in."""
    wallet = Wallet(tmp_path / "krb5", taken)
    for user in ("alice", "bob"):
        wallet.put(user)
    return wallet


@pytest.fixture
async def login1(realm: Realm, tmp_path: Path) -> AsyncIterator[Sshd]:
    """A front end."""
    home = tmp_path / "home"
    home.mkdir()
    async with sshd.running(realm.front_end_keytab, home) as running:
        yield running


@pytest.fixture
def local(tmp_path: Path) -> LocalSite:
    """A site on this machine in place of the SSH connections to one."""
    local = LocalSite(tmp_path)
    local.install_slurm()
    return local
