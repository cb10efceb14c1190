import time

import pytest

from kerberos_auth import gss
from tests.support.realm import SilentKDC


@pytest.fixture(scope="session")
def aged(kdc, tmp_path_factory):
    """Tickets of frank and of hans, old enough that renewed ones end later: the KDC counts whole seconds."""
    folder = tmp_path_factory.mktemp("aged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KRB5_CONFIG", str(kdc.configs["good"]))
        taken = {name: gss.acquire(f"{name}@LAB.TEST", f"{name}-pw", folder, "") for name in ("frank", "hans")}
    time.sleep(1)
    return taken


@pytest.fixture
def silent_kdc(realm, tmp_path):
    kdc = SilentKDC(tmp_path)
    yield kdc
    kdc.end()
