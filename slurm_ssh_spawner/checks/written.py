"""What is written in a configuration and does nothing: misspelt, of another spawner, or the catalogue's."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from kerberos_auth.outcome import Outcome, State
from slurm_ssh_spawner.checks.configuration import Configuration, Setting
from slurm_ssh_spawner.sentences import settings as sentences

# What has an effect in JupyterHub or batchspawner, and none here: where the catalogue says it, "" for nowhere.
IGNORED: Mapping[str, str] = {
    "batch_cancel_cmd": "sites.<key>.slurm_path",
    "batch_query_cmd": "sites.<key>.slurm_path",
    "batch_script": "profiles.<key>.directives",
    "batch_submit_cmd": "sites.<key>.slurm_path",
    "batchspawner_singleuser_cmd": "sites.<key>.jupyter",
    "cmd": "sites.<key>.jupyter",
    "cpu_guarantee": "profiles.<key>.resources.cores",
    "cpu_limit": "profiles.<key>.resources.cores",
    "exec_prefix": "",
    "hub_connect_url": "sites.<key>.hub_url",
    "ip": "sites.<key>.node_address",
    "mem_guarantee": "profiles.<key>.resources.memory",
    "mem_limit": "profiles.<key>.resources.memory",
    "port": "",
    "req_account": "sites.<key>.projects",
    "req_cluster": "sites.<key>.slurm_cluster",
    "req_epilogue": "",
    "req_gres": "profiles.<key>.resources.gpus",
    "req_homedir": "sites.<key>.job_folder",
    "req_host": "sites.<key>.front_ends",
    "req_keepvars": "sites.<key>.jupyter.variables",
    "req_keepvars_extra": "sites.<key>.jupyter.variables",
    "req_memory": "profiles.<key>.resources.memory",
    "req_ngpus": "profiles.<key>.resources.gpus",
    "req_nprocs": "profiles.<key>.resources.cores",
    "req_options": "profiles.<key>.directives",
    "req_partition": "profiles.<key>.partitions",
    "req_prologue": "sites.<key>.prologue",
    "req_qos": "sites.<key>.qos",
    "req_queue": "profiles.<key>.partitions",
    "req_reservation": "sites.<key>.reservations",
    "req_runtime": "profiles.<key>.resources.time",
    "req_srun": "",
    "req_username": "sites.<key>.login_name",
    "start_timeout": "profiles.<key>.queue_wait",
    "startup_poll_interval": "",
    "state_exechost_exp": "sites.<key>.node_address",
    "state_exechost_re": "sites.<key>.node_address",
    "state_pending_re": "",
    "state_running_re": "",
    "state_unknown_re": "",
}
# Spawners from which people come, whose settings are for nobody here.
_OTHERS = frozenset(
    {
        "BatchFormSpawner",
        "CondorSpawner",
        "GridengineSpawner",
        "LocalProcessSpawner",
        "LsfSpawner",
        "MOSlurmSpawner",
        "MoabSpawner",
        "PBSSpawner",
        "ProfilesSpawner",
        "SimpleLocalProcessSpawner",
        "SlurmFormSpawner",
        "SlurmSpawner",
        "SudoSpawner",
        "SystemdSpawner",
        "TorqueSpawner",
        "UserEnvMixin",
        "WrapSpawner",
    }
)
_OF_OTHERS = {"partitions": "profiles", "profiles": "profiles", "req_profile": "profiles"}
# Capitals apart, one letter of a class's name may be wrong, or two of a long one.
_NEAR_CLASS = 0.9


def written(told: Configuration) -> Iterator[Outcome]:
    """Yield what means nothing, or one outcome that all is read."""
    found = [each for owner in told.settings for each in _of_class(told, owner)]
    yield from found or [Outcome("A2", State.OK, sentences.ALL_READ)]


def _of_class(told: Configuration, owner: str) -> Iterator[Outcome]:
    names = [name for name in told.settings[owner] if name[:1].islower()]
    if owner in told.known:
        yield from _of_known_class(told, owner, names)
    elif owner in _OTHERS:
        for name in names:
            yield _ignored((owner, name), sentences.OF_ANOTHER_SPAWNER)
    elif names and (meant := _near(owner, told.known)):
        said = sentences.NO_SUCH_CLASS.format(owner=owner)
        fix = sentences.MEANT_CLASS.format(meant=meant)
        yield Outcome("A2", State.FAIL, said, fix, (owner, names[0]))


def _of_known_class(told: Configuration, owner: str, names: Iterable[str]) -> Iterator[Outcome]:
    for name in names:
        if owner in told.spawner and name in IGNORED:
            yield _ignored((owner, name), sentences.NO_EFFECT)
        # Of all others JupyterHub itself warns.
        elif owner in told.ours and name not in told.known[owner]:
            said = sentences.NO_SUCH_SETTING.format(setting=f"{owner}.{name}")
            near = get_close_matches(name, told.known[owner], n=1)
            fix = sentences.MEANT_SETTING.format(meant=f"{owner}.{near[0]}") if near else sentences.REMOVE_IT
            yield Outcome("A2", State.FAIL, said, fix, (owner, name))


def _ignored(setting: Setting, sentence: str) -> Outcome:
    place = IGNORED.get(setting[1], _OF_OTHERS.get(setting[1], ""))
    fix = sentences.IN_CATALOGUE.format(place=place) if place else sentences.REMOVE_IT
    return Outcome("A2", State.WARN, sentence.format(setting=".".join(setting)), fix, setting)


def _near(owner: str, known: Iterable[str]) -> str:
    by_small = {name.lower(): name for name in known}
    found = get_close_matches(owner.lower(), by_small, n=1, cutoff=_NEAR_CLASS)
    return by_small[found[0]] if found else ""
