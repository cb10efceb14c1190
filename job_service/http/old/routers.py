"""All old paths."""

from job_service.http.old import admin_jobs, admin_people, admin_projects, files, jobs, lists, submitting

ROUTERS = (
    lists.status,
    lists.router,
    jobs.router,
    submitting.router,
    files.router,
    admin_jobs.router,
    admin_people.router,
    admin_projects.router,
)
"""Their routers, to be included below `/api`."""
