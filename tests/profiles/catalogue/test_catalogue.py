import inspect

import pytest
from pydantic import BaseModel, ValidationError

from kernels import kernel
from profiles.catalogue import catalogue, job_type, partition, profile, resources, site, visibility, work
from profiles.catalogue.catalogue import Catalogue
from profiles.loading.problems import CatalogueInvalid
from tests.support import builders

_MODELS = [
    each
    for module in (catalogue, site, partition, visibility, work, profile, job_type, resources, kernel)
    for each in vars(module).values()
    if inspect.isclass(each) and issubclass(each, BaseModel) and each is not BaseModel
]


@pytest.mark.parametrize("model", _MODELS, ids=lambda model: model.__name__)
def test_every_model_is_frozen_and_knows_no_other_keys(model: type[BaseModel]) -> None:
    assert model.model_config["frozen"] is True
    assert model.model_config["extra"] == "forbid"


@pytest.mark.parametrize("model", _MODELS, ids=lambda model: model.__name__)
def test_every_field_is_described_in_a_sentence(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        assert field.description, f"{model.__name__}.{name}"
        assert field.description.endswith("."), f"{model.__name__}.{name}"


def test_the_catalogue_has_a_json_schema() -> None:
    assert set(Catalogue.model_json_schema()["required"]) == {"sites", "profiles"}


def test_a_catalogue_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        builders.catalogue().sites["geneva"].title = "Lugano"  # type: ignore[misc]


def _of_profile(asked: dict[str, object]) -> resources.Resources:
    offer = builders.catalogue(profiles={"one": builders.profile(resources=asked)})
    return offer.profiles["one"].resources


def test_one_value_means_that_nobody_may_change_it() -> None:
    memory = _of_profile({"memory": "2G"}).memory
    assert (memory.least, memory.default, memory.most) == (2048, 2048, 2048)


def test_a_default_alone_bounds_from_one_to_itself() -> None:
    cores = _of_profile({"cores": {"default": 4}}).cores
    assert (cores.least, cores.default, cores.most) == (1, 4, 4)


def test_a_partition_may_be_a_name_alone() -> None:
    site = builders.catalogue(sites={"geneva": builders.site(partitions={"normal": None})}).sites["geneva"]
    assert (site.partitions["normal"].title, site.partitions["normal"].time_max) == ("", None)


def test_partitions_may_be_a_list_of_names() -> None:
    named = builders.catalogue(sites={"geneva": builders.site(partitions=["normal", 2024])})
    written = builders.catalogue(sites={"geneva": builders.site(partitions={"normal": None, "2024": {}})})
    assert named.sites["geneva"].partitions == written.sites["geneva"].partitions


def test_no_gpus_is_a_default_that_bounds_from_none() -> None:
    gpus = _of_profile({"gpus": {"default": 0, "max": 2}}).gpus
    assert (gpus.least, gpus.default, gpus.most) == (0, 0, 2)


def test_a_profile_without_sites_is_offered_at_all_of_them() -> None:
    sites = {"geneva": builders.site(), "lugano": builders.site(title="Lugano")}
    profiles = {"both": builders.profile(), "one": builders.profile(sites=["lugano"])}
    offer = builders.catalogue(sites=sites, profiles=profiles)
    assert offer.notebooks.sites_of("both") == ("geneva", "lugano")
    assert offer.notebooks.sites_of("one") == ("lugano",)


def test_nobody_is_asked_for_a_project_unless_the_site_says_so() -> None:
    site = builders.site()
    del site["projects"]
    assert builders.catalogue(sites={"geneva": site}).sites["geneva"].projects == "none"


@pytest.mark.parametrize("projects", ["none", "accounting", ["physics"], ["physics", "chemistry"]])
def test_a_site_lists_its_projects_or_says_where_they_come_from(projects: str | list[str]) -> None:
    read = builders.catalogue(sites={"geneva": builders.site(projects=projects)}).sites["geneva"].projects
    assert read == (tuple(projects) if isinstance(projects, list) else projects)


@pytest.mark.parametrize("projects", [[], "", "physics", None, True, ["a b"], {"physics": {}}])
def test_projects_of_another_shape_are_refused(projects: object) -> None:
    with pytest.raises(CatalogueInvalid, match=r"sites\.geneva\.projects"):
        builders.catalogue(sites={"geneva": builders.site(projects=projects)})


@pytest.mark.parametrize("limit", [0, -1, "many", 1.5])
def test_a_limit_of_servers_is_a_whole_number_of_at_least_one(limit: object) -> None:
    with pytest.raises(CatalogueInvalid, match=r"profiles\.one\.servers_max"):
        builders.catalogue(profiles={"one": builders.profile(servers_max=limit)})


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "two\nlines"},
        {"front_ends": [{"host": "a b", "host_keys": [builders.HOST_KEY]}]},
        {"front_ends": [{"host": "-oProxyCommand=x", "host_keys": [builders.HOST_KEY]}]},
        {"front_ends": [{"host": "a.test", "host_keys": ["ssh-rsa AAAA x\n* ssh-rsa BBBB"]}]},
        {"slurm_path": "bin"},
        {"slurm_cluster": "a b"},
        {"job_folder": "/scratch/\nx"},
        {"hub_url": "http://hub.test:8081/hub"},
        {"node_address": "node-ib.test"},
        {"node_address": "{node}/x"},
        {"login_name": {"alice": "-x"}},
        {"environment": {"A;id": "x"}},
        {"environment": {"A": "\0"}},
        {"directives": {"Export": "x"}},
        {"directives": {"comment": "a\nb"}},
        {"directives": {"comment": "a\u00a0b"}},
        {"partitions": {"a,b c": {}}},
        {"projects": ["-x"]},
        {"qos": [""]},
    ],
    ids=str,
)
def test_a_site_with_a_value_that_could_do_harm_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(CatalogueInvalid):
        builders.catalogue(sites={"geneva": builders.site(**wrong)})
