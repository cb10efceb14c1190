"""The table: every row, in the order in which it is run and shown."""

from faults.row import Row
from faults.rows import away, crowds, hub, jobs, restarts, sites

ROWS: tuple[Row, ...] = (*restarts.ROWS, *away.ROWS, *sites.ROWS, *hub.ROWS, *jobs.ROWS, *crowds.ROWS)
