"""A certificate authority for tests, with its private key in a file as a hub has it."""

from pathlib import Path
from typing import Any

import asyncssh

from profiles.catalogue.login import SiteLogin


class Authority:
    """Its key is in the file `path`, the public half in `path` with `.pub`."""

    def __init__(self, path: Path, kind: str = "ssh-ed25519") -> None:
        self.path = path
        self.key = asyncssh.generate_private_key(kind)
        self.key.write_private_key(path)
        path.chmod(0o600)
        self.key.write_public_key(f"{path}.pub")

    @property
    def public(self) -> str:
        """The public key, as in a .pub file."""
        return self.key.export_public_key().decode().strip()

    def login(self, **changed: Any) -> SiteLogin:
        """Return what the catalogue says of a site that trusts it."""
        return SiteLogin.model_validate({"kind": "certificate", "ca_key": str(self.path), **changed})
