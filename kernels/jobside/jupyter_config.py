"""Configuration of the notebook server: which kernels it shows, how it talks to them, what terminals are.

Runs in the server's own Python, which knows all places where kernels are, and may do so several times.
"""

import glob
import json
import os
import shlex
import sys

c = get_config()  # type: ignore[name-defined] # noqa: F821

FOLDER = os.path.dirname(os.path.abspath(__file__))
NATIVE = "python3"
"""What Jupyter calls the kernel of the server's own Python."""

NOBODYS = "."
"""No kernel can have this name: without any name, all would be shown."""

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


def _write(path: str, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


_allow()
_python_of_kernels()
c.ServerApp.terminado_settings = {"shell_command": _terminal()}
# Sockets that are files in a private folder: on the ports of 127.0.0.1 everybody on the node reads what is run.
c.KernelManager.transport = os.environ.get("JUPYTERHUB_SITES_KERNEL_TRANSPORT", "ipc")
