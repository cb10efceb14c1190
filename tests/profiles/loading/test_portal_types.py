"""Job types in the portal's XML: the same as in YAML; problems at their places; one that is off harms no other."""

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from job_service.accepting import offers
from profiles.catalogue.catalogue import Catalogue
from profiles.errors import ChoiceRefused
from profiles.form import page, told
from profiles.loading import load, portal_types
from profiles.loading.live import LiveCatalogue
from profiles.loading.problems import CatalogueInvalid
from profiles.offer.choices import JOB_FIELDS, Choices
from profiles.offer.launch import resolve_job, resolve_server
from profiles.offer.offer import Offer, Person
from slurm_ssh_spawner.cli.main import main
from tests.support import builders
from tests.support.folders import DATA, TREE

_BAD = sorted((DATA / "job_types" / "bad").glob("*.xml"))
_GOOD = sorted((DATA / "job_types" / "good").glob("*.xml"))
_SITES = {"geneva": builders.site(jobs={"folder": "/scratch/{owner}/jobs"})}
_DATASETS = {"demo": {"list": [{"id": "s", "type": kind, "location": "/s"} for kind in ("scan",)]}}
_VIEWER = {"name": "Viewer", "parameters": {"datasets": {"title": "Datasets", "text": {}, "variable": "DATASETS"}}}
_PROFILES = {"jupyterlab": builders.profile(), "viewer": _VIEWER}
_RAW = {"raw": {"list": [{"id": "r", "type": "raw_scan", "location": "/r"}]}}

_BOTH = """
<jobType family="recon" acceptsDatasets="true">
  <name>Recon</name>
  <executable>/opt/my programs/recon</executable>
  <type>batch</type>
  <multiple>true</multiple>
  <datasetTypes>scan</datasetTypes>
  <jobOptions>
    <name>Quality</name><type>integer</type><programParameter>--quality</programParameter>
    <minValue>1</minValue><maxValue>10</maxValue><defaultValue>5</defaultValue><tip>How well.</tip>
  </jobOptions>
  <jobOptions>
    <name>Red</name><groupName>Channel</groupName><type>boolean</type>
    <programParameter>--reg --red</programParameter>
  </jobOptions>
  <jobOptions>
    <name>Cut off</name><type>float</type><programParameter>--cutoff</programParameter>
    <minValue>0</minValue><maxValue>1.5</maxValue><defaultValue>0.50</defaultValue>
    <condition>channels &gt; 1 &amp;&amp; kind == 'scan'</condition>
  </jobOptions>
  <jobOptions>
    <name>Green</name><groupName>Channel</groupName><type>boolean</type>
    <programParameter>--reg --green</programParameter>
  </jobOptions>
  <jobOptions>
    <name>Method</name><type>enumeration</type><programParameter>--method</programParameter>
    <values>fast</values><values>full</values><defaultValue>full</defaultValue>
  </jobOptions>
  <jobOptions>
    <name>Quiet</name><type>boolean</type><programParameter>-q 'two words'</programParameter>
    <defaultValue>true</defaultValue>
  </jobOptions>
  <jobOptions><name>Label</name><type>string</type><programParameter>--label</programParameter></jobOptions>
</jobType>
"""
_IN_YAML = """
job_types:
  recon:
    name: Recon
    run: [/opt/my programs/recon, "--datasetIds={dataset_ids}"]
    datasets: {types: [scan]}
    free_arguments: 100
    parameters:
      quality:
        {title: Quality, description: How well., min: 1, max: 10, default: 5, argument: --quality}
      channel:
        title: Channel
        options: {"": None, Red: Red, Green: Green}
        words: {Red: [--reg, --red], Green: [--reg, --green]}
      cut_off:
        title: Cut off
        decimal: {min: 0, max: 1.5}
        default: "0.50"
        argument: --cutoff
        when: channels > 1 && kind == 'scan'
      method: {title: Method, options: [fast, full], default: full, argument: --method}
      quiet: {title: Quiet, flag: true, default: true, argument: [-q, two words]}
      label: {title: Label, text: {}, argument: --label}
"""


def _write(folder: Path, types: dict[str, str], **sections: Any) -> Path:
    (folder / "job_types").mkdir(exist_ok=True)
    for name, text in types.items():
        new = folder / "new"
        new.write_text(text, encoding="utf-8")
        new.replace(folder / "job_types" / name)
    path = folder / "catalogue.yaml"
    path.write_text(
        builders.written(**{"include": ["job_types/*"], "sites": _SITES, "datasets": _DATASETS, **sections})
    )
    return path


def _offer(catalogue: Catalogue) -> Offer:
    dataset = {"channels": 2, "kind": "scan"}
    return Offer(catalogue.jobs, {}, Person("alice"), builders.NOW, (dataset,))


# -- what is wrong ----------------------------------------------------------------------------------------------


def test_the_corpus_is_large() -> None:
    assert len(_GOOD) >= 20
    assert len(_BAD) >= 30


@pytest.mark.parametrize("path", _BAD, ids=lambda path: path.stem)
def test_every_problem_is_found_at_its_place_and_says_what_would_be_right(path: Path) -> None:
    """The first line of each file says what is expected: `<!-- line:column path | line:column path -->`."""
    expected = path.read_text(encoding="utf-8").splitlines()[0][5:-4]
    found, _ = load.of_type(path)
    assert " | ".join(f"{each.line}:{each.column} {each.path}" for each in found) == expected
    for each in found:
        assert each.file == str(path)
        assert re.search(r"; .|\?$", each.text), each


@pytest.mark.parametrize("path", _GOOD, ids=lambda path: path.stem)
def test_every_good_one_is_a_job_type(path: Path, tmp_path: Path) -> None:
    assert load.of_type(path)[0] == ()
    text = path.read_text(encoding="utf-8")
    written = _write(tmp_path, {"a.xml": text}, datasets={**_DATASETS, **_RAW}, profiles=_PROFILES)
    found = load.loaded(written)
    assert found.off == ()
    (entry,) = found.catalogue.job_types.values()
    offer = _offer(found.catalogue)
    if entry.is_interactive:
        assert resolve_server(offer, Choices({})).site_key == "geneva"
    else:
        assert resolve_job(offer, Choices({})).program is not None


def test_what_only_an_icat_gives_a_meaning_is_a_notice_and_no_problem() -> None:
    problems, notices = load.of_type(DATA / "job_types" / "good" / "of-icat.xml")
    assert problems == ()
    assert [str(each).partition("has ")[2].partition(",")[0] for each in notices] == [
        "`family`",
        "`sessionId`",
        "`idsUrlRequired`",
        "`createsProvenance`",
    ]


def test_very_many_problems_are_told_up_to_a_hundred() -> None:
    found = portal_types.read(f"<jobType>{'<x/>' * 5000}</jobType>", "a.xml")
    assert len(found.problems) == 100
    (many,) = portal_types.read(f"<jobType>{'<x/>' * 20_000}</jobType>", "a.xml").problems
    assert many.text == "has more than 20000 elements; remove some"


# -- the same as in YAML ----------------------------------------------------------------------------------------

# Nothing that jobs could count against, at any system.
_NONE: Mapping[str, tuple[()]] = defaultdict(tuple)


def test_the_same_type_in_xml_and_in_yaml_is_the_same(tmp_path: Path) -> None:
    xml = _write(tmp_path, {"recon.xml": _BOTH})
    from_xml = load.read(xml)
    (tmp_path / "job_types" / "recon.xml").unlink()
    from_yaml = load.read(_write(tmp_path, {"recon.yaml": _IN_YAML}))
    mine, theirs = from_xml.job_types["recon"], from_yaml.job_types["recon"]
    assert mine.model_dump(exclude={"parameters"}) == theirs.model_dump(exclude={"parameters"})
    assert list(mine.parameters) == list(theirs.parameters)
    one, other = _offer(from_xml), _offer(from_yaml)
    assert offers.job_type(one, "recon", _NONE) == offers.job_type(other, "recon", _NONE)
    assert told.data(one) == told.data(other)
    refused = ChoiceRefused("param.quality", "No.")
    assert page.render(one, {}, refused) == page.render(other, {}, refused)
    for chosen in (
        {},
        {"param.quality": "7", "param.channel": "Green", "param.cut_off": "1e-1", "param.quiet": "false"},
        {"param.channel": "Red", "param.label": "it's `id`", "param.method": "fast"},
    ):
        choices = Choices.of(chosen, JOB_FIELDS)
        assert resolve_job(one, choices) == replace(resolve_job(other, choices), site=one.menu.sites["geneva"])
    program = resolve_job(one, Choices.of({"param.channel": "Green"}, JOB_FIELDS)).program or ()
    assert program[2:] == (
        *("--quality", "5", "--reg", "--green", "--cutoff", "0.50", "--method", "full", "-q", "two words"),
    )


_LOOK = """
<jobType profile="viewer" acceptsDatasets="true">
  <name>View ingested</name>
  <executable>/opt/view</executable>
  <type>interactive</type>
  <multiple>true</multiple>
  <datasetTypes>scan</datasetTypes>
</jobType>
"""
_LOOK_IN_YAML = """
job_types:
  view_ingested: {name: View ingested, profile: viewer, datasets: {types: [scan], modes: [single]}}
"""


def test_the_same_interactive_type_in_xml_and_in_yaml_is_the_same(tmp_path: Path) -> None:
    from_xml = load.read(_write(tmp_path, {"look.xml": _LOOK}, profiles=_PROFILES))
    (tmp_path / "job_types" / "look.xml").unlink()
    from_yaml = load.read(_write(tmp_path, {"look.yaml": _LOOK_IN_YAML}, profiles=_PROFILES))
    assert from_xml.job_types == from_yaml.job_types
    assert from_xml.job_types["view_ingested"].profile == "viewer"
    one, other = _offer(from_xml), _offer(from_yaml)
    assert offers.job_type(one, "view_ingested", _NONE) == offers.job_type(other, "view_ingested", _NONE)


def test_an_interactive_type_starts_the_profile_of_its_own_name_unless_it_names_one(tmp_path: Path) -> None:
    text = _LOOK.replace(' profile="viewer"', "")
    mine = {**_PROFILES, "view_ingested": _VIEWER}
    found = load.read(_write(tmp_path, {"look.xml": text}, profiles=mine))
    assert found.job_types["view_ingested"].profile == "view_ingested"
    (off,) = load.loaded(_write(tmp_path, {"look.xml": text}, profiles=_PROFILES)).off
    assert (off.line, off.column, off.path) == (3, 3, "job_types.view_ingested.profile")
    assert off.text.startswith("there is no profile `view_ingested`; ")


def test_what_an_interactive_type_does_not_run_is_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "look.xml"
    path.write_text(_LOOK)
    problems, (notice,) = load.of_type(path)
    assert problems == ()
    assert (notice.line, notice.path) == (4, "executable")
    assert "a server of the profile `viewer`" in notice.text


@pytest.mark.parametrize(
    ("attribute", "most"),
    [("", 100), (' freeArguments="3"', 3), (' freeArguments="08"', 8), (' freeArguments="0"', 0)],
)
def test_words_behind_a_type_reach_its_program_as_in_the_portal(tmp_path: Path, attribute: str, most: int) -> None:
    text = _type("a").replace("<jobType>", f"<jobType{attribute}>")
    offer = _offer(load.read(_write(tmp_path, {"a.xml": text})))
    words = tuple(f"it's ${{{number}}}" for number in range(most))
    assert resolve_job(offer, Choices({}), words).program == ("/bin/a", *words)
    with pytest.raises(ChoiceRefused):
        resolve_job(offer, Choices({}), (*words, "more"))


def test_a_group_with_a_default_has_a_value_for_none(tmp_path: Path) -> None:
    text = (DATA / "job_types" / "good" / "group-with-default.xml").read_text(encoding="utf-8")
    offer = _offer(load.read(_write(tmp_path, {"a.xml": text})))
    assert resolve_job(offer, Choices({})).program == ("/opt/recon", "--green")
    assert resolve_job(offer, Choices({"param.channel": "none"})).program == ("/opt/recon",)


# -- beside others ----------------------------------------------------------------------------------------------

_RUNS = "<jobType><name>{name}</name><executable>/bin/{name}</executable><type>batch</type>{more}</jobType>"


def _type(name: str, more: str = "") -> str:
    return _RUNS.format(name=name, more=more)


_WRONG_IN_ITSELF = "<jobOptions><name>A</name><type>string</type><condition>a &gt;</condition></jobOptions>"


@pytest.mark.parametrize(
    "wrong",
    [
        "<jobType>",
        _type("b", "<x/>"),
        _type("b", _WRONG_IN_ITSELF),
        _type("yaml"),
        _type("a"),
        "<!DOCTYPE jobType>" + _type("b"),
        _type("b").replace("<jobType>", '<jobType acceptsDatasets="true">') + "",
        _type("b", "<datasetTypes>nothing</datasetTypes>").replace(
            "<jobType>", '<jobType acceptsDatasets="true">'
        ),
    ],
)
def test_a_type_that_is_wrong_is_off_and_the_others_live(tmp_path: Path, wrong: str) -> None:
    types = {"yaml": builders.job_type()}
    path = _write(tmp_path, {"a.xml": _type("a"), "b.xml": wrong, "c.xml": _type("c")}, job_types=types)
    found = load.loaded(path)
    assert list(found.catalogue.job_types) == ["yaml", "a", "c"]
    assert {each.file for each in found.off} == {str(tmp_path / "job_types" / "b.xml")}


def test_a_file_that_is_not_utf_8_is_off_too(tmp_path: Path) -> None:
    path = _write(tmp_path, {"a.xml": _type("a")})
    (tmp_path / "job_types" / "b.xml").write_bytes(_type("b\xe9").encode("latin-1"))
    found = load.loaded(path)
    assert list(found.catalogue.job_types) == ["a"]
    assert [each.text.partition(" from")[0] for each in found.off] == ["is not UTF-8 text"]


def test_a_problem_in_yaml_is_one_of_the_whole_and_all_are_told(tmp_path: Path) -> None:
    path = _write(tmp_path, {"a.xml": "<jobType>"}, job_types={"yaml": {"name": "Y"}})
    with pytest.raises(CatalogueInvalid) as found:
        load.loaded(path)
    assert len(found.value.problems) == 2


async def test_an_edit_is_taken_up_and_a_wrong_one_turns_one_type_off(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    live = LiveCatalogue(str(_write(tmp_path, {"a.xml": _type("a"), "b.xml": _type("b")})))
    assert live.problem is None
    caplog.set_level(logging.ERROR)
    _write(tmp_path, {"b.xml": _type("b", "<x/>"), "c.xml": _type("c")})
    assert list((await _read(live)).job_types) == ["a", "c"]
    assert live.problem is not None
    assert live.problem.startswith("1 job type of the catalogue is off, for it has an error: ")
    assert [each.getMessage() for each in caplog.records] == [live.problem]
    _write(tmp_path, {"b.xml": _type("b")})
    assert list((await _read(live)).job_types) == ["a", "b", "c"]
    assert live.problem is None


async def _read(live: LiveCatalogue) -> Catalogue:
    """Return the catalogue once it is another one."""
    before = live.current
    async with asyncio.timeout(60):
        while (found := await live.refreshed()) is before:  # noqa: ASYNC110 - files tell nobody
            await asyncio.sleep(0)
    return found


# -- check ------------------------------------------------------------------------------------------------------


def test_check_looks_at_files_in_xml_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_text(_type("a"))
    bad.write_text(_type("a", "<x/>"))
    assert main(["check", str(good)]) == 0
    assert main(["check", str(good), str(bad)]) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"{good}: no problem found in the job type.",
        f"{bad}:1:73: x: there is no such element here; write one of `name`, `executable`, `type`, `multiple`, "
        "`datasetTypes`, `jobOptions`",
    ]


def test_check_of_a_catalogue_finds_what_is_off(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = _write(tmp_path, {"a.xml": _type("a", "<x/>")})
    assert main(["check", str(path)]) == 1
    assert f"{tmp_path}/job_types/a.xml:1:73: x: there is no such element" in capsys.readouterr().out


def test_the_example_is_one() -> None:
    for given in ("examples/job_types/ingest.xml", "lab/imaging/count_spots.xml"):
        assert load.of_type(TREE / given) == ((), ())
    included = yaml.safe_load((TREE / "examples" / "catalogue.yaml").read_text(encoding="utf-8"))["include"]
    assert "job_types/*.xml" in included
    assert load.read(TREE / "examples" / "catalogue.yaml").job_types["ingest"].run == (
        "/gpfs/apps/recon/bin/recon",
    )
