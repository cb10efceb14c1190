from pathlib import Path

import pytest
from pydantic import ValidationError

from kernels.environment import Environment
from kernels.fragment import Fragment
from tests.support import shells

_SCRIPT = """
module() {{ printf 'module %s\\n' "$*"; [ "$2" != "$BROKEN" ]; }}
give_up() {{ printf 'gave up: %s\\n' "$1"; exit 1; }}
{text}
printf 'PATH %s\\n' "$PATH"
"""


def _run(fragment: Fragment, broken: str = "none") -> shells.Ended:
    return shells.bash(_SCRIPT.format(text=fragment.before), {"BROKEN": broken})


def test_module_folders_come_before_modules_and_both_keep_their_order() -> None:
    environment = Environment(module_paths=("/opt/a", "/opt/b b"), modules=("gcc/12", "python/3.10"))
    assert _run(environment.fragment(None)).lines[:4] == [
        "module use /opt/a",
        "module use /opt/b b",
        "module load gcc/12",
        "module load python/3.10",
    ]


def test_a_module_that_cannot_be_loaded_ends_the_job_with_a_sentence() -> None:
    answer = _run(Environment(modules=("first", "it's", "third")).fragment(None), broken="it's")
    assert answer.status == 1
    assert answer.lines == [
        "module load first",
        "module load it's",
        "gave up: The module it's could not be loaded.",
    ]


def test_the_file_that_defines_module_is_read_first(tmp_path: Path) -> None:
    (tmp_path / "in it.sh").write_text('echo read; module() { echo own "$*"; }\n')
    fragment = Environment(modules=("a",)).fragment(str(tmp_path / "in it.sh"))
    assert _run(fragment).lines[:2] == ["read", "own load a"]


def test_without_modules_the_module_system_is_left_alone() -> None:
    assert Environment().fragment("/etc/profile.d/modules.sh").before == ""


def test_the_programs_of_a_prefix_are_found_first(tmp_path: Path) -> None:
    prefix = tmp_path / "a $(touch hole) 'b'"
    answer = _run(Environment(prefix=str(prefix), modules=("late",)).fragment(None))
    assert answer.lines == ["module load late", f"PATH {prefix}/bin:/usr/bin:/bin"]


def test_variables_are_handed_on_as_plain_values() -> None:
    fragment = Environment(variables={"OMP_NUM_THREADS": "4", "TEXT": "$HOME"}).fragment(None)
    assert dict(fragment.environ) == {"OMP_NUM_THREADS": "4", "TEXT": "$HOME"}
    assert fragment.before == fragment.after == ""


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B", "A;id", "Ä"])
def test_a_variable_with_an_impossible_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        Environment(variables={name: "value"})


@pytest.mark.parametrize(
    "entry", [{"prefix": "/a\0"}, {"modules": ("a\0",)}, {"module_paths": ("\0",)}, {"variables": {"A": "\0"}}]
)
def test_a_value_that_no_shell_can_hold_is_refused(entry: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Environment.model_validate(entry)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError):
        Environment.model_validate({"module": ["a"]})


def test_an_empty_fragment_adds_nothing() -> None:
    assert (dict(Fragment().environ), Fragment().before, Fragment().after) == ({}, "", "")
