"""Working directories of the stand-in for UNICORE: properties as JSON, contents as bytes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from lab.gateways import folders
from lab.gateways.folders import Entry
from lab.gateways.settings import UnicoreSettings
from lab.gateways.unicore_jobs import Job, moment

_OF_A_JOB = "-uspace"
_BYTES = "application/octet-stream"
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class Storage:
    """Answers what is asked below `/storages`."""

    settings: UnicoreSettings
    job: Callable[[Request, str, str], Job]

    async def show(self, request: Request, account: str) -> Response:
        """Say what the storage is."""
        job = self.job(request, account, _OF_A_JOB)
        url = str(request.url.replace(query=""))
        rename = {"href": f"{url}/actions/rename"}
        links = {"self": {"href": url}, "files": {"href": f"{url}/files"}, "action:rename": rename}
        shown = {"resourceStatus": "READY", "mountPoint": str(job.folder), "protocols": ["BFT"], "_links": links}
        return JSONResponse(shown)

    async def get(self, request: Request, account: str) -> Response:
        """Give a file's bytes, all or a range; as JSON what it is, or what a folder has."""
        root, path = self._at(request, account)
        if not path.exists():
            raise HTTPException(404, "No such file or directory.")
        if path.is_dir():
            if request.headers.get("accept", "") == _BYTES:
                raise HTTPException(406, "A directory.")
            content = {_name(entry): _shown(entry) for entry in folders.entries(root, path)}
            return JSONResponse({**_shown(folders.entry(root, path)), "content": content})
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse(_shown(folders.entry(root, path)))
        if not path.is_file():
            raise HTTPException(403, "Not a file.")
        first, last = _range(request.headers.get("range"), path.stat().st_size)
        # The published server says in no header which part it is, and how long.
        status = 206 if "range" in request.headers else 200
        return StreamingResponse(_part(path, first, last), status, media_type=_BYTES)

    async def put(self, request: Request, account: str) -> Response:
        """Take a file; of one that breaks off, what came stays there. JSON is no file but about one."""
        root, path = self._at(request, account)
        if request.headers.get("content-type", "").startswith("application/json"):
            raise HTTPException(500 if path.exists() else 404, "Properties cannot be changed here.")
        if path == root or path.is_dir():
            raise HTTPException(403, "A directory.")
        try:
            await folders.receive(path, request.stream(), self.settings.file_bytes)
        except folders.TooMuchError as error:
            raise HTTPException(413, "Too long.") from error
        except ClientDisconnect as error:
            raise HTTPException(500, "It broke off.") from error
        except OSError as error:
            raise HTTPException(500, f"Not written: {error.strerror}.") from error
        return Response(status_code=204)

    async def make_folder(self, request: Request, account: str) -> Response:
        """Make a folder."""
        _root, path = self._at(request, account)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HTTPException(500, f"Not made: {error.strerror}.") from error
        return Response(status_code=201, headers={"Location": str(request.url)})

    async def rename(self, request: Request, account: str) -> Response:
        """Give a file another name, also that of one there is."""
        root = self.job(request, account, _OF_A_JOB).folder.resolve()
        try:
            names = await request.json()
            source, target = (_within(root, str(names[key])) for key in ("from", "to"))
            source.replace(target)
        except (ValueError, TypeError, KeyError, OSError) as error:
            raise HTTPException(500, "Not renamed.") from error
        return JSONResponse({})

    async def delete(self, request: Request, account: str) -> Response:
        """Remove a file or a folder."""
        root, path = self._at(request, account)
        if path == root:
            raise HTTPException(403, "The working directory goes with its job.")
        if not path.exists():
            raise HTTPException(404, "No such file or directory.")
        folders.remove(path)
        return Response(status_code=204)

    def _at(self, request: Request, account: str) -> tuple[Path, Path]:
        root = self.job(request, account, _OF_A_JOB).folder.resolve()
        return root, _within(root, request.path_params.get("path", ""))


def _within(root: Path, path: str) -> Path:
    try:
        return folders.within(root, path)
    except folders.NotWithinError as error:
        raise HTTPException(403, "Not in the working directory.") from error


def _range(asked: str | None, size: int) -> tuple[int, int]:
    """Return the first byte that is asked for and the one behind the last.

    The published server never answers where the first lies behind the end; that is 416 here.
    """
    if asked is None:
        return 0, size
    found = re.fullmatch(r"bytes=(\d{0,15})-(\d{0,15})", asked)
    if not found or found[0] == "bytes=-":
        raise HTTPException(416, f"Range header {asked[:40]!r} cannot be parsed.")
    if not found[1]:
        return max(0, size - int(found[2])), size
    first, last = int(found[1]), int(found[2] or size)
    if first > size or last < first:
        raise HTTPException(416, "No such range.")
    return first, min(size, last + 1)


def _part(path: Path, first: int, last: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        while first < last and (chunk := file.read(min(_CHUNK_BYTES, last - first))):
            first += len(chunk)
            yield chunk


def _name(entry: Entry) -> str:
    return f"/{entry.path}/" if entry.is_folder else f"/{entry.path}"


def _shown(entry: Entry) -> dict[str, object]:
    return {
        "isDirectory": entry.is_folder,
        "size": entry.size,
        "lastAccessed": moment(entry.modified),
        "permissions": "rwx" if entry.is_folder else "rw-",
        "owner": "",
        "group": "",
    }
