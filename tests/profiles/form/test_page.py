from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.errors import ChoiceRefused
from profiles.form import page as form
from profiles.offer.choices import Choices
from profiles.offer.launch import resolve
from tests.profiles.form.shown import FIELDS, OFFER, PAUSE, Page, opened
from tests.support import builders


def test_every_field_has_a_label() -> None:
    page = opened()
    assert {label["for"] for label in page.all("label")} == set(FIELDS)
    assert {page.field(name)["id"] for name in FIELDS} == set(FIELDS)


def test_every_profile_and_site_can_be_picked() -> None:
    page = opened()
    assert (page.options("profile"), page.options("site")) == (["jupyterlab", "big"], ["geneva", "lugano"])


def test_at_first_the_defaults_are_picked_and_nothing_is_refused() -> None:
    page = opened()
    assert [option["value"] for option in page.all("option") if "selected" in option] == ["jupyterlab", "geneva"]
    assert page.field("time")["value"] == ""
    assert not [attributes for _, attributes in page.elements if attributes.get("role") == "alert"]


def test_what_was_typed_is_kept() -> None:
    page = opened({"profile": "big", "site": "lugano", "project": "chemistry", "time": "2h", "param.workers": "7"})
    picked = [option["value"] for option in page.all("option") if "selected" in option]
    assert picked == ["big", "lugano", "chemistry"]
    assert (page.field("time")["value"], page.field("param.workers")["value"]) == ("2h", "7")


@pytest.mark.parametrize("name", FIELDS)
def test_the_refused_field_is_marked_and_described_by_its_sentence(name: str) -> None:
    page = opened({}, ChoiceRefused(name, 'Choose <less> & "other".'))
    assert page.field(name)["aria-invalid"] == "true"
    assert "is-invalid" in str(page.field(name)["class"])
    (problem,) = [each for _, each in page.elements if each.get("role") == "alert"]
    assert str(page.field(name)["aria-describedby"]).split() == [f"{name}-hint", problem["id"]]
    assert 'Choose <less> & "other".' in page.text
    assert [each for each in FIELDS if "aria-invalid" in page.field(each)] == [name]


def test_every_field_is_described_by_its_hint() -> None:
    page = opened()
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert {page.field(name)["aria-describedby"] for name in FIELDS} <= ids


def test_a_refusal_of_something_without_a_field_stands_above_the_form() -> None:
    page = opened({}, ChoiceRefused("param.x", "There is no <x>."))
    assert page.text.strip().startswith("There is no <x>.")
    assert not [each for each in FIELDS if "aria-invalid" in page.field(each)]


def test_profiles_of_several_categories_stand_under_them() -> None:
    profiles = {"one": builders.profile(category="Physics <1>"), "two": builders.profile()}
    page = Page(form.render(builders.offer(builders.catalogue(profiles=profiles)), {}))
    assert [each["label"] for each in page.all("optgroup")][:2] == ["Physics <1>", "Other"]
    assert page.options("profile") == ["one", "two"]


def test_last_times_cluster_gives_way_if_nothing_can_be_started_there() -> None:
    sites = {"geneva": builders.site(maintenance=PAUSE), "bern": builders.site(title="Bern")}
    what = builders.offer(builders.catalogue(sites=sites))
    assert 'value="bern" selected' in form.render(what, {"site": "geneva"})
    refused = form.render(what, {"site": "geneva"}, ChoiceRefused("site", "Not there."))
    assert 'value="geneva" selected' in refused


# -- descriptions ---------------------------------------------------------------------------------------


def test_a_description_is_markdown_beside_its_icon() -> None:
    page = opened({"profile": "big"})
    assert "<strong>More</strong> of &lt;b&gt;it&lt;/b&gt;" in page.html
    (icon,) = page.all("i")
    assert ("fa-brain" in str(icon["class"]), icon["aria-hidden"]) == (True, "true")
    assert not opened().all("i")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        '<a href="x" onclick="alert(1)">x</a>',
        "![x](http://elsewhere.test/spy.png)",
        "<iframe src=http://elsewhere.test></iframe>",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](irc://elsewhere.test/)",
    ],
)
def test_a_description_brings_no_scripts_and_nothing_from_elsewhere(text: str) -> None:
    what = builders.catalogue(profiles={"one": builders.profile(description=text)})
    page = Page(form.render(builders.offer(what), {}))
    assert {"script", "img", "iframe"}.isdisjoint(tag for tag, _ in page.elements)
    assert not [each for _, each in page.elements if "onclick" in each]
    assert not [
        each for each in page.all("a") if str(each.get("href")).split(":")[0] not in ("None", "http", "https")
    ]


def test_a_description_may_link_to_the_web() -> None:
    what = builders.catalogue(profiles={"one": builders.profile(description="[help](https://help.test/)")})
    (link,) = Page(form.render(builders.offer(what), {})).all("a")
    assert (link["href"], link["rel"]) == ("https://help.test/", "noopener noreferrer")


# -- nothing typed is markup ----------------------------------------------------------------------------


_EMPTY = opened()


_hostile = st.text() | st.sampled_from(
    ['"><script>alert(1)</script>', "' onfocus=alert(1) x='", "</select><b>", "{{ 7*7 }}", "&quot;"]
)


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(), _hostile), _hostile, st.sampled_from(FIELDS))
def test_nothing_typed_becomes_markup(typed: dict[str, str], message: str, name: str) -> None:
    page = opened(typed)
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in _EMPTY.elements]
    assert set(page.field("time")) == set(_EMPTY.field("time"))
    refused = opened(typed, ChoiceRefused(name, message))
    assert [tag for tag, _ in refused.elements if tag != "div"] == [
        tag for tag, _ in _EMPTY.elements if tag != "div"
    ]


def test_a_typed_value_comes_back_as_it_was() -> None:
    assert opened({"time": '"><script>alert(1)</script>'}).field("time")["value"] == '"><script>alert(1)</script>'


def test_a_sent_form_becomes_choices() -> None:
    sent = {"_xsrf": ["2|abc"], "profile": ["big"], "site": ["geneva"], "time": [""]}
    assert form.parse(sent).values == {"profile": "big", "site": "geneva"}


def test_a_rendered_form_sends_choices_that_are_accepted() -> None:
    page = opened()
    sent = {"profile": [page.all("option")[0]["value"]], "time": [page.field("time")["value"]]}
    assert builders.launch(OFFER, dict(form.parse(sent).values)).profile_key == "jupyterlab"  # type: ignore[arg-type]


def test_a_form_sent_as_it_came_is_accepted() -> None:
    page = opened()
    sent = {name: [str(page.field(name).get("value") or "")] for name in FIELDS}
    launch = resolve(builders.offer(OFFER), form.parse({**sent, "profile": ["big"], "site": ["lugano"]}))
    assert launch.choices == Choices({"profile": "big", "site": "lugano"})


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


@given(st.dictionaries(st.text(max_size=10) | st.sampled_from(FIELDS), st.lists(_hostile, max_size=2)))
def test_a_hostile_form_is_refused_or_becomes_choices(sent: dict[str, list[str]]) -> None:
    try:
        form.parse(sent)
    except ChoiceRefused as refused:
        form.render(builders.offer(OFFER), {}, refused)
