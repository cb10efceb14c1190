"""The revisions.  One that was released is never changed; a later one has its own copy of what it needs."""
