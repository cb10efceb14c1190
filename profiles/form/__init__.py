"""The options form."""
