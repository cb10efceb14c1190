"""Gateways of each kind, as the service meets them: a stand-in on loopback, or a real server if one is named."""

import io
import json
import os
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from job_service import layout
from job_service.gateways.backend import Backend, Handle, Order
from job_service.gateways.kinds import kinds
from job_service.stages import Stage
from job_service.store.values import new_job_id
from profiles.catalogue.gateway import Gateway
from tests.support import gateways

# Those of a real NSG, if one is named.
_APPKEY = os.environ.get("NSG_APPKEY", "A-KEY")
_TOOL = os.environ.get("NSG_TOOL", "PY")


@dataclass(frozen=True)
class Kind:
    """One kind: what its stand-in is told, what the catalogue says of it, and how a line of shell is run there.

    `inputs` are the files, by path, that a job which runs a line needs besides.
    """

    name: str
    path: str
    program: Callable[[str], tuple[str, ...]]
    inputs: Callable[[str], Mapping[str, bytes]] = lambda _line: {}
    settings: Mapping[str, Any] = field(default_factory=dict)
    entry: Mapping[str, Any] = field(default_factory=dict)
    stdout: str = "stdout"
    credentials: Callable[[str, str], str] = "{}:{}".format
    asks: tuple[str, ...] = ("prepare", "submit", "find", "observe", "conclude", "cancel", "files", "remove")
    """The methods for which the gateway itself is asked."""

    runs: Stage = Stage.RUNNING
    """What a job is that runs, as far as the gateway says."""

    forgets: bool = False
    """Whether it has no job any more that was cancelled."""

    @property
    def env(self) -> str:
        """How the names of the variables begin that name a real server."""
        return self.name.upper()


UNICORE = Kind("unicore", "/LAB/rest/core", lambda line: ("bash", "-c", line), settings={"slots": 4})


def _nsg_account(user: str, password: str) -> str:
    return json.dumps({"user": user, "password": password, "appkey": _APPKEY})


def _nsg_inputs(line: str) -> Mapping[str, bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        program = f"import subprocess, sys\nsys.exit(subprocess.call(['bash', '-c', {line!r}]))\n"
        archive.writestr("input.py", program)
    return {"job.zip": buffer.getvalue()}


NSG = Kind(
    "nsg",
    "/cipresrest/v1",
    lambda _line: (_TOOL,),
    _nsg_inputs,
    settings={
        "applications": {_APPKEY: {"name": "jobs", "owner": gateways.ACCOUNT}},
        "tools": {_TOOL: {"program": ["python3"]}},
    },
    entry={"tools": {_TOOL: {}}, "upload_max": 1},
    credentials=_nsg_account,
    asks=("submit", "find", "observe", "conclude", "cancel", "files", "remove"),
    # It does not tell a job that runs from one that waits.
    runs=Stage.QUEUED,
    forgets=True,
)
ALL = (UNICORE, NSG)


@dataclass(frozen=True)
class There:
    """A gateway that is up: `standin` is None for a real one; files that it does not take yet lie in `inputs`."""

    kind: Kind
    entry: Mapping[str, Any]
    inputs: Path
    standin: gateways.Gateway | None = None

    @property
    def gateway(self) -> Gateway:
        """It, as the catalogue has it."""
        return Gateway.model_validate(self.entry)

    def with_password(self, password: str, folder: Path) -> "There":
        """Return the same, with credentials that have another password."""
        path = folder / "other-credentials"
        path.write_text(self.kind.credentials(gateways.ACCOUNT, password))
        path.chmod(0o600)
        return replace(self, entry={**self.entry, "credentials": str(path)})

    def backend(self) -> Backend:
        """Return it as a Backend that remembers nothing."""
        return kinds(self.inputs)[self.kind.name](self.gateway)

    def breaks(self, **broken: Any) -> None:
        """Break this, and nothing else, of the stand-in."""
        assert self.standin
        self.standin.breaks(**broken)

    def order(self, line: str, **changed: Any) -> Order:
        """Return a new job that runs a line of shell."""
        job_id = new_job_id()
        handle = Handle(job_id, f"job-contract-{job_id}", "alice")
        script = f"#!/bin/bash\n{line}\n"
        values: dict[str, Any] = {
            "handle": handle,
            "title": "contract",
            "program": self.kind.program(line),
            "script": script,
            "script_path": f"{layout.OURS}/script",
            "nodes": 1,
            "cores": 1,
            "memory_mib": 0,
            "gpus": 0,
            "limit_s": 600,
            "files": {f"{layout.OURS}/script": script.encode()},
            "inputs": tuple(self.kind.inputs(line)),
        }
        return Order(**{**values, **changed})

    async def prepare(self, backend: Backend, order: Order, line: str) -> None:
        """Prepare a job, with the files that it needs to run a line."""
        await backend.prepare(order)
        for path, data in self.kind.inputs(line).items():
            await backend.put(order.handle, path, pieces(data), len(data))


async def pieces(*some: bytes) -> AsyncIterator[bytes]:
    """Yield them."""
    for each in some:
        yield each


def of_standin(kind: Kind, standin: gateways.Gateway, folder: Path) -> There:
    """Return a stand-in that is up; its credentials lie in a folder."""
    path = folder / "credentials"
    path.write_text(kind.credentials(gateways.ACCOUNT, gateways.PASSWORD))
    path.chmod(0o600)
    entry = {
        "title": "Daint",
        "kind": kind.name,
        "url": standin.origin + kind.path,
        "credentials": str(path),
        "authority": str(standin.authority.path),
        **kind.entry,
    }
    return There(kind, entry, folder / "inputs", standin)


def real(kind: Kind, folder: Path) -> There | None:
    """Return a real server of this kind, None if nobody names one."""
    url = os.environ.get(f"{kind.env}_URL")
    if url is None:
        return None
    path = folder / "real-credentials"
    path.write_text(kind.credentials(os.environ[f"{kind.env}_USER"], os.environ[f"{kind.env}_PASSWORD"]))
    path.chmod(0o600)
    entry = {"title": "Real", "kind": kind.name, "url": url, "credentials": str(path), **kind.entry}
    if authority := os.environ.get(f"{kind.env}_CA"):
        entry["authority"] = authority
    return There(kind, entry, folder / "inputs")
