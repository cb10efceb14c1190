#!/bin/bash
# The kernel Synthesis: the server's own Python, and what the module morphsyn brings.
set -e
[ -n "$MORPHSYN_VERSION" ] || { echo "Load nix/nse/morphsyn/9040c first." >&2; exit 1; }
/opt/jupyterlab/bin/python3 -m ipykernel install --user --name synthesis --display-name "Synthesis $MORPHSYN_VERSION"
