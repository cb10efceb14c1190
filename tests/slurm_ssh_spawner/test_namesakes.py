"""A package of somebody else's that is imported by a name of ours."""

import subprocess
import sys
from pathlib import Path

import pytest

import slurm_ssh_spawner
from tests.support.folders import TREE


def _installed(folder: Path, name: str) -> None:
    """Install in a folder what pip would note there of such a package."""
    noted = folder / f"{name}-0.17.2.dist-info"
    noted.mkdir(parents=True)
    (noted / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.17.2\n", encoding="utf-8")


@pytest.mark.parametrize("name", ["kernels", "languages"])
def test_what_replaces_our_files_is_told_before_anything_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    slurm_ssh_spawner.alone()
    _installed(tmp_path, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match=f"package {name} 0.17.2 is installed here, too") as told:
        slurm_ssh_spawner.alone()
    assert f"pip uninstall {name} and then pip install --force-reinstall --no-deps" in str(told.value)


def test_the_command_says_so_too(tmp_path: Path) -> None:
    _installed(tmp_path, "kernels")
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels/__init__.py").write_text("import huggingface_hub", encoding="utf-8")
    program = "from slurm_ssh_spawner.cli.main import main; main(['--version'])"
    environ = {"PYTHONPATH": f"{tmp_path}:{TREE}"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ImportError: The package kernels 0.17.2" in done.stderr.splitlines()[-1]
