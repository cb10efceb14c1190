"""A Spark cluster with the notebook."""
