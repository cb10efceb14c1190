"""Datasets: where the catalogue's sources have them.  Begin at `datasets.py`."""
