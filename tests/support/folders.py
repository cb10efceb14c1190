"""Where tests find files that are no code."""

from pathlib import Path

TREE = Path(__file__).parents[2]
DATA = TREE / "tests" / "data"
