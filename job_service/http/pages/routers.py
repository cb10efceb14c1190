"""All pages of the service."""

from job_service.http.pages import admin, job, jobs, login, new, projects, static

ROUTERS = (
    login.opening,
    login.leaving,
    static.router,
    jobs.pages,
    jobs.parts,
    new.pages,
    new.sending,
    projects.pages,
    admin.pages,
    job.pages,
    job.parts,
)
