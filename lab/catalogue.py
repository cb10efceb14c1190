"""The hub's catalogue in the lab: the tree's example with the host keys of this lab's front ends."""

from collections.abc import Mapping

import yaml


def with_host_keys(catalogue: str, host_keys: Mapping[str, str]) -> str:
    """Return the YAML text with every front end's `host_keys` replaced by the key of its `host`.

    `host_keys` maps full host names to public keys; a front end that is not in it raises KeyError.
    """
    tree = yaml.safe_load(catalogue)
    for site in tree["sites"].values():
        for front_end in site["front_ends"]:
            front_end["host_keys"] = [host_keys[front_end["host"]]]
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
