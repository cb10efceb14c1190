"""Batch jobs: accepted, submitted once, followed to their end."""
