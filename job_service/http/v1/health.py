"""Whether the service is there."""

from fastapi import Response

from job_service.http import answers, models
from job_service.http.given import TheService
from job_service.http.route import OpenRoute
from job_service.http.route import router as made

router = made("service", OpenRoute)


@router.get("/health", response_model=models.Health, summary="Whether the service is there")
async def health(service: TheService) -> Response:
    """Answers also without a token: 200 if the service reaches its database, else 503."""
    await service.store.ping()
    return answers.of(models.Health())
