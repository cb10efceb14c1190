"""`python -m tests.slurm_ssh_spawner.cli.importing.golden` writes the catalogues beside the configurations."""

from tests.slurm_ssh_spawner.cli.importing.test_import import _CORPUS, _read, _translated
from tests.support.folders import DATA

if __name__ == "__main__":
    for name in _CORPUS:
        (DATA / "imports" / f"{name}.yaml").write_text(_translated(_read(name)), encoding="utf-8")
