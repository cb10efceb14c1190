"""What of a request cannot be read at all, each with the header, or the body, that is wrong."""

from job_service.http.problems import Problem


def malformed(field: str, sentence: str) -> Problem:
    """Return the problem of a request of which a header, or its `body`, cannot be read."""
    return Problem(400, "malformed", sentence, members={"field": field, "fields": {field: sentence}})
