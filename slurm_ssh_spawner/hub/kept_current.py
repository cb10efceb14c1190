"""Pages that are asked for again while they are open: see static/kept_current.js."""

from typing import Any


class KeptCurrent:
    """Of a handler whose page keeps itself as things are."""

    def _record_activity(self, *args: Any, **kwargs: Any) -> Any:
        """An open page is no activity of its person."""
        handler: Any = self
        if "X-Kept" in handler.request.headers:
            return False
        return super()._record_activity(*args, **kwargs)  # type: ignore[misc]
