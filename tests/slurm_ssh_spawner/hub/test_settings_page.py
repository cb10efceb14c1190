from slurm_ssh_spawner.hub import settings_page
from slurm_ssh_spawner.spawner import SlurmSSHSpawner
from tests.support.folders import TREE


def test_the_page_of_settings_is_made_from_the_classes() -> None:
    page = (TREE / "docs/settings.md").read_text(encoding="utf-8")
    assert page == settings_page.page(), "run: python -m slurm_ssh_spawner.hub.settings_page > docs/settings.md"


def test_every_setting_of_our_spawner_is_on_it() -> None:
    ours = {
        name
        for name, trait in SlurmSSHSpawner.class_traits(config=True).items()
        if trait.this_class.__module__.startswith("slurm_ssh_spawner")
    }
    assert "hub_name" in ours
    assert {name for name in ours if f"| `{name}` |" not in settings_page.page()} == set()
