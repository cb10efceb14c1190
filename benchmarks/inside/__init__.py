"""Programs that the benchmarks run on hosts of the lab; each prints its result as one JSON object."""
