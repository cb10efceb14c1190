import time

import pytest

from kerberos_auth import tickets


@pytest.fixture(scope="session")
def franks(kdc, tmp_path_factory):
    """A ticket of frank's, old enough that a renewed one ends later: the KDC counts whole seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KRB5_CONFIG", str(kdc.configs["good"]))
        data = tickets.acquire("frank@LAB.TEST", "frank-pw", tmp_path_factory.mktemp("frank"), "")
    time.sleep(1)
    return data
