from collections.abc import Iterable

import pytest

from kernels import hook
from kernels.fragment import Fragment
from kernels.hook import Hook, JobContext
from slurm_ssh_spawner.launch import script
from tests.support import builders


class _Plain(Hook):
    def fragment(self, _job: JobContext) -> Fragment:
        return Fragment()


class _Wanted(_Plain):
    @classmethod
    def implied(cls, scripts: Iterable[str], hooks: Iterable[Hook]) -> Hook | None:
        return cls() if "make wanted" in scripts and not any(isinstance(each, cls) for each in hooks) else None


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook, "hooks", lambda: {"plain": _Plain, "wanted": _Wanted})


def test_a_hook_leaves_nothing_unless_it_says_so() -> None:
    assert _Plain().release(script.context(builders.launch(), builders.LAUNCH_ID, "m")) is None


def test_a_hook_says_itself_which_kernel_scripts_need_it() -> None:
    assert hook.implied(["echo plain"], ()) == ()
    assert hook.implied(["make wanted"], ()) == (_Wanted(),)
    assert hook.implied(["make wanted"], [_Wanted()]) == ()
