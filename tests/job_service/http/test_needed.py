import inspect
from collections.abc import Iterator
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from job_service.http.app import _V1 as V1
from job_service.http.app import ADMIN, OLD, PAGES


def _calls(needed: Dependant) -> Iterator[Any]:
    yield needed.call
    for each in needed.dependencies:
        yield from _calls(each)


def test_nothing_that_a_route_needs_is_done_in_a_thread() -> None:
    """FastAPI hands what is not `async` to a thread, and there and back takes longer than what most of it does."""
    routes = [each for router in (*V1, *ADMIN, *OLD, *PAGES) for each in router.routes]
    calls = {call for each in routes if isinstance(each, APIRoute) for call in _calls(each.dependant)}
    assert len(calls) > len(routes) > 100
    runs = {call: call if inspect.isfunction(call) else call.__call__ for call in calls}
    plain = [
        call
        for call, does in runs.items()
        if not (inspect.iscoroutinefunction(does) or inspect.isasyncgenfunction(does))
    ]
    assert plain == []
