"""The end of jupyter_config.py where notebooks may be copied: lets the server find and load what does it."""

import json
import os
import sys

MODULE = "jupyterhub_sites_copying"
HERE = os.path.dirname(os.path.abspath(__file__))
# Not in this configuration, where it would take the place of those that a person or a site has.
ENABLED = os.path.join(HERE, "jupyter_server_config.d")

sys.path.append(HERE)
os.makedirs(ENABLED, exist_ok=True)
with open(os.path.join(ENABLED, MODULE + ".json"), "w") as file:
    json.dump({"ServerApp": {"jpserver_extensions": {MODULE: True}}}, file)
