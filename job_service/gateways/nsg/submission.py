"""What NSG is sent for a job: a tool, its parameters, what it is known by, and its file.  Pure."""

import math
import shlex
from pathlib import Path, PurePosixPath

from job_service.gateways.backend import Order
from job_service.gateways.nsg.form import Form
from job_service.sentences import nsg as sentences
from profiles.catalogue.gateway import Gateway
from slurm_ssh.errors import Refused
from slurm_ssh.text import one_line

_LONGEST_NAME = 100
_FILE = "input.infile_"
_PARTS_OF_AN_HOUR = 10_000


def check(order: Order, gateway: Gateway) -> None:
    """See that a job can be sent.  Raises Refused."""
    tool = gateway.tools.get(order.program[0])
    if tool is None or (order.program[1:] and not tool.arguments):
        name = one_line(shlex.join(order.program if tool else order.program[:1]), _LONGEST_NAME)
        raise Refused(sentences.NO_TOOL.format(gateway=gateway.title, tool=name))
    if len(order.inputs) != 1:
        raise Refused(sentences.ONE_FILE.format(gateway=gateway.title))


def form(order: Order, gateway: Gateway, file: Path) -> Form:
    """Return the form of a job that `check` has let pass."""
    return Form(fields(order, gateway), _FILE, PurePosixPath(order.inputs[0]).name, file)


def text(order: Order, gateway: Gateway) -> str:
    """Return what the form says, for people: a line for each field.  Its tool is one of the gateway's."""
    asked = [f"{name}={value}" for name, value in fields(order, gateway).items()]
    asked += [f"{_FILE}=@{one_line(path, _LONGEST_NAME)}" for path in order.inputs]
    return "".join(f"{line}\n" for line in asked)


def fields(order: Order, gateway: Gateway) -> dict[str, str]:
    """Return the fields of the form of a job but for its file.  Its tool is one of the gateway's."""
    tool = gateway.tools[order.program[0]]
    asked: dict[str | None, str] = {
        tool.time: hours(order.limit_s),
        tool.nodes: str(order.nodes),
        tool.cores: str(order.cores),
        tool.arguments: shlex.join(order.program[1:]),
    }
    asked.update(tool.parameters)
    params = {f"vparam.{name}": value for name, value in asked.items() if name and value}
    about = {"clientJobId": order.handle.job_id, "clientJobName": one_line(order.title, _LONGEST_NAME)}
    named = {f"metadata.{name}": value for name, value in about.items() if value}
    return {"tool": order.program[0], **params, **named}


def hours(seconds: int) -> str:
    """Return seconds as NSG takes hours: with a point, and no less."""
    parts = math.ceil(seconds * _PARTS_OF_AN_HOUR / 3600)
    return f"{parts / _PARTS_OF_AN_HOUR:.4f}".rstrip("0").rstrip(".")
