"""What is there already before `init` makes the rest: a catalogue, a configuration.  Reads, changes nothing."""

from dataclasses import dataclass
from pathlib import Path

from profiles.loading import load
from profiles.loading.problems import CatalogueInvalid

_LONGEST = 1 << 20


@dataclass(frozen=True)
class There:
    """What is known of files that stay as they are.

    `has_catalogue`: there is one, so no cluster has to be described. `has_tunnels`: a site of it needs the tunnel
    daemon. `has_configuration`: there is one, so it is not asked what it says. `has_kerberos`: False for one that
    does not speak of Kerberos.
    """

    has_catalogue: bool
    has_tunnels: bool
    has_configuration: bool
    has_kerberos: bool


def there(config: Path) -> There:
    """Look into the folder of a hub's configuration."""
    catalogue, configuration = config / "catalogue.yaml", config / "jupyterhub_config.py"
    has_catalogue = catalogue.is_file()
    has_tunnels = has_catalogue and _has_tunnels(catalogue)
    return There(has_catalogue, has_tunnels, configuration.is_file(), _has_kerberos(configuration))


def _has_tunnels(catalogue: Path) -> bool:
    try:
        sites = load.read(str(catalogue)).sites.values()
    except CatalogueInvalid:
        return False
    return any(site.tunnel.kind == "ssh" for site in sites)


def _has_kerberos(configuration: Path) -> bool:
    try:
        with configuration.open("rb") as opened:
            text = opened.read(_LONGEST)
    except OSError:
        return True
    return b"kerberos-pam" in text or b"KerberosPAMAuthenticator" in text
