"""What the tests of the old paths have in common."""

from job_service.errors import Invalid
from job_service.http.problems import Problem


def fields(error: BaseException) -> dict[str, str]:
    """Return what an error says of each field, or of a header or the body that cannot be read."""
    if isinstance(error, Invalid):
        return dict(error.fields)
    assert isinstance(error, Problem)
    assert 400 <= error.status_code < 500
    found: dict[str, str] = error.members["fields"]
    return found
