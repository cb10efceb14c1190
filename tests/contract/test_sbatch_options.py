"""What an #SBATCH line of ours means to sbatch itself, which says what it has read before it asks anybody."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from profiles.catalogue.values import Directives
from slurm_ssh.slurm import jobs as slurm_jobs
from tests.support import builders

_CONF = """\
ClusterName=nowhere
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=1
AuthType=auth/none
SlurmUser=root
NodeName=n1
PartitionName=all Nodes=n1
"""
_END = "sbatch: end of defined options"


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slurm") / "slurm.conf"
    path.write_text(_CONF)
    return path


def _read_by_sbatch(conf: Path, script: str) -> Mapping[str, str]:
    """Return the options that sbatch finds in a script, as it says them."""
    environ = {"SLURM_CONF": str(conf), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        ["sbatch", "-v"], env=environ, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as sbatch:
        assert sbatch.stdin
        assert sbatch.stderr
        sbatch.stdin.write(script.encode())
        sbatch.stdin.close()
        found = {}
        lines = []
        for raw in sbatch.stderr:
            line = raw.decode().rstrip("\n")
            lines.append(line)
            if line.startswith(_END):
                break
            name, colon, value = line.removeprefix("sbatch: ").partition(": ")
            if colon:
                found[name.strip()] = value
        else:
            raise AssertionError("\n".join(lines))
        sbatch.kill()
    return found


_PRINTABLE = st.characters(
    exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"], include_characters=" "
)
_SETTINGS = st.text(_PRINTABLE, min_size=1, max_size=200).map(str.strip).filter(bool)


@given(value=_SETTINGS)
@example(value="a 'b' \\ \"c\" $HOME `id` #d; % \\' \\\\")
@example(value="--wrap=id")
@example(value="é" * 200)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_a_catalogue_says_is_what_sbatch_reads(conf: Path, value: str) -> None:
    TypeAdapter(Directives).validate_python({"comment": value})
    script = slurm_jobs.batch_script(builders.request(directives={"comment": value, "contiguous": True}))
    read = _read_by_sbatch(conf, script)
    assert read["comment"] == value
    assert "contiguous" in read
    assert "wrap" not in read


def test_a_launchs_own_options_are_what_sbatch_reads(conf: Path) -> None:
    own = {"partition": "all", "project": "p", "gpus": 2, "gpu_type": "a100"}
    request = builders.request(log_path="/a folder/it's \\ 1.log", **own)
    read = _read_by_sbatch(conf, slurm_jobs.batch_script(request))
    assert read["output"] == "/a folder/it's \\ 1.log"
    assert (read["account"], read["partition"], read["gres"]) == ("p", "all", "gres:gpu:a100:2")
    assert (read["mem"], read["time"], read["cpus-per-task"]) == ("1G", "01:00:00", "1")


def test_sbatch_takes_the_beginning_of_an_option_for_the_whole(conf: Path) -> None:
    assert _read_by_sbatch(conf, "#!/bin/sh\n#SBATCH --arra=1-2\n#SBATCH --mem-per-c=7M\n")["array"] == "1-2"
    with pytest.raises(ValidationError, match="is short for `array`"):
        TypeAdapter(Directives).validate_python({"arra": "1-2"})
