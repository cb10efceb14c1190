"""Where a login leads: JupyterHub's rules for `next`, and none of what no header can hold."""

from typing import Any

from jupyterhub.handlers.login import LoginHandler


class WayBack:
    """Goes before a JupyterHub handler that leads to `next`: one that cannot be printed counts as none."""

    def _validate_next_url(self, next_url: str) -> Any:
        # A line break in it would end the answer to a good login in a 500.
        return super()._validate_next_url(next_url if next_url.isprintable() else "")  # type: ignore[misc]


class TicketLoginHandler(WayBack, LoginHandler):  # type: ignore[misc]
    """JupyterHub's login form."""
