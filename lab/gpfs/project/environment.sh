# shellcheck shell=bash
# Make and enter the environment $1 with the interpreter $2; pip installs what else is named. Sourced.
# ipykernel is that of the site's JupyterLab, whose packages are found last: to install it takes long.
echo "Creating environment $1"
"$2" -m venv --clear --without-pip "$1"
. "$1/bin/activate"
"$2" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' | while read -r packages; do
    echo /opt/jupyterlab/lib/python3*/site-packages >"$packages/jupyterlab.pth"
done
/opt/jupyterlab/bin/python3 -m pip --python "$1" install --progress-bar off --ignore-installed "${@:3}"
