"""Whose a token is: asked of the hub, and known for a minute.

The only module of the service that knows JupyterHub.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from jupyterhub.httpclient import JupyterHubHTTPClient
from jupyterhub.services.auth import HubAuth, check_scopes
from tornado.web import HTTPError

from job_service.http.answered import Answered
from job_service.http.caller import Caller, HubAway, lacking

_ASK_SECONDS = 10.0
"""The hub may be frozen, and nobody waits for it longer."""

_log = logging.getLogger(__name__)


class HubTokens:
    """Knows whose a token is by asking the hub at `api_url` as the service with `api_token`.

    `service` is its name there: a token needs the scope `access:services!service=NAME`, or all services'.
    """

    def __init__(self, service: str, api_url: str, api_token: str) -> None:
        self._hub = HubAuth(api_url=api_url, api_token=api_token)
        self._answered = Answered(self._asked)
        self._access = f"access:services!service={service}"

    async def caller(self, token: str) -> Caller | None:
        """Return whose it is, None for one that is none.

        Raises HubAway, HubBusy, and a Problem for a token that has no access to this service.
        """
        if not (token and token.isascii() and token.isprintable() and " " not in token):
            return None
        found = await self._answered.of(token)
        if found is None:
            return None
        scopes = frozenset(found.get("scopes", ()))
        if not check_scopes(self._access, scopes):
            raise lacking(self._access)
        return Caller(
            name=str(found["name"]),
            groups=frozenset(found.get("groups", ())),
            scopes=scopes,
            token_id=found.get("token_id"),
            is_person=found.get("kind") == "user",
        )

    async def close(self) -> None:
        """Let the connections to the hub go."""
        await self._answered.close()
        await JupyterHubHTTPClient.loop_instance().close()

    async def _asked(self, token: str) -> Mapping[str, Any] | None:
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                found: Mapping[str, Any] | None = await self._hub.user_for_token(
                    token, use_cache=False, sync=False
                )
                return found
        except (HTTPError, TimeoutError, ValueError, OSError) as error:
            # A body that is no JSON, or breaks off, is no answer either.
            _log.warning("the hub did not say whose a token is: %s", error)
            raise HubAway(str(error)) from error
