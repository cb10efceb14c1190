"""What admins write of a project: every field that means nothing is named."""

from typing import Any

import pytest

from job_service.accepting import settings
from job_service.errors import Invalid
from profiles.catalogue.site import Site
from tests.job_service.accepting import deciding

_GENEVA, _ZURICH = (deciding.CATALOGUE.sites[key] for key in ("geneva", "zurich"))


def _wrong(fields: dict[str, Any], site: Site = _GENEVA) -> dict[str, str]:
    with pytest.raises(Invalid) as found:
        settings.of_project(site, fields)
    assert found.value.message
    return dict(found.value.fields)


def test_what_means_something_is_taken() -> None:
    fields = {
        "name": "proj-1.a_B",
        "title": "Läuft",
        "account": "proj3",
        "charge": "core",
        "init_time": 36_000,
        "user_time": 0,
        "is_default": True,
        "is_open": False,
        "limits": {"nodes": 2, "cores": 8, "time": 3600, "active": 1},
    }
    assert settings.of_project(_GENEVA, fields) == fields
    assert settings.of_project(_ZURICH, {"account": None}) == {"account": None}


def test_a_name_that_is_nothing_is_seen_in_its_sentence() -> None:
    assert settings.why_no_name("").startswith('"" is ')
    assert settings.why_no_person("").startswith('"" cannot be ')


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a b"),
        ("name", "../x"),
        ("name", 7),
        ("name", "x" * 65),
        ("name", "proj\n"),
        ("title", "a\nb"),
        ("title", None),
        ("account", "-x"),
        ("charge", "gpu"),
        ("charge", ["wall"]),
        ("init_time", -1),
        ("init_time", 1.0),
        ("init_time", "1"),
        ("user_time", True),
        ("user_time", 10**12 + 1),
        ("is_open", 1),
        ("limits", [1]),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_its_field(field: str, value: Any) -> None:
    wrong = _wrong({field: value})
    assert list(wrong) == [field]
    assert wrong[field].endswith(".")
    assert wrong[field].isprintable()


def test_all_of_them_are_named_at_once() -> None:
    limits = {"nodes": 0, "cores": 1, "disk": 7, "time": "1h"}
    fields = {"name": "$", "id": 7, "is_open": None, "limits": limits}
    assert list(_wrong(fields)) == ["name", "id", "is_open", "limits.nodes", "limits.disk", "limits.time"]


def test_a_site_that_charges_nobody_takes_no_account() -> None:
    assert _wrong({"account": "physics"}, _ZURICH) == {
        "account": "Zurich does not charge accounts. Omit the account."
    }
    assert list(_wrong({"account": "$"}, _ZURICH)) == ["account"]
