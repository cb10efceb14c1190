from collections.abc import Iterator

import pytest

from tests.support.realm import Realm, running


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
