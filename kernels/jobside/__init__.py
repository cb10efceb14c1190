"""What makes kernels ready inside the job: standard library only, Python 3.6 clean, sent in the job script."""
