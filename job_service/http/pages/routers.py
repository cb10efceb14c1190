"""All pages of the service."""

from job_service.http.pages import admin, elsewhere, job, jobs, login, new, projects, sending, static

ROUTERS = (
    login.opening,
    login.leaving,
    static.router,
    jobs.pages,
    jobs.parts,
    new.pages,
    new.forms,
    new.filled,
    sending.pages,
    projects.pages,
    admin.pages,
    job.pages,
    job.parts,
    # Last: it takes what no other page does.
    elsewhere.pages,
)
