"""The sentences about catalogues and offers: each is whole, and can be said in another language."""

from pathlib import Path
from types import ModuleType

import pytest

from profiles import sentences
from profiles.sentences import checks, labels, loading, mistakes, refusals, show
from tests.support import translations

# Phrases that stand in other sentences.
_PHRASES = {"RANGE", "NODES_ALIKE", "TEXT_MATCHING"} | {
    f"{kind}_{ends}" for kind in ("WHOLE", "DECIMAL") for ends in ("NUMBER", "FROM", "TO", "BETWEEN")
}


def _sentences(module: ModuleType) -> list[tuple[str, str]]:
    found = list(translations.texts(module))
    for name, value in vars(module).items():
        if isinstance(value, refusals.Placed):
            found += [(name, value.of_partition), (name, value.of_site)]
    return found


def test_a_catalogue_in_the_hubs_language_is_used(tmp_path: Path) -> None:
    german = {
        labels.NONE: "Keine",
        "{names} or {last}": "{names} oder {last}",
        "{count} core\0{count} cores": "{count} Kern\0{count} Kerne",
    }

    def said(module: str, expression: str) -> str:
        return translations.said(f"profiles.sentences{module}", expression, german, tmp_path, "de")

    assert said(".labels", "sentences.NONE, sentences.DOWN") == "Keine down"
    assert said("", "sentences.either(['1', '2', '3'])") == "1, 2 oder 3"
    assert said(".refusals", "sentences.cores(1), sentences.cores(2)") == "1 Kern 2 Kerne"


def test_every_refusal_ends_as_a_sentence() -> None:
    found = _sentences(refusals)
    assert len(found) > 30
    for name, text in found:
        assert text.endswith(".") != (name in _PHRASES), name


def test_every_mistake_goes_on_from_the_place_of_its_value() -> None:
    found = [each for module in (checks, loading, mistakes) for each in _sentences(module)]
    assert len(found) > 120
    whole = {"CHANGED", "CHANGED_MORE", "NOT_READ", "FILES_HANG", "DOES_NOT_HOLD"}
    for name, text in found:
        assert text.removesuffix("...").endswith(".") == (name in whole), name
        assert text[0].islower() or text.startswith(("{", "`{", "Slurm")) or name in whole, name


@pytest.mark.parametrize("module", [checks, labels, loading, mistakes, refusals, show])
def test_every_placeholder_has_a_name(module: ModuleType) -> None:
    for name, text in _sentences(module):
        assert all(each.isidentifier() for each in translations.placeholders(text)), name


def test_lists_are_read_as_people_write_them() -> None:
    assert [sentences.either(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a or b",
        "a, b or c",
    ]
    assert sentences.both(["a", "b", "c"]) == "a, b and c"


def test_one_is_not_many() -> None:
    assert [labels.nodes(count) for count in (1, 2)] == ["on 1 node", "on each of 2 nodes"]
    assert [refusals.gpus(count, kind) for count, kind in ((1, None), (2, "a100"))] == ["1 GPU", "2 a100 GPUs"]
    assert refusals.servers_max(1, "Few").startswith("You already have 1 server of Few, the maximum")
    assert refusals.servers_max(2, "Few").endswith("Stop one, or choose another profile.")
