from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from tests.job_service.http.serving import Serving
from tests.job_service.http.support import client

# A project of the service at geneva, in which alice has two hours, and so many seconds in all.
PROJECT = {"system": "geneva", "name": "proj1", "init_time": 36_000, "user_time": 7_200, "is_default": True}


@pytest.fixture
async def alice(app: FastAPI, service: Serving) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of alice's, who is a member of PROJECT."""
    await service.administration.create_project("ruth", PROJECT)
    await service.administration.add_member("ruth", "geneva", "proj1", "user", "alice")
    async with client(app, "alice:submit") as found:
        yield found


@pytest.fixture
async def bob(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client(app, "bob:submit") as found:
        yield found


@pytest.fixture
async def ruth(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client(app, "ruth:admin") as found:
        yield found
