"""How fast servers start, people log in and pages answer, next to a measure.  Run as `python -m benchmarks`."""
