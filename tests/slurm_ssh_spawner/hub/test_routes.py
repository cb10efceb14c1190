import re
import sys

import batchspawner.api
import pytest
from jupyterhub.apihandlers import default_handlers
from jupyterhub.apihandlers.users import UserServerAPIHandler

from slurm_ssh_spawner.hub import routes
from slurm_ssh_spawner.hub.job_reports import LaunchReportHandler
from slurm_ssh_spawner.hub.launches_api import LaunchesHandler
from slurm_ssh_spawner.hub.server_api import ServerHandler
from tests.support import shells


def test_our_routes_come_first_and_the_one_of_batchspawner_is_gone() -> None:
    found = routes.arranged(default_handlers, "/hub/")
    handlers = [route[1] for route in found]
    launches, reports = found[:2]
    assert launches[:2] == (r"/hub/api/launches", LaunchesHandler)
    assert reports[:2] == (r"/hub/api/launches/([0-9a-f]{12})", LaunchReportHandler)
    assert batchspawner.api.BatchSpawnerAPIHandler not in handlers
    assert UserServerAPIHandler not in handlers
    replaced = [route[0] for route in default_handlers if route[1] is UserServerAPIHandler]
    assert [route[0] for route in found if route[1] is ServerHandler] == replaced != []


@pytest.mark.parametrize("path", ["%00", "\0", "../routes.py", "a/b.js", "a.js\n", ".js", ".css", "a.html", ""])
def test_only_names_of_scripts_and_style_sheets_reach_their_folder(path: str) -> None:
    (pattern,) = [route[0] for route in routes.arranged([], "/hub/") if "launch-pages/(" in route[0]]
    assert re.fullmatch(pattern, "/hub/launch-pages/home.js")
    assert re.fullmatch(pattern, "/hub/launch-pages/pages.css")
    assert not re.fullmatch(pattern, f"/hub/launch-pages/{path}")


def test_jupyterhubs_own_list_is_left_as_it_is() -> None:
    assert LaunchReportHandler not in [route[1] for route in default_handlers]


_HUB = """
{imports}
from jupyterhub.app import JupyterHub

class Ours(slurm_ssh_spawner.spawner.SlurmSSHSpawner):
    hub_starts = print

app = JupyterHub(authenticator_class="null", db_url="sqlite://", spawner_class={spawner})
app.init_db()
app.init_handlers()
print(*(pattern for pattern, *_ in app.handlers if "batch" in pattern or "launches" in pattern))
"""
_SPAWNER, _BATCHSPAWNER = "import slurm_ssh_spawner.spawner", "import batchspawner.api"


_EITHER_FIRST = pytest.mark.parametrize("imports", [(_SPAWNER, _BATCHSPAWNER), (_BATCHSPAWNER, _SPAWNER)])


def _routes(imports: tuple[str, str], spawner: str) -> str:
    answer = shells.run([sys.executable, "-c", _HUB.format(imports="\n".join(imports), spawner=spawner)])
    assert answer.lines, answer.stderr
    return answer.lines[-1]


@_EITHER_FIRST
def test_a_hub_has_them_whatever_its_configuration_imports_first(imports: tuple[str, str]) -> None:
    launch = "/hub/api/launches/([0-9a-f]{12})"
    ours = ["/hub/api/launches", launch, f"{launch}/end"]
    ours += ["/hub/launches", r"/hub/launches\.csv", "/hub/launches/announcement"]
    ours += ["/hub/launches/([0-9a-f]{12})", "/hub/launches/([0-9a-f]{12})/stop"]
    assert _routes(imports, "Ours") == " ".join(ours)


@_EITHER_FIRST
def test_a_hub_with_batchspawners_own_spawner_is_left_as_it_is(imports: tuple[str, str]) -> None:
    assert _routes(imports, "'batchspawner.SlurmSpawner'") == "/hub/api/batchspawner"
