"""A second KDC, of a realm that ours trusts: its people can prove to our services who they are."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.realm import KDC_CONF, Realm

TRUST = "addprinc -pw between-us krbtgt/LAB.TEST@OTHER.TEST"
PEOPLE = f"addprinc -pw alice-pw alice\n{TRUST}\n"


@contextlib.contextmanager
def trusted(ours: Realm, folder: Path) -> Iterator[Path]:
    """Run the realm OTHER.TEST, where alice is somebody else; give the krb5.conf of a machine of hers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client, server = folder / "krb5.conf", folder / "kdc.conf"
    theirs = f"[realms]\n OTHER.TEST = {{\n  kdc = 127.0.0.1:{port}\n }}"
    text = ours.configs["good"].read_text().replace("[realms]", theirs)
    client.write_text(text.replace("default_realm = LAB.TEST", "default_realm = OTHER.TEST"))
    server.write_text(KDC_CONF.format(port=port, folder=folder).replace("LAB.TEST", "OTHER.TEST"))
    environment = {
        **os.environ,
        "PATH": os.environ["PATH"] + ":/usr/sbin",
        "KRB5_CONFIG": str(client),
        "KRB5_KDC_PROFILE": str(server),
    }
    ours.kadmin(TRUST)
    create = ["kdb5_util", "create", "-s", "-W", "-P", "master"]
    subprocess.run(create, env=environment, check=True, capture_output=True)
    kadmin = ["kadmin.local", "-p", "admin/admin"]
    subprocess.run(kadmin, input=PEOPLE.encode(), env=environment, check=True, capture_output=True)
    kdc = subprocess.Popen(["krb5kdc", "-n"], env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait_until_it_listens(port)
        yield client
    finally:
        kdc.terminate()
        kdc.wait()


def _wait_until_it_listens(port: int) -> None:
    for _ in range(3000):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise RuntimeError("the KDC of OTHER.TEST does not listen")
