"""Hooks are other packages' code: loaded when they are named; what they do wrong is told with their name."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from kernels import hook
from kernels.fragment import Fragment
from kernels.hook import Hook, HookFailed, JobContext
from kernels.shell import Shell
from slurm_ssh_spawner.launch import script
from tests.support import builders, hooks


class Plain(Hook):
    """Adds nothing."""

    def fragment(self, _job: JobContext) -> Fragment:
        return Fragment()


class Wanted(Plain):
    """Some scripts need it."""

    @classmethod
    def implied(cls, scripts: Iterable[str], hooks: Iterable[Hook]) -> Hook | None:
        return cls() if "make wanted" in scripts and not any(isinstance(each, cls) for each in hooks) else None


class Unsure(Plain):
    """Cannot say which scripts need it."""

    @classmethod
    def implied(cls, scripts: Iterable[str], hooks: Iterable[Hook]) -> Hook | None:
        raise LookupError(f"{scripts} {hooks}")


_JOB = script.context(builders.launch(), builders.LAUNCH_ID, "m")


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path) -> Iterator[None]:
    named = {kind.__name__.lower(): f"{__name__}:{kind.__name__}" for kind in (Plain, Unsure, Wanted)}
    broken = {"exits": hooks.MODULE, "missing": "no_such_module:Hook", "none": "pathlib:Path"}
    with hooks.installed(tmp_path / "site-packages", named | broken, "raise SystemExit(3)"):
        yield


def test_a_hook_leaves_nothing_unless_it_says_so() -> None:
    assert hook.release("plain", Plain(), _JOB) is None


def test_a_hook_says_itself_which_kernel_scripts_need_it() -> None:
    """One that cannot say so, or cannot even be loaded, keeps nobody from a launch that does not name it."""
    assert hook.implied(["echo plain"], ()) == {}
    assert hook.implied(["make wanted"], ()) == {"wanted": Wanted()}
    assert hook.implied(["make wanted"], [Wanted()]) == {}


def test_a_hook_is_loaded_by_its_name_alone() -> None:
    assert hook.find("plain") is Plain


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("exits", "SystemExit: 3"),
        ("missing", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("none", "TypeError: pathlib:Path is not a hook; write a subclass of Hook"),
    ],
)
def test_one_that_cannot_be_loaded_is_told_with_its_name_and_logged_once(
    name: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        with pytest.raises(HookFailed) as failed:
            hook.find(name)
        assert (failed.value.name, str(failed.value)) == (name, said)
    (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told == f"The hook {name} cannot be loaded: {said}"


_STRANGE = [
    None,
    "true",
    Fragment(before="true"),  # type: ignore[arg-type]
    Fragment(after=None),  # type: ignore[arg-type]
    Fragment(environ={"A B": "x"}),
    Fragment(environ={"A\n": "x"}),
    Fragment(environ={"A": 1}),  # type: ignore[dict-item]
    Fragment(environ={1: "x"}),  # type: ignore[dict-item]
    Fragment(environ={"A": "\0"}),
    Fragment(environ=None),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("found", _STRANGE, ids=str)
def test_a_fragment_that_no_script_can_hold_is_the_hooks_fault(found: Fragment) -> None:
    class Strange(Hook):
        def fragment(self, _job: JobContext) -> Fragment:
            return found

    with pytest.raises(HookFailed) as failed:
        hook.fragment("strange", Strange(), _JOB)
    assert failed.value.name == "strange"


def test_what_a_hook_releases_must_be_shell() -> None:
    class Strange(Plain):
        def release(self, _job: JobContext) -> Shell | None:
            return "rm -rf /"  # type: ignore[return-value]

    with pytest.raises(HookFailed, match="write Shell, or None"):
        hook.release("strange", Strange(), _JOB)


def test_what_a_hook_raises_is_cut_and_printable() -> None:
    with pytest.raises(HookFailed) as failed, hook.contained("strange"):
        raise RuntimeError("\x1b[2J\n" + "x" * 10_000)
    assert len(str(failed.value)) == 300
    assert str(failed.value).isprintable()
