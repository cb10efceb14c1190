"""Somebody who sends batch jobs by HTTP, with a token that they got for their password."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from lab import Lab
from lab.plain_http import NO_TLS

_SCOPES = ("custom:jobs:submit", "access:services!service=jobs")
_ANSWER_SECONDS = 300
_OVER = {"SUCCESSFUL", "FAILED", "CANCELED"}


class Sender:
    """One person's token, and what is done with it; `http` is under `/services/jobs/api`."""

    def __init__(self, lab: Lab, http: httpx.Client) -> None:
        self.lab, self.http = lab, http

    def submit(self, **fields: Any) -> dict[str, Any]:
        """Send a job; return it as it was accepted."""
        answer = self.http.post("/v1/jobs", json=fields)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def send_zip(self, path: str, payload: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Send a zip by the old path of a system and project; return the job."""
        headers = {"Content-Disposition": "attachment; filename=job.zip", "Payload": json.dumps(payload)}
        answer = self.http.post(f"/jobs/{path}", headers=headers, content=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job."""
        return dict(self.http.get(f"/v1/jobs/{job_id}").raise_for_status().json())

    def stages(self, job_id: str) -> list[str]:
        """Return the stages that a job went through, each once for each time."""
        events = self.http.get(f"/v1/jobs/{job_id}/events").raise_for_status().json()["items"]
        stages = [event["stage"] for event in events]
        return [stage for before, stage in zip(["", *stages], stages, strict=False) if stage != before]

    def wait(self, job_id: str, *stages: str) -> dict[str, Any]:
        """Return a job once it is in one of these stages; fail if it is over in another one."""
        seen: dict[str, Any] = {}

        def is_there() -> bool:
            seen.update(self.job(job_id))
            assert seen["stage"] in {*stages} or seen["stage"] not in _OVER, seen
            return seen["stage"] in stages

        self.lab.wait(f"job {job_id} is {' or '.join(stages)}", is_there)
        return seen

    def file(self, job_id: str, path: str) -> bytes:
        """Return a file of a job."""
        return self.http.get(f"/v1/jobs/{job_id}/files/{path}").raise_for_status().content

    @staticmethod
    def zip(files: Mapping[str, str]) -> bytes:
        """Return a zip of these files."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return buffer.getvalue()


@contextmanager
def sender(lab: Lab, name: str, *more: str) -> Iterator[Sender]:
    """Give somebody who has logged in before, with a token of these further scopes for their password."""
    auth = {"username": name, "password": f"{name}-pw"}
    asked = {"auth": auth, "scopes": [*_SCOPES, *more]}
    answer = httpx.post(f"{lab.url}/hub/api/users/{name}/tokens", json=asked, timeout=_ANSWER_SECONDS)
    token = answer.raise_for_status().json()["token"]
    with httpx.Client(
        verify=NO_TLS,
        base_url=f"{lab.url}/services/jobs/api",
        headers={"Authorization": f"Bearer {token}"},
        timeout=_ANSWER_SECONDS,
    ) as http:
        yield Sender(lab, http)
