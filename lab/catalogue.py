"""The hub's catalogue in the lab: the example's, profiles for tests, the gateways, and this lab's host keys."""

from collections.abc import Mapping

import yaml


def compose(catalogue: str, profiles: str, systems: str, host_keys: Mapping[str, str]) -> str:
    """Return the YAML text of `catalogue` with the `profiles` (YAML too) added behind its own.

    `systems` has `gateways`, and `job_types`: further ones, and keys of those that there are.
    Every front end's `host_keys` are replaced by the key of its `host`. `host_keys` maps full host names to public
    keys; a front end that is not in it raises KeyError.
    """
    tree = yaml.safe_load(catalogue)
    tree["profiles"] |= yaml.safe_load(profiles)
    more = yaml.safe_load(systems)
    tree["gateways"] = more["gateways"]
    types = tree.setdefault("job_types", {})
    for key, value in more["job_types"].items():
        types[key] = {**types.get(key, {}), **value}
    for site in tree["sites"].values():
        for front_end in site["front_ends"]:
            front_end["host_keys"] = [host_keys[front_end["host"]]]
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
