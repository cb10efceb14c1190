"""Run one: `python -m lab.gateways unicore SETTINGS.json`, or `nsg`."""

import sys
from pathlib import Path

from lab.gateways.nsg import Nsg
from lab.gateways.serving import serve
from lab.gateways.settings import NsgSettings, UnicoreSettings
from lab.gateways.unicore import Unicore


def main(kind: str, settings: str) -> None:
    """Serve until a signal comes."""
    text = Path(settings).read_text()
    if kind == "unicore":
        unicore_settings = UnicoreSettings.model_validate_json(text)
        unicore = Unicore(unicore_settings)
        serve(unicore.app(), unicore_settings, unicore.is_submission)
    elif kind == "nsg":
        nsg_settings = NsgSettings.model_validate_json(text)
        nsg = Nsg(nsg_settings)
        serve(nsg.app(), nsg_settings, nsg.is_submission)
    else:
        raise SystemExit(f"There is no stand-in {kind!r}.")


if __name__ == "__main__":
    main(*sys.argv[1:])
