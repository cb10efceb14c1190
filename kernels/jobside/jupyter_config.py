"""Configuration of the notebook server: its kernels, how it talks to them, its terminals, what JupyterLab shows.

Runs in the server's own Python, which knows all places where kernels are, and may do so several times.
"""

import glob
import json
import os
import shlex
import sys
import urllib.parse

c = get_config()  # type: ignore[name-defined] # noqa: F821

FOLDER = os.path.dirname(os.path.abspath(__file__))
NATIVE = "python3"
"""What Jupyter calls the kernel of the server's own Python."""

NOBODYS = "."
"""No kernel can have this name: without any name, all would be shown."""

LAB_NAME = "jupyterhub-sites"
FIRST_LAB = 4
"""The first JupyterLab for which our extension is."""

LONGEST_NAME = 200
"""Bytes of a file's name, of which there are 255."""

# What a shell says of itself, and of where it is.
OF_A_SHELL = ("PATH", "PWD", "OLDPWD", "SHLVL", "HOME", "TERM", "_")


def _made() -> "tuple[set[str], set[str]]":
    """Return the kernelspecs that scripts of this profile made, and those that any script made."""
    own = os.environ.get("JUPYTERHUB_SITES_KERNEL_SCRIPTS", "").split()
    here, anywhere = set(), set()
    for path in glob.glob(os.path.expanduser("~/.local/share/jupyterhub-sites/made/*.json")):
        try:
            with open(path) as file:
                names = set(json.load(file)["kernelspecs"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        anywhere |= names
        if os.path.basename(path)[: -len(".json")] in own:
            here |= names
    return here, anywhere


def _allow() -> None:
    here, anywhere = _made()
    hidden = anywhere - here
    if not hidden:
        return
    # Only the server has it, and it takes a moment to load.
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415

    if NATIVE in hidden and _keep_own():
        hidden.remove(NATIVE)
    found = set(KernelSpecManager().find_kernel_specs())
    c.KernelSpecManager.allowed_kernelspecs = (found - hidden) or {NOBODYS}


def _keep_own() -> bool:
    """Put the server's own kernel before one of its name that another profile's script made in the home."""
    try:
        from ipykernel.kernelspec import get_kernel_dict  # type: ignore[import-not-found] # noqa: PLC0415
    except ImportError:
        return False
    folder = os.path.join(FOLDER, "jupyter", "kernels", NATIVE)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "kernel.json"), "w") as file:
        json.dump(dict(get_kernel_dict(), argv=[sys.executable, *get_kernel_dict()["argv"][1:]]), file)
    return True


def _python_of_kernels() -> None:
    """Give kernels and terminals the Python variables of the profile: this Python has read the site's by now."""
    kept = os.environ.pop("JUPYTERHUB_SITES_PYTHON", None)
    if kept is None:
        return
    for name in [name for name in os.environ if name.startswith("PYTHON")]:
        del os.environ[name]
    os.environ.update(json.loads(kept))


def _terminal() -> "list[str]":
    """Return the command of terminals: a shell that reads what a login reads and then has this job's environment.

    A login shell, which is Jupyter's choice, would begin with the PATH of a login, without the job's modules.
    """
    shell = os.environ.get("SHELL") or "/bin/sh"
    kept = {name: value for name, value in os.environ.items() if _is_kept(name, value)}
    kind = os.path.basename(shell)
    if kind == "bash":
        path = os.path.join(FOLDER, "terminal.sh")
        _write(path, _for_bash(kept))
        return [shell, "--rcfile", path, "-i"]
    if kind in ("tcsh", "csh"):
        folder = os.path.join(FOLDER, "terminal")
        os.makedirs(folder, exist_ok=True)
        for name in (".tcshrc", ".cshrc"):
            _write(os.path.join(folder, name), _for_csh(kept))
        return ["env", "HOME=" + folder, shell]
    return [shell]


def _is_kept(name: str, value: str) -> bool:
    # What is of the hub, secrets too, no login file changes.
    is_ours = name.startswith(("JUPYTER", "JPY_", "SLURM", "BASH_FUNC_")) or name in OF_A_SHELL
    # The shells of old cannot have these in quotes.
    return not is_ours and name.isidentifier() and not set(value) & set("\n!")


def _for_bash(kept: "dict[str, str]") -> str:
    lines = [
        "[ ! -r /etc/profile ] || . /etc/profile",
        "for jupyter_file in ~/.bash_profile ~/.bash_login ~/.profile ~/.bashrc; do",
        '  [ ! -r "$jupyter_file" ] || { . "$jupyter_file"; break; }',
        "done",
        *("export %s=%s" % (name, shlex.quote(value)) for name, value in kept.items()),
        'IFS=: read -ra jupyter_path <<<"$PATH"',
        "PATH=%s" % shlex.quote(os.environ.get("PATH", "")),
        'for jupyter_file in "${jupyter_path[@]}"; do',
        '  case ":$PATH:" in *":$jupyter_file:"*) ;; *) PATH=$PATH:$jupyter_file ;; esac',
        "done",
        "unset jupyter_file jupyter_path",
    ]
    init = os.environ.get("JUPYTERHUB_SITES_MODULE_INIT")
    if init:
        lines.append("type module >/dev/null 2>&1 || . %s" % shlex.quote(init))
    return "\n".join(lines) + "\n"


def _for_csh(kept: "dict[str, str]") -> str:
    home = shlex.quote(os.path.expanduser("~"))
    lines = [
        "setenv HOME %s" % home,
        "set home = %s" % home,
        "if ( -r /etc/csh.login ) source /etc/csh.login",
        "if ( $?tcsh && -r ~/.tcshrc ) then",
        "  source ~/.tcshrc",
        "else if ( -r ~/.cshrc ) then",
        "  source ~/.cshrc",
        "endif",
        "if ( -r ~/.login ) source ~/.login",
        *("setenv %s %s" % (name, shlex.quote(value)) for name, value in kept.items()),
        "set jupyter_path = ( $path:q )",
        "setenv PATH %s" % shlex.quote(os.environ.get("PATH", "")),
        "foreach jupyter_file ( $jupyter_path:q )",
        '  if ( ":${PATH}:" !~ "*:${jupyter_file}:*" ) setenv PATH "${PATH}:${jupyter_file}"',
        "end",
        "unset jupyter_file jupyter_path",
    ]
    return "\n".join(lines) + "\n"


def _lab() -> None:
    """Give JupyterLab what our extension shows of this job, and each named server a workspace of its own.

    An older one, or a server without JupyterLab, gets nothing.
    """
    try:
        from importlib.metadata import version  # noqa: PLC0415 - a Python without it is too old for JupyterLab 4

        if int(version("jupyterlab").split(".")[0]) < FIRST_LAB:
            return
        with open(os.path.join(FOLDER, "lab.json")) as file:
            facts = json.load(file)
        with open(os.path.join(FOLDER, "lab_page.js")) as file:
            program = file.read()
    except (ImportError, OSError, ValueError):
        return
    _extend(facts, program)
    if facts["server"] and "JUPYTERLAB_WORKSPACES_DIR" not in os.environ:
        home = os.environ.get("JUPYTER_CONFIG_DIR") or os.path.expanduser("~/.jupyter")
        server = urllib.parse.quote(facts["server"], safe="")[:LONGEST_NAME]
        c.LabApp.workspaces_dir = os.path.join(home, "lab", "workspaces-" + server)


def _extend(facts: dict, program: str) -> None:
    """Put the extension where JUPYTER_PATH leads JupyterLab, and its facts where JUPYTER_CONFIG_PATH does."""
    extension = os.path.join(FOLDER, "jupyter", "labextensions", LAB_NAME)
    labconfig = os.path.join(FOLDER, "labconfig")
    for folder in (extension, labconfig):
        os.makedirs(folder, exist_ok=True)
    # Browsers may keep a file of the server's last launch.
    name = facts["launch"] + ".js"
    _write(os.path.join(extension, name), program)
    _write(os.path.join(extension, "package.json"), json.dumps(_package(name)))
    # JupyterLab passes on no values but plain ones.
    config = {"jupyterhubSites": json.dumps(_of_job(facts))}
    _write(os.path.join(labconfig, "page_config.json"), json.dumps(config))


def _package(name: str) -> dict:
    return {
        "name": LAB_NAME,
        "version": "1.0.0",
        "jupyterlab": {
            "_build": {"load": name, "extension": "./extension"},
            # Ours says why a server has ended; only one plugin may.
            "disabledExtensions": ["@jupyterlab/hub-extension:connectionlost"],
        },
    }


def _of_job(facts: dict) -> dict:
    """Return the facts with what the job itself knows; `ends` is in seconds since 1970."""
    # Slurm before 22.05 does not say when a job ends; the file was written when it began.
    begun = os.stat(os.path.join(FOLDER, "lab.json")).st_mtime
    end = os.environ.get("SLURM_JOB_END_TIME", "")
    return dict(
        facts,
        job=os.environ.get("SLURM_JOB_ID") or os.environ.get("PBS_JOBID", ""),
        node=os.environ.get("SLURMD_NODENAME") or os.uname().nodename,
        ends=int(end) if end.isdigit() else int(begun) + 60 * facts["minutes"],
    )


def _write(path: str, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


_allow()
_python_of_kernels()
_lab()
c.ServerApp.terminado_settings = {"shell_command": _terminal()}
# Sockets that are files in a private folder: on the ports of 127.0.0.1 everybody on the node reads what is run.
c.KernelManager.transport = os.environ.get("JUPYTERHUB_SITES_KERNEL_TRANSPORT", "ipc")
