from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import form
from profiles.errors import ChoiceRefused
from tests.support import builders

_FIELDS = ("profile", "site", "time")
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


def _page(typed: dict[str, str] | None = None, refused: ChoiceRefused | None = None) -> _Page:
    return _Page(form.render(_OFFER, {}, typed or {}, refused))


def test_every_field_has_a_label() -> None:
    page = _page()
    assert {label["for"] for label in page.all("label")} == set(_FIELDS)
    assert {page.field(name)["id"] for name in _FIELDS} == set(_FIELDS)


def test_every_profile_and_site_can_be_picked() -> None:
    assert [option["value"] for option in _page().all("option")] == ["jupyterlab", "big", "geneva", "lugano"]


def test_nothing_is_picked_or_refused_at_first() -> None:
    page = _page()
    assert not [option for option in page.all("option") if "selected" in option]
    assert page.field("time")["value"] == ""
    assert not [attributes for _, attributes in page.elements if attributes.get("role") == "alert"]


def test_what_was_typed_is_kept() -> None:
    page = _page({"profile": "big", "site": "lugano", "time": "2h"})
    assert [option["value"] for option in page.all("option") if "selected" in option] == ["big", "lugano"]
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
        form.render(_OFFER, {}, refused)
