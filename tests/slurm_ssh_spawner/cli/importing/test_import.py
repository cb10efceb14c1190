"""Configurations as people have them, written for these tests, and what becomes of them."""

import ast
import asyncio
import re
from pathlib import Path

import pytest
import yaml

from profiles.loading import load
from slurm_ssh_spawner.cli import main
from slurm_ssh_spawner.cli.failed import Failed
from slurm_ssh_spawner.cli.importing import batchspawner
from slurm_ssh_spawner.cli.importing.reading import Computed, read
from slurm_ssh_spawner.cli.importing.translation import translated
from tests.support import builders, openssh
from tests.support.folders import DATA

_CORPUS = sorted(path.stem for path in (DATA / "imports").glob("*.txt"))
_FRONT_END = {"host": "login1.example.org", "host_keys": [builders.HOST_KEY]}


def _translated(text: str) -> str:
    return translated(text, "jupyterhub_config.py", "geneva", [_FRONT_END])


def _read(name: str) -> str:
    return (DATA / "imports" / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", _CORPUS)
def test_it_becomes_the_catalogue_beside_it(name: str) -> None:
    """If not: `python -m tests.slurm_ssh_spawner.cli.importing.golden`, and read the difference."""
    assert _translated(_read(name)) == (DATA / "imports" / f"{name}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", _CORPUS)
def test_the_catalogue_can_be_used(name: str) -> None:
    catalogue = load.parse(_translated(_read(name)), "catalogue.yaml")
    assert catalogue.sites["geneva"].front_ends[0].host == "login1.example.org"
    assert catalogue.profiles


@pytest.mark.parametrize("name", _CORPUS)
def test_no_setting_is_lost_without_a_word(name: str) -> None:
    """Each line that sets something is either a value of the catalogue or named in a comment."""
    text, made = _read(name), _translated(_read(name))
    lost = []
    for each in ast.walk(ast.parse(text)):
        if isinstance(each, ast.Assign) and (shown := ast.unparse(each.targets[0])).startswith("c."):
            trait = shown.rpartition(".")[2]
            is_told = f":{each.lineno}: " in made or shown in made
            if not is_told and trait not in _CARRIED:
                lost.append(shown)
    assert lost == []


_CARRIED = {
    *(
        "req_partition",
        "req_runtime",
        "req_memory",
        "req_nprocs",
        "req_account",
        "req_qos",
        "req_gres",
        "req_host",
    ),
    *("req_prologue", "batch_submit_cmd", "cmd", "default_url", "environment", "runtime", "memory", "gpus", "ui"),
    *("partition", "feature", "disable_form"),
}
"""Settings whose values the catalogues have; the golden files show them."""


class _Written(str):
    """A value as a file writes it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@pytest.mark.parametrize(
    "value",
    ["", None, 0, -1, 10**30, _Written("1e999"), "x" * 5000, "a\nb: {", [], [1], {}, {"a": []}, True, "é\0"],
)
def test_no_value_of_a_setting_breaks_it(value: object) -> None:
    traits = sorted(
        {
            *batchspawner._OPTIONS,
            *batchspawner._OTHERS,
            *batchspawner._DONE,
            *batchspawner._IN_CONFIGURATION,
            "odd",
        }
    )
    lines = [f"c.SlurmSpawner.{trait} = {value!r}" for trait in traits]
    lines += [f"c.SbatchForm.{trait} = {value!r}" for trait in ("runtime", "gpus", "ui", "partition", "account")]
    bounded = ("nprocs", "runtime", "memory", "reservation")
    lines += [f"c.SbatchForm.{trait} = {{'def': {value!r}, 'max': {value!r}}}" for trait in bounded]
    for of_others in ("MOSlurmSpawner.partitions", "ProfilesSpawner.profiles", "SlurmFormSpawner.profile_args"):
        lines.append(f"c.{of_others} = {value!r}")
    lines.append(
        f"c.MOSlurmSpawner.partitions = {{'p': {{'jupyter_environments': {{'a': {value!r}}}}}, 'q': {value!r}}}"
    )
    lines.append(f"c.ProfilesSpawner.profiles = [({value!r}, 'k', 'SlurmSpawner', {value!r}), {value!r}]")
    made = yaml.safe_load(_translated("\n".join(lines)))
    assert set(made) == {"sites", "profiles"}


@pytest.mark.parametrize("text", ["c.x = (", "\0", "c.x = " + "(" * 5000 + ")" * 5000, "x = " + "-" * 50000 + "1"])
def test_what_is_no_python_is_told_with_its_place(text: str) -> None:
    with pytest.raises(Failed, match=r"jupyterhub_config.py.* no Python that can be read"):
        _translated(text)


def test_nothing_of_the_file_is_run(tmp_path: Path) -> None:
    made = tmp_path / "made"
    _translated(f"open({str(made)!r}, 'w')\nc.SlurmSpawner.req_memory = open({str(made)!r}, 'w').name\n")
    assert not made.exists()


@pytest.mark.parametrize(
    "expression",
    [
        *("'x' * 10**9", "10**11 * 10**11 * 10**11", "9**9**9", "'a' + 1", "-'a'", "1e999"),
        pytest.param(f"0x{'f' * 5000}", id="a number that Python does not write"),
    ],
)
def test_what_would_take_long_to_work_out_is_left(expression: str) -> None:
    made = _translated(f"c.SlurmSpawner.req_memory = {expression}\n")
    assert "jupyterhub_config.py:1: c.SlurmSpawner.req_memory = " in made


_LISTS = "".join(f"a{level} = [{', '.join([f'a{level - 1}'] * 10)}]\n" for level in range(1, 9))
_TEXTS = "".join(f"a{level} = a{level - 1} + a{level - 1}\n" for level in range(1, 9))
_LONG = f"a0 = '{'x' * 200_000}'\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"a0 = ['x']\n{_LISTS}c.SlurmSpawner.req_memory = a8", id="lists of lists"),
        pytest.param(f"{_LONG}c.SlurmSpawner.req_memory = f'{'{a0}' * 100}'", id="a text of texts"),
        pytest.param(f"{_LONG}{_TEXTS}c.SlurmSpawner.req_memory = a8", id="texts that double"),
        pytest.param(f"{_LONG}c.SlurmSpawner.req_memory = [{'a0, ' * 100}]", id="a list of texts"),
    ],
)
def test_what_a_short_file_makes_large_is_left(text: str) -> None:
    found = read(text, "jupyterhub_config.py")[0].value
    assert isinstance(found, Computed) or all(isinstance(each, Computed) for each in found[-10:])


def test_what_is_named_once_may_be_used_often() -> None:
    lines = ["name = 'slurm'", "base = {'req_memory': '4G', 'req_runtime': '1:00:00'}"]
    lines.append(f"c.ProfilesSpawner.profiles = [{', '.join(['(name, name, name, base)'] * 500)}]")
    each = ["slurm", "slurm", "slurm", {"req_memory": "4G", "req_runtime": "1:00:00"}]
    assert read("\n".join(lines), "jupyterhub_config.py")[0].value == [each] * 500


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\xef\xbb\xbfc.SlurmSpawner.req_partition = 'normal'", "normal"),
        (b"# -*- coding: latin-1 -*-\nc.SlurmSpawner.req_partition = '\xe9t\xe9'", "été"),
        (b"c.SlurmSpawner.req_partition = '\xc3\xa9t\xc3\xa9'", "été"),
    ],
)
def test_a_file_is_text_in_the_encoding_in_which_python_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, name: str
) -> None:
    file = tmp_path / "jupyterhub_config.py"
    file.write_bytes(content)
    assert main.main(["import", str(file)]) == 0
    assert name in yaml.safe_load(capsys.readouterr().out)["sites"]["cluster"]["partitions"]


def test_an_encoding_that_there_is_not_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "jupyterhub_config.py"
    file.write_bytes(b"# -*- coding: nonsense -*-\n")
    assert main.main(["import", str(file)]) == 1
    assert f"{file}:1: this is no Python that can be read (unknown encoding: nonsense)" in capsys.readouterr().err


async def test_host_keys_are_those_that_the_host_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(DATA / "imports" / "wrapspawner.txt")
    async with openssh.running(tmp_path / "sshd") as sshd:
        options = ["--site", "aare", "--host", "127.0.0.1", "--port", str(sshd.port)]
        assert await asyncio.to_thread(main.main, ["import", file, *options]) == 0
    made = capsys.readouterr().out
    site = yaml.safe_load(made)["sites"]["aare"]
    assert [each["host"] for each in site["front_ends"]] == ["127.0.0.1"]
    (key,) = site["front_ends"][0]["host_keys"]
    assert key.startswith("ssh-ed25519 ")
    assert re.search(rf"# SHA256:\S{{43}} - compare it on the host: .*\n +- {re.escape(key)}\n", made)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/nowhere/x.py"], "/nowhere/x.py cannot be read (No such file or directory)."),
        (["/dev/zero"], "/dev/zero is longer than 1 MiB"),
        (["/dev/null", "--site", "A b"], "'A b' is no key"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["import", *arguments]) == 1
    assert said in capsys.readouterr().err
