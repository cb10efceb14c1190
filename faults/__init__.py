"""What faults cost: each row breaks the lab at one moment, mends it, and counts what was lost.  Not shipped."""
