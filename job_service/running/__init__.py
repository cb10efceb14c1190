"""Batch jobs at their sites: sent once, followed to their end, cancelled, removed."""
