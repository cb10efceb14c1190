"""What people read on the pages of batch jobs, page by page, but for what the catalogue's form says.

Said in the reader's language, see `languages`.  Templates know them by their names alone, so no two have the same.
"""
