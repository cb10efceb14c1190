#!/bin/bash
# The environment and the kernel Thalamus_27, with an older six; what is complete is left alone.
set -e
VENV_PATH="$HOME/thalamus-venv-2.7"
if [ -e "$VENV_PATH/complete" ]; then exit; fi

. /opt/rh/python27/enable
echo "Using $(command -v python)"
. /gpfs/project/environment.sh "$VENV_PATH" python six==1.16.0
python -m ipykernel install --user --name Thalamus_27
touch "$VENV_PATH/complete"
