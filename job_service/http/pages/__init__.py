"""Pages: batch jobs in a browser, for people who are logged in at the hub.  Nothing but this knows HTML."""
