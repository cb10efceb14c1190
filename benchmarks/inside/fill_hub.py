"""Write running servers into the database of a hub of ours that does not run; it restores them when it starts.

Runs on the hub's host as the hub's account.  Reads `[{"person", "server", "job_id", "mark", "launch_id"}]` from
stdin; the arguments are the database's URL, the site, the node and the port where all of them answer.
"""

import json
import sys
from datetime import UTC, datetime

from jupyterhub import orm

from slurm_ssh.job import Job
from slurm_ssh_spawner.launch.place import Place


def main(url: str, site_key: str, node: str, port: int) -> None:
    """Add the servers; their people are known."""
    session = orm.new_session_factory(url)()
    users = {user.name: user for user in session.query(orm.User)}
    for each in json.load(sys.stdin):
        person = each["person"]
        job = Job(each["launch_id"], each["job_id"], each["mark"], person, person, site_key)
        state = {
            "job": job.to_state(),
            "job_id": job.job_id,
            "profile": "stub",
            "place": Place(node, port).to_state(),
        }
        path = f"/user/{person}/{each['server']}/"
        session.add(
            orm.Spawner(
                name=each["server"],
                user=users[person],
                server=orm.Server(proto="http", ip=node, port=port, base_url=path),
                state=state,
                started=datetime.now(UTC).replace(tzinfo=None),
                user_options={"profile": "stub"},
            )
        )
    session.commit()
    session.close()


if __name__ == "__main__":
    url, site_key, node, port = sys.argv[1:]
    main(url, site_key, node, int(port))
