"""Whose a token is, and how a browser gets one: asked of the hub, and known for a minute.

The only module of the service that knows JupyterHub.
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from jupyterhub.httpclient import JupyterHubHTTPClient
from jupyterhub.services.auth import HubAuth, HubOAuth, check_scopes
from tornado.web import HTTPError, create_signed_value, decode_signed_value

from job_service.http.answered import Answered
from job_service.http.caller import Begun, Caller, HubAway, lacking

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

    async def caller(self, token: str, session: str = "") -> Caller | None:
        """Return whose it is, None for one that is none; what is known of it is known for that session of the hub.

        Raises HubAway, TooManyTokens, and a Problem for a token that has no access to this service.
        """
        if not (token and token.isascii() and token.isprintable() and " " not in token):
            return None
        found = await self._answered.of(token, session)
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


class HubLogins:
    """Has the hub log browsers in (OAuth with PKCE), and signs what they keep for the service.

    `root` is the path of the service on the hub.  What is signed stays good over a restart of the service: its key
    is made of the service's token.
    """

    def __init__(self, service: str, api_url: str, api_token: str, root: str) -> None:
        self._hub = HubOAuth(
            api_url=api_url,
            api_token=api_token,
            base_url=f"{root}/",
            oauth_client_id=f"service-{service}",
            oauth_redirect_uri=f"{root}/oauth_callback",
        )
        self.hub = hub_path(root)
        self._key = hmac.digest(api_token.encode(), b"what browsers keep", hashlib.sha256)

    def begin(self) -> Begun:
        """Return a login that has begun: where the browser has to go, and what is needed at its end."""
        state = secrets.token_urlsafe(16)
        verifier, challenge, method = self._hub.generate_pkce_code_challenge()
        query = {
            "client_id": self._hub.oauth_client_id,
            "redirect_uri": self._hub.oauth_redirect_uri,
            "response_type": "code",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": method,
        }
        return Begun(f"{self.hub}api/oauth2/authorize?{urlencode(query)}", state, verifier)

    async def finish(self, code: str, verifier: str) -> str:
        """Return the token for a code of the hub's.  Raises HubAway, also if the hub refuses the code."""
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                token: str = await self._hub.token_for_code(code, code_verifier=verifier, sync=False)
                return token
        except (HTTPError, TimeoutError, ValueError, KeyError, OSError) as error:
            _log.warning("the hub gave no token for a login: %s", error)
            raise HubAway(str(error)) from error

    def signed(self, name: str, value: str) -> str:
        """Return a value as a browser may keep it in the cookie of this name."""
        return create_signed_value(self._key, name, value).decode("ascii")

    def read(self, name: str, kept: str, days: float) -> str | None:
        """Return what was signed for that name so many days ago at most, None for anything else."""
        value = decode_signed_value(self._key, name, kept, max_age_days=days)
        return None if value is None else value.decode("ascii", errors="replace")

    def xsrf(self, token: str) -> str:
        """Return what a page of ours sends back, and no page of others knows, while a browser has this token."""
        return hmac.new(self._key, b"xsrf " + token.encode(), hashlib.sha256).hexdigest()


def hub_path(root: str) -> str:
    """Return the path of the hub's own pages: `/hub/` for a service at `/services/jobs`."""
    return root.rpartition("/services/")[0] + "/hub/"
