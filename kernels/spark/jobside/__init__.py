"""What the Spark hook sends into jobs: shell, and Python 3.6 with its standard library only."""
