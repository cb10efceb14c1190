"""What batchspawner's own settings, and JupyterHub's of any spawner, are in a catalogue."""

import re
from collections.abc import Callable
from typing import Any

from slurm_ssh_spawner.cli.importing.options import Entry
from slurm_ssh_spawner.cli.importing.reading import Computed
from slurm_ssh_spawner.sentences import command_line as sentences

_OPTIONS = {
    "req_partition": "partition",
    "req_queue": "partition",
    "req_runtime": "time",
    "req_memory": "mem",
    "req_nprocs": "cpus-per-task",
    "req_ngpus": "gpus",
    "req_gres": "gres",
    "req_account": "account",
    "req_qos": "qos",
    "req_reservation": "reservation",
    "req_cluster": "clusters",
    "req_constraint": "constraint",
}
_FOLDER_OF_SBATCH = re.compile(r"(?:^|\s)(/[^\s]+)/sbatch(?:\s|$)")
_WORDS_OF_START = {"batchspawner-singleuser", "srun"}


def setting(entry: Entry, trait: str, value: Any, name: str) -> bool:
    """Take a setting over; return False if it is none of batchspawner's and of spawners'."""
    if value in ("", None, [], {}):
        return trait in _OPTIONS or trait in _OTHERS or trait in _IN_CONFIGURATION or trait in _DONE
    if isinstance(value, Computed):
        entry.note(f"{name} = {value.text}", sentences.COMPUTED)
    elif trait in _OPTIONS:
        entry.option(_OPTIONS[trait], str(value), f"{name} = {value!r}")
    elif trait in _OTHERS:
        _OTHERS[trait](entry, value, name)
    elif trait in _DONE:
        entry.note(name, sentences.DONE_BY_THE_HUB)
    elif trait in _IN_CONFIGURATION:
        entry.note(name, sentences.STAYS_IN_CONFIGURATION)
    else:
        return False
    return True


def _host(entry: Entry, value: Any, name: str) -> None:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", value):
        entry.draft.site.setdefault("front_ends", []).append({"host": value, "host_keys": []})
    else:
        entry.note(name, sentences.NO_COUNTERPART)


def _submit(entry: Entry, value: Any, name: str) -> None:
    if found := _FOLDER_OF_SBATCH.search(str(value)):
        entry.draft.site["slurm_path"] = found[1]
    else:
        entry.note(name, sentences.DONE_BY_THE_HUB)


def _environment(entry: Entry, value: Any, name: str) -> None:
    if not isinstance(value, dict):
        entry.note(name, sentences.COMPUTED)
        return
    for variable, text in value.items():
        is_plain = isinstance(text, str | int) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(variable))
        if is_plain:
            entry.work.setdefault("environment", {})[variable] = str(text)
        else:
            entry.note(f"{name}[{variable!r}]", sentences.COMPUTED)


def _command(entry: Entry, value: Any, name: str) -> None:
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        entry.note(name, sentences.COMPUTED)
    elif (command := [word for word in words if word not in _WORDS_OF_START]) not in (
        [],
        ["jupyterhub-singleuser"],
    ):
        entry.work["command"] = command


def _url(entry: Entry, value: Any, name: str) -> None:
    if isinstance(value, str) and value.startswith("/"):
        entry.work["default_url"] = value
    else:
        entry.note(name, sentences.NO_COUNTERPART)


_OTHERS: dict[str, Callable[[Entry, Any, str], None]] = {
    "req_host": _host,
    "req_options": lambda entry, value, _: entry.options(str(value)),
    "req_prologue": lambda entry, value, name: entry.script(str(value), name),
    "batch_script": lambda entry, value, name: entry.script(str(value), name),
    "req_epilogue": lambda entry, _, name: entry.note(name, sentences.NO_COUNTERPART),
    "req_keepvars_extra": lambda entry, _, name: entry.note(name, sentences.NO_VARIABLES_OF_THE_HUB),
    "batch_submit_cmd": _submit,
    "environment": _environment,
    "cmd": _command,
    "default_url": _url,
    "start_timeout": lambda entry, value, _: entry.note(f"start_timeout = {value}", sentences.QUEUE_WAIT),
}
_DONE = frozenset(
    {"batch_query_cmd", "batch_cancel_cmd", "exec_prefix", "req_srun", "req_homedir", "req_keepvars", "ip", "port"}
    | {"state_exechost_re", "state_pending_re", "state_running_re", "state_unknown_re", "state_exechost_exp"}
    | {"startup_poll_interval", "poll_interval", "hub_connect_ip", "batchspawner_singleuser_cmd", "req_username"}
)
_IN_CONFIGURATION = frozenset(
    {"args", "notebook_dir", "http_timeout", "pre_spawn_hook", "post_stop_hook", "options_form", "debug"}
    | {"env_keep", "mem_limit", "cpu_limit", "disable_user_config", "ssl_alt_names", "auth_state_hook"}
)
