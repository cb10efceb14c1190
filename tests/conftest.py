from collections.abc import Iterator

import pytest

from tests.support.realm import Realm, running


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
