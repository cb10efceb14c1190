"""`jupyterhub-sites`, as an admin types it; what asks Slurm is in tests/lab/test_check.py."""

import asyncio
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from slurm_ssh_spawner.cli import check, main
from tests.support import builders, sshd
from tests.support.authority import Authority
from tests.support.folders import TREE

_EXAMPLE = TREE / "examples" / "catalogue.yaml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A catalogue with a profile for all, and one for the group staff and the project physics."""
    endless = {"partitions": {"normal": {}, "debug": {"title": "Debug", "time_max": "10m"}}}
    lugano = builders.site(title="Lugano", projects="accounting", **endless)
    sites = {"geneva": builders.site(), "lugano": lugano}
    parameter = {"title": "Version", "options": ["1.0", "2.0"]}
    few = {"groups": ["staff"], "projects": ["physics"]}
    profiles = {
        "all": builders.profile(parameters={"version": parameter}, modules=["tool/{param.version}"]),
        "few": builders.profile(name="For few", sites=["lugano"], visible_to=few),
    }
    path = tmp_path / "catalogue.yaml"
    path.write_text(yaml.safe_dump({"sites": sites, "profiles": profiles}, sort_keys=False), encoding="utf-8")
    return path


class TestCheck:
    def test_a_right_catalogue_is_one_line(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main.main(["check", str(file)]) == 0
        assert capsys.readouterr().out == f"{file}: no problem found (sites: 2, profiles: 2, job types: 0).\n"

    def test_every_problem_of_every_file_is_printed(
        self, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        other = tmp_path / "other.yaml"
        other.write_text("sites: 5\nprofile: {}\n", encoding="utf-8")
        assert main.main(["check", str(other), str(file), str(tmp_path / "none.yaml")]) == 1
        lines = capsys.readouterr().out.splitlines()
        assert [line.split(" ")[0] for line in lines] == [
            f"{other}:1:1:",
            f"{other}:1:1:",
            f"{other}:2:1:",
            f"{file}:",
            f"{tmp_path / 'none.yaml'}:1:1:",
        ]

    def test_without_a_ticket_it_says_how_to_get_one(
        self, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KRB5CCNAME", "FILE:/nowhere/ticket")
        assert main.main(["check", str(file), "--facts"]) == 1
        said = capsys.readouterr()
        assert (
            said.err
            == "You have no ticket in /nowhere/ticket (No such file or directory). Run `kinit -f` first.\n"
        )

    async def test_where_people_come_by_certificate_sites_are_asked_as_the_owner_of_the_process(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KRB5CCNAME", "FILE:/nowhere/ticket")
        monkeypatch.setattr(check.getpass, "getuser", lambda: "alice")
        authority = Authority(tmp_path / "ca")
        async with sshd.running_for_key(tmp_path, authority=authority.public) as login1:
            site = builders.site(
                front_ends=[login1.front_end.model_dump(mode="json")],
                login={"kind": "certificate", "ca_key": str(authority.path)},
                ticket={"delivery": "none"},
            )
            (tmp_path / "c.yaml").write_text(builders.written(sites={"zurich": site}))
            assert await asyncio.to_thread(main.main, ["check", str(tmp_path / "c.yaml"), "--facts"]) == 1
            assert login1.tried == ["alice"]
        # There is no Slurm.
        assert "Geneva could not be asked, so nothing is proven" in capsys.readouterr().out

    async def test_without_a_ticket_sites_that_ask_for_none_are_asked_all_the_same(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KRB5CCNAME", "FILE:/nowhere/ticket")
        monkeypatch.setattr(check.getpass, "getuser", lambda: "alice")
        authority = Authority(tmp_path / "ca")
        async with sshd.running_for_key(tmp_path, authority=authority.public) as login1:
            zurich = builders.site(
                title="Zurich",
                front_ends=[login1.front_end.model_dump(mode="json")],
                login={"kind": "certificate", "ca_key": str(authority.path)},
                ticket={"delivery": "none"},
            )
            sites = {"geneva": builders.site(), "zurich": zurich}
            (tmp_path / "c.yaml").write_text(builders.written(sites=sites))
            assert await asyncio.to_thread(main.main, ["check", str(tmp_path / "c.yaml"), "--facts"]) == 1
            assert login1.tried == ["alice"]
        said = capsys.readouterr().out
        assert "sites.geneva: was not asked, so nothing is proven about it: You have no ticket in" in said
        assert "sites.zurich: Zurich could not be asked" in said

    def test_programs_read_json(self, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        other = tmp_path / "other.yaml"
        other.write_text("sites: 5\n", encoding="utf-8")
        assert main.main(["check", "--json", str(file), str(other)]) == 1
        right, wrong = json.loads(capsys.readouterr().out)
        assert right == {
            "file": str(file),
            "problems": [],
            "notices": [],
            "sites": 2,
            "profiles": 2,
            "job_types": 0,
        }
        assert {(each["file"], each["line"], each["path"]) for each in wrong["problems"]} >= {
            (str(other), 1, "sites")
        }
        assert main.main(["check", "--json", str(file)]) == 0

    def test_without_a_file_it_is_the_one_of_the_hub(
        self, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(main, "_CATALOGUE", str(file))
        assert main.main(["check"]) == 0
        assert capsys.readouterr().out.startswith(f"{file}: no problem found")

    @pytest.mark.parametrize(
        "arguments", [[], ["chek"], ["show", "x.yaml"], ["check", "--fact", "x"], ["show", "--use", "alice"]]
    )
    def test_a_wrong_command_line_is_exit_2(
        self, arguments: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main.main(arguments) == 2
        assert capsys.readouterr().out.count("Traceback") == 0


class TestSchema:
    def test_it_is_printed_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main.main(["schema"]) == 0
        assert json.loads(capsys.readouterr().out)["title"] == "Catalogue"

    def test_the_reference_is_markdown(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main.main(["schema", "--reference"]) == 0
        assert capsys.readouterr().out.startswith("## The file\n")


class TestShow:
    def test_what_anybody_is_offered_and_why_not_the_rest(
        self, file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main.main(["show", str(file), "--user", "alice"]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "all: JupyterLab",
            "  geneva: time 1m to 12h, cores 1 to 8, memory 256M to 4G, gpus 0 to 2",
            "    partitions: normal, debug",
            "    projects: physics, chemistry",
            "    version: 1.0 or 2.0, default 1.0",
            "  lugano: time 1m to 12h, cores 1 to 8, memory 256M to 4G, gpus 0 to 2",
            "    partitions: normal, debug",
            "    projects: those that Slurm's accounting lists for the person (name them with --project)",
            "    version: 1.0 or 2.0, default 1.0",
            "",
            "alice cannot start:",
            "  few at lugano: alice does not see For few at Lugano: it is for members of staff and for people who "
            "may charge physics. Which projects alice may charge there is not known.",
        ]

    @pytest.mark.parametrize("more", [["--group", "other", "--group", "staff"], ["--project", "physics"]])
    def test_a_group_or_a_project_opens_a_profile(
        self, file: Path, more: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main.main(["show", str(file), "--user", "alice", *more]) == 0
        shown = capsys.readouterr().out
        assert "few: For few\n" in shown
        assert "cannot start" not in shown

    def test_job_types_stand_below(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        jobs = {"folder": "/scratch/{owner}/jobs"}
        staff = {"groups": ["staff"]}
        types = {"recon": builders.job_type(), "few": builders.job_type(name="For few", visible_to=staff)}
        file = tmp_path / "catalogue.yaml"
        file.write_text(
            builders.written(sites={"geneva": builders.site(jobs=jobs)}, job_types=types), encoding="utf-8"
        )
        assert main.main(["show", str(file), "--user", "alice"]) == 0
        shown = capsys.readouterr().out.splitlines()
        assert shown[0] == "jupyterlab: JupyterLab"
        assert shown[shown.index("Job types:") - 1 :] == [
            "",
            "Job types:",
            "recon: Reconstruction",
            "  geneva: time 1m to 12h, cores 1 to 8, memory 1G, nodes 1 to 2",
            "    partitions: normal, debug",
            "    projects: physics, chemistry",
            "    method: fast or full, default fast",
            "    quality: 1 to 10, default 5",
            "",
            "alice cannot run:",
            "  few at geneva: alice does not see For few at Geneva: it is for members of staff.",
        ]
        assert main.main(["check", str(file)]) == 0
        assert capsys.readouterr().out.endswith("(sites: 1, profiles: 1, job types: 2).\n")

    def test_a_wrong_catalogue_is_told_on_stderr(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main.main(["show", str(tmp_path / "none.yaml"), "--user", "alice"]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert "cannot be read: No such file" in said.err


class TestScript:
    def test_it_is_the_job_that_would_be_sent(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        asked = ["script", str(file), "--profile", "all", "--site", "geneva", "--user", "alice"]
        assert main.main([*asked, "--choice", "time=2h", "--choice", "param.version=2.0"]) == 0
        text = capsys.readouterr().out
        assert "\n#SBATCH --time=120\n" in text
        assert "load_modules tool/2.0" in text
        assert "\nexport JUPYTERHUB_USER=alice\n" in text
        assert subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode == 0

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            (["--profile", "some"], "Profile: some is not offered. Choose one of: all.\n"),
            (["--profile", "few"], "Profile: few is not offered. Choose one of: all.\n"),
            (
                ["--choice", "time=2 weeks"],
                "Time: '2 weeks' is not a time; write 90m, 8h, 1h30m",
            ),
            (["--choice", "time"], "The choice time is not NAME=VALUE. Write one such as time=2h.\n"),
            (
                ["--choice", "time=1h", "--choice", "time=2h"],
                "A choice is given more than once. Give each once.\n",
            ),
            (
                ["--profile", "all", "--choice", "profile=all"],
                "A choice is given more than once. Give each once.\n",
            ),
            (["--choice", "tiem=2h"], "There is no choice named tiem. "),
        ],
    )
    def test_what_cannot_be_had_is_a_sentence(
        self, file: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main.main(["script", str(file), "--user", "alice", *more]) == 1
        assert capsys.readouterr().err.startswith(said)


def test_the_page_of_the_command_has_every_verb() -> None:
    page = (TREE / "docs" / "command-line.md").read_text(encoding="utf-8")
    verbs = {
        each.name or getattr(each.callback, "__name__", "").replace("_", "-")
        for each in main.app.registered_commands
    }
    assert {"check", "init", "import", "launches"} < verbs
    assert {verb for verb in verbs if f"\n| `{verb}" not in page} == set()


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--version"]) == 0
    assert capsys.readouterr().out == f"jupyterhub-sites {version('jupyterhub-sites')}\n"


def test_the_command_is_installed_and_knows_no_jupyterhub_and_no_database() -> None:
    program = "import sys; from slurm_ssh_spawner.cli import main; main.main(['check', sys.argv[1]]); "
    program += "print({'jupyterhub', 'batchspawner', 'tornado', 'traitlets', 'sqlalchemy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program, _EXAMPLE], capture_output=True, text=True, check=True, cwd=TREE
    )
    assert done.stdout.endswith(").\nset()\n")
    command = Path(sys.executable).with_name("jupyterhub-sites")
    assert subprocess.run([command, "check", _EXAMPLE], check=False, capture_output=True).returncode == 0
