from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support import sshd
from tests.support.local import LocalSite
from tests.support.realm import Realm, running
from tests.support.sshd import Sshd
from tests.support.wallet import Wallet


@pytest.fixture(scope="session", autouse=True)
def _hubs_in_memory() -> Iterator[None]:
    """Keep the databases of pytest-jupyterhub's hubs off the disk, which would sync at every step of a start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTERHUB_TEST_DB_URL", "sqlite:///:memory:")
        yield


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
