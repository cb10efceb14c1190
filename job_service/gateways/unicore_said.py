"""What a UNICORE server says, as values: jobs, files, and where they are.  Pure.

Its words are those of the REST API's "job properties" (https://unicore-docs.readthedocs.io).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from job_service import layout
from job_service.files.info import FileInfo
from job_service.gateways.backend import Seen
from job_service.stages import Stage
from slurm_ssh.text import one_line

READY = "READY"
"""The job waits for its files, and for its start."""

_STAGES = {
    # It was started: for us it waits.
    READY: Stage.QUEUED,
    "STAGINGIN": Stage.STAGINGIN,
    "QUEUED": Stage.QUEUED,
    "RUNNING": Stage.RUNNING,
    "STAGINGOUT": Stage.STAGINGOUT,
    "SUCCESSFUL": Stage.SUCCESSFUL,
    "FAILED": Stage.FAILED,
}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NUMBER = re.compile(r"[0-9]{1,19}")
_CODE = re.compile(r"-?[0-9]{1,9}")
_STATUS_SET = re.compile(r"([0-9T:+-]{19,30}Z?): Status set to ([A-Z]{1,20})\b.*", re.DOTALL)
_KILLED = 128
_LONGEST_WORD = 60
_LONGEST_MESSAGE = 300


def native_id(url: str) -> str | None:
    """Return the id of a job by its address, None for what is no address of one."""
    before, _, name = url.partition("?")[0].rstrip("/").rpartition("/")
    return name if before.endswith("/jobs") and _ID.fullmatch(name) else None


def word(properties: Mapping[str, Any]) -> str:
    """Return its word for what a job is at."""
    return _text(properties.get("status"), _LONGEST_WORD)


def has_tag(properties: Mapping[str, Any], mark: str) -> bool:
    """Return whether a job has a mark: an old server may list others too."""
    tags = properties.get("tags")
    return isinstance(tags, list) and mark in tags


def seen(properties: Mapping[str, Any]) -> Seen:
    """Return what a job's properties say."""
    said, code = word(properties), _code(properties.get("exitCode"))
    times = _times(properties.get("log"))
    stage = _STAGES.get(said)
    return Seen(
        stage=stage,
        word=said,
        message=_text(properties.get("statusMessage"), _LONGEST_MESSAGE),
        exit_code=code,
        started=times.get("RUNNING"),
        ended=times.get(said) if stage is not None and stage.is_over else None,
        is_abort=code is None or code >= _KILLED,
    )


def _code(value: Any) -> int | None:
    # It is text; some have -1 for what is not known.
    found = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(found) if _CODE.fullmatch(found) and int(found) >= 0 else None


def _times(log: Any) -> dict[str, datetime]:
    """Return when a job came to its statuses, as far as its log says that in a way that can be read."""
    found: dict[str, datetime] = {}
    for line in log if isinstance(log, list) else ():
        if isinstance(line, str) and (status := _STATUS_SET.fullmatch(line[:1000])):
            moment = _moment(status[1])
            if moment:
                found[status[2]] = moment
    return found


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None


def link(properties: Mapping[str, Any], name: str) -> Any:
    """Return what may be the address of something that belongs to what the properties are of."""
    links = properties.get("_links")
    there = links.get(name) if isinstance(links, dict) else None
    return there.get("href") if isinstance(there, dict) else None


def urls(listing: Mapping[str, Any]) -> list[str]:
    """Return the addresses in a list of jobs."""
    found = listing.get("jobs")
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def info(path: str, said: Any) -> FileInfo | None:
    """Return what is said of a file or folder, None if that is not understood."""
    if not isinstance(said, dict) or not isinstance(said.get("isDirectory"), bool):
        return None
    size = said.get("size")
    if isinstance(size, bool) or not _NUMBER.fullmatch(str(size)):
        return None
    moment = _moment(said.get("lastAccessed"))
    changed = int(moment.timestamp()) * 1_000_000_000 if moment else 0
    return FileInfo(path, int(str(size)), changed, "folder" if said["isDirectory"] else "file")


def inside(folder: str, said: Mapping[str, Any]) -> Iterable[FileInfo]:
    """Yield what lies in a folder, but nothing of ours, and nothing whose name cannot be asked for."""
    content = said.get("content")
    before = f"{folder}/" if folder else ""
    for key, each in content.items() if isinstance(content, dict) else ():
        path = before + str(key).rstrip("/").rpartition("/")[2]
        found = info(path, each) if layout.flaw(path) is None else None
        if found:
            yield found


def _text(value: Any, most: int) -> str:
    return one_line(value, most) if isinstance(value, str) else ""
