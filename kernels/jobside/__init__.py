"""What runs inside jobs: shell, and Python 3.6 with its standard library only, sent in the job script."""
