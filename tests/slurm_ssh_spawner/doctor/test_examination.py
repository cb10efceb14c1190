"""How `doctor` goes on whatever a check does, what it prints, and what it leaves behind: nothing."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kerberos_auth.outcome import Outcome, State
from slurm_ssh_spawner.cli import doctor as command
from slurm_ssh_spawner.cli import main
from slurm_ssh_spawner.doctor import check, examination
from slurm_ssh_spawner.doctor.check import Check
from slurm_ssh_spawner.doctor.examined import Examined
from slurm_ssh_spawner.doctor.private import private_folder
from slurm_ssh_spawner.sentences import doctor as sentences
from tests.support.folders import TREE
from tests.support.terminal import Terminal
from tests.support.waiting import Timeouts
from tests.support.well_hub import WellHub


def _run(*arguments: str) -> int:
    return main.main(["doctor", *arguments])


class TestA1:
    @pytest.mark.parametrize(
        ("text", "line", "sentence"),
        [
            ("x = 1\nc.JupyterHub.bind_url = (\n", 2, "SyntaxError: '(' was never closed"),
            ("\nimport nothing_of_that_name\n", 2, "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
            ("def f():\n    raise SystemExit('no')\n\nf()\n", 2, "SystemExit: no"),
            ("c.JupyterHub.bind_url = 5\n", 1, "The 'bind_url' trait of a JupyterHub instance expected"),
            (
                "c.JupyterHub.spawner_class = 'slurm-ssh'\nc.SlurmSSHSpawner.tunnel_ports = '9'\n",
                2,
                "SlurmSSHSpawner.tunnel_ports: '9' is not a range of ports",
            ),
            ("c.JupyterHub.spawner_class = 'simple'\n", 1, "This hub's spawner is not SlurmSSHSpawner"),
            ("c.JupyterHub.authenticator_class = 'no-such'\n", 1, "no-such"),
        ],
    )
    def test_a_configuration_that_cannot_be_used(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, line: int, sentence: str
    ) -> None:
        file = tmp_path / "jupyterhub_config.py"
        file.write_text(text)
        assert _run("-f", str(file), "--only", "A,C") == 1
        first, *rest = capsys.readouterr().out.splitlines()
        assert first.startswith("FAIL A1  ")
        assert sentence in first
        assert f"({file}:{line})" in rest[0]
        assert rest[1:] == [
            "skip A   Not looked at, because A1 failed.",
            "skip C   Not looked at, because A1 failed.",
            "0 ok, 0 to look at, 1 failed, 2 not looked at.",
        ]

    def test_one_that_is_not_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert _run("-f", str(tmp_path / "none.py"), "--only", "A") == 1
        said = capsys.readouterr().out.splitlines()
        assert said[0] == f"FAIL A1  There is no configuration {tmp_path}/none.py."
        fix = "Name the hub's (jupyterhub-sites doctor -f FILE), or make one (jupyterhub-sites init)."
        assert said[1] == f"      → {fix}"


class TestOutput:
    def test_a_line_for_each_and_what_to_do_under_it(
        self, well: WellHub, capsys: pytest.CaptureFixture[str]
    ) -> None:
        well.settings["JupyterHub.cleanup_servers"] = True
        well.written()
        assert _run("-f", str(well.file), "--only", "A") == 0
        said = capsys.readouterr().out.splitlines()
        assert f"ok   A1  {well.file} can be read." in said
        at = said.index("warn A11 Every restart of the hub ends all servers.")
        place = well.line("JupyterHub.cleanup_servers")
        assert said[at + 1] == f"      → Set c.JupyterHub.cleanup_servers = False. ({place})"
        assert said[-1] == "9 ok, 1 to look at, 0 failed, 0 not looked at."

    def test_for_programs(self, well: WellHub, capsys: pytest.CaptureFixture[str]) -> None:
        well.settings["SlurmSSHSpawner.hub_name"] = "My Hub"
        well.written()
        with well.file.open("a") as file:
            file.write("print('of the configuration')\n")
        assert _run("-f", str(well.file), "--only", "A", "--json") == 1
        said = json.loads(capsys.readouterr().out)
        assert said["counts"] == {"ok": 9, "warn": 0, "fail": 1, "skip": 0}
        (wrong,) = (each for each in said["outcomes"] if each["state"] == "FAIL")
        assert wrong == {
            "check": "A11",
            "state": "FAIL",
            "site": "",
            "sentence": "SlurmSSHSpawner.hub_name, 'My Hub', cannot stand in the names of jobs.",
            "fix": "Use at most 32 lower case letters, digits, _ and -, beginning with a letter or digit.",
            "place": well.line("SlurmSSHSpawner.hub_name"),
            "page": "docs/doctor.md#a11",
        }

    def test_what_is_not_looked_at_is_not_well(self, well: WellHub, capsys: pytest.CaptureFixture[str]) -> None:
        well.written()
        assert _run("-f", str(well.file), "--only", "E") == 2
        assert capsys.readouterr().out.startswith("skip E   geneva: Not looked at: name somebody")

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["--only", "A,X"], "There is no group X: name some of A to G, such as A,B.\n"),
            (["--site", "basel"], "The catalogue has no site basel. Its sites: geneva.\n"),
            (["--as", "alice"], "--as asks for a password on a terminal, and there is none.\n"),
        ],
    )
    def test_what_cannot_be_asked_for(
        self, well: WellHub, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
    ) -> None:
        well.written()
        assert _run("-f", str(well.file), *arguments) == 1
        assert capsys.readouterr().err == sentence

    def test_the_password_is_asked_for_on_the_terminal(
        self, well: WellHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        well.written()
        asked: list[str] = []

        def getpass(prompt: str) -> str:
            asked.append(prompt)
            return "alice-pw"

        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(command.getpass, "getpass", getpass)
        assert _run("-f", str(well.file), "--only", "B", "--as", "alice") == 0
        assert asked == ["Password of alice: "]
        assert "ok   B5  alice@LAB.TEST can log in." in capsys.readouterr().out


class TestGoesOn:
    def test_a_check_that_raises_is_an_outcome(self, well: WellHub, monkeypatch: pytest.MonkeyPatch) -> None:
        def look(_: Examined) -> Iterator[Outcome]:
            yield Outcome("A2", State.OK, "Well.")
            raise KeyError("this")

        checks = (Check(("A2",), look), Check(("A3",), lambda _: ()))
        monkeypatch.setitem(examination._CHECKS, "A", checks)
        found = [each.outcome for each in well.look("A")]
        assert [(each.check, each.state) for each in found] == [("A1", "ok"), ("A2", "FAIL"), ("A3", "ok")]
        assert found[1].sentence == "This could not be looked at: KeyError: 'this'."

    def test_one_that_does_not_end_is_given_up(self, well: WellHub, monkeypatch: pytest.MonkeyPatch) -> None:
        end = threading.Event()
        monkeypatch.setattr(check.made, "__defaults__", (0.05,))
        monkeypatch.setitem(examination._CHECKS, "A", (Check(("A2",), lambda _: [] * end.wait()),))
        found = [each.outcome for each in well.look("A")]
        end.set()
        assert [(each.check, each.state) for each in found] == [("A1", "ok"), ("A2", "FAIL")]
        assert found[1].sentence == "This could not be looked at within 0 s."

    def test_sites_are_looked_at_at_once_and_told_in_their_order(
        self, well: WellHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        well.catalogue["sites"] |= {
            "lugano": {**well.site, "title": "Lugano"},
            "zurich": {**well.site, "title": "Z"},
        }
        all_there, timeouts = asyncio.Barrier(3), Timeouts(monkeypatch, examination)

        async def look(_: Examined, key: str, **__: object) -> list[Outcome]:
            await all_there.wait()
            if key == "lugano":
                raise ValueError("no")
            if key == "zurich":
                for _ in range(10):  # The others have answered then.
                    await asyncio.sleep(0)
                timeouts.come()
                await asyncio.Event().wait()
            return [Outcome("E2", State.OK, "B."), Outcome("E1", State.OK, "A."), Outcome("F1", State.OK, "C.")]

        monkeypatch.setattr(examination, "look", look)
        found = well.look("E", "alice", "alice-pw")
        assert [(each.site, each.outcome.check, each.outcome.state) for each in found] == [
            ("geneva", "E1", "ok"),
            ("geneva", "E2", "ok"),
            ("lugano", "E", "FAIL"),
            ("zurich", "E", "FAIL"),
        ]
        assert "ValueError: no" in found[2].outcome.sentence
        assert found[3].outcome.sentence == "The site could not be looked at within 45 s."


class TestPrivate:
    def test_a_folder_of_ones_own_that_is_gone_in_the_end(self) -> None:
        with private_folder() as folder:
            assert folder.stat().st_mode & 0o777 == 0o700
            (folder / "ticket").write_bytes(b"secret")
        assert not folder.exists()

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_it_goes_whatever_ends_the_program(self, number: signal.Signals) -> None:
        program = (
            "import asyncio, sys\nfrom slurm_ssh_spawner.doctor.private import private_folder\n"
            "async def wait():\n    print(folder, flush=True)\n    await asyncio.Event().wait()\n"
            "with private_folder() as folder:\n    (folder / 'ticket').write_text('x')\n    asyncio.run(wait())\n"
        )
        started = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=TREE, text=True
        )
        with started:
            assert started.stdout is not None
            folder = Path(started.stdout.readline().strip())
            assert (folder / "ticket").exists()
            started.send_signal(number)
            assert started.wait() != 0
        assert not folder.exists()


def test_each_check_has_a_sentence_for_when_all_is_well_and_its_place_on_the_page() -> None:
    names = {name for checks in examination._CHECKS.values() for each in checks for name in each.names}
    assert names == set(sentences.WELL)
    page = (TREE / "docs/doctor.md").read_text()
    for name in names | {"A1", "B5", "B7"}:
        assert f"\n### {name}\n" in page
