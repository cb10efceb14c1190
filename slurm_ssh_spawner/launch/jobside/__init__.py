"""What runs inside the job: standard library only, Python 3.6 clean, sent as text in the job script."""
