"""Datasets that jobs can work on."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Query, Request, Response

from job_service.errors import NotFound
from job_service.http import answers, offered
from job_service.http.caller import Reading
from job_service.http.given import A_LIST, TheService
from job_service.http.route import Route
from job_service.http.route import router as made
from job_service.http.v1.jobs import Word
from job_service.sentences import accepting as sentences
from profiles.catalogue.dataset import Dataset
from profiles.sentences import shown

router = made("offers", Route, A_LIST)


@router.get("/datasets", response_model=offered.Datasets, summary="Find datasets")
async def search(
    request: Request,
    caller: Reading,
    service: TheService,
    q: Annotated[Word | None, Query(description="A part of the name or the id.")] = None,
    type: Annotated[Word | None, Query(description="Only this type.")] = None,  # noqa: A002 - the API's word
    cursor: Annotated[Word | None, Query(description="`next` of the answer before.")] = None,
) -> Response:
    """At most 100 at once, source by source. What a site has is looked for there, with your ticket."""
    found = await service.accepting.datasets.search(caller.person, q or "", type or None, cursor or None)
    items = [_shown(each) for each in found.items]
    answer = offered.Datasets(items=items, next=found.next_cursor, problems=list(found.problems))
    return answers.tagged(request, answer)


@router.get("/datasets/{dataset:path}", response_model=offered.Dataset, summary="One dataset")
async def one(request: Request, dataset: str, caller: Reading, service: TheService) -> Response:
    """What is known of it; its id is the rest of the path."""
    found = await service.accepting.datasets.get(caller.person, (dataset,))
    if dataset not in found:
        raise NotFound(sentences.NO_DATASET.format(dataset=shown(dataset)))
    return answers.tagged(request, _shown(found[dataset]))


def _shown(dataset: Dataset) -> offered.Dataset:
    return offered.Dataset(**asdict(dataset))
