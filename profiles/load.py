"""Where programs outside this project find `read`; the work is done in profiles.loading."""

from profiles.loading.load import read

__all__ = ["read"]
