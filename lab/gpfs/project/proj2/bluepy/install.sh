#!/bin/bash
# The kernel BluePy, made with the Python that is enabled.
set -e
VENV_PATH="$HOME/bluepy-venv"
if [ -e "$VENV_PATH/complete" ]; then exit; fi
[ "$X_SCLS" = python27 ] || { echo "Enable python27 first." >&2; exit 1; }
. /gpfs/project/environment.sh "$VENV_PATH" python six==1.16.0
python -m ipykernel install --user --name BluePy
touch "$VENV_PATH/complete"
