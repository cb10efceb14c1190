"""What an admin gets wrong, one thing at a time: its line says so, and no other line is wrong."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from kerberos_auth.outcome import State
from slurm_ssh import deadline
from slurm_ssh.job import JobReport
from slurm_ssh_spawner.doctor.site import forwarding, front_ends, job, offers
from tests.slurm_ssh_spawner.doctor.site.conftest import Place, told, wrong
from tests.support import builders, hub_api, loopback, names
from tests.support.names import Names
from tests.support.ports import free_port
from tests.support.realm import Realm

Break = Callable[[Place], None]


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Names:
    """The names that there are; what the other names of this test's machine lead to is the front end's."""
    found = names.known(monkeypatch)
    found["localhost"] = found["127.0.0.1"] = ("127.0.0.1",)
    return found


async def _found(place: Place, *, with_job: bool = False) -> tuple[str, str, str]:
    """Return check, sentence and fix with its place of the one thing that is wrong."""
    found = await place.look(with_job=with_job)
    problems = wrong(found)
    assert len(problems) == 1, told(found)
    [(check, one)] = problems.items()
    return check, str(one.sentence), f"{one.fix} ({one.place})" if one.place else str(one.fix)


def _front_end(place: Place, **changed: object) -> None:
    place.site["front_ends"][0].update(changed)


# -- E1 to E6 --------------------------------------------------------------------------------------------


async def test_e1_a_name_that_there_is_not(place: Place, known: Names) -> None:
    _front_end(place, host="login1.geneva.test")
    check, sentence, fix = await _found(place)
    assert (check, sentence) == (
        "E1",
        "This machine finds no host login1.geneva.test (Name or service not known).",
    )
    assert fix.startswith("Write the full name of the login host; ")
    assert fix.endswith("(catalogue.yaml:5)")
    assert len(known) == 2


async def test_e1_an_alias_of_several_hosts(place: Place, known: Names) -> None:
    known["login.geneva.test"] = ("127.0.0.1", "127.0.0.2")
    _front_end(place, host="login.geneva.test")
    problems = wrong(await place.look())
    # Of which the KDC then knows nothing.
    assert list(problems) == ["E1", "E5"]
    assert "has several addresses (127.0.0.1, 127.0.0.2)" in str(problems["E1"].sentence)


async def test_e2_a_port_that_nobody_listens_on(place: Place) -> None:
    port = free_port()
    _front_end(place, port=port)
    check, sentence, fix = await _found(place)
    assert (check, sentence) == ("E2", f"Port {port} of localhost cannot be connected to (Connection refused).")
    assert f"Open TCP {port} from this machine to localhost" in fix


async def test_e2_a_port_that_says_nothing(
    place: Place, opened: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front_ends, "_SECONDS", 0.3)
    _front_end(place, port=opened.enter_context(loopback.silent()))
    check, sentence, _ = await _found(place)
    assert check == "E2"
    assert "did not answer within" in sentence


async def test_e2_what_is_no_sshd(place: Place) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.geneva.test ESMTP\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        _front_end(place, port=server.sockets[0].getsockname()[1])
        check, sentence, _ = await _found(place)
    assert check == "E2"
    assert "is no sshd's: it says `220 mail.geneva.test ESMTP`" in sentence


async def test_e2_who_hangs_up(place: Place) -> None:
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
        _front_end(place, port=server.sockets[0].getsockname()[1])
        check, _, fix = await _found(place)
    assert check == "E2"
    assert fix.startswith("See MaxStartups")


@pytest.mark.parametrize("said", ["Exceeded MaxStartups", "Not allowed at this time"])
async def test_e2_who_turns_the_hub_away_is_quoted(place: Place, said: str) -> None:
    def turn_away(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{said}\r\n".encode())
        writer.close()

    async with await asyncio.start_server(turn_away, "127.0.0.1", 0) as server:
        _front_end(place, port=server.sockets[0].getsockname()[1])
        check, sentence, fix = await _found(place)
    assert check == "E2"
    assert sentence.endswith(f"turns the hub away: it says `{said}`.")
    assert "PerSourcePenalties" in fix


async def test_e3_a_host_key_that_is_not_in_the_catalogue(place: Place) -> None:
    key = " ".join(place.front_end.host_key.split()[:2])
    _front_end(place, host_keys=[builders.HOST_KEY])
    check, sentence, fix = await _found(place)
    assert check == "E3"
    assert sentence.startswith("localhost shows the host key SHA256:")
    assert f"add this to host_keys: {key} (catalogue.yaml:" in fix


async def test_e4_an_sshd_that_takes_no_tickets(place: Place) -> None:
    place.front_end._keytab = ""
    await place.front_end.stop()
    await place.front_end.start()
    check, sentence, fix = await _found(place)
    assert (check, sentence) == ("E4", "localhost does not offer gssapi-with-mic; it offers publickey.")
    assert fix.startswith("Set `GSSAPIAuthentication yes` in /etc/ssh/sshd_config of localhost")


async def test_e5_a_host_of_which_the_kdc_knows_nothing(place: Place, known: Names) -> None:
    known["login9.lab.test"] = ("127.0.0.1",)
    _front_end(place, host="login9.lab.test")
    check, sentence, fix = await _found(place)
    assert check == "E5"
    assert sentence.startswith("The KDC gives no ticket for host/login9.lab.test (`")
    assert "kadmin -q 'addprinc -randkey host/login9.lab.test'" in fix


async def test_e5_a_kdc_that_is_away(place: Place, realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", str(realm.configs["dead"]))
    check, sentence, _ = await _found(place)
    assert (check, sentence) == ("E5", "No KDC answers to whoever asks for a ticket for host/localhost.")


async def test_e6_somebody_without_an_account(place: Place) -> None:
    place.front_end.people.discard("alice")
    check, sentence, fix = await _found(place)
    assert check == "E6"
    assert sentence.startswith("localhost did not let alice in (`")
    assert fix.startswith("On localhost: `id alice`, then the keytab")


async def test_e6_a_start_up_file_that_prints(place: Place) -> None:
    place.front_end.shell = (
        'echo "Welcome to Geneva, where the sun always shines on everybody"; eval "$SSH_ORIGINAL_COMMAND"'
    )
    check, sentence, _ = await _found(place)
    assert check == "E6"
    assert sentence == "A start-up file of alice's shell on localhost prints, even where there is no terminal."


async def test_e6_a_shell_that_runs_nothing(place: Place) -> None:
    place.front_end.shell = "cat >/dev/null; exit 1"
    check, sentence, _ = await _found(place)
    assert check == "E6"
    assert "ended before it ran a command" in sentence


async def test_e6_a_ticket_that_may_not_be_passed_on(place: Place) -> None:
    place.wallet.put_one_that_stays("alice")
    check, sentence, _ = await _found(place)
    assert check == "E6"
    assert "may not be passed on" in sentence


# -- E7 to E11 -------------------------------------------------------------------------------------------


async def test_e7_commands_that_are_elsewhere(place: Place) -> None:
    place.site["slurm_path"] = "/opt/nowhere/bin"
    check, sentence, fix = await _found(place)
    assert check == "E7"
    assert sentence.startswith("localhost has no /opt/nowhere/bin/sbatch, /opt/nowhere/bin/squeue, ")
    assert "slurm_path: " in fix
    assert "(catalogue.yaml:" in fix


async def test_e7_a_slurm_that_is_too_old(place: Place) -> None:
    place.slurm.tell("version", "slurm 20.11.9\n")
    check, sentence, _ = await _found(place)
    assert (check, sentence) == ("E7", "Slurm on localhost is older than 22.05: `slurm 20.11.9`.")


async def test_e7_a_controller_that_is_away(place: Place) -> None:
    place.slurm.tell("silent", "slurm_load_jobs error: Unable to contact slurm controller\n")
    check, sentence, fix = await _found(place)
    assert check == "E7"
    assert "Unable to contact slurm controller" in sentence
    assert f"{place.slurm.folder}/squeue -u alice" in fix


async def test_e8_a_partition_that_slurm_does_not_have(place: Place) -> None:
    place.slurm.tell("partitions", "long|long*|up|8:00:00|all|NO|n1\nnormal|normal|up|8:00:00|all|NO|n1\n")
    place.site["partitions"] = {"normal": {}, "nromal": {}}
    check, sentence, fix = await _found(place)
    assert check == "E8"
    assert sentence.startswith(
        "sites.geneva.partitions.nromal: Slurm has no such partition; did you mean `normal`"
    )
    assert fix.endswith("(catalogue.yaml:21)")


async def test_e8_somebody_without_a_project(place: Place) -> None:
    place.site["projects"] = "accounting"
    check, sentence, fix = await _found(place)
    assert (check, sentence) == ("E8", "Slurm's accounting has no project for alice at geneva.")
    assert "sacctmgr add user alice" in fix


async def test_e9_a_feature_that_no_node_has(place: Place) -> None:
    place.site["directives"] = {"constraint": "ib"}
    place.slurm.tell("refusal", "allocation failure: Invalid feature specification\n")
    check, sentence, fix = await _found(place)
    assert check == "E9"
    assert sentence == ("Slurm refuses lab in normal: `allocation failure: Invalid feature specification`.")
    assert fix.startswith("Correct `constraint` in directives")
    assert "(catalogue.yaml:" in fix
    assert "--constraint=ib" in place.slurm.told("tried")


async def test_e9_of_very_many_profiles_some_are_not_asked_about(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "_MOST", 1)
    more = {"cores": 2, "memory": "1G", "time": "1h"}
    place.profiles["larger"] = {"name": "Larger", "resources": more}
    found = [each for each in await place.look() if each.check == "E9"]
    assert [(each.state, each.sentence) for each in found] == [
        (
            State.SKIP,
            "Of 1 more jobs that people may start, this command asks nothing: it asks about 1 at a site.",
        )
    ]


async def test_e9_what_slurm_says_may_be_anything(place: Place) -> None:
    place.slurm.tell("refusal", "\x1b[31m" + "x" * 100_000 + "\x07end\n")
    _, sentence, _ = await _found(place)
    assert sentence.isprintable()
    assert len(sentence) < 400
    assert sentence.endswith("end`.")


async def test_e10_a_job_folder_that_nobody_can_make(place: Place) -> None:
    place.site["job_folder"] = "/proc/nowhere/{owner}"
    check, sentence, fix = await _found(place)
    assert check == "E10"
    assert sentence.startswith("job_folder /proc/nowhere/alice cannot be used (`mkdir: ")
    assert "(catalogue.yaml:" in fix


async def test_e10_a_ticket_folder_that_others_may_enter(place: Place) -> None:
    folder = place.folder / "scratch" / "alice" / "tickets"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    check, sentence, fix = await _found(place)
    assert check == "E10"
    assert sentence.startswith(f"ticket_folder {folder} is not safe: others may enter {folder}")
    assert f"ls -ld {folder}" in fix


async def test_e11_forwarding_that_is_forbidden(place: Place) -> None:
    place.front_end.forwards = False
    check, sentence, fix = await _found(place, with_job=True)
    assert (check, sentence) == ("E11", "localhost does not carry connections on to n1: it is forbidden.")
    assert "AllowTcpForwarding" in fix


async def test_e11_a_node_that_does_not_answer_may_have_no_sshd(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "_SECONDS", 0.3)
    place.front_end.dark = True
    check, sentence, _ = await _found(place)
    assert check == "E11"
    assert sentence.startswith("localhost did not reach n1: `")


# -- F ---------------------------------------------------------------------------------------------------


async def test_f1_a_job_that_waits(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_QUEUE_SECONDS", 0.5)
    place.slurm.tell("waits", "")
    check, sentence, _ = await _found(place, with_job=True)
    assert check == "F1"
    assert "Other jobs are before yours in the queue of Geneva. (Priority)" in sentence
    assert place.slurm.told("cancelled")
    assert not place.slurm.told("mark")


async def test_f1_a_job_that_slurm_does_not_take(place: Place) -> None:
    place.slurm.tell("rejected", "sbatch: error: Batch job submission failed: Invalid qos specification\n")
    check, sentence, _ = await _found(place, with_job=True)
    assert check == "F1"
    assert sentence.startswith("The job was not accepted: Geneva did not accept the job")


async def test_f2_a_log_that_is_written_elsewhere(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_LOG_SECONDS", 0.5)
    place.slurm.tell("log", str(place.folder / "elsewhere"))
    check, sentence, fix = await _found(place, with_job=True)
    assert check == "F2"
    assert "there is no log of it in" in sentence
    assert fix.startswith("Choose a job_folder that front ends and nodes share")


async def test_f2_a_folder_that_is_not_there_on_the_node(place: Place) -> None:
    place.slurm.tell("log", str(place.folder / "scratch" / "alice" / "log"))
    jobs = place.folder / "scratch" / "alice" / "jobs"
    # The log is opened before; then what was made on the front end is not what the node sees.
    place.slurm.tell("node", f"l=$(echo {jobs}/*.log); mkdir() {{ return 1; }}; export -f mkdir\n")
    (place.slurm.folder / "log").unlink()
    check, sentence, _ = await _found(place, with_job=True)
    assert (check, sentence) == ("F2", f"n1 cannot write to {jobs}.")


def _program(name: str) -> str:
    return str(shutil.which(name, path="/usr/bin:/bin"))


def _tools(place: Place, *others: str) -> Path:
    """Make a folder with programs that any node has, and no Python."""
    tools = place.folder / "tools"
    tools.mkdir()
    for name in ("awk", "bash", "df", "head", "klist", "mkdir", "rm", "sed", "sleep", "tail", "timeout", *others):
        (tools / name).symlink_to(_program(name))
    place.slurm.tell("node", f"export PATH={tools}\n")
    return tools


async def test_f3_a_node_without_python(place: Place) -> None:
    _tools(place, "env", "sh")
    check, sentence, fix = await _found(place, with_job=True)
    assert (check, sentence) == ("F3", "n1 has no python3 on PATH.")
    assert fix.startswith("Install python3 on the nodes")


async def test_f3_a_python_that_is_too_old(place: Place) -> None:
    old = _tools(place, "env", "sh") / "python3"
    old.write_text(
        f'#!/bin/sh\n[ "$1" != --version ] || {{ echo Python 3.5.2; exit; }}\nexec {_program("python3")} "$@"\n'
    )
    old.chmod(0o755)
    check, sentence, _ = await _found(place, with_job=True)
    assert (check, sentence) == ("F3", "n1 has `Python 3.5.2`, and jobs need 3.6 or later.")


async def test_f3_a_python_that_ends_at_once(place: Place) -> None:
    broken = _tools(place, "env", "sh") / "python3"
    broken.write_text('#!/bin/sh\n[ "$1" != --version ] || { echo Python 3.9.2; exit; }\nexit 1\n')
    broken.chmod(0o755)
    check, sentence, _ = await _found(place, with_job=True)
    assert (check, sentence) == ("F3", "n1 has `Python 3.9.2`, which does not run what a job gives it.")


async def test_f4_a_module_init_that_is_not_there(place: Place) -> None:
    place.site["module_init"] = "/opt/nowhere/modules.sh"
    place.site["jupyter"] = {"modules": ["jupyterlab"]}
    check, sentence, fix = await _found(place, with_job=True)
    assert check == "F4"
    assert "There is no command module on the node" in sentence
    assert fix.startswith("Write module_init: ")
    assert "(catalogue.yaml:" in fix


async def test_f4_a_module_that_is_not_there(place: Place) -> None:
    init = place.folder / "modules.sh"
    init.write_text('module() { echo "ERROR: Unable to locate a modulefile for $2" >&2; return 1; }\n')
    place.site["module_init"] = str(init)
    place.site["jupyter"] = {"modules": ["jupyterlab"]}
    check, sentence, fix = await _found(place, with_job=True)
    assert check == "F4"
    assert "Unable to locate a modulefile for jupyterlab" in sentence
    assert fix.startswith("Correct jupyter.modules")


async def test_f4_a_prologue_that_fails(place: Place) -> None:
    place.site["prologue"] = "false"
    check, sentence, fix = await _found(place, with_job=True)
    assert check == "F4"
    assert sentence.startswith("The prologue fails on n1: `")
    assert "(catalogue.yaml:" in fix


async def test_f5_no_notebook_server(place: Place) -> None:
    place.site["jupyter"] = {"prefix": "/opt/nowhere"}
    _tools(place, "python3", "env", "sh")
    check, sentence, _ = await _found(place, with_job=True)
    assert (check, sentence) == ("F5", "n1 has no jupyterhub-singleuser on PATH.")


@pytest.mark.parametrize(
    ("prints", "said"),
    [
        ("3.1.1", "works with 4 to"),
        ("99.0.0", "works with 4 to"),
        ("ModuleNotFoundError: No module named 'jupyterhub'", "does not run on n1: `ModuleNotFoundError"),
    ],
)
async def test_f5_a_notebook_server_of_another_kind(place: Place, prints: str, said: str) -> None:
    server = place.folder / "jupyter" / "bin" / "jupyterhub-singleuser"
    server.write_text(f'#!/bin/sh\necho "{prints}"\n')
    check, sentence, _ = await _found(place, with_job=True)
    assert check == "F5"
    assert said in sentence


async def test_f6_a_ticket_that_is_not_on_the_node(place: Place) -> None:
    place.slurm.tell("node", f"rm -f {place.folder}/scratch/alice/tickets/*\n")
    check, sentence, _ = await _found(place, with_job=True)
    assert check == "F6"
    assert sentence.startswith("The job's ticket cannot be used on n1: `")


async def test_f7_a_home_that_is_not_mounted(place: Place) -> None:
    place.slurm.tell("node", "export HOME=/nowhere/alice\n")
    check, sentence, _ = await _found(place, with_job=True)
    assert (check, sentence) == ("F7", "The home `/nowhere/alice` cannot be entered on n1.")


# -- G ---------------------------------------------------------------------------------------------------


async def test_g1_an_address_that_leads_nowhere(place: Place, known: Names) -> None:
    place.site |= {"tunnel": {"kind": "direct"}, "node_address": "{node}.wrong.test"}
    check, sentence, fix = await _found(place, with_job=True)
    assert check == "G1"
    assert sentence.startswith("The hub finds no host n1.wrong.test (")
    assert fix.startswith("Correct node_address")
    assert "(catalogue.yaml:" in fix
    assert "n1.wrong.test" not in known


async def test_g1_an_address_that_no_node_can_have(place: Place, known: Names) -> None:
    known["n1"] = ("127.0.1.1",)
    place.site["tunnel"] = {"kind": "direct"}
    check, sentence, _ = await _found(place, with_job=True)
    assert check == "G1"
    assert sentence.startswith("`n1 has the address 127.0.1.1`, which is this machine's own")


def _on_the_node(place: Place, here: str, there: str) -> None:
    """Have the job see another address of the hub than this machine does."""
    place.slurm.tell("node", f"sed -i 's#{here}#{there}#' $here/submitted\n")


async def test_g2_a_hub_that_does_not_run_is_no_matter_of_the_nodes(place: Place) -> None:
    place.api_url = f"http://127.0.0.1:{free_port()}/hub/api"
    found = await place.look(with_job=True)
    assert wrong(found) == {}, told(found)
    skipped = {each.check: str(each.sentence) for each in found if each.state is State.SKIP}
    assert list(skipped) == ["G2", "G4"]
    assert skipped["G2"].endswith(f"this machine does not reach the hub at {place.api_url} either: see C3.")


async def test_g2_a_hub_of_which_nodes_know_no_name(place: Place) -> None:
    _on_the_node(place, "//127.0.0.1:", "//hub.nowhere.invalid:")
    check, sentence, fix = await _found(place, with_job=True)
    assert check == "G2"
    assert sentence.startswith(f"n1 does not find the host of {place.api_url}: ")
    assert fix.startswith("Write a hub_url")
    assert "(catalogue.yaml:" in fix


async def test_g2_a_hub_that_nodes_cannot_connect_to(place: Place) -> None:
    _on_the_node(place, place.api_url, f"http://127.0.0.1:{free_port()}/hub/api")
    check, sentence, _ = await _found(place, with_job=True)
    assert check == "G2"
    assert sentence.startswith(f"n1 cannot reach the hub at {place.api_url}: ")
    assert "Connection refused" in sentence


async def test_g2_a_certificate_that_nodes_do_not_know(place: Place, opened: ExitStack, tmp_path: Path) -> None:
    hub = opened.enter_context(loopback.listening(loopback.Hub(certificate=loopback.certificate(tmp_path))))
    place.api_url = f"https://localhost:{hub.port}/hub/api"
    check, sentence, _ = await _found(place, with_job=True)
    assert check == "G2"
    assert "does not trust the certificate" in sentence


async def test_g2_somebody_else_answers(place: Place, opened: ExitStack) -> None:
    place.api_url = f"{opened.enter_context(hub_api.listening(version=''))}/hub/api"
    check, sentence, _ = await _found(place, with_job=True)
    assert check == "G2"
    assert "is not the hub's API: `HTTP/1.0 200 OK`" in sentence


async def test_g4_reports_that_somebody_turns_away(place: Place, opened: ExitStack) -> None:
    place.api_url = f"{opened.enter_context(hub_api.listening(answer=b'Not found'))}/hub/api"
    check, sentence, _ = await _found(place, with_job=True)
    assert check == "G4"
    assert sentence.startswith("A report of n1 was not answered by this hub: `HTTP/1.0 404")


async def test_g4_a_token_that_something_on_the_way_takes_away(place: Place, opened: ExitStack) -> None:
    place.api_url = f"{opened.enter_context(hub_api.listening(takes_away='Authorization'))}/hub/api"
    check, sentence, fix = await _found(place, with_job=True)
    assert (check, sentence) == (
        "G4",
        "A report of n1 reached the hub without the token that was sent along, so no job would be believed.",
    )
    assert "the header Authorization" in fix
    assert "(catalogue.yaml:" in fix


async def test_g5_a_job_that_does_not_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_END_SECONDS", 1)
    place.slurm.tell("deaf", "")
    check, sentence, _ = await _found(place, with_job=True)
    assert (check, sentence) == ("G5", "Job 42 was cancelled, and has not ended within 1 s.")


async def test_g5_a_job_that_is_killed_at_once_leaves_what_is_then_removed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, ahead = job._Look._report, 0.0

    async def last_report(look: job._Look) -> JobReport | None:
        nonlocal ahead
        found = await report(look)
        # The time is up once the job is seen to have ended.
        ahead = job._END_SECONDS * bool(found and found.state.is_over)
        return found

    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + ahead))
    monkeypatch.setattr(job._Look, "_report", last_report)
    place.slurm.tell("harsh", "KILL")
    check, sentence, _ = await _found(place, with_job=True)
    assert check == "G5"
    assert sentence.startswith("Job 42 has ended, and has left ")
    scratch = place.folder / "scratch" / "alice"
    assert [each for folder in scratch.iterdir() for each in folder.iterdir()] == []
