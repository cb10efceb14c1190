"""Every sentence about batch jobs that people read, a module for each topic; no other module here words one.

Said in the reader's language, see `languages`.  Names in braces stay as they are: values take their places.
"""
