"""A tree that nobody but its owner may read, as it is cloned under a umask of 077."""

import subprocess
from pathlib import Path

from lab.folders import HUB_PYTHON, TREE
from lab.plan import HUB_USER, SERVICE_ACCOUNTS

LOOK = """
import subprocess, sys
from pathlib import Path
from lab import rootfs
tree, uid = sys.argv[1:]
rootfs.enter(rootfs.View((rootfs.Share(Path(tree), tree, read_only=True),)))
as_hub = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
find = ["find", tree, "-name", ".*", "-prune", "-o", "!", "-readable", "-print"]
subprocess.run([*as_hub, *find], check=True)
"""


def test_the_hubs_account_can_read_all_of_it_after_the_setup(tmp_path: Path) -> None:
    tree = tmp_path / "closed" / "tree"
    subprocess.run(["git", "clone", "--quiet", TREE, tree], umask=0o077, check=True)
    assert tree.stat().st_mode & 0o777 == 0o700
    subprocess.run(["bash", "-c", ". lab/setup.sh; open_tree"], cwd=tree, umask=0o077, check=True)
    assert tree.stat().st_mode & 0o777 == 0o700, "nobody else on the machine may read it"
    alone = ["unshare", "--mount", "--pid", "--fork", HUB_PYTHON, "-c", LOOK]
    look = [*alone, tree, str(SERVICE_ACCOUNTS[HUB_USER])]
    done = subprocess.run(look, cwd=TREE, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
