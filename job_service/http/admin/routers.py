"""All routes of admins."""

from job_service.http.admin import jobs, people, projects

ROUTERS = (jobs.router, people.router, projects.router)
"""Their routers, to be included below `/api/v1/admin`."""
