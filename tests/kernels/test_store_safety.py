"""A store of kernels that several people use: what somebody hostile puts there, or in its place, is never run."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kernels.kernel import DeclaredKernel
from tests.kernels.jobside.test_declared import PYTHON
from tests.support.kernel_job import Job

_BOB, _CAROL = 65534, 65533
_NOT_USED = "The kernel store {store} is not used: {why}"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two people")


@pytest.fixture
def kernel(tmp_path: Path) -> DeclaredKernel:
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    return DeclaredKernel(name="My Kernel", python=str(python), requirements=("six",))


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where everybody makes their folders, as on many sites."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store as it should be."""
    folder = tmp_path / "gpfs" / "kernels"
    folder.mkdir(parents=True)
    return folder


def _built(tmp_path: Path, kernel: DeclaredKernel, store: Path) -> Path:
    """Have the owner of a store build, and return where that is."""
    job = Job(tmp_path, 1, store=store)
    assert job.run(kernel) == 0, job.said
    assert f"building {_digest(store)} in {store}" in job.said
    return store / _digest(store)


def _digest(store: Path) -> str:
    (built,) = [path for path in store.iterdir() if not path.name.startswith(".")]
    return built.name


def _is_at_home(tmp_path: Path, kernel: DeclaredKernel, store: Path) -> str:
    """Run a job, see that it uses a kernel of the person's own, and return what it says."""
    job = Job(tmp_path, 9, store=store)
    assert job.run(kernel) == 0, job.said
    spec = (job.launch / "jupyter/kernels/my_kernel/kernel.json").read_text()
    assert f"{tmp_path}/.local/share/jupyterhub-sites/kernels/" in spec
    assert str(store) not in spec
    return job.said


def _chown(path: Path) -> None:
    os.chown(path, _BOB, _BOB, follow_symlinks=False)


def test_what_the_owner_has_built_is_used(tmp_path: Path, kernel: DeclaredKernel, store: Path) -> None:
    built = _built(tmp_path, kernel, store)
    job = Job(tmp_path, 2, store=store)
    assert job.run(kernel) == 0
    assert f"is ready in {built}" in job.said
    assert not list(store.glob("*.lock*"))


def test_a_job_with_a_generous_umask_builds_what_others_cannot_write_to(
    tmp_path: Path, kernel: DeclaredKernel, store: Path
) -> None:
    old = os.umask(0)
    try:
        built = _built(tmp_path, kernel, store)
    finally:
        os.umask(old)
    modes = [(folder, os.lstat(folder).st_mode & 0o022) for folder, _, _ in os.walk(built)]
    assert {mode for _, mode in modes} == {0}


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, kernel: DeclaredKernel, scratch: Path) -> None:
    store = scratch / "kernels"
    said = _is_at_home(tmp_path, kernel, store)
    assert _NOT_USED.format(store=store, why=f"{store}: No such file or directory") in said
    assert not store.exists()


@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o775, 0o2775, 0o757])
def test_a_store_that_others_may_write_to_is_not_used(
    tmp_path: Path, kernel: DeclaredKernel, store: Path, mode: int
) -> None:
    built = _built(tmp_path, kernel, store)
    store.chmod(mode)
    said = _is_at_home(tmp_path, kernel, store)
    assert _NOT_USED.format(store=store, why=f"others may write to {store}") in said
    assert built.exists()


def test_a_store_that_somebody_made_first_is_not_used(
    tmp_path: Path, kernel: DeclaredKernel, scratch: Path
) -> None:
    store = scratch / "kernels"
    store.mkdir()
    built = _built(tmp_path, kernel, store)
    for path in (store, built, *built.rglob("*")):
        _chown(path)
    assert f"anybody could have made {store}" in _is_at_home(tmp_path, kernel, store)


def test_a_store_below_a_folder_that_others_write_to_is_not_used(
    tmp_path: Path, kernel: DeclaredKernel, store: Path
) -> None:
    _built(tmp_path, kernel, store)
    store.parent.chmod(0o777)
    assert f"others may write to {store.parent}" in _is_at_home(tmp_path, kernel, store)


@pytest.mark.parametrize("component", ["kernels", "gpfs"])
def test_no_link_on_the_way_is_followed(
    tmp_path: Path, kernel: DeclaredKernel, store: Path, component: str
) -> None:
    _built(tmp_path, kernel, store)
    place = store if component == "kernels" else store.parent
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    assert f"{place} is a link or no folder" in _is_at_home(tmp_path, kernel, store)


def _link(built: Path) -> None:
    built.rename(built.parent / ".elsewhere")
    built.symlink_to(".elsewhere")


def _wrapper_of_bobs(built: Path) -> None:
    (built / "with-modules").unlink()
    (built / "with-modules").symlink_to("/tmp/bobs")


_ATTACKS: dict[str, Callable[[Path], None]] = {
    "a link": _link,
    "whose": _chown,
    "mode": lambda built: built.chmod(0o777),
    "wrapper": _wrapper_of_bobs,
    "whose wrapper": lambda built: _chown(built / "with-modules"),
    "mode of the wrapper": lambda built: (built / "with-modules").chmod(0o666),
    "bin": lambda built: (built / "venv" / "bin").chmod(0o777),
    "whose bin": lambda built: _chown(built / "venv" / "bin"),
    "not complete": lambda built: (built / "complete").unlink(),
}


@pytest.mark.parametrize("attack", _ATTACKS)
def test_a_kernel_that_is_not_its_owners_alone_is_not_run(
    tmp_path: Path, kernel: DeclaredKernel, store: Path, attack: str
) -> None:
    built = _built(tmp_path, kernel, store)
    _ATTACKS[attack](built)
    # The store is carol's: its owner would build again.
    os.chown(store, _CAROL, _CAROL)
    _is_at_home(tmp_path, kernel, store)


def test_a_lock_that_somebody_prepared_empties_no_file(
    tmp_path: Path, kernel: DeclaredKernel, scratch: Path
) -> None:
    store = scratch / "kernels"
    store.mkdir()
    digest = _built(tmp_path, kernel, store).name
    store.chmod(0o1777)
    (store / digest).rename(store / ".away")
    important = tmp_path / "important.csv"
    important.write_text("1,2,3\n")
    for name in (f"{digest}.lock.geneva@9", f"{digest}.lock"):
        (store / name).mkdir(mode=0o777)
        (store / name / "geneva@9").symlink_to(important)
    _is_at_home(tmp_path, kernel, store)
    assert important.read_text() == "1,2,3\n"


def test_a_lock_follows_no_link_of_an_earlier_run_either(tmp_path: Path, kernel: DeclaredKernel) -> None:
    own = tmp_path / ".local/share/jupyterhub-sites/kernels"
    digest = _built_at_home(tmp_path, kernel, own)
    (own / digest / "complete").unlink()
    important = tmp_path / "important.csv"
    important.write_text("1,2,3\n")
    (own / f"{digest}.lock.geneva@2").mkdir()
    (own / f"{digest}.lock.geneva@2" / "geneva@2").symlink_to(important)
    assert Job(tmp_path, 2).run(kernel) == 0
    assert important.read_text() == "1,2,3\n"


def _built_at_home(tmp_path: Path, kernel: DeclaredKernel, own: Path) -> str:
    assert Job(tmp_path, 1).run(kernel) == 0
    return _digest(own)
