import itertools
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import form
from profiles.errors import ChoiceRefused
from profiles.facts import Facts, SiteFacts
from tests.support import builders

_FIELDS = ("profile", "site", "project", "time")
_OFFER = builders.catalogue(
    sites={"geneva": builders.site(), "lugano": builders.site(title="Lugano <script>")},
    profiles={
        "jupyterlab": builders.profile(),
        "big": builders.profile(name="Big & <b>bold</b>", description="\"More\" of 'all'"),
    },
)


class _Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for each, attributes in self.elements if each == tag]

    def field(self, name: str) -> dict[str, str | None]:
        (found,) = [attributes for _, attributes in self.elements if attributes.get("name") == name]
        return found

    def options(self, name: str) -> list[str | None]:
        """The values that the select called `name` offers."""
        selects = [(tag, each) for tag, each in self.elements if tag in ("select", "option")]
        (start,) = [index for index, (_, each) in enumerate(selects) if each.get("name") == name]
        rest = itertools.takewhile(lambda pair: pair[0] == "option", selects[start + 1 :])
        return [each["value"] for _, each in rest]


def _page(typed: dict[str, str] | None = None, refused: ChoiceRefused | None = None) -> _Page:
    return _Page(form.render(builders.offer(_OFFER), typed or {}, refused))


def test_every_field_has_a_label() -> None:
    page = _page()
    assert {label["for"] for label in page.all("label")} == set(_FIELDS)
    assert {page.field(name)["id"] for name in _FIELDS} == set(_FIELDS)


def test_every_profile_and_site_can_be_picked() -> None:
    page = _page()
    assert (page.options("profile"), page.options("site")) == (["jupyterlab", "big"], ["geneva", "lugano"])


def test_nothing_is_picked_or_refused_at_first() -> None:
    page = _page()
    assert not [option for option in page.all("option") if "selected" in option]
    assert page.field("time")["value"] == ""
    assert not [attributes for _, attributes in page.elements if attributes.get("role") == "alert"]


def test_what_was_typed_is_kept() -> None:
    page = _page({"profile": "big", "site": "lugano", "project": "chemistry", "time": "2h"})
    picked = [option["value"] for option in page.all("option") if "selected" in option]
    assert picked == ["big", "lugano", "chemistry"]
    assert page.field("time")["value"] == "2h"


@pytest.mark.parametrize("name", _FIELDS)
def test_the_refused_field_is_marked_and_described_by_its_sentence(name: str) -> None:
    page = _page({}, ChoiceRefused(name, 'Choose <less> & "other".'))
    assert page.field(name)["aria-invalid"] == "true"
    assert "is-invalid" in str(page.field(name)["class"])
    (problem,) = [each for _, each in page.elements if each.get("role") == "alert"]
    assert problem["id"] == page.field(name)["aria-describedby"]
    assert 'Choose <less> & "other".' in page.text
    assert [each for each in _FIELDS if "aria-invalid" in page.field(each)] == [name]


def test_a_refusal_of_something_without_a_field_stands_above_the_form() -> None:
    page = _page({}, ChoiceRefused("param.x", "There is no <x>."))
    assert page.text.strip().startswith("There is no <x>.")
    assert not [each for each in _FIELDS if "aria-invalid" in page.field(each)]


def _form(facts: Facts, typed: dict[str, str] | None = None, **projects: object) -> _Page:
    """Return the form of a catalogue whose sites have these projects."""
    sites = {name: builders.site(title=name.title(), projects=asked) for name, asked in projects.items()}
    return _Page(form.render(builders.offer(builders.catalogue(sites=sites), facts), typed or {}))


def test_where_no_site_charges_projects_nobody_is_asked_for_one() -> None:
    assert not [each for _, each in _form({}, geneva="none").elements if each.get("name") == "project"]


def test_the_label_of_the_projects_names_the_sites_that_charge_them() -> None:
    assert "Project (Lugano, Bern only)" in _form({}, geneva="none", lugano="accounting", bern=["a"]).text


def test_known_projects_can_be_picked_or_left_to_the_site() -> None:
    page = _form({"lugano": SiteFacts(projects=("proj3", "proj12"))}, lugano="accounting", bern=["proj5", "proj3"])
    assert page.options("project") == ["", "proj3", "proj12", "proj5"]
    assert "your usual one" in page.text


@pytest.mark.parametrize("facts", [{}, {"lugano": SiteFacts()}])
def test_projects_that_are_not_known_yet_are_typed(facts: Facts) -> None:
    page = _form(facts, {"project": 'proj"3'}, lugano="accounting", bern=["proj5"])
    assert page.field("project")["value"] == 'proj"3'
    assert [each["name"] for each in page.all("select")] == ["profile", "site"]


def test_who_has_no_project_is_told_so() -> None:
    page = _form({"lugano": SiteFacts(projects=())}, lugano="accounting")
    assert page.options("project") == [""]
    assert "you have none there" in page.text


def test_projects_of_the_accounting_are_text_and_not_markup() -> None:
    page = _form({"lugano": SiteFacts(projects=('"><b>x',))}, lugano="accounting")
    assert page.options("project") == ["", '"><b>x']
    assert not page.all("b")


def test_a_refused_project_stands_above_a_form_that_has_no_field_for_it() -> None:
    offer = builders.catalogue(sites={"geneva": builders.site(projects="none")})
    page = _Page(form.render(builders.offer(offer), {}, ChoiceRefused("project", "Leave the project out.")))
    assert page.text.strip().startswith("Leave the project out.")


def test_the_catalogue_is_text_and_not_markup() -> None:
    page = _page()
    assert {"script", "b"}.isdisjoint(tag for tag, _ in page.elements)
    assert "Big & <b>bold</b>: \"More\" of 'all'" in page.text


_EMPTY = _page()
_hostile = st.text() | st.sampled_from(
    ['"><script>alert(1)</script>', "' onfocus=alert(1) x='", "</select><b>", "{{ 7*7 }}", "&quot;"]
)


@given(st.dictionaries(st.sampled_from(_FIELDS) | st.text(), _hostile), _hostile, st.sampled_from(_FIELDS))
def test_nothing_typed_becomes_markup(typed: dict[str, str], message: str, name: str) -> None:
    page = _page(typed)
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in _EMPTY.elements]
    assert set(page.field("time")) == set(_EMPTY.field("time"))
    refused = _page(typed, ChoiceRefused(name, message))
    assert [tag for tag, _ in refused.elements if tag != "div"] == [
        tag for tag, _ in _EMPTY.elements if tag != "div"
    ]


def test_a_typed_value_comes_back_as_it_was() -> None:
    assert _page({"time": '"><script>alert(1)</script>'}).field("time")["value"] == '"><script>alert(1)</script>'


def test_a_sent_form_becomes_choices() -> None:
    sent = {"_xsrf": ["2|abc"], "profile": ["big"], "site": ["geneva"], "time": [""]}
    assert form.parse(sent).values == {"profile": "big", "site": "geneva"}


def test_a_rendered_form_sends_choices_that_are_accepted() -> None:
    page = _page()
    sent = {"profile": [page.all("option")[0]["value"]], "time": [page.field("time")["value"]]}
    assert builders.launch(_OFFER, dict(form.parse(sent).values)).profile_key == "jupyterlab"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"site": ["geneva", "lugano"]}, "site"),
        ({"site": []}, "site"),
        ({"user": ["root"]}, "user"),
        ({"time_file": [{"filename": "x", "body": b"y", "content_type": "text/plain"}]}, "time_file"),
        ({"site": [{"filename": "x", "body": b"y"}]}, "site"),
        ({"site": ["a\nb"]}, "site"),
    ],
)
def test_a_form_of_another_shape_is_refused(sent: dict[str, Any], field: str) -> None:
    with pytest.raises(ChoiceRefused) as refused:
        form.parse(sent)
    assert refused.value.field == field


@given(st.dictionaries(st.text(max_size=10) | st.sampled_from(_FIELDS), st.lists(_hostile, max_size=2)))
def test_a_hostile_form_is_refused_or_becomes_choices(sent: dict[str, list[str]]) -> None:
    try:
        form.parse(sent)
    except ChoiceRefused as refused:
        form.render(builders.offer(_OFFER), {}, refused)
