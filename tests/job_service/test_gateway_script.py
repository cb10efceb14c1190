"""What a gateway is asked for: the script runs what was asked for, word by word, in the folder it is begun in."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from job_service import layout
from job_service.gateways import ordering
from job_service.gateways.backend import Handle, Order
from profiles.catalogue.dataset import Dataset
from profiles.offer.choices import Choices
from profiles.offer.launch import GatewayLaunch, resolve_job
from profiles.offer.offer import Offer, Person
from tests.support import builders

HANDLE = Handle("0123456789ab", "job-hub-0123456789ab", "alice")
_DATASET = Dataset("scans:1", "one", "scan", "/data/one two", {}, None)


def _launch(**job_type: Any) -> GatewayLaunch:
    types = {"recon": builders.job_type(**{"sites": ["daint"], "parameters": {}, **job_type})}
    gateways = {"daint": builders.gateway(own_lines=True)}
    offer = Offer(builders.catalogue(gateways=gateways, job_types=types).jobs, {}, Person("alice"), builders.NOW)
    launch = resolve_job(offer, Choices({"type": "recon"}))
    assert isinstance(launch, GatewayLaunch)
    return launch


def _run(order: Order, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run what a gateway would: bash, and the script by its path in the job's folder."""
    for path, data in order.files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(data)
    return subprocess.run(["bash", order.script_path], cwd=folder, capture_output=True, text=True, check=False)


def test_a_program_gets_its_words_as_they_are(tmp_path: Path) -> None:
    words = ["$(touch x)", "`id`", "it's", '"', "a b", "\\", "", "é\n"]
    order = ordering.order(_launch(run=["printf", "%s|", *words]), HANDLE, "a title; rm")
    assert _run(order, tmp_path).stdout == "|".join(words) + "|"
    assert {each.name for each in tmp_path.iterdir()} == {layout.OURS}


def test_a_job_knows_itself_and_says_how_it_ended(tmp_path: Path) -> None:
    line = 'printf "%s|" "$JOB_ID" "$JOB_TITLE" "$JOB_FOLDER"; exit 7'
    order = ordering.order(_launch(run=None, command="any"), HANDLE, "a 'title'", command=line)
    ran = _run(order, tmp_path)
    assert ran.stdout == f"{HANDLE.job_id}|a 'title'|{tmp_path}|"
    assert ran.returncode == 7
    assert order.program == ("bash", layout.COMMAND)


def test_what_nsg_is_sent_is_shown_instead_of_a_script() -> None:
    tools = {"PY": {"nodes": "number_nodes_", "arguments": "cmdlineopts_", "parameters": {"filename_": "run.py"}}}
    gateways = {"nsg": builders.gateway(kind="nsg", url="https://nsg.test/cipresrest/v1", tools=tools)}
    types = {"sim": builders.job_type(sites=["nsg"], parameters={}, run=["PY", "a b"])}
    offer = Offer(builders.catalogue(gateways=gateways, job_types=types).jobs, {}, Person("alice"), builders.NOW)
    launch = resolve_job(offer, Choices({"type": "sim"}))
    assert isinstance(launch, GatewayLaunch)
    lines = ordering.order(launch, HANDLE, "a title", inputs=("in/job.zip",)).script.splitlines()
    assert lines[:1] + lines[-4:] == [
        "tool=PY",
        "vparam.filename_=run.py",
        f"metadata.clientJobId={HANDLE.job_id}",
        "metadata.clientJobName=a title",
        "input.infile_=@in/job.zip",
    ]
    assert "vparam.cmdlineopts_='a b'" in lines


def test_a_job_has_its_datasets(tmp_path: Path) -> None:
    wanted = {"types": ["scan"], "min": 1, "max": 5, "modes": ["each"]}
    sources = {"scans": {"list": [{"id": "1", "type": "scan", "location": "/data/one two"}]}}
    run = ["sh", "-c", 'printf "%s|" "$0" "$JOB_DATASETS"', "{dataset}"]
    types = {"recon": builders.job_type(sites=["daint"], parameters={}, run=run, datasets=wanted)}
    what = builders.catalogue(gateways={"daint": builders.gateway()}, job_types=types, datasets=sources)
    launch = resolve_job(Offer(what.jobs, {}, Person("alice"), builders.NOW), Choices({"type": "recon"}))
    assert isinstance(launch, GatewayLaunch)
    order = ordering.order(launch, HANDLE, "title", (_DATASET,))
    path = tmp_path / layout.DATASETS
    assert _run(order, tmp_path).stdout == f"/data/one two|{path}|"
    assert json.loads(path.read_text())[0]["id"] == "scans:1"


def test_what_no_script_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        ordering.order(_launch(run=["printf", "%s"]), HANDLE, "a\0title")


def test_it_says_what_it_needs() -> None:
    order = ordering.order(
        _launch(
            run=["true"],
            resources={"cores": {"default": 4}, "memory": {"default": "2G"}, "time": {"default": "1h"}},
        ),
        HANDLE,
        "title",
    )
    assert (order.nodes, order.cores, order.memory_mib, order.limit_s) == (1, 4, 2048, 3600)
    assert (order.queue, order.project) == (None, None)


def test_modules_are_loaded_and_one_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BASH_FUNC_module%%", '() { echo "Unable to locate $2"; return 1; }')
    order = ordering.order(_launch(run=["true"], modules=["recon/2.1"]), HANDLE, "title")
    ran = _run(order, tmp_path)
    assert ran.returncode == 1
    assert "The module recon/2.1 could not be loaded: Unable to locate recon/2.1" in ran.stderr
    assert "modules Loading recon/2.1" in (tmp_path / layout.STAGES).read_text()


def test_where_there_are_no_modules_at_all_it_is_told(tmp_path: Path) -> None:
    ran = _run(ordering.order(_launch(run=["true"], modules=["recon/2.1"]), HANDLE, "title"), tmp_path)
    assert ran.returncode == 1
    assert "There is no command module on the node" in ran.stderr
