"""What a hub says of its settings when it starts: each mistake by its own line, and nothing of what is right."""

import os
import stat
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from kerberos_auth.outcome import Outcome, State
from slurm_ssh_spawner.checks import configuration
from slurm_ssh_spawner.checks import machine as machine_checks
from slurm_ssh_spawner.checks.catalogue import by_path, catalogue
from slurm_ssh_spawner.checks.hub import HubSettings, hub, reached_by_nodes
from slurm_ssh_spawner.checks.machine import Files, machine
from tests.support import builders


def _not_well(outcomes: Iterable[Outcome]) -> list[Outcome]:
    return [each for each in outcomes if each.state is not State.OK]


@pytest.fixture
def settings(tmp_path: Path) -> HubSettings:
    """A hub as jupyterhub_config.py sets it up."""
    return HubSettings(
        hub_name="hub",
        has_tickets=True,
        template_paths=(str(tmp_path / "ours"), str(tmp_path / "more")),
        our_templates={"slurm_ssh_spawner.hub": tmp_path / "ours"},
        template_vars=("ticket_notice", "launch_notices"),
        cleanup_servers=False,
        concurrent_spawn_limit=0,
        api_url="http://hub.example.org:8081/hub/api",
        manages_groups=True,
        load_groups={},
        load_roles=({"name": "job-admins", "scopes": ["custom:jobs:admin"]},),
    )


def test_a_hub_as_in_the_reference_deployment_is_well(settings: HubSettings) -> None:
    assert _not_well(hub(settings)) == []


@pytest.mark.parametrize("name", ["prod,test", "", "Prod", "a b", "My Hub", "-a", "a\n", "a" * 33, "\u00e9"])
def test_a_name_that_no_job_can_have_ends_the_start(settings: HubSettings, name: str) -> None:
    (found,) = _not_well(hub(replace(settings, hub_name=name)))
    assert (found.state, found.setting) == (State.FAIL, ("SlurmSSHSpawner", "hub_name"))
    assert "cannot stand in the names of jobs" in found.sentence


def test_groups_of_two_sources_end_the_start(settings: HubSettings) -> None:
    both = replace(settings, load_groups={"course-2026": {}})
    (found,) = _not_well(hub(both))
    assert (found.state, found.setting) == (State.FAIL, ("JupyterHub", "load_groups"))
    assert "course-2026" in found.sentence
    assert _not_well(hub(replace(both, manages_groups=False))) == []


def test_where_nobody_has_tickets_nothing_that_tells_of_them_is_missed(settings: HubSettings) -> None:
    ours = {**settings.our_templates, "kerberos_auth": Path("/nowhere")}
    without = replace(settings, our_templates=ours, template_vars=("launch_notices",))
    assert len(_not_well(hub(without))) == 2
    assert _not_well(hub(replace(without, has_tickets=False))) == []


@pytest.mark.parametrize(
    ("changed", "setting", "said"),
    [
        ({"template_paths": ()}, "template_paths", "Pages of slurm_ssh_spawner.hub are not used"),
        ({"template_vars": ("ticket_notice",)}, "template_vars", "has no launch_notices"),
        ({"template_vars": ("launch_notices",)}, "template_vars", "has no ticket_notice"),
        ({"cleanup_servers": True}, "cleanup_servers", "Every restart of the hub ends all servers"),
        ({"concurrent_spawn_limit": 100}, "concurrent_spawn_limit", "Only 100 servers may start at once"),
    ],
)
def test_what_people_would_miss_is_a_warning(
    settings: HubSettings, changed: dict[str, object], setting: str, said: str
) -> None:
    (found,) = _not_well(hub(replace(settings, **changed)))  # type: ignore[arg-type]
    assert (found.state, found.setting) == (State.WARN, ("JupyterHub", setting))
    assert said in found.sentence
    assert found.fix


@pytest.mark.parametrize(
    ("url", "sites", "is_said"),
    [
        ("http://127.0.0.1:8081/hub/api", ["geneva"], True),
        ("http://localhost:8081/hub/api", ["geneva", "lugano"], True),
        ("http://[::1]:8081/hub/api", ["geneva"], True),
        ("http://127.0.0.1:8081/hub/api", [], False),
        ("http://hub.example.org:8081/hub/api", ["geneva"], False),
    ],
)
def test_an_address_of_the_hub_that_no_node_can_reach(url: str, sites: list[str], is_said: bool) -> None:
    found = list(reached_by_nodes(url, sites))
    assert [each.check for each in found] == ["C3"] * is_said
    assert all(site in each.sentence for each in found for site in sites)


class TestMachine:
    def test_folders_in_order_say_nothing(self, tmp_path: Path) -> None:
        found = [each for each in machine(Files(databases=(tmp_path,))) if each.check != "A3"]
        assert _not_well(found) == []

    def test_root_is_a_warning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for uid, state in ((0, State.WARN), (1000, State.OK)):
            monkeypatch.setattr(os, "geteuid", lambda uid=uid: uid)
            assert [each.state for each in machine(Files())] == [state]

    def test_a_folder_that_is_not_there_or_open_to_others(self, tmp_path: Path) -> None:
        (tmp_path / "open").mkdir()
        (tmp_path / "open").chmod(0o777)
        found = _not_well(machine(Files(databases=(tmp_path / "none", tmp_path / "open"))))
        said = [(each.check, each.state) for each in found if each.check != "A3"]
        assert said == [("A9", State.FAIL), ("A4", State.WARN)]

    def test_a_secret_that_others_may_read(self, tmp_path: Path) -> None:
        secret = tmp_path / "cookie_secret"
        secret.write_text("secret")
        secret.chmod(0o644)
        found = [each for each in machine(Files(secrets=(secret,))) if each.check == "A4"]
        assert [each.fix for each in found] == [f"Run chmod go= {secret}."]
        secret.chmod(0o600)
        assert [each for each in machine(Files(secrets=(secret,))) if each.check == "A4"] == []

    @pytest.mark.parametrize(("kind", "is_said"), [("ext4", True), ("tmpfs", False), ("ramfs", False)])
    def test_tickets_on_a_disk(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, is_said: bool
    ) -> None:
        mounts = tmp_path / "mounts"
        mounts.write_text(f"/dev/sda / xfs rw 0 0\nx {tmp_path} {kind} rw 0 0\ny {tmp_path}/krb5x tmpfs rw 0 0\n")
        monkeypatch.setattr(machine_checks, "_MOUNTS", mounts)
        found = [each for each in machine(Files(tickets=tmp_path / "krb5")) if each.check == "A4"]
        assert [kind in each.sentence for each in found] == [True] * is_said

    def test_without_kinit_nothing_can_be_renewed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        found = [each for each in machine(Files(tickets=tmp_path)) if each.check == "A10"]
        assert [each.state for each in found] == [State.FAIL]
        assert [each for each in machine(Files()) if each.check == "A10"] == []


class TestCatalogue:
    def test_a_file_that_others_may_write(self, tmp_path: Path) -> None:
        file = tmp_path / "catalogue.yaml"
        file.write_text(builders.written())
        for mode, count in ((0o644, 0), (0o666, 1)):
            file.chmod(mode)
            found = list(catalogue(builders.catalogue(), [file], by_path("c.yaml"), has_groups=False))
            assert [each.check for each in found] == ["D1"] * count
        assert stat.S_IMODE(file.stat().st_mode) == 0o666

    def test_a_maintenance_that_is_over(self) -> None:
        over = {"begins": "2020-01-01 08:00", "ends": "2020-01-01 09:00"}
        ahead = {"begins": "2100-01-01 08:00", "ends": "2100-01-01 09:00"}
        for times, count in (([over], 1), ([over, ahead], 0), ([], 0)):
            read = builders.catalogue(sites={"geneva": builders.site(maintenance=times)})
            found = list(catalogue(read, [], by_path("c.yaml"), has_groups=True))
            assert [each.place for each in found] == ["c.yaml: sites.geneva.maintenance"] * count

    def test_a_group_that_this_machine_does_not_know(self) -> None:
        entry = builders.profile(visible_to={"groups": ["root", "no-such-group"]})
        read = builders.catalogue(profiles={"jupyterlab": entry})
        (found,) = catalogue(read, [], by_path("c.yaml"), has_groups=True)
        assert (found.check, found.place) == ("D3", "c.yaml: profiles.jupyterlab.visible_to.groups")
        assert "no group no-such-group" in found.sentence
        assert list(catalogue(read, [], by_path("c.yaml"), has_groups=False)) == []

    def test_wherever_it_is_named(self) -> None:
        seen = {"groups": ["no-such-group"]}
        course = {"course": {"visible_to": seen}}
        there = {"resources": {"cores": 2}, "visible_to": seen}
        entry = builders.profile(
            by_group={"no-such-group": {"resources": {"cores": 3}}}, reservations=course, sites={"geneva": there}
        )
        sites = {"geneva": builders.site(reservations=course)}
        read = builders.catalogue(profiles={"jupyterlab": entry}, sites=sites)
        found = list(catalogue(read, [], by_path("c.yaml"), has_groups=True))
        assert [each.place.removeprefix("c.yaml: ") for each in found] == [
            "sites.geneva.reservations.course.visible_to.groups",
            "profiles.jupyterlab.by_group.no-such-group",
            "profiles.jupyterlab.reservations.course.visible_to.groups",
            "profiles.jupyterlab.sites.geneva.visible_to.groups",
        ]
        assert "nobody of it sees sites.geneva.reservations.course." in found[0].sentence
        assert "what profiles.jupyterlab has for it is for nobody" in found[1].sentence

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "cannot be read: No such file or directory"),
            (b"Dear diary", "is not a keytab or is damaged"),
            (b"\x05\x02", "has no key of jmonitor@LAB.TEST"),
        ],
    )
    def test_the_keytab_of_a_monitor(self, tmp_path: Path, content: bytes | None, said: str) -> None:
        path = tmp_path / "monitor.keytab"
        if content is not None:
            path.write_bytes(content)
        monitor = {"principal": "jmonitor@LAB.TEST", "keytab": str(path), "login": "jmonitor"}
        read = builders.catalogue(sites={"geneva": builders.site(monitor=monitor)})
        (found,) = catalogue(read, [], by_path("c.yaml"), has_groups=False)
        assert (found.check, found.state) == ("B7", State.WARN)
        assert said in found.sentence


def test_a_setting_is_told_with_the_line_that_writes_it_last(tmp_path: Path) -> None:
    file = tmp_path / "jupyterhub_config.py"
    file.write_text(
        "c = get_config()\nc.A.one = 1\nc.A.two: int = 2\nc.A.map['x'] = 3\n"
        "c.A.list.append(4)\nif True:\n    c.A.one = 5\nx = 6\nprint.a.b()\n"
    )
    lines = configuration.lines(str(file))
    assert lines == {("A", "one"): 7, ("A", "two"): 3, ("A", "map"): 4, ("A", "list"): 5}
    outcome = Outcome("A2", State.WARN, "Wrong.", "Mend it.", ("A", "one"))
    assert configuration.placed(outcome, str(file), lines).text == f"Wrong. Mend it. ({file}:7)"
    assert configuration.placed(replace(outcome, setting=("B", "x")), str(file), lines).text == "Wrong. Mend it."


@pytest.mark.parametrize("content", [b"c.A.b = (", b"\0", b"\xff\xfe", b"(" * 100_000])
def test_a_file_that_is_no_python_has_no_lines(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "jupyterhub_config.py"
    assert configuration.lines(str(file)) == {}
    file.write_bytes(content)
    assert configuration.lines(str(file)) == {}
