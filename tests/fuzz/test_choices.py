"""Ten thousand hostile choices, and some of them by every way in which a start can be asked for.

The ten thousand go through the two functions that the handlers call, `Hub.read_form` and `Hub.accept`, where
every job script is compared.  The ways by HTTP are form urlencoded and multipart, POST with the choices under
`user_options` and as the whole body, PATCH and then a start, a link with a query.

Bytes that are no UTF-8 are left out: in a form or a link JupyterHub itself answers 500 to them, and asks nobody.
"""

import html
import json
import re
import shlex
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from jupyterhub.app import JupyterHub

from profiles.errors import ChoiceRefused
from profiles.offer.choices import FIELDS, Choices
from profiles.offer.launch import NotebookLaunch
from profiles.sentences import shown
from slurm_ssh.slurm import jobs as slurm_jobs
from slurm_ssh_spawner.hub.shared import Hub, StartRequest
from slurm_ssh_spawner.launch import script
from tests.support import builders, launching
from tests.support.hostile import NASTY_OPTIONS, Fields, Hostile
from tests.support.launching import REFUSED_BY_SLURM, LaunchingHub, Person, told
from tests.support.local import LocalSite

pytestmark = pytest.mark.uncounted

BY_HTTP = 200
BY_FUNCTION = 10_000
PLAIN = "plain"
GOOD = {
    "profile": ("jupyterlab", "tool"),
    "site": ("geneva", "lugano"),
    "partition": ("normal", "debug"),
    "project": ("physics", "proj3"),
    "time": ("1h", "10m", "00:05:00"),
    "cores": ("1", "8"),
    "memory": ("1G", "900M"),
    "gpus": ("0", "2"),
    "reservation": ("school",),
    "qos": ("high",),
    "param.version": (*NASTY_OPTIONS, PLAIN),
    "param.workers": ("1", "9"),
}
ALICE = StartRequest("alice")


def _catalogue(local: LocalSite) -> dict[str, Any]:
    version = {"title": "Version", "options": [PLAIN, *NASTY_OPTIONS], "variable": "VERSION"}
    workers = {"title": "Workers", "min": 1, "max": 9, "variable": "WORKERS"}
    tool = builders.profile(
        name="Tool",
        parameters={"version": version, "workers": workers},
        modules=["tool/{param.version}"],
        environment={"BOTH": "{param.version}-{param.workers}"},
    )
    sites = {
        "geneva": launching.site(local),
        "lugano": launching.site(local, title="Geneva", projects="accounting"),
    }
    return {"sites": sites, "profiles": {"jupyterlab": builders.profile(), "tool": tool}}


@pytest.fixture
async def hub(
    hub_app: Callable[..., Awaitable[JupyterHub]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LaunchingHub]:
    async with launching.launching(hub_app, tmp_path, monkeypatch, _catalogue) as hub:
        yield hub


def _outcome(core: Hub, options: Mapping[str, Any]) -> NotebookLaunch | ChoiceRefused:
    """Return what the gate says to choices that a hub has no earlier ones for."""
    try:
        return core.resolve(ALICE, Choices.of(options))
    except ChoiceRefused as refused:
        return refused


def _check(core: Hub, options: Mapping[str, Any], outcome: NotebookLaunch | ChoiceRefused) -> None:
    """See that a refusal names a choice in a sentence, and that nothing but plain text was accepted."""
    if isinstance(outcome, NotebookLaunch):
        assert all(isinstance(value, str) and value.isprintable() for value in options.values()), options
        _check_script(core, outcome)
        return
    assert outcome.message.isprintable()
    assert outcome.message.endswith((".", ". "))
    assert len(outcome.message) < 1000
    assert outcome.field in (*FIELDS, *options) or outcome.field in {shown(name) for name in options}


def _script(launch: NotebookLaunch) -> str:
    request = script.build(launch, builders.LAUNCH_ID, "jupyter-hub-0", builders.process(), ())
    return slurm_jobs.batch_script(request)


def _words(version: str, workers: str) -> tuple[str, ...]:
    """Return the texts of a script in which the version may stand."""
    return (
        f"load_modules {shlex.quote(f'tool/{version}')}\n",
        f"export VERSION={shlex.quote(version)}\n",
        f"export BOTH={shlex.quote(f'{version}-{workers}')}\n",
    )


def _check_script(core: Hub, launch: NotebookLaunch) -> None:
    """See that a script is that of a harmless version but for words in quotes."""
    text = _script(launch)
    _check_directives(text)
    variables = launch.environments[1].variables
    if "VERSION" not in variables:
        return
    harmless = _outcome(core, {**launch.choices.values, "param.version": PLAIN})
    assert isinstance(harmless, NotebookLaunch)
    version = variables["VERSION"]
    workers = variables["BOTH"].removeprefix(f"{version}-")
    expected = _script(harmless)
    for theirs, ours in zip(_words(PLAIN, workers), _words(version, workers), strict=True):
        assert expected.count(theirs) == 1
        expected = expected.replace(theirs, ours)
    assert text == expected


def _check_directives(text: str) -> None:
    for line in text.splitlines():
        if line.startswith("#SBATCH"):
            (word,) = shlex.split(line.removeprefix("#SBATCH "))
            assert re.fullmatch(r"--[a-z-]+(=[A-Za-z0-9_.:/%-]+)?", word), line


# -- by function ----------------------------------------------------------------------------------------


async def test_what_the_handlers_call_gives_a_launch_or_a_refusal_that_names_the_choice(hub: LaunchingHub) -> None:
    source, seen = Hostile(1, GOOD), Counter[str]()
    for _ in range(BY_FUNCTION // 2):
        seen[await _accept(hub.core, source.options())] += 1
        seen[_read_form(hub.core, source.fields())] += 1
    assert min(seen[name] for name in ("launch", "refused", "form", "form refused")) > 100


async def _accepted(core: Hub, options: dict[str, Any]) -> NotebookLaunch:
    taken: list[NotebookLaunch] = []
    await core.accept(lambda: ALICE, options, taken.append)
    (launch,) = taken
    return launch


async def _accept(core: Hub, options: dict[str, Any]) -> str:
    outcome = _outcome(core, options)
    _check(core, options, outcome)
    before = await core.last_accepted(ALICE)
    if isinstance(outcome, ChoiceRefused):
        with pytest.raises(ChoiceRefused) as refused:
            await _accepted(core, options)
        assert (refused.value.field, refused.value.message) == (outcome.field, outcome.message)
        assert await core.last_accepted(ALICE) == before
        return "refused"
    launch = await _accepted(core, options)
    assert launch == outcome or not Choices.of(options).values
    assert await core.last_accepted(ALICE) == launch.choices.values
    return "launch"


def _read_form(core: Hub, fields: Fields) -> str:
    sent: dict[str, list[str]] = {}
    for name, text in fields:
        sent.setdefault(name, []).append(text)
    try:
        options = core.read_form(ALICE, sent)
    except ChoiceRefused as refused:
        _check(core, sent, refused)
        return "form refused"
    outcome = _outcome(core, options)
    assert isinstance(outcome, NotebookLaunch)
    _check(core, dict(fields), outcome)
    return "form"


# -- by HTTP --------------------------------------------------------------------------------------------


def _check_job(hub: LaunchingHub) -> None:
    """See that what the site was sent is shell with nothing but known directives."""
    text = hub.local.told("sbatch.stdin")
    _check_directives(text)
    checked = subprocess.run(["bash", "-n"], input=text.encode(), capture_output=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, b"")
    assert "tool/" in text or "VERSION" not in text


def _same(hub: LaunchingHub, options: Mapping[str, Any], status: int, said: str) -> str:
    """See that an answer is what the gate says; return which of the two it was."""
    outcome = _outcome(hub.core, options)
    assert status == 400, (status, said)
    if isinstance(outcome, ChoiceRefused):
        assert " ".join(said.split()) == " ".join(outcome.message.split())
        return "refused"
    assert REFUSED_BY_SLURM in said
    _check_job(hub)
    return "launch"


Way = Callable[[LaunchingHub, Person, Hostile], Awaitable[str]]


async def _post(hub: LaunchingHub, alice: Person, source: Hostile) -> str:
    options = {**source.options(), "time": "1h"}
    return _same(hub, options, *await alice.call("POST", content=json.dumps({"user_options": options})))


async def _post_whole(hub: LaunchingHub, alice: Person, source: Hostile) -> str:
    options = {**source.options(), "time": "1h"}
    body = json.dumps({name: value for name, value in options.items() if name not in _JUPYTERHUBS})
    return _same(hub, json.loads(body), *await alice.call("POST", content=body))


async def _patch(hub: LaunchingHub, alice: Person, source: Hostile) -> str:
    options = {**source.options(), "time": "1h"}
    before = alice.stored()
    status, said = await alice.call("PATCH", content=json.dumps({"user_options": options}))
    if status == 200:
        status, said = await alice.call("POST")
    else:
        assert alice.stored() == before
    return _same(hub, options, status, said)


async def _form(hub: LaunchingHub, alice: Person, source: Hostile, *, multipart: bool = False) -> str:
    fields = [(name, text) for name, text in source.fields() if not (multipart and _is_odd(name))]
    sent = [*((name, text) for name, text in fields if name != "time"), ("time", "1h")]
    answer = await alice.send(sent, files=() if multipart else None)
    doubled = next((name for name, number in Counter(name for name, _ in sent).items() if number > 1), None)
    said = html.unescape(told(answer.text))
    if doubled is None:
        # Tornado reads the names of a form, unlike its texts, as Latin-1.
        received = {name.encode().decode("latin-1"): text for name, text in sent}
        return _same(hub, received, answer.status_code, said)
    assert answer.status_code == 400
    assert said
    return "refused"


async def _multipart(hub: LaunchingHub, alice: Person, source: Hostile) -> str:
    return await _form(hub, alice, source, multipart=True)


async def _query(hub: LaunchingHub, alice: Person, source: Hostile) -> str:
    fields = [
        ("opt-time", "1h"),
        *((f"opt-{name}" if name else "opt-x", text[:2000]) for name, text in source.fields()),
    ]
    answer = await alice.page(f"spawn?{urlencode(fields)}")
    # A link fills in the form, as far as that is possible, and starts nothing.
    assert (answer.status_code, 'id="launch-options"' in answer.text) == (200, True)
    assert not hub.local.told("sbatch.stdin")
    return "refused"


_JUPYTERHUBS = ("user_options", "display_name")


def _is_odd(name: str) -> bool:
    """Return whether a name cannot stand in the head of a part of a form as it is."""
    return not name or not name.isascii() or not name.isprintable() or '"' in name or "\\" in name


@pytest.mark.parametrize("way", [_post, _post_whole, _patch, _form, _multipart, _query])
async def test_a_request_gives_a_launch_or_a_refusal_that_names_the_choice(hub: LaunchingHub, way: Way) -> None:
    alice = await hub.person("alice")
    await alice.call("POST", json={"profile": "tool"})
    (hub.local.slurm / "sbatch.stdin").unlink()
    source = Hostile(2, GOOD)
    seen = Counter([await way(hub, alice, source) for _ in range(BY_HTTP)])
    assert seen["refused"] > BY_HTTP // 4
    assert seen["launch"] > BY_HTTP // 20 or way is _query
