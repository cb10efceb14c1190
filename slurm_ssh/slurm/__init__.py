"""The scheduler's spellings, and what it is asked."""
