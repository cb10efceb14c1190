from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.environment import Environment
from profiles.errors import ChoiceRefused
from profiles.facts import Facts, SiteFacts
from profiles.offer.alike import alike
from profiles.offer.choices import FIELDS, Choices
from profiles.offer.launch import NotebookLaunch, resolve
from profiles.offer.offer import Offer, Person
from tests.support import builders

_OFFER = builders.catalogue(
    sites={"geneva": builders.site(), "lugano": builders.site(title="Lugano", partitions={}, projects="none")},
    profiles={
        "jupyterlab": builders.profile(environment={"A": "b"}),
        "big": builders.profile(name="Big", sites=["lugano"]),
    },
)


def _launch(**choices: str) -> NotebookLaunch:
    return resolve(builders.offer(_OFFER), Choices.of(choices))


def test_no_choices_mean_the_first_of_everything() -> None:
    launch = _launch()
    assert (launch.profile_key, launch.site_key, launch.partition) == ("jupyterlab", "geneva", "normal")
    assert (launch.project, launch.reservation, launch.qos) == ("physics", None, None)
    assert (launch.time_minutes, launch.cores, launch.memory_mib, launch.gpus) == (60, 1, 1024, 0)
    assert (launch.user, launch.owner, launch.queue_wait_minutes) == ("alice", "alice", 24 * 60)
    assert launch.command == ("jupyterhub-singleuser",)


def test_a_launch_has_the_environments_of_its_site_and_its_profile_in_this_order() -> None:
    launch = _launch()
    assert launch.environments == (launch.site.jupyter, Environment(variables={"A": "b"}))


def test_every_choice_is_taken() -> None:
    launch = _launch(
        profile="jupyterlab",
        site="geneva",
        partition="normal",
        project="chemistry",
        time="7h30m",
        cores="8",
        memory="4G",
        gpus="2",
        reservation="school",
        qos="high",
    )
    assert (launch.project, launch.reservation, launch.qos) == ("chemistry", "school", "high")
    assert (launch.time_minutes, launch.cores, launch.memory_mib, launch.gpus) == (450, 8, 4096, 2)


def test_a_site_without_partitions_and_projects_asks_for_none() -> None:
    launch = _launch(profile="big")
    assert (launch.site_key, launch.partition, launch.project) == ("lugano", None, None)


def test_a_person_may_have_another_name_at_a_site() -> None:
    offer = builders.catalogue(sites={"geneva": builders.site(login_name={"alice": "ahartman"})})
    assert builders.launch(offer).owner == "ahartman"
    assert builders.launch(offer, user="bob").owner == "bob"


def test_options_of_sbatch_may_name_the_owner_by_their_login_at_the_site() -> None:
    own = {"comment": "of {owner}, by {owner}", "exclusive": True}
    site = builders.site(login_name={"alice": "amueller"}, directives={"mail-user": "{owner}@geneva.test"})
    profiles = {"jupyterlab": builders.profile(directives=own)}
    launch = builders.launch(builders.catalogue(sites={"geneva": site}, profiles=profiles))
    assert launch.directives == {
        "mail-user": "amueller@geneva.test",
        "comment": "of amueller, by amueller",
        "exclusive": True,
    }


_GROUPS = {
    "staff": {"resources": {"cores": {"default": 2, "max": 32}}, "directives": {"nice": "10"}},
    "gpu-users": {"partitions": ["debug"], "directives": {"nice": "5", "licenses": "matlab"}},
}


@pytest.mark.parametrize(
    ("groups", "cores", "partition", "nice"),
    [((), 1, "normal", None), (("staff", "other"), 2, "normal", "10"), (("gpu-users", "staff"), 2, "debug", "5")],
)
def test_members_of_groups_may_have_more_and_other_options(
    groups: tuple[str, ...], cores: int, partition: str, nice: str | None
) -> None:
    profiles = {"jupyterlab": builders.profile(by_group=_GROUPS, directives={"comment": "mine"})}
    offer = builders.offer(builders.catalogue(profiles=profiles), person=Person("alice", frozenset(groups)))
    launch = resolve(offer, Choices.of({}))
    assert (launch.cores, launch.partition, launch.directives.get("nice")) == (cores, partition, nice)
    assert launch.directives["comment"] == "mine"
    if "staff" in groups:
        assert resolve(offer, Choices.of({"cores": "32"})).cores == 32
    else:
        with pytest.raises(ChoiceRefused, match="Choose 1 to 8"):
            resolve(offer, Choices.of({"cores": "32"}))


def test_what_differs_at_a_site_and_for_a_group_is_joined() -> None:
    there = {"by_group": {"staff": {"resources": {"cores": 16}}}, "directives": {"nice": "1"}}
    own = {"by_group": _GROUPS, "sites": {"geneva": there}}
    catalogue = builders.catalogue(profiles={"jupyterlab": builders.profile(**own)})
    offer = builders.offer(catalogue, person=Person("alice", frozenset({"staff", "gpu-users"})))
    launch = resolve(offer, Choices.of({}))
    assert (launch.cores, launch.partition, launch.directives["nice"]) == (16, "debug", "5")


def test_what_is_worked_out_for_many_is_not_that_of_a_group_with_more() -> None:
    profiles = {"jupyterlab": builders.profile(by_group=_GROUPS)}
    menu = builders.catalogue(profiles=profiles).notebooks
    people = [Person("alice"), Person("bob", frozenset({"other"})), Person("carol", frozenset({"staff"}))]
    keys = [alike(Offer(menu, {}, each, builders.NOW)).key for each in people]
    assert keys[0] == keys[1]
    assert keys[0] != keys[2]


def test_all_choices_that_cannot_be_had_are_named_at_once() -> None:
    with pytest.raises(ChoiceRefused) as refused:
        _launch(time="99h", memory="16", project="biology", qos="x", cores="many")
    assert [each.field for each in refused.value.all] == ["time", "cores", "memory", "project", "qos"]
    assert refused.value.message.startswith("Time: 99h is not offered.")
    assert all(each.said in refused.value.message for each in refused.value.all)


def test_a_partition_with_short_jobs_shortens_the_default() -> None:
    assert _launch(partition="debug").time_minutes == 10


@pytest.mark.parametrize(
    ("choices", "field", "said"),
    [
        ({"profile": "matlab"}, "profile", "Choose one of: jupyterlab, big."),
        ({"site": "bern"}, "site", "Choose one of: geneva, lugano."),
        ({"profile": "big", "site": "geneva"}, "site", "Choose one of: lugano."),
        ({"partition": "long"}, "partition", "Choose one of: normal, debug."),
        ({"site": "lugano", "partition": "normal"}, "partition", "Nothing can be chosen here: omit it."),
        ({"project": "biology"}, "project", "Choose one of: physics, chemistry."),
        ({"reservation": "x"}, "reservation", "Choose one of: school."),
        ({"qos": "x"}, "qos", "Choose one of: high."),
        ({"time": "9h"}, "time", "Choose 1m to 8h. The partition normal allows no more."),
        (
            {"time": "11m", "partition": "debug"},
            "time",
            "Choose 1m to 10m. The partition Debug allows no more.",
        ),
        ({"time": "13h", "site": "lugano"}, "time", "Choose 1m to 12h."),
        ({"time": "soon"}, "time", "write 90m, 8h, 1h30m, 2d or 08:00:00"),
        ({"cores": "0"}, "cores", "Choose 1 to 8."),
        ({"cores": "many"}, "cores", "is not a whole number"),
        ({"memory": "5G"}, "memory", "Choose 256M to 4G."),
        ({"memory": "lots"}, "memory", "write 900M or 64G"),
        ({"memory": " 16 "}, "memory", "Memory: write 16G for gigabytes, or 16M for megabytes."),
        ({"gpus": "3"}, "gpus", "Choose 0 to 2."),
        (
            {"param.version": "5"},
            "param.version",
            "JupyterLab has no parameter named version. It has no parameters: omit it.",
        ),
    ],
)
def test_a_refusal_names_the_field_and_what_would_be_accepted(
    choices: dict[str, str], field: str, said: str
) -> None:
    with pytest.raises(ChoiceRefused) as refused:
        _launch(**choices)
    assert refused.value.field == field
    assert said in refused.value.message


def test_a_fixed_resource_says_its_only_value() -> None:
    offer = builders.catalogue(profiles={"one": builders.profile(resources={"memory": "2G"})})
    with pytest.raises(ChoiceRefused, match="Choose 2G"):
        builders.launch(offer, {"memory": "3G"})


@pytest.mark.parametrize(
    "name", ["user", "Profile", "", "param.", "param.A", "param.a b", "param." + "a" * 41, 7, None]
)
def test_an_unknown_choice_is_refused(name: Any) -> None:
    with pytest.raises(ChoiceRefused, match="There is no choice named"):
        Choices.of({name: "x"})


@pytest.mark.parametrize(
    "value", [1, 1.5, True, None, ["geneva"], {"a": "b"}, b"geneva", "a\nb", "a\0", "\x1b[0m", "x" * 201]
)
def test_a_choice_that_is_not_one_short_line_of_text_is_refused(value: Any) -> None:
    with pytest.raises(ChoiceRefused, match="must be one line of text with at most 200 characters") as refused:
        Choices.of({"site": value})
    assert refused.value.field == "site"


def test_empty_choices_are_left_out() -> None:
    assert Choices.of({"site": "  ", "time": "", "profile": " jupyterlab "}).values == {"profile": "jupyterlab"}


def test_a_refusal_repeats_only_the_beginning_of_what_was_chosen() -> None:
    with pytest.raises(ChoiceRefused) as refused:
        Choices.of({"x" * 10_000: "y"})
    assert len(refused.value.message) < 300


_anything = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["geneva", "jupyterlab", "debug", "8h", "4G", "0", "x" * 10_000, "a\x00b", "\u202e", "\ud800"]
    ),
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.lists(st.text()),
)
_names = st.sampled_from(FIELDS) | st.text(max_size=20) | st.just("param.x") | st.none() | st.integers()


def _is_offered(launch: NotebookLaunch) -> bool:
    site = _OFFER.sites[launch.site_key]
    bounds = _OFFER.profiles[launch.profile_key].resources
    return all(
        (
            launch.site_key in _OFFER.notebooks.sites_of(launch.profile_key),
            launch.partition in (*site.partitions, None),
            launch.project in ("physics", "chemistry") if site.projects != "none" else launch.project is None,
            launch.reservation in (*site.reservations, None),
            launch.qos in (*site.qos, None),
            bounds.time.least <= launch.time_minutes <= bounds.time.most,
            bounds.cores.least <= launch.cores <= bounds.cores.most,
            bounds.memory.least <= launch.memory_mib <= bounds.memory.most,
            bounds.gpus.least <= launch.gpus <= bounds.gpus.most,
        )
    )


def _answer(given: dict[Any, Any]) -> NotebookLaunch | ChoiceRefused:
    try:
        return resolve(builders.offer(_OFFER), Choices.of(given))
    except ChoiceRefused as refused:
        return refused


@given(st.dictionaries(_names, _anything, max_size=4))
def test_hostile_choices_are_refused_or_give_only_what_is_offered(given: dict[Any, Any]) -> None:
    match _answer(given):
        case NotebookLaunch() as launch:
            assert _is_offered(launch)
        case refused:
            assert (refused.message + refused.field).isprintable()


def test_a_launch_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        _launch().cores = 9  # type: ignore[misc]


def test_a_launch_keeps_the_choices_it_was_made_of() -> None:
    assert _launch(time=" 2h ", site="").choices.values == {"time": "2h"}


_ACCOUNTING = builders.catalogue(sites={"geneva": builders.site(projects="accounting")})
_KNOWN = {"geneva": SiteFacts(projects=("proj3", "proj12"))}


def _charged(facts: Facts, **choices: str) -> str | None:
    return resolve(builders.offer(_ACCOUNTING, facts), Choices.of(choices)).project


@pytest.mark.parametrize("facts", [_KNOWN, {}, {"lugano": SiteFacts(projects=())}, {"geneva": SiteFacts()}])
def test_without_a_choice_the_accounting_charges_the_usual_project(facts: Facts) -> None:
    assert _charged(facts) is None


def test_one_of_the_persons_own_projects_may_be_charged() -> None:
    assert _charged(_KNOWN, project="proj12") == "proj12"


def test_a_project_of_others_is_refused_with_the_persons_own() -> None:
    with pytest.raises(ChoiceRefused, match="Choose one of: proj3, proj12") as refused:
        _charged(_KNOWN, project="physics")
    assert refused.value.field == "project"


def test_who_has_no_project_can_charge_none() -> None:
    with pytest.raises(ChoiceRefused, match="Nothing can be chosen here: omit it"):
        _charged({"geneva": SiteFacts(projects=())}, project="proj3")


def test_while_the_projects_are_not_known_slurm_decides() -> None:
    assert _charged({}, project="proj-5.x_1") == "proj-5.x_1"


@pytest.mark.parametrize("name", ["-x", "a b", "a;id", "a,b", "--wrap=id", "ä", "x" * 65, "a/b", "."])
def test_what_cannot_be_a_project_is_refused_before_slurm_sees_it(name: str) -> None:
    with pytest.raises(ChoiceRefused, match="is not a valid project name") as refused:
        _charged({}, project=name)
    assert refused.value.field == "project"


def test_a_site_that_charges_no_project_takes_none() -> None:
    with pytest.raises(ChoiceRefused, match=r"Lugano does not charge projects\. Omit the project") as refused:
        _launch(site="lugano", project="physics")
    assert refused.value.field == "project"


_LIMITED = builders.catalogue(
    profiles={"few": builders.profile(name="Few", servers_max=2), "many": builders.profile(name="Many")}
)


def _with(running: dict[str, int], choices: dict[str, str]) -> NotebookLaunch:
    return resolve(builders.offer(_LIMITED, person=Person("alice", running=running)), Choices.of(choices))


@pytest.mark.parametrize("running", [{}, {"few": 1}, {"few": 1, "many": 9}])
def test_below_the_limit_of_a_profile_one_more_server_may_start(running: dict[str, int]) -> None:
    assert _with(running, {}).profile_key == "few"


@pytest.mark.parametrize("running", [2, 3])
def test_at_the_limit_of_a_profile_a_person_is_told_how_many_run(running: int) -> None:
    with pytest.raises(
        ChoiceRefused, match=f"You already have {running} servers of Few, the maximum for one person"
    ) as refused:
        _with({"few": running}, {})
    assert refused.value.field == "profile"
    assert refused.value.message.endswith("Stop one, or choose another profile.")


def test_a_profile_without_a_limit_may_run_as_often_as_asked() -> None:
    assert _with({"few": 2, "many": 99}, {"profile": "many"})


def test_a_refused_option_of_a_parameter_is_told_by_the_title_beside_it() -> None:
    version = {"title": "Version of Python", "options": ["3.10", "3.11"]}
    offer = builders.catalogue(profiles={"one": builders.profile(parameters={"version": version})})
    with pytest.raises(ChoiceRefused) as refused:
        builders.launch(offer, {"param.version": "2.7"})
    assert refused.value.field == "param.version"
    assert refused.value.message == "Version of Python: 2.7 is not offered. Choose one of: 3.10, 3.11."
