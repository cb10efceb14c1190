"""What the configuration of a hub says about our spawner."""

from typing import Any

from traitlets import Float, Integer, TraitError, Unicode, validate
from traitlets.config import Configurable

import languages
from slurm_ssh.tunnels.tunnel import parse_ports
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.hub.composition import Settings


class SpawnerSettings(Configurable):
    """The settings of SlurmSSHSpawner."""

    catalogue_file = Unicode(
        "/etc/jupyterhub/catalogue.yaml",
        help="Path of the YAML catalogue: which sites there are and what may be started there.",
    ).tag(config=True)

    hub_name = Unicode(
        "hub",
        help="Name of this hub in the names of its jobs, `jupyter-<hub_name>-...`: at most 32 lower case letters, "
        "digits, _ and -. Two hubs that submit to one cluster need different names, or they cancel each other's "
        "jobs.",
    ).tag(config=True)

    tunnel_ports = Unicode(
        "20000-24999",
        help="Local ports of tunnels to sites with `tunnel: {kind: ssh}`, one for each server. They must not "
        "overlap the machine's ports for outgoing connections (net.ipv4.ip_local_port_range), or another program "
        "may have taken one when a tunnel is made again.",
    ).tag(config=True)

    tunnels_socket = Unicode(
        "",
        help="Socket of the tunnel daemon (`jupyterhub-sites tunnels`), such as /run/jupyterhub-tunnels/socket: "
        'tunnels then go on while the hub is started again. With "" the hub carries them, and they end with it.',
    ).tag(config=True)

    connection_idle_seconds = Float(
        300,
        min=10,
        help="Seconds after which an unused SSH connection is closed. A new one costs some hundredths "
        "of a second; an open one holds a delegated ticket on the front end. At least 10.",
    ).tag(config=True)

    records_url = Unicode(
        "sqlite:////var/lib/jupyterhub/launches.sqlite",
        help="SQLAlchemy URL of the launch records: what was chosen, where it ran, why it ended. They outlive a "
        "restart, after which tunnels are made again from them.",
    ).tag(config=True)

    records_days = Integer(
        90,
        min=1,
        help="Days for which the job script and the stages of a launch are kept after its end. What was chosen, "
        "where it ran and why it ended is kept for good, some hundred bytes for each launch.",
    ).tag(config=True)

    default_language = Unicode(
        "",
        help="Language of pages for browsers that ask for none that there is, and of what the hub keeps, such as "
        'why a launch ended: "en", "fr" or one of your own. Default "": that of the hub\'s process (LANGUAGE, '
        "LC_ALL, LC_MESSAGES, LANG). The log is always English.",
    ).tag(config=True)

    @validate("default_language")
    def _known_language(self, proposal: Any) -> str:
        tag = str(proposal["value"])
        if tag and not languages.known(tag):
            raise TraitError(sentences.NO_SUCH_LANGUAGE.format(language=tag))
        return tag

    @validate("tunnel_ports")
    def _usable_ports(self, proposal: Any) -> str:
        try:
            parse_ports(proposal["value"])
        except ValueError as error:
            raise TraitError(sentences.PORTS_UNUSABLE.format(problem=error)) from error
        return str(proposal["value"])

    @property
    def settings(self) -> Settings:
        """All of them, as what spawners share is made of them."""
        return Settings(
            self.catalogue_file,
            self.hub_name,
            self.connection_idle_seconds,
            parse_ports(self.tunnel_ports),
            self.records_url,
            self.records_days,
            self.tunnels_socket,
            self.default_language,
        )
