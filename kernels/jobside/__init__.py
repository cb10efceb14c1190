"""What runs in jobs: shell and stdlib-only Python, sent inside the job script."""
