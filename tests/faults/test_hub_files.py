import pytest
from yaml import safe_dump, safe_load

from faults.hub_files import without
from lab.catalogue import compose
from lab.folders import EXAMPLE_CATALOGUE, INTERACTIVE, SYSTEMS, TEST_PROFILES
from lab.plan import FRONT_ENDS, SITES
from profiles.loading import load


@pytest.mark.parametrize("gone", [site.name for site in SITES])
def test_the_labs_catalogue_is_one_also_without_a_site(gone: str) -> None:
    keys = {host.fqdn: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ" + "A" * 42 for host in FRONT_ENDS}
    sections = (SYSTEMS.read_text(), INTERACTIVE.read_text())
    whole = compose(EXAMPLE_CATALOGUE.read_text(), TEST_PROFILES.read_text(), keys, *sections)
    left = safe_load(without(whole, gone))
    left.pop("include", None)
    assert gone not in load.parse(safe_dump(left, sort_keys=False), "catalogue.yaml").sites
