#!/bin/bash
# The kernel BluePy, made with the Python that is enabled.
set -e
VENV_PATH="$HOME/bluepy-venv"
if [ -e "$VENV_PATH/complete" ]; then exit; fi
[ "$X_SCLS" = python27 ] || { echo "Enable python27 first." >&2; exit 1; }
python -m venv --clear "$VENV_PATH"
"$VENV_PATH/bin/pip" install --progress-bar off six==1.16.0 ipykernel
"$VENV_PATH/bin/python" -m ipykernel install --user --name BluePy
touch "$VENV_PATH/complete"
