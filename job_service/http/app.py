"""The application: all routes of the service over its use cases."""

from importlib.metadata import version

from fastapi import APIRouter, FastAPI

from job_service.http import document, metrics, problems
from job_service.http.admin.routers import ROUTERS as ADMIN
from job_service.http.caller import Authenticator, Logins, Servers
from job_service.http.exchange import Exchange
from job_service.http.given import Kept
from job_service.http.old.routers import ROUTERS as OLD
from job_service.http.pages.routers import ROUTERS as PAGES
from job_service.http.v1 import acts, datasets, files, health, history, interactive, jobs, me, offers, projects
from job_service.http.views import V1
from job_service.service import JOBS_A_MINUTE, Service

ROOT_PATH = "/services/jobs"
"""Where the service lies on the hub, unless it has another name there."""

_V1 = (
    me.router,
    offers.router,
    datasets.router,
    jobs.router,
    acts.router,
    history.router,
    files.router,
    files.uploads,
    interactive.router,
    projects.router,
    health.router,
    metrics.router,
)


def _all_routes() -> APIRouter:
    together = APIRouter()
    for router in _V1:
        together.include_router(router, prefix=V1)
    for router in ADMIN:
        together.include_router(router, prefix=f"{V1}/admin")
    for router in OLD:
        together.include_router(router, prefix="/api")
    for router in PAGES:
        together.include_router(router, include_in_schema=False)
    return together


# They know no application, and FastAPI looks at what each is given once for each of these objects.
_ROUTES = tuple(_all_routes().routes)


def make_app(
    service: Service,
    auth: Authenticator,
    logins: Logins,
    servers: Servers,
    *,
    root_path: str = ROOT_PATH,
    jobs_a_minute: int = JOBS_A_MINUTE,
) -> FastAPI:
    """Return the application over a service; `root_path` is its place on the hub.

    `auth` knows whose a token is, `logins` how a browser gets one, `servers` how the hub starts one of them.

    One person may send `jobs_a_minute`.  Requests may come with the root path or without it.
    """
    root_path = root_path.rstrip("/")
    app = FastAPI(
        title="Batch jobs",
        version=version("jupyterhub-sites"),
        servers=[{"url": root_path or "/"}],
        root_path_in_servers=False,
        openapi_url=f"{V1}/openapi.json",
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # The environment of the service could turn them on; people's names are in them.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.kept, app.state.auth, app.state.logins = Kept(service, jobs_a_minute), auth, logins
    app.state.servers = servers
    app.state.tally = metrics.begun(service)
    problems.install(app)
    document.install(app)
    app.add_middleware(Exchange, root_path=root_path)
    app.router.routes.extend(_ROUTES)
    return app
