#!/bin/bash
# Bring what the lab, the tests and the demo need. Run as root on Debian; what is there already is skipped.
set -euo pipefail
umask 022
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. lab/step.sh

readonly SETUP=$PWD/.setup
readonly POLICY=/usr/sbin/policy-rc.d
readonly PACKAGES=(
    slurmctld slurmd slurmdbd slurm-client slurm-wlm-basic-plugins munge
    mariadb-server-core mariadb-client-core postgresql
    krb5-kdc krb5-admin-server krb5-user libkrb5-dev
    openssh-server environment-modules tcsh chromium
    lua5.3 lua-filesystem lua-json lua-posix lua-term tcl
    openjdk-17-jre-headless
    iproute2 util-linux procps curl unzip gcc python3-venv python3-dev shellcheck
)

# Whether the stamp $1 says that the step was done with the present contents of the other files.
done_with() {
    local -r stamp=$SETUP/$1.done
    shift
    [[ -f $stamp && $(<"$stamp") == "$(cat "$@" | sha256sum)" ]]
}

mark_done() {
    local -r stamp=$SETUP/$1.done
    shift
    cat "$@" | sha256sum >"$stamp"
}

missing_packages() {
    local package
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
    done
}

# The proxy runs under an account of its own: a node in somebody's closed home does not serve it.
usable_node() {
    local node
    command -v npm >/dev/null || return 1
    while read -r node; do
        node=$(readlink -f "$node")
        # "env", because setpriv itself may still enter closed folders.
        if setpriv --reuid=65534 --regid=65534 --clear-groups env "$node" --eval \
            'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' 2>/dev/null; then
            echo "$node"
            return
        fi
    done < <(type -aP node)
    return 1
}

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    # No service of these packages may run on the machine itself.
    if [[ ! -e $POLICY ]]; then
        printf '#!/bin/sh\nexit 101\n' >"$POLICY"
        chmod 755 "$POLICY"
        trap 'rm -f "$POLICY"' EXIT
    fi
    apt-get update
    apt-get install --yes --no-install-recommends "$@"
}

# Unpacked into .setup/$2, not installed: libpam-krb5 would change how people log in to this machine, lmod cannot be
# installed next to environment-modules, and nginx would take port 80.
unpack() {
    rm -rf "${SETUP:?}/$2"
    mkdir "$SETUP/$2"
    cd "$SETUP/$2"
    apt-get download "$1" || { apt-get update && apt-get download "$1"; }
    dpkg-deb -x "$1"_*.deb .
}

make_hub_environment() {
    [[ -x .venv/bin/python ]] || /usr/bin/python3 -m venv .venv
    .venv/bin/python -m pip install --require-hashes --requirement lab/locks/pip.lock
    .venv/bin/python -m pip install --require-hashes --requirement lab/locks/hub.lock
    # What an older setup left there would be found first, with the entry points of then.
    rm -rf ./*.egg-info job_client/*.egg-info
    .venv/bin/python -m pip install --no-deps --no-build-isolation --editable .
    .venv/bin/python -m pip install --no-deps --no-build-isolation --editable ./job_client
}

# Make .setup/$1 from the lock file $2. It is made where the sites' hosts see it, because its scripts name that place.
make_site_environment() {
    rm -rf "${SETUP:?}/$1"
    mkdir "$SETUP/$1"
    unshare --mount bash -euc '
        exec 3<".setup/$1"
        mount -t tmpfs tmpfs /opt
        mkdir "/opt/$1"
        mount --bind /proc/self/fd/3 "/opt/$1"
        /usr/bin/python3 -m venv "/opt/$1"
        for lock in lab/locks/pip.lock "$2"; do
            "/opt/$1/bin/python" -m pip install --require-hashes --requirement "$lock"
        done
        [ ! -e "/opt/$1/bin/jupyter" ] || "/opt/$1/bin/jupyter" labextension disable --level=sys_prefix \
            @jupyterlab/apputils-extension:announcements
    ' bash "$1" "$2"
}

# What pip and uv find on the sites: the lock's wheels, and six in a second version.
fetch_wheels() {
    rm -rf "$SETUP/wheels"
    mkdir "$SETUP/wheels"
    local lock
    for lock in kernels kernels-older; do
        /usr/bin/python3 -m pip download --no-deps --only-binary :all: --dest "$SETUP/wheels" \
            --require-hashes --requirement "lab/locks/$lock.lock"
    done
}

# What pip finds on the machine where somebody sets up a hub of their own: what the hub needs, from the same lock.
make_hub_wheels() {
    rm -rf "$SETUP/hub-wheels"
    .venv/bin/python -m lab.needed jupyterhub-sites lab/locks/hub.lock >"$SETUP/hub-wheels.lock"
    .venv/bin/python -m pip wheel --no-deps --require-hashes --requirement "$SETUP/hub-wheels.lock" \
        --wheel-dir "$SETUP/hub-wheels"
}

# The packages of the lock file $1 alone, in .setup/$1.
install_packages_alone() {
    rm -rf "${SETUP:?}/$1"
    /usr/bin/python3 -m pip install --no-deps --only-binary :all: --target "$SETUP/$1" \
        --require-hashes --requirement "lab/locks/$1.lock"
}

# Install into .setup/$1 what lab/$1 locks: the proxy of the lab's hub, and axe, which the tests run in pages.
install_npm() {
    mkdir -p "$SETUP/$1"
    cp "lab/$1/package.json" "lab/$1/package-lock.json" "$SETUP/$1"
    cd "$SETUP/$1"
    npm ci --no-audit --no-fund
}

# Let the accounts of the lab read a tree that was cloned under a closed umask: its hub runs from it. The folder of
# the tree itself keeps its mode, so nobody else on this machine sees more than before.
open_tree() {
    find . -mindepth 1 -maxdepth 1 ! -name '.*' -exec chmod -R go+rX {} +
}

# The lab's hub sees the tree read-only: what is not compiled before, it would compile at each of its starts.
compile_tree() {
    .venv/bin/python -m compileall -q languages kerberos_auth profiles kernels slurm_ssh slurm_ssh_spawner job_service job_client
}

main() {
    ((EUID == 0)) || { echo "Run it as root: it installs Debian packages." >&2; exit 1; }
    open_tree
    mkdir -p "$SETUP"
    local missing node
    mapfile -t missing < <(missing_packages "${PACKAGES[@]}")
    usable_node >/dev/null || missing+=(nodejs npm)
    if ((${#missing[@]})); then
        step "Debian packages (${missing[*]})" apt install_packages "${missing[@]}"
    fi
    node=$(usable_node) || { echo "No node of version 18 or newer that every account may run." >&2; exit 1; }
    ln -sfn "$node" "$SETUP/node"
    if [[ ! -e $SETUP/pam.done ]]; then
        step "PAM module for Kerberos" pam unpack libpam-krb5 pam
        touch "$SETUP/pam.done"
    fi
    if [[ ! -e $SETUP/lmod.done ]]; then
        step "Lmod" lmod unpack lmod lmod
        touch "$SETUP/lmod.done"
    fi
    if [[ ! -e $SETUP/nginx.done ]]; then
        step "nginx" nginx unpack nginx nginx
        touch "$SETUP/nginx.done"
    fi
    local -r hub=(lab/locks/hub.lock lab/locks/pip.lock setup.cfg job_client/pyproject.toml)
    if ! done_with hub "${hub[@]}" || [[ ! -x .venv/bin/jupyterhub ]]; then
        step "Environment of the hub (the first time gssapi is compiled)" hub make_hub_environment
        mark_done hub "${hub[@]}"
    fi
    if ! done_with hub-wheels "${hub[@]}"; then
        step "Wheels of the hub" hub-wheels make_hub_wheels
        mark_done hub-wheels "${hub[@]}"
    fi
    compile_tree
    if ! done_with site lab/locks/site.lock lab/locks/pip.lock; then
        step "Environment of the sites" site make_site_environment jupyterlab lab/locks/site.lock
        mark_done site lab/locks/site.lock lab/locks/pip.lock
    fi
    if ! done_with spark lab/locks/spark.lock lab/locks/pip.lock; then
        step "Spark" spark make_site_environment spark lab/locks/spark.lock
        mark_done spark lab/locks/spark.lock lab/locks/pip.lock
    fi
    if ! done_with site-old lab/locks/site-old.lock lab/locks/pip.lock; then
        step "Older environment at lugano" site-old make_site_environment jupyterlab-old lab/locks/site-old.lock
        mark_done site-old lab/locks/site-old.lock lab/locks/pip.lock
    fi
    if ! done_with wheels lab/locks/kernels.lock lab/locks/kernels-older.lock; then
        step "Wheels of the sites" wheels fetch_wheels
        mark_done wheels lab/locks/kernels.lock lab/locks/kernels-older.lock
    fi
    if ! done_with uv lab/locks/uv.lock; then
        step "uv" uv install_packages_alone uv
        mark_done uv lab/locks/uv.lock
    fi
    if ! done_with collaboration lab/locks/collaboration.lock; then
        step "Collaboration in JupyterLab" collaboration install_packages_alone collaboration
        mark_done collaboration lab/locks/collaboration.lock
    fi
    if ! done_with proxy lab/proxy/package-lock.json; then
        step "Proxy" proxy install_npm proxy
        mark_done proxy lab/proxy/package-lock.json
    fi
    if ! done_with axe lab/axe/package-lock.json; then
        step "axe" axe install_npm axe
        mark_done axe lab/axe/package-lock.json
    fi
}

# Tests call single functions.
[[ ${BASH_SOURCE[0]} != "$0" ]] || main
