"""What jobs may count against: projects of the service, accounts of Slurm's, `default` where none is known."""

import pytest

from job_service.accepting.chargeable import Chargeable, chargeable, chosen
from job_service.errors import NotAMember
from job_service.store.accounting import Project
from tests.job_service.accepting import deciding
from tests.job_service.accepting.deciding import project

_P1 = project("p1", 1)
_CHARGES = project("p2", 2, account="physics")
_AT_LUGANO = project("p3", 3, "lugano", account="proj3")
_NAMED_SO = project("proj4", 4, "lugano")


def _names(
    system: str, *projects: Project, theirs: tuple[int, ...] = (), accounts: tuple[str, ...] | None = None
) -> list[str]:
    offered = deciding.offer(accounts=accounts)
    return [each.name for each in chargeable(offered, system, projects, theirs)]


@pytest.mark.parametrize(
    ("system", "accounts", "names"),
    [
        ("geneva", None, ["physics", "chemistry"]),
        ("zurich", None, ["default"]),
        ("lugano", None, ["default"]),
        ("lugano", (), []),
        ("lugano", ("proj3",), ["proj3"]),
        ("lugano", ("proj3", "proj4"), ["default", "proj3", "proj4"]),
    ],
)
def test_without_projects_of_the_service_slurm_s_accounts_are_what_there_is(
    system: str, accounts: tuple[str, ...] | None, names: list[str]
) -> None:
    assert _names(system, accounts=accounts) == names


def test_their_projects_come_first_the_default_before_all_others() -> None:
    second = project("p0", 5, is_default=True)
    assert _names("geneva", _P1, second, theirs=(1, 5)) == ["p0", "p1", "physics", "chemistry"]
    assert _names("geneva", _P1, second, theirs=(1,)) == ["p1", "physics", "chemistry"]
    assert _names("lugano", _P1, second, theirs=(1, 5)) == ["default"]


def test_nobody_gets_around_a_quota_by_the_account_that_a_project_charges() -> None:
    assert _names("geneva", _CHARGES) == ["chemistry"]
    assert _names("geneva", _CHARGES, theirs=(2,)) == ["p2", "chemistry"]
    both = (_AT_LUGANO, _NAMED_SO)
    assert _names("lugano", *both, accounts=("proj3", "proj4")) == []
    assert _names("lugano", *both, accounts=("proj3", "proj5", "proj6")) == ["proj5", "proj6"]
    assert _names("zurich", project("p", 9, "zurich")) == []


def _chosen(
    system: str,
    wanted: str | None,
    *projects: Project,
    theirs: tuple[int, ...] = (),
    accounts: tuple[str, ...] | None = None,
) -> Chargeable:
    return chosen(deciding.offer(accounts=accounts), system, projects, theirs, wanted)


def test_one_is_named_or_the_first_is_meant() -> None:
    assert _chosen("geneva", None, _P1, theirs=(1,)) == Chargeable("p1", None, _P1)
    assert _chosen("geneva", "chemistry", _P1, theirs=(1,)) == Chargeable("chemistry", "chemistry")
    assert _chosen("geneva", "p2", _CHARGES, theirs=(2,)) == Chargeable("p2", "physics", _CHARGES)
    assert _chosen("zurich", "default") == _chosen("zurich", None) == Chargeable("default")


def test_a_site_that_charges_nobody_is_told_no_account() -> None:
    there = project("p", 9, "zurich", account="left over")
    assert _chosen("zurich", "p", there, theirs=(9,)) == Chargeable("p", None, there)


def test_while_accounts_are_not_known_slurm_decides_but_not_about_those_of_projects() -> None:
    assert _chosen("lugano", "proj9", _AT_LUGANO) == Chargeable("proj9", "proj9")
    for taken in ("p3", "proj3"):
        with pytest.raises(NotAMember):
            _chosen("lugano", taken, _AT_LUGANO)


@pytest.mark.parametrize("wanted", [None, "x"])
def test_who_has_none_is_told_so(wanted: str | None) -> None:
    with pytest.raises(NotAMember, match="You have no project at Zurich that takes jobs"):
        _chosen("zurich", wanted, project("p", 9, "zurich"))
