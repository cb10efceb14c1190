from typing import Any

import pytest

from profiles.catalogue.site import Site
from profiles.loading import load
from tests.support import builders
from tests.support.folders import DATA


def test_certificates_are_read_with_their_limits() -> None:
    sites = load.read(DATA / "catalogues" / "good" / "certificates.yaml").sites
    zurich, zug = sites["zurich"].login, sites["zug"].login
    assert (zurich.ca_key, zurich.principals, zurich.validity) == (
        "/etc/jupyterhub/zurich_ca",
        ("{owner}", "hub:{user}"),
        5,
    )
    # As sshd wants them.
    assert zurich.source_address == ("192.0.2.7/32", "2001:db8::/64")
    assert (zug.principals, zug.validity, zug.needs_ticket) == (("{owner}",), 10, False)


def test_a_site_of_which_nothing_is_said_is_entered_by_ticket() -> None:
    assert _site().login.needs_ticket


def _site(**changed: Any) -> Site:
    return builders.catalogue(sites={"geneva": builders.site(**changed)}).sites["geneva"]


@pytest.mark.parametrize(
    ("name", "login", "may"),
    [
        ("alice", "asmith", True),
        ("alice", "alice", False),
        ("asmith", "asmith", False),
        ("bob", "bob", True),
        ("bob", "asmith", False),
        ("@geneva/bob", "bob", False),
        ("carol", "both", True),
        ("dave", "both", True),
        ("both", "both", False),
    ],
)
def test_a_login_is_that_of_whom_the_catalogue_gives_it_to(name: str, login: str, may: bool) -> None:
    site = _site(login_name={"alice": "asmith", "carol": "both", "dave": "both"})
    assert site.is_login_of(name, login) == may
