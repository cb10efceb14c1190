import pytest
import yaml

from lab.catalogue import compose

EXAMPLE = """
sites:
  geneva:
    title: Genève
    front_ends:
      - {host: one.lab.test, port: 22, host_keys: ["ssh-ed25519 OLD"]}
      - {host: two.lab.test, host_keys: ["ssh-ed25519 OLD"]}
profiles:
  plain: {name: Plain}
job_types:
  command: {command: any}
"""
MORE = "odd: {name: Odd}"
SYSTEMS = "{gateways: {nsg: {title: NSG}}, job_types: {command: {sites: [nsg]}, tool: {name: Tool}}}"


def test_front_ends_get_their_keys_profiles_are_added_the_rest_stays() -> None:
    keys = {"one.lab.test": "ssh-ed25519 ONE", "two.lab.test": "ssh-ed25519 TWO"}
    before, after = yaml.safe_load(EXAMPLE), yaml.safe_load(compose(EXAMPLE, MORE, SYSTEMS, keys))
    one, two = after["sites"]["geneva"]["front_ends"]
    assert (one.pop("host_keys"), two.pop("host_keys")) == (["ssh-ed25519 ONE"], ["ssh-ed25519 TWO"])
    assert after["profiles"].pop("odd") == {"name": "Odd"}
    assert after.pop("gateways") == {"nsg": {"title": "NSG"}}
    assert after["job_types"].pop("tool") == {"name": "Tool"}
    assert after["job_types"]["command"].pop("sites") == ["nsg"]
    for front_end in before["sites"]["geneva"]["front_ends"]:
        del front_end["host_keys"]
    assert after == before


def test_a_front_end_that_is_no_host_of_the_lab_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"one\.lab\.test"):
        compose(EXAMPLE, MORE, SYSTEMS, {})
