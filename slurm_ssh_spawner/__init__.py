"""A notebook as a Slurm job: all that knows JupyterHub."""

from importlib import metadata

# Distributions of others that are imported by names of ours (docs/adr/0005): each replaces some of our files.
_NAMESAKES = ("kernels", "languages")


def alone() -> None:
    """Raise ImportError, with what to do, if a distribution is installed that replaces files of this one."""
    for name in _NAMESAKES:
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        raise ImportError(
            f"The package {name} {found.version} is installed here, too, and takes the place of files of "
            f"jupyterhub-sites. Give the hub an environment of its own, or run pip uninstall {name} and then pip "
            "install --force-reinstall --no-deps jupyterhub-sites."
        )


alone()
