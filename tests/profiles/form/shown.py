"""The form as a browser reads it."""

import itertools
import json
from html.parser import HTMLParser
from typing import Any

from profiles.errors import ChoiceRefused
from profiles.form import page as form
from tests.support import builders

FIELDS = (
    "profile",
    "site",
    "partition",
    "project",
    "time",
    "cores",
    "memory",
    "gpus",
    "reservation",
    "qos",
    "param.version",
    "param.workers",
)


PARAMETERS = {
    "version": {"title": "Version", "options": {"2024a": "Spring", "2024b": "Autumn"}, "default": "2024b"},
    "workers": {"title": "Workers", "min": 1, "max": 9, "description": "One of them <leads>."},
}


OFFER = builders.catalogue(
    sites={"geneva": builders.site(), "lugano": builders.site(title="Lugano <script>")},
    profiles={
        "jupyterlab": builders.profile(),
        "big": builders.profile(
            name="Big & <b>bold</b>", description="**More** of <b>it</b>", parameters=PARAMETERS, icon="brain"
        ),
    },
)


ADDRESSES = form.Addresses("/hub/launch-pages/0123/main.js", "/hub/api/offer?user=alice&server=")


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.html = html
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

    def texts(self, name: str) -> list[str]:
        """What people read of the options of the select called `name`."""
        markup = self.html.split(f'name="{name}"', 1)[1].split("</select>", 1)[0]
        return [each.split("</option>", 1)[0] for each in markup.split("<option ")[1:]]

    def data(self) -> dict[str, Any]:
        """What the script of the form is told."""
        found: dict[str, Any] = json.loads(
            self.html.split('id="launch-offer"', 1)[1].split(">", 1)[1].split("</script>", 1)[0]
        )
        return found

    def options(self, name: str) -> list[str | None]:
        """The values that the select called `name` offers."""
        selects = [(tag, each) for tag, each in self.elements if tag in ("select", "option")]
        (start,) = [index for index, (_, each) in enumerate(selects) if each.get("name") == name]
        rest = itertools.takewhile(lambda pair: pair[0] == "option", selects[start + 1 :])
        return [each["value"] for _, each in rest]


def opened(typed: dict[str, str] | None = None, refused: ChoiceRefused | None = None) -> Page:
    return Page(form.render(builders.offer(OFFER), typed or {}, refused))


PAUSE = [{"begins": "2026-03-02 09:00+00:00", "ends": "2026-03-02 18:30+00:00"}]
