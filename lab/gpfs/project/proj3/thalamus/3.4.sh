#!/bin/bash
# The environment and the kernel Thalamus_34; what is complete is left alone.
set -e
VENV_PATH="$HOME/thalamus-venv-3.4"
if [ -e "$VENV_PATH/complete" ]; then exit; fi

module purge
module load nix/python/3.4-light

echo "Using $(command -v python3)"
. /gpfs/project/environment.sh "$VENV_PATH" python3 six==1.17.0
python3 -m ipykernel install --user --name Thalamus_34
touch "$VENV_PATH/complete"
