"""Text for Kerberos: the configuration of clients and of the KDC, and the commands that fill the realm."""

from pathlib import Path

from lab.people import MONITOR, PEOPLE, RUN_AS, accounts_at
from lab.plan import (
    DOMAIN,
    HOSTS_WITH_KEYTAB,
    HUB,
    KDC,
    REALM,
    RENEWABLE_LIFETIME,
    SERVICE_PRINCIPALS,
    TICKET_LIFETIME,
    Site,
)


def krb5_conf(site: Site | None = None) -> str:
    """Return `/etc/krb5.conf` of a host of `site`, or of none: no DNS, TCP only, long-lived tickets to forward.

    It says which principal is which login where the two names differ.
    """
    return f"""\
[libdefaults]
  default_realm = {REALM}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  forwardable = true
  ticket_lifetime = {TICKET_LIFETIME}
  renew_lifetime = {RENEWABLE_LIFETIME}
  udp_preference_limit = 1

[realms]
  {REALM} = {{
    kdc = {KDC.address}
    admin_server = {KDC.address}
{_other_logins(site) if site else ""}  }}

[domain_realm]
  .{DOMAIN} = {REALM}
"""


def _other_logins(site: Site) -> str:
    logins = [(person.name, account.login) for person, account in accounts_at(site)]
    lines = "".join(f"      {name} = {login}\n" for name, login in logins if name != login)
    return f"    auth_to_local_names = {{\n{lines}    }}\n" if lines else ""


def kdc_conf(database: Path) -> str:
    """Return kdc.conf for a KDC whose database lies in the folder `database`.

    The lifetimes must be there before `kdb5_util create`: the realm's own key limits every ticket.
    """
    return f"""\
[kdcdefaults]
  kdc_listen = 0.0.0.0:88
  kdc_tcp_listen = 0.0.0.0:88

[realms]
  {REALM} = {{
    database_name = {database}/principal
    key_stash_file = {database}/stash
    acl_file = {database}/kadm5.acl
    max_life = {TICKET_LIFETIME}
    max_renewable_life = {RENEWABLE_LIFETIME}
    default_principal_flags = +preauth,+forwardable,+renewable
  }}

[logging]
  kdc = STDERR
"""


def kadmin_commands(keytabs: Path) -> tuple[str, ...]:
    """Return the kadmin commands that make every principal and write the keytabs into the folder `keytabs`.

    Each host has one, the hub another for its web page, and each service identity has one.
    """
    people = [f"addprinc {person.kdc_options} -pw {person.password} {person.name}" for person in PEOPLE]
    services = [f"addprinc -randkey {principal}" for principal in SERVICE_PRINCIPALS]
    hosts = [
        command
        for host in HOSTS_WITH_KEYTAB
        for command in (
            f"addprinc -randkey host/{host.fqdn}",
            f'ktadd -k "{keytabs}/{host.name}.keytab" host/{host.fqdn}',
        )
    ]
    web = f'ktadd -k "{keytabs}/{HUB.name}-http.keytab" HTTP/{HUB.fqdn}'
    own = [
        command
        for each in (MONITOR, RUN_AS)
        for command in (
            f"addprinc -randkey {each.name}",
            f'ktadd -k "{keytabs}/{each.name}.keytab" {each.name}',
        )
    ]
    return (*people, *services, *hosts, web, *own)
