"""Where a server is, as it is kept over restarts of the hub."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from slurm_ssh_spawner.launch.records import LaunchRecord


@dataclass(frozen=True)
class Place:
    """A job's `port` on `node` (Slurm's name), and the hub's end of its tunnel or 0."""

    node: str
    port: int
    local_port: int = 0

    @classmethod
    def of(cls, record: LaunchRecord) -> Self | None:
        """Return what the record has, None if the hub has never reached the server."""
        return cls(record.node, record.port, record.local_port) if record.node and record.port else None

    @classmethod
    def from_state(cls, state: Any) -> Self | None:
        """Return the place stored by `to_state`, of this version or another, or None if that is not whole."""
        match state:
            case {"node": str(node), "port": int(port), "local_port": int(local_port)} if node and port:
                return cls(node, port, local_port)
        return None

    def to_state(self) -> dict[str, Any]:
        """Return it as JSON values, for a database."""
        return asdict(self)
