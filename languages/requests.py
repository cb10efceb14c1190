"""A hub's handlers and templates in the language of each request.  No JupyterHub: it is given what it changes."""

from collections.abc import Mapping
from typing import Any

import jinja2
from jinja2.ext import Extension

from languages import current, follow, for_log

_ENVIRONMENTS = ("jinja2_env", "jinja2_env_sync")


def install(handlers: Any, settings: Mapping[str, Any]) -> None:
    """Have `handlers`, the base class of a hub's, follow their browsers; a second call changes nothing.

    `settings` are those of the hub's tornado application, with the environments of its templates.
    """
    if not hasattr(handlers.prepare, "follows"):
        _follow(handlers)
    for name in _ENVIRONMENTS:
        if name in settings:
            settings[name].add_extension(_Pages)


def _follow(handlers: Any) -> None:
    prepare, log_exception = handlers.prepare, handlers.log_exception

    async def prepared(handler: Any) -> None:
        follow(handler.request.headers.get("Accept-Language", ""))
        await prepare(handler)

    def logged(handler: Any, kind: Any, error: Any, trace: Any) -> None:
        log_exception(handler, kind, _english(error), trace)

    prepared.follows = True  # type: ignore[attr-defined]
    handlers.prepare, handlers.log_exception = prepared, logged


def _english(error: Any) -> Any:
    """Return an error of tornado as the log has it: what it says, in English."""
    if not hasattr(error, "log_message"):
        return error
    same = Exception.__new__(type(error))
    same.__dict__.update({name: _logged(value) for name, value in vars(error).items()})
    same.args = tuple(map(_logged, error.args))
    return same


def _logged(value: Any) -> Any:
    return for_log(value) if isinstance(value, str) else value


class _Pages(Extension):
    """Gives a page that says to be in English the language of its request."""

    def __init__(self, environment: jinja2.Environment) -> None:
        super().__init__(environment)
        environment.globals["language"] = current

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        return source.replace('<html lang="en">', "<html lang=\"{{ language() | replace('_', '-') }}\">", 1)
