"""How the hub logs in at a site as a person.  Frozen values."""

from ipaddress import ip_network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from kernels.environment import Value
from kernels.units import Minutes
from profiles.catalogue.values import AbsolutePath, Entry, Setting, braces
from profiles.catalogue.wrong import WrongAt
from profiles.sentences import mistakes

# Neither a comma, which parts several for ssh-keygen, nor what a file of sshd's would read as something else.
PRINCIPAL_NAME = r"^[A-Za-z0-9_{][A-Za-z0-9_.@:/{}+-]{0,99}$"


def _of_a_person(name: str) -> str:
    if "{owner}" not in name and "{user}" not in name:
        raise ValueError(mistakes.PRINCIPAL_OF_NOBODY.format(owner="{owner}"))
    return name


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError(mistakes.NO_NETWORK.format(value=text[:40])) from None


_Principal = Annotated[str, Field(pattern=PRINCIPAL_NAME), AfterValidator(braces("owner", "user"))]
_Word = Annotated[Value, AfterValidator(braces("user", "owner", "principals", "minutes"))]


class SiteLogin(Entry):
    """How the hub proves at a site's front ends that it comes for a person."""

    kind: Literal["kerberos", "certificate"] = Field(
        default="kerberos",
        description="`kerberos`: with the person's own ticket, which goes along. `certificate`: with an SSH "
        "certificate for the person, made for each connection, of a certificate authority that the site trusts.",
    )
    ca_key: AbsolutePath | None = Field(
        default=None,
        description="For `certificate`: file on the hub with the private key of the certificate authority, "
        "readable by the hub alone. Whoever has it can be everybody at the site.",
    )
    command: Annotated[tuple[_Word, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="In place of `ca_key`: program on the hub that finds a public key on stdin and prints a "
        "certificate for it, such as one of step-ca's or Vault's. `{principals}` (with commas), `{owner}`, "
        "`{user}` and `{minutes}` may stand in every word.",
    )
    principals: Annotated[tuple[Annotated[_Principal, AfterValidator(_of_a_person)], ...], Field(min_length=1)] = (
        Field(
            default=("{owner}",),
            description="Principals of a certificate. `{owner}` is the login at the site, which sshd asks for if "
            "it has no AuthorizedPrincipalsFile or -Command, `{user}` the name on the hub.",
        )
    )
    # Longer than anybody waits to be let in.
    validity: Annotated[Minutes, Field(ge=3, le=60)] = Field(
        default=10, description="How long a certificate can be used to log in, from 3 minutes to an hour."
    )
    force_command: Setting | None = Field(
        default=None,
        description="Command that sshd runs in place of each of the hub's, which it finds in "
        "SSH_ORIGINAL_COMMAND, and has to run after whatever it does.",
    )
    source_address: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(),
        description="Addresses and networks from which a certificate can be used: the hub's, as front ends see "
        "it. Default: from everywhere.",
    )

    @property
    def needs_ticket(self) -> bool:
        """Whether nobody gets in without a Kerberos ticket."""
        return self.kind == "kerberos"

    @model_validator(mode="after")
    def _only_certificates_have_settings(self) -> Self:
        if self.needs_ticket:
            for name in type(self).model_fields:
                if name != "kind" and name in self.model_fields_set:
                    raise WrongAt((name,), mistakes.OF_CERTIFICATES)
        elif self.ca_key is None and self.command is None:
            raise WrongAt(("kind",), mistakes.NO_AUTHORITY)
        elif self.ca_key is not None and self.command is not None:
            raise WrongAt(("command",), mistakes.TWO_AUTHORITIES)
        return self
