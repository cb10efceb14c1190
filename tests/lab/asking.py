"""Runs on the host `hub` as its user: asks every site as the hub does, and prints what it has and has free."""

import asyncio
import base64
import pickle
import sys
import tempfile
from pathlib import Path

from kerberos_auth import tickets
from kerberos_auth.keytabs import KeytabTickets
from kerberos_auth.store import TicketStore
from profiles.facts import SiteFacts
from profiles.loading import load
from slurm_ssh.schedulers.identity import SiteQueries
from slurm_ssh.ssh.pool import ConnectionPool


async def ask(user: str, store: TicketStore) -> dict[str, SiteFacts]:
    """Return the snapshot of each site of the hub's catalogue."""
    sites = load.read("/etc/jupyterhub/catalogue.yaml").sites
    people = ConnectionPool(store.get, 60)
    queries = SiteQueries(sites, people, KeytabTickets(store.folder), 60)
    try:
        return {key: await queries.snapshot(None if site.monitor else user, key) for key, site in sites.items()}
    finally:
        await queries.close()
        await people.close()


def main(user: str) -> None:
    """Print the snapshots, pickled, in base64."""
    with tempfile.TemporaryDirectory() as folder:
        store = TicketStore(Path(folder) / "krb5", "LAB.TEST")
        principal = f"{user}@LAB.TEST"
        store.put(user, tickets.acquire(principal, f"{user}-pw", store.folder, ""), principal)
        print(base64.b64encode(pickle.dumps(asyncio.run(ask(user, store)))).decode())


if __name__ == "__main__":
    main(sys.argv[1])
