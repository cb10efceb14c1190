"""Who acts: the name under which the audit keeps what an admin did."""

from typing import Annotated

from fastapi import Depends

from job_service.http.caller import Administering


async def _actor(caller: Administering) -> str:
    # A service of the hub may have the name of a person.
    return caller.name if caller.is_person else f"service:{caller.name}"


Actor = Annotated[str, Depends(_actor)]
"""The name of an admin, or `service:NAME` for a service of the hub that may do the same."""
