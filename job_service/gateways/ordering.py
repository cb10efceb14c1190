"""What a gateway is asked for, made of a launch.  Pure."""

import json
from collections.abc import Sequence
from dataclasses import replace

from job_service import layout, script
from job_service.gateways.backend import Handle, Order
from job_service.gateways.nsg import submission
from kernels.shell import join, quote, templates
from profiles.catalogue.dataset import Dataset
from profiles.offer.launch import GatewayLaunch
from slurm_ssh.jobs import frame

SCRIPT = f"{layout.OURS}/script"
"""Where the script lies in the folder of a job."""

_TEMPLATES = templates("job_service", frame.PACKAGE)
_OWNERS_LINE = ("bash", layout.COMMAND)


def order(
    launch: GatewayLaunch,
    handle: Handle,
    title: str,
    datasets: Sequence[Dataset] = (),
    command: str | None = None,
    inputs: Sequence[str] = (),
    unpacked: Sequence[str] = (),
) -> Order:
    """Return the job that does what `launch` says, with its owner's `command`; it unpacks the zips `unpacked`.

    Raises ValueError for what no script can hold.
    """
    program = script.program(launch, datasets)
    words = _OWNERS_LINE if program is None else program
    text = _script(launch, handle, title, words, unpacked, has_datasets=bool(datasets))
    made = Order(
        handle=handle,
        title=title,
        program=words,
        script=text,
        script_path=SCRIPT,
        nodes=launch.nodes,
        cores=launch.cores,
        memory_mib=launch.memory_mib,
        gpus=launch.gpus,
        limit_s=launch.time_minutes * 60,
        queue=launch.partition,
        project=launch.project,
        files=_files(text, command, datasets),
        inputs=tuple(inputs),
    )
    if launch.site.kind == "nsg" and words[0] in launch.site.tools:
        # It takes no script: what it is sent instead is what there is to show.
        return replace(made, script=submission.text(made, launch.site))
    return made


def _files(script_text: str, command: str | None, datasets: Sequence[Dataset]) -> dict[str, bytes]:
    """Return what lies of ours in the job's folder, by path."""
    files = {SCRIPT: script_text.encode()}
    if command is not None:
        files[layout.COMMAND] = f"{command}\n".encode()
    if datasets:
        files[layout.DATASETS] = json.dumps([each.to_json() for each in datasets], indent=1).encode() + b"\n"
    return files


def _script(
    launch: GatewayLaunch,
    handle: Handle,
    title: str,
    words: Sequence[str],
    unpacked: Sequence[str],
    *,
    has_datasets: bool,
) -> str:
    parts = [environment.fragment(launch.site.module_init) for environment in launch.environments]
    parts.append(script.unpacking(unpacked))
    environ = {"JOB_ID": handle.job_id, "JOB_TITLE": title}
    for part in parts:
        environ.update(part.environ)
    body = _TEMPLATES.get_template("gateway.sh.jinja").render(
        **frame.values("/usr/bin", environ, parts),
        before=[part.before for part in parts if part.before],
        ours=quote(layout.OURS),
        datasets=quote(layout.DATASETS),
        has_datasets=has_datasets,
        command=join(tuple(words)),
    )
    return f"#!/bin/bash\n{body}\n"
