"""What the stand-in for NSG says of jobs and files, as XML."""

from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request

from lab.gateways import nsg_xml
from lab.gateways.nsg_jobs import Job
from lab.gateways.nsg_xml import Node

ROOT = "/cipresrest/v1"


def _url(request: Request, job: Job) -> str:
    return f"{str(request.base_url).rstrip('/')}{ROOT}/job/{job.user}/{job.handle}"


def uri(request: Request, job: Job) -> Node:
    """Return the link to a job."""
    return nsg_xml.link("selfUri", _url(request, job), "jobstatus", job.handle)


def listed(title: str, jobs: list[Node]) -> Node:
    """Return a list of jobs."""
    return "joblist", [("title", title), ("jobs", jobs)]


def status(request: Request, job: Job, poll_seconds: int) -> Node:
    """Return all that there is to say of a job, which is not to be asked for again so soon."""
    said: list[Node] = [
        ("message", [("timestamp", nsg_xml.moment(one.moment)), ("stage", one.stage), ("text", one.text)])
        for one in job.messages
    ]
    url = _url(request, job)
    return "jobstatus", [
        uri(request, job),
        ("jobHandle", job.handle),
        ("jobStage", job.stage),
        ("terminalStage", nsg_xml.yes_or_no(job.is_over)),
        ("failed", nsg_xml.yes_or_no(job.is_failed)),
        nsg_xml.entries("metadata", job.form.metadata),
        ("dateSubmitted", nsg_xml.moment(job.submitted)),
        nsg_xml.link("resultsUri", f"{url}/output", "results", "Job Results"),
        nsg_xml.link("workingDirUri", f"{url}/workingdir", "workingdir", "Job Working Directory"),
        ("messages", said),
        ("minPollIntervalSeconds", str(poll_seconds)),
    ]


def file(request: Request, job: Job, path: Path, kind: str, number: int) -> Node:
    """Return a file of a job; results have numbers, files of its working directory have 0."""
    target = f"{_url(request, job)}/{kind}/{number or quote(path.name)}"
    found = path.stat()
    return "jobfile", [
        nsg_xml.link("downloadUri", target, "fileDownload", path.name),
        ("jobHandle", job.handle),
        ("filename", path.name),
        ("length", str(found.st_size)),
        ("dateModified", nsg_xml.moment(found.st_mtime)),
        ("parameterName", ""),
        ("outputDocumentId", str(number)),
    ]
