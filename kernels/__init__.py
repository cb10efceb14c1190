"""What runs: environments, modules and hooks, each a Fragment of a job script."""
