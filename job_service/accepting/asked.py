"""What of a job's description can be had at all, whoever wants it and whatever is offered.  Pure."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import get_args

from job_service import layout
from job_service.sentences import accepting as sentences
from job_service.spec import JobSpec, Start
from profiles.catalogue.dataset import MOST, Mode
from profiles.sentences import shown

TITLE_LONGEST = 200
COMMAND_BYTES = 64 * 1024
INPUTS_MOST = 100
KEY_LONGEST = 200

# A tab and the end of a line belong to shell; half a character belongs to no text.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def problems(spec: JobSpec) -> Iterator[tuple[str, str]]:
    """Yield the fields that are wrong, as the API names them, each with a sentence."""
    if len(spec.title) > TITLE_LONGEST or not spec.title.isprintable():
        yield "title", sentences.TITLE.format(most=TITLE_LONGEST)
    if spec.command is not None and (why := _why_no_command(spec.command)):
        yield "command", why
    if why := _why_no_inputs(spec.inputs):
        yield "inputs", why
    if spec.start not in get_args(Start):
        yield "start", sentences.START.format(start=shown(spec.start), ways=", ".join(get_args(Start)))
    elif spec.inputs and spec.start == "now":
        yield "start", sentences.START_WITHOUT_INPUTS
    if why := _why_no_datasets(spec.datasets):
        yield "datasets", why
    elif spec.mode != "single" and not spec.datasets:
        yield "datasets", sentences.MODE_WITHOUT_DATASETS
    if spec.mode == "array" and spec.unpack:
        yield "unpack", sentences.UNPACK_IN_ARRAY
    if spec.mode not in get_args(Mode):
        yield "mode", sentences.NO_MODE.format(mode=shown(spec.mode), modes=", ".join(get_args(Mode)))


def _why_no_command(command: str) -> str:
    if len(command) > COMMAND_BYTES or len(command.encode(errors="surrogatepass")) > COMMAND_BYTES:
        return sentences.COMMAND_TOO_LONG.format(kilobytes=COMMAND_BYTES // 1024)
    return sentences.COMMAND_CONTROLS if _CONTROLS.search(command) else ""


def _why_no_inputs(inputs: tuple[str, ...]) -> str:
    if len(inputs) > INPUTS_MOST:
        return sentences.TOO_MANY_INPUTS.format(most=INPUTS_MOST)
    for name in inputs:
        if not layout.is_path(name):
            return sentences.INPUT_NAME.format(
                name=shown(name), part=layout.LONGEST_PART, most=layout.LONGEST_PATH, ours=layout.OURS
            )
    twice = next((name for at, name in enumerate(inputs) if name in inputs[:at]), None)
    return "" if twice is None else sentences.INPUT_TWICE.format(name=shown(twice))


def _why_no_datasets(datasets: tuple[str, ...]) -> str:
    if len(datasets) > MOST:
        return sentences.MOST_DATASETS.format(most=MOST)
    twice = {each for each, count in Counter(datasets).items() if count > 1}
    return sentences.DATASET_TWICE.format(dataset=shown(min(twice))) if twice else ""


def cut(title: str) -> str:
    """Return what of a title there is room for."""
    return title if len(title) <= TITLE_LONGEST else f"{title[: TITLE_LONGEST - 1]}…"


def is_key(key: str) -> bool:
    """Return whether a text can be an idempotency key."""
    return 0 < len(key) <= KEY_LONGEST and key.isprintable()


def digest(spec: JobSpec, sent: str = "") -> str:
    """Return what is alike for two descriptions only if they ask for the same, in hex digits.

    `sent` is what is known of a file that comes with it.
    """
    canonical = json.dumps(spec.to_json(), sort_keys=True, separators=(",", ":"))
    known = f"{canonical}\n{sent}" if sent else canonical
    return hashlib.sha256(known.encode()).hexdigest()
