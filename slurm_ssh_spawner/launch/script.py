"""Make the job of a launch.  Pure; secrets are not in its script."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Self
from urllib.parse import urlsplit

from kernels import hook, preparation
from kernels.fragment import Fragment
from kernels.hook import Hook, HookFailed, JobContext
from kernels.kernel import KernelScript
from kernels.shell import Shell, join, quote, templates
from profiles.offer.launch import NotebookLaunch
from slurm_ssh.errors import Broken
from slurm_ssh.job_request import JobRequest
from slurm_ssh.jobs import folders, frame
from slurm_ssh_spawner import sentences
from slurm_ssh_spawner.launch import copying, lab_page

_SECRETS = ("JUPYTERHUB_API_TOKEN",)
_HUB_URLS = ("JUPYTERHUB_API_URL", "JUPYTERHUB_ACTIVITY_URL")
# JPY_API_TOKEN repeats the token; the starter decides about the address.
_NOT_SENT = (*_SECRETS, "JPY_API_TOKEN", "JUPYTERHUB_SERVICE_URL")
_PYTHON = "PYTHON"
_STARTER_END = "END_OF_STARTER"
KEPT_LOGS = 5
"""How many logs of a person stay in their job folder, besides those of launches that run."""

_TEMPLATES = templates("slurm_ssh_spawner.launch", frame.PACKAGE)


@dataclass(frozen=True)
class ServerProcess:
    """The notebook server that the job is to run.

    `arguments` follow the profile's command; `environ` is for anybody to see; `secrets` are in no script that is
    kept or shown, and reach the job by its scheduler's adapter; `report_url` is where the job reports, as nodes
    reach it.
    """

    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    secrets: Mapping[str, str]
    report_url: str

    @property
    def server(self) -> str:
        """The name of the server on the hub, "" for the default one."""
        return self.environ.get("JUPYTERHUB_SERVER_NAME", "")

    @property
    def token(self) -> str:
        """The API token of the server, with which its job reports."""
        return self.secrets[_SECRETS[0]]

    @classmethod
    def of(cls, arguments: Sequence[str], environ: Mapping[str, str], hub_url: str | None, launch_id: str) -> Self:
        """Return the server that JupyterHub describes by `arguments` and `environ`.

        `hub_url` is the hub's address as the site's nodes reach it, None for JupyterHub's own idea of it.
        """
        known = dict(environ)
        for name in _HUB_URLS if hub_url else ():
            known[name] = f"{hub_url}{urlsplit(known[name]).path}"
        return cls(
            arguments=tuple(arguments),
            environ={name: value for name, value in known.items() if name not in _NOT_SENT},
            secrets={name: known[name] for name in _SECRETS},
            report_url=f"{known['JUPYTERHUB_API_URL']}/launches/{launch_id}",
        )

    def __repr__(self) -> str:
        """Return a text without secrets and without the environment they might be repeated in."""
        return f"ServerProcess(arguments={self.arguments!r}, report_url={self.report_url!r})"


def context(launch: NotebookLaunch, launch_id: str, mark: str) -> JobContext:
    """Return what contributions to the launch's job may know of it."""
    return frame.context(launch, launch_id, mark, folders.launch_folder(launch.site, launch.owner, launch_id))


def build(
    launch: NotebookLaunch, launch_id: str, mark: str, process: ServerProcess, fragments: Sequence[Fragment]
) -> JobRequest:
    """Return the job that runs `process` for `launch`.

    `fragments` come after the launch's environments and before its kernels and hooks.  Raises ValueError for what
    no job script can hold, Broken for a hook that fails.
    """
    body = _body(launch, context(launch, launch_id, mark), process, fragments)
    return asked(launch, launch_id, mark, body, process.secrets)


def asked(
    launch: NotebookLaunch, launch_id: str, mark: str, body: str, secrets: Mapping[str, str] = MappingProxyType({})
) -> JobRequest:
    """Return the job that runs a text for `launch`, with all that is asked of Slurm for it."""
    log_path = folders.log_path(launch.site, launch.owner, launch_id)
    return replace(frame.request(launch, mark, log_path, body), secrets=secrets)


def releases(launch: NotebookLaunch, launch_id: str, mark: str) -> tuple[Shell, ...]:
    """Return the commands that end what the launch's hooks may leave at the site, once the job is over.

    Raises Broken, naming the hook that cannot say so.
    """
    job = context(launch, launch_id, mark)
    with _naming_hooks():
        hooks = (*_implied(launch).items(), *launch.hooks.items())
        commands = [hook.release(name, each, job) for name, each in hooks]
    return tuple(command for command in commands if command)


def _implied(launch: NotebookLaunch) -> Mapping[str, Hook]:
    scripts = [kernel.script for kernel in launch.kernels if isinstance(kernel, KernelScript)]
    return hook.implied(scripts, launch.hooks.values())


def _fragments(hooks: Mapping[str, Hook], job: JobContext) -> list[Fragment]:
    with _naming_hooks():
        return [hook.fragment(name, each, job) for name, each in hooks.items()]


@contextmanager
def _naming_hooks() -> Iterator[None]:
    try:
        yield
    except HookFailed as error:
        raise Broken(sentences.HOOK_FAILED.format(hook=error.name), str(error)) from error


def _body(launch: NotebookLaunch, job: JobContext, process: ServerProcess, fragments: Sequence[Fragment]) -> str:
    parts = [env.fragment(launch.site.module_init) for env in launch.environments] + list(fragments)
    # What kernels need comes before them; other hooks need not wait in vain for kernels that cannot be made.
    parts += _fragments(_implied(launch), job)
    parts.append(preparation.fragment(launch.kernels, job))
    parts.append(lab_page.fragment(launch, job, process.server))
    if launch.copies:
        parts.append(copying.fragment(job))
    parts += _fragments(launch.hooks, job)
    environ = _environ(launch, job, process, parts)
    command = frame.in_container(launch, launch.command)
    # Those of the site, which come first, are for the server, see job.sh.jinja.
    site, *others = parts
    python = {name for part in others for name in part.environ if name.startswith(_PYTHON)}
    early = {name: value for name, value in environ.items() if name not in python}
    early |= {name: value for name, value in site.environ.items() if name in python}
    return _TEMPLATES.get_template("job.sh.jinja").render(
        **frame.values(job.slurm_path, early, parts),
        before_of_the_site=[part.before for part in (frame.prologue(launch.site), site) if part.before],
        python_of_the_profile=frame.exports({name: environ[name] for name in environ if name in python}),
        before=[part.before for part in others if part.before],
        job_folder=quote(folders.job_folder(launch.site, launch.owner)),
        launch_folder=quote(job.launch_folder),
        kept_logs=Shell(str(KEPT_LOGS)),
        program=quote(command[0]),
        command=join([*command, *process.arguments]),
        starter=_starter(),
        starter_end=Shell(_STARTER_END),
    )


def _environ(
    launch: NotebookLaunch, job: JobContext, process: ServerProcess, parts: Sequence[Fragment]
) -> dict[str, str]:
    environ = {
        **process.environ,
        "JUPYTERHUB_SITES_REPORT_URL": process.report_url,
        "JUPYTERHUB_SITES_LAUNCH_FOLDER": job.launch_folder,
        "JUPYTERHUB_SITES_STAGES": f"{job.launch_folder}/stages",
    }
    if launch.default_url:
        environ["JUPYTERHUB_DEFAULT_URL"] = launch.default_url
    for part in parts:
        environ.update(part.environ)
    return environ


@cache
def _starter() -> Shell:
    text = files("slurm_ssh_spawner.launch.jobside").joinpath("starter.py").read_text(encoding="utf-8")
    return Shell(text.rstrip("\n"))
