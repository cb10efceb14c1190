"""A launch's kernels: the fragment that runs scripts, builds declared kernels and hides other profiles'."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any

from kernels import units
from kernels.fragment import Fragment
from kernels.hook import JobContext
from kernels.kernel import DeclaredKernel, Kernel, KernelScript
from kernels.shell import Shell, join, quote, templates

_SECONDS = 60
_PROGRAMS = ("telling.py", "running.py", "locks.py", "scripts.py", "store.py", "declared.py", "prepare.py")
_TEMPLATES = templates("kernels")


def fragment(kernels: Sequence[Kernel], job: JobContext) -> Fragment:
    """Return what makes the kernels ready before the server starts, and lets it show no other profile's.

    The kernels of a profile without any are the person's own and the server's.
    """
    described = [_script(each) if isinstance(each, KernelScript) else _declared(each, job) for each in kernels]
    facts = {
        "site_key": job.site_key,
        "launch_folder": job.launch_folder,
        "lookup": asdict(job.lookup),
        "scheduler_environment": dict(job.slurm_environment),
        "module_init": job.module_init,
        "kernel_store": job.kernel_store,
        "kernels": described,
    }
    text = _TEMPLATES.get_template("kernels.sh.jinja").render(
        folder=quote(job.launch_folder),
        config=_source("jupyter_config.py"),
        programs=[(Shell(name), _source(name)) for name in _PROGRAMS] if kernels else [],
        job=quote(json.dumps(facts)),
    )
    environ = {
        "JUPYTERHUB_SITES_KERNEL_SCRIPTS": " ".join(each["digest"] for each in described if "digest" in each)
    }
    if job.module_init:
        environ["JUPYTERHUB_SITES_MODULE_INIT"] = job.module_init
    return Fragment(environ=environ, before=Shell(text.rstrip("\n")))


def _script(kernel: KernelScript) -> dict[str, Any]:
    return {
        "script": kernel.script,
        "digest": hashlib.sha256(kernel.script.encode()).hexdigest()[:16],
        "kernelspecs": kernel.kernelspecs,
        "required": kernel.required,
        "seconds": kernel.time_max * _SECONDS,
        "limit": units.say_minutes(kernel.time_max),
    }


def _declared(kernel: DeclaredKernel, job: JobContext) -> dict[str, Any]:
    wrapper = _TEMPLATES.get_template("with_modules.sh.jinja").render(
        module_init=job.module_init, module_paths=kernel.module_paths, modules=join(kernel.modules)
    )
    return {
        "name": kernel.name,
        "python": kernel.python,
        "requirements": kernel.requirements,
        "lock": kernel.lock,
        "modules": kernel.modules,
        "wrapper": wrapper,
        "required": kernel.required,
        "seconds": kernel.time_max * _SECONDS,
        "limit": units.say_minutes(kernel.time_max),
    }


@cache
def _source(name: str) -> Shell:
    return quote(files("kernels.jobside").joinpath(name).read_text(encoding="utf-8").rstrip("\n"))
