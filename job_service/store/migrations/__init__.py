"""How the service's tables came to be, one revision after the other; run by `upgrading.upgrade`."""
