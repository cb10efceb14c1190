"""Decimal numbers, flags and texts in the form: their fields, what is under them, and what was refused."""

from typing import Any

import pytest

from profiles.conditions import Values
from profiles.errors import ChoiceRefused
from profiles.form import page, told
from profiles.form.fields import Field, parameters
from profiles.offer.choices import Choices
from profiles.offer.launch import resolve
from profiles.offer.offer import Offer, Person
from tests.support import builders

_PARAMETERS = {
    "part": {"title": "Part", "decimal": {"min": 0, "max": 1.5}, "variable": "PART", "description": "Of all."},
    "quiet": {"title": "Quiet", "flag": True, "variable": "QUIET"},
    "label": {"title": "Label", "text": {"longest": 8, "pattern": "[a-z<]*"}, "variable": "LABEL"},
}
_OFFER = builders.offer(builders.catalogue(profiles={"lab": builders.profile(parameters=_PARAMETERS)}))


def _field(**keys: Any) -> Field:
    what = builders.job_type(run=["/opt/recon"], parameters={"p": {"title": "P", **keys}})
    sites = {"geneva": builders.site(jobs={"folder": "/scratch/{owner}/jobs"})}
    menu = builders.catalogue(sites=sites, job_types={"recon": what}).jobs
    offer = Offer(menu, {}, Person("alice"), builders.NOW)
    (field,) = parameters(offer, menu.offering("recon", "geneva"))
    return field


@pytest.mark.parametrize(
    ("keys", "hint", "usual"),
    [
        ({"decimal": {"min": 0, "max": 1}}, "0 to 1.", "0"),
        ({"decimal": {"min": 0.5}}, "0.5 or more.", "0.5"),
        ({"decimal": {"max": 1}, "default": ""}, "1 or less.", ""),
        ({"decimal": {}}, "A decimal number.", ""),
        ({"min": -(10**18) + 1, "max": 10**18 - 1, "default": ""}, "A whole number.", ""),
        ({"min": 1, "max": 10**18 - 1, "default": ""}, "1 or more.", ""),
        ({"text": {}}, "At most 200 characters.", ""),
        ({"text": {"longest": 1, "pattern": "[a-z]"}}, "At most 1 character. It has to match [a-z].", ""),
    ],
)
def test_what_may_be_typed_stands_under_a_field(keys: dict[str, Any], hint: str, usual: str) -> None:
    field = _field(**keys, description="And more.")
    assert (field.hint, field.usual, field.default) == (f"{hint} And more.", usual, usual)
    assert (field.options, field.least, field.most) == (None, None, None)


def test_a_flag_is_a_list_which_works_without_scripts() -> None:
    off, on = _field(flag=True), _field(flag=True, default=True)
    assert off.options == on.options == (("true", "Yes"), ("false", "No"))
    assert [(each.default, each.usual) for each in (off, on)] == [
        ("Default: No", "false"),
        ("Default: Yes", "true"),
    ]


def test_the_empty_option_is_what_is_had_if_the_list_is_left() -> None:
    field = _field(options={"": "No channel", "r": "Red"}, words={"r": ["--red"]})
    assert (field.options, field.default, field.usual) == ((("r", "Red"),), "Default: No channel", "")


def test_the_page_has_a_labelled_field_for_each() -> None:
    html = page.render(_OFFER, {"profile": "lab"})
    for name, label in (("part", "Part"), ("quiet", "Quiet"), ("label", "Label")):
        assert f'<label class="form-label" for="param.{name}">{label}</label>' in html
        assert f'aria-describedby="param.{name}-hint"' in html
    assert '<div class="form-text" id="param.part-hint">0 to 1.5. Of all.</div>' in html
    assert "It has to match [a-z&lt;]*.</div>" in html
    assert '<option value="true">Yes</option>' in html


def test_a_refusal_stands_at_its_field_with_what_was_typed() -> None:
    typed = {"profile": "lab", "param.part": "2", "param.label": "A", "param.quiet": "x"}
    with pytest.raises(ChoiceRefused) as refused:
        resolve(_OFFER, page.parse({name: [value] for name, value in typed.items()}))
    html = page.render(_OFFER, typed, refused.value)
    assert (
        'id="param.part-problem" role="alert">Part: 2 is not offered. Choose a decimal number from 0 to 1.5.'
        in html
    )
    assert (
        'id="param.label-problem" role="alert">Label: A is not offered. Choose at most 8 characters, of ' in html
    )
    assert 'id="param.quiet-problem" role="alert">Quiet: x is not offered. Choose one of: true, false.' in html
    assert 'type="text" maxlength="200" value="A"' in html


def test_a_notebook_server_has_the_values_in_its_variables() -> None:
    chosen = {"param.part": "0.50", "param.quiet": "true", "param.label": "<a"}
    variables = resolve(_OFFER, Choices.of(chosen)).environments[1].variables
    assert variables == {"PART": "0.50", "QUIET": "true", "LABEL": "<a"}
    assert resolve(_OFFER, Choices.of({})).environments[1].variables == {
        "PART": "0",
        "QUIET": "false",
        "LABEL": "",
    }


def test_only_what_holds_for_all_datasets_is_in_the_form() -> None:
    cutoff = {"title": "Cut-off", "decimal": {}, "when": "channels > 1"}
    what = builders.job_type(run=["/opt/recon"], parameters={"cutoff": cutoff, "part": _PARAMETERS["part"]})
    sites = {"geneva": builders.site(jobs={"folder": "/scratch/{owner}/jobs"})}
    menu = builders.catalogue(sites=sites, job_types={"recon": what}).jobs

    def names(*datasets: Values) -> list[str]:
        data = told.data(Offer(menu, {}, Person("alice"), builders.NOW, datasets))
        return [each["name"] for each in data["fields"] if each["name"].startswith("param.")]

    assert names() == ["param.part"]
    assert names({"channels": 2}, {"channels": 9}) == ["param.cutoff", "param.part"]
    assert names({"channels": 2}, {"channels": 1}) == ["param.part"]
