"""The paths of the service before this one, `/api/...` without a version: other words for the same use cases."""
