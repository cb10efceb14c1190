import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from kernels.environment import Environment, functions
from kernels.fragment import Fragment
from kernels.shell import Shell
from tests.support import shells

_SCRIPT = """
module() {{
  printf 'module %s\\n' "$*" >>"$TRACE"
  case $1:$2 in
    use:*) ;;
    load:sly | load:broken*) echo "ERROR:105: Unable to locate a modulefile for '$2'"; [ "$2" = sly ] ;;
    load:jupyter) LOADEDMODULES="$LOADEDMODULES:jupyter/new" ;;
    load:alias) LOADEDMODULES="$LOADEDMODULES:another/1" ;;
    load:swap*) LOADEDMODULES="$2" ;;
    load:*) LOADEDMODULES="$LOADEDMODULES:$2" ;;
  esac
}}
stage() {{ printf 'stage %s: %s\\n' "$1" "$2"; }}
give_up() {{ printf 'gave up: %s\\n' "$1"; exit 1; }}
JUPYTERHUB_SITES_LAUNCH_FOLDER=$PWD TRACE=$PWD/trace
{functions}
{text}
printf 'PATH %s\\n' "$PATH"
"""


class _Ran:
    def __init__(self, fragment: Fragment, folder: Path) -> None:
        text = _SCRIPT.format(functions=functions(), text=fragment.before)
        answer = shells.run(["bash", "--norc", "-c", text], cwd=str(folder))
        self.status, self.lines = answer.status, answer.lines
        trace = folder / "trace"
        self.calls = trace.read_text().splitlines() if trace.exists() else []


def _run(fragment: Fragment, folder: Path) -> _Ran:
    return _Ran(fragment, folder)


def test_module_folders_come_before_modules_and_both_keep_their_order(tmp_path: Path) -> None:
    environment = Environment(module_paths=("/opt/a", "/opt/b b"), modules=("gcc/12", "python/3.10"))
    assert _run(environment.fragment(None), tmp_path).calls == [
        "module use /opt/a",
        "module use /opt/b b",
        "module load gcc/12",
        "module load python/3.10",
    ]


_MODULES = "/usr/share/modules/init/bash"


class TestCollection:
    """What `module save` has kept, with a real `module`."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for place in ("site/jupyter/1", "site/gcc/12", "own/numpy/2"):
            file = tmp_path / place
            file.parent.mkdir(parents=True)
            file.write_text(f"#%Module\nsetenv LOADED_{file.parent.name} 1\n")
        saving = f". {_MODULES}; module use {tmp_path}/own; module load numpy; module save mine"
        self._bash(saving, tmp_path)
        return tmp_path

    @staticmethod
    def _bash(text: str, folder: Path) -> shells.Ended:
        environ = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
        return shells.run(["bash", "--norc", "-c", text], cwd=str(folder), environ=environ)

    def _job(self, folder: Path, *own: Environment) -> shells.Ended:
        site = Environment(module_paths=(f"{folder}/site",), modules=("jupyter", "gcc/12"))
        parts = "\n".join(each.fragment(_MODULES).before for each in (site, *own))
        text = f"""
stage() {{ printf 'stage %s: %s\\n' "$1" "$2"; }}
give_up() {{ printf 'gave up: %s\\n' "$1"; exit 1; }}
JUPYTERHUB_SITES_LAUNCH_FOLDER=$PWD
{functions()}
{parts}
env | grep ^LOADED_ | sort
"""
        return self._bash(text, folder)

    def test_it_is_restored_and_what_was_loaded_before_stays(self, folder: Path) -> None:
        ran = self._job(folder, Environment(module_collection="mine", modules=("numpy/2",)))
        assert ran.status == 0
        assert "stage modules: Restoring the collection mine" in ran.lines
        assert ran.lines[-3:] == ["LOADED_gcc=1", "LOADED_jupyter=1", "LOADED_numpy=1"]

    def test_one_that_there_is_not_ends_the_job(self, folder: Path) -> None:
        ran = self._job(folder, Environment(module_collection="none"))
        why = "ERROR: Collection none cannot be found"
        assert ran.lines[-1].strip() == f"gave up: The module collection none could not be restored: {why}"

    @pytest.mark.parametrize("name", ["-r", "/tmp/mine", "a b", "$(id)"])
    def test_what_a_person_types_is_no_option_and_no_file(self, folder: Path, name: str) -> None:
        asked = Environment().model_copy(update={"module_collection": name})
        assert self._job(folder, asked).lines[-1] == f"gave up: No module collection can be called {name}."


def test_a_module_folder_that_comes_first_already_is_not_added(tmp_path: Path) -> None:
    environment = Environment(module_paths=("/opt/b b", "/opt/a"))
    text = Shell(f"MODULEPATH='/opt/b b:/opt/a:/opt/c'\n{environment.fragment(None).before}")
    assert _run(Fragment(before=text), tmp_path).calls == ["module use /opt/a"]


def test_what_was_loaded_is_told_as_the_module_system_says_it(tmp_path: Path) -> None:
    ran = _run(Environment(modules=("gcc/12", "jupyter")).fragment(None), tmp_path)
    assert ran.lines[:2] == ["stage modules: Loading gcc/12 jupyter", "stage loaded: :gcc/12:jupyter/new"]


@pytest.mark.parametrize("name", ["broken", "broken it's", "sly"])
def test_a_module_that_cannot_be_loaded_ends_the_job_in_the_module_systems_words(
    name: str, tmp_path: Path
) -> None:
    ran = _run(Environment(modules=("first", name, "third")).fragment(None), tmp_path)
    assert ran.status == 1
    assert ran.calls == ["module load first", f"module load {name}"]
    why = f"ERROR:105: Unable to locate a modulefile for '{name}'"
    assert ran.lines[-1].strip() == f"gave up: The module {name} could not be loaded: {why}"


def test_an_alias_of_a_module_is_loaded_under_the_others_name(tmp_path: Path) -> None:
    ran = _run(Environment(modules=("alias", "gcc")).fragment(None), tmp_path)
    assert (ran.status, ran.lines[-2]) == (0, "stage loaded: :another/1:gcc")


def test_a_module_that_a_later_one_unloads_ends_the_job(tmp_path: Path) -> None:
    ran = _run(Environment(modules=("gcc", "swap")).fragment(None), tmp_path)
    assert (ran.status, ran.lines[-1]) == (1, "gave up: The module gcc was unloaded by another module: swap")


def test_another_version_may_take_the_place_of_a_module_without_one(tmp_path: Path) -> None:
    ran = _run(Environment(modules=("swap", "swap/old")).fragment(None), tmp_path)
    assert (ran.status, ran.lines[-2]) == (0, "stage loaded: swap/old")


def test_the_file_that_defines_module_is_read_first_and_once(tmp_path: Path) -> None:
    (tmp_path / "in it.sh").write_text('echo read; module() { echo own "$*"; }\n')
    first = Environment(module_paths=("a",)).fragment(str(tmp_path / "in it.sh"))
    text = f"unset -f module\n{first.before}\n{first.before}"
    assert _run(Fragment(before=Shell(text)), tmp_path).lines[:3] == ["read", "own use a", "own use a"]


def test_without_modules_the_module_system_is_left_alone() -> None:
    assert Environment().fragment("/etc/profile.d/modules.sh").before == ""


def test_the_programs_of_a_prefix_are_found_first(tmp_path: Path) -> None:
    prefix = tmp_path / "a $(touch hole) 'b'"
    answer = _run(Environment(prefix=str(prefix), modules=("late",)).fragment(None), tmp_path)
    assert answer.lines[-1] == f"PATH {prefix}/bin:/usr/bin:/bin"


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


def test_a_node_without_the_command_module_is_told_as_such() -> None:
    lines = ["stage() { :; }", 'give_up() { echo "gave up: $1"; exit 1; }', functions(), "load_modules python"]
    ended = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, env={}, check=False)
    assert ended.stdout == (
        "gave up: There is no command module on the node (module_init of the site). "
        "Please tell the administrators of this hub.\n"
    )
