"""What the stand-ins for gateways are told when they start, and where the files lie that they use."""

import json

from lab.plan import (
    GATEWAYS_USER,
    NSG_APPKEY,
    NSG_APPLICATION,
    NSG_PORT,
    ROBOT,
    ROBOT_PASSWORD,
    UNICORE_PORT,
)

KINDS = {"unicore": UNICORE_PORT, "nsg": NSG_PORT}
"""The kinds of gateways, which are the names of their daemons, with their ports."""

CERTIFICATE = "/etc/gateways/server.pem"
STRANGE_CERTIFICATE = "/etc/gateways/strange.pem"
"""Files on the host `gateways`: what it shows, and what it shows once a fault says so."""

POLL_SECONDS = 5
"""How often NSG may be asked here; the real one says once a minute."""

TOOLS = {"PY_EXPANSE": {"program": ["python3"], "longest_hours": 8}}


def folder(kind: str) -> str:
    """Return the folder of a stand-in on its host, in which `faults.json` says what is broken."""
    return f"/var/lib/{GATEWAYS_USER}/{kind}"


def settings_file(kind: str) -> str:
    """Return where the settings of a stand-in lie on its host."""
    return f"/etc/gateways/{kind}.json"


def settings() -> dict[str, str]:
    """Return the settings of each stand-in, as JSON."""
    application = {"name": NSG_APPLICATION, "owner": ROBOT, "is_umbrella": True}
    more = {
        "unicore": {},
        "nsg": {"applications": {NSG_APPKEY: application}, "tools": TOOLS, "poll_seconds": POLL_SECONDS},
    }
    return {kind: json.dumps(_common(kind, port) | more[kind]) for kind, port in KINDS.items()}


def accounts() -> dict[str, str]:
    """Return what lets the job service in at each gateway, by the gateway's key in the catalogue."""
    nsg = {"user": ROBOT, "password": ROBOT_PASSWORD, "appkey": NSG_APPKEY}
    return {"alps": f"{ROBOT}:{ROBOT_PASSWORD}\n", "nsg": json.dumps(nsg)}


def _common(kind: str, port: int) -> dict[str, object]:
    return {
        "folder": folder(kind),
        "certificate": CERTIFICATE,
        "host": "0.0.0.0",  # noqa: S104 - the hosts of the lab have a network of their own
        "port": port,
        "accounts": {ROBOT: ROBOT_PASSWORD},
    }
