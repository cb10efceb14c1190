"""Make the kernels of a launch ready, one after another.  The argument is JSON; see kernels.preparation."""

import json
import os
from typing import Any, Dict

from kernels.jobside import declared, scripts
from kernels.jobside.locks import Jobs
from kernels.jobside.running import ending
from kernels.jobside.telling import Failure, stage


def main(text: str) -> int:
    """Return 0 if the server may start."""
    ending.install()
    job = json.loads(text)
    job["job_id"] = os.environ[job["lookup"]["own"]]
    jobs = Jobs(job["site_key"], job["lookup"], job["scheduler_environment"])
    for kernel in job["kernels"]:
        sentence = attempt(kernel, job, jobs)
        if sentence and kernel["required"]:
            stage("failed", sentence)
            return 1
        if sentence:
            stage("notice", sentence + " Your server starts without it.")
    return 0


def attempt(kernel: Dict[str, Any], job: Dict[str, Any], jobs: Jobs) -> str:
    """Make one kernel ready; return a sentence that says why not, or ""."""
    is_script = "script" in kernel
    try:
        (scripts if is_script else declared).make(kernel, job, jobs)
    except (Failure, OSError) as error:
        if is_script:
            return "The kernel script `%s` failed: %s." % (kernel["script"], error)
        return "The kernel %s could not be built: %s." % (kernel["name"], error)
    return ""
