"""What the script of the form is told."""

import json
from typing import Any

import pytest

from profiles.catalogue.catalogue import Catalogue
from profiles.facts import Facts
from profiles.form import page as form
from profiles.form import told
from tests.profiles.form.shown import ADDRESSES, OFFER, Page, opened
from tests.support import builders


def _scripted(what: Catalogue, facts: Facts | None = None) -> Page:
    return Page(form.render(builders.offer(what, facts), {}, addresses=ADDRESSES))


def test_the_script_is_a_file_of_its_own() -> None:
    page = _scripted(OFFER)
    assert [each.get("src", each.get("type")) for each in page.all("script")] == [
        "application/json",
        "/hub/launch-pages/0123/main.js",
    ]
    assert not opened().all("script")


def test_without_the_script_a_field_says_who_has_it() -> None:
    assert "Only for Big & <b>bold</b>. 1 to 9. One of them <leads>." in opened().text


def test_the_script_knows_the_fields_of_each_profile_at_each_site() -> None:
    data = _told(told.data(builders.offer(OFFER)))
    fields, pairs = data["fields"], data["profiles"]
    names = {key: [fields[index]["name"] for index in pairs[key]["sites"]["geneva"][1]] for key in pairs}
    assert names["big"] == [*names["jupyterlab"], "param.version", "param.workers"]
    assert data["places"][pairs["big"]["sites"]["lugano"][0]]["title"] == "Lugano <script>"
    assert "<strong>More</strong>" in pairs["big"]["description"]


@pytest.mark.parametrize("picked", ["jupyterlab", "big"])
def test_the_page_brings_what_it_shows_first(picked: str) -> None:
    page = Page(form.render(builders.offer(OFFER), {"profile": picked}, addresses=ADDRESSES))
    brought, whole = page.data(), _told(told.data(builders.offer(OFFER)))
    assert list(brought["profiles"]) == [picked]
    for site, (place, indexes) in whole["profiles"][picked]["sites"].items():
        at = brought["profiles"][picked]["sites"][site]
        assert brought["places"][at[0]] == whole["places"][place]
        assert [brought["fields"][index] for index in at[1]] == [whole["fields"][index] for index in indexes]
    assert brought["elsewhere"] == whole["elsewhere"]
    # A script element ends at the first `</script`, wherever it stands.
    assert "<" not in page.html.split('id="launch-offer"', 1)[1].split(">", 1)[1].split("</script>", 1)[0]


def test_a_page_grows_by_a_line_for_each_profile() -> None:
    def size(number: int) -> int:
        many = {f"p{each:04}": builders.profile(name=f"P {each:04}") for each in range(number)}
        return len(_scripted(builders.catalogue(profiles=many)).html)

    assert size(301) - size(300) == len('<option value="p0300">P 0300</option>') + len("      \n")


def test_what_a_thousand_profiles_have_in_common_is_told_once() -> None:
    many = {f"p{number}": builders.profile(name=f"P {number}") for number in range(1000)}
    data = _told(told.data(builders.offer(builders.catalogue(profiles=many))))
    assert (len(data["profiles"]), len(data["fields"]), len(data["places"])) == (1000, 8, 1)


def _told(data: dict[str, Any]) -> dict[str, Any]:
    """What the browser makes of it."""
    found: dict[str, Any] = json.loads(json.dumps(data))
    return found
