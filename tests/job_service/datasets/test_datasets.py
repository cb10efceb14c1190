"""Datasets from lists in the catalogue and from folders at sites, which a real shell lists."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from job_service.datasets import folders
from job_service.datasets.datasets import Datasets
from job_service.datasets.folders import Listings
from job_service.datasets.source import AT_ONCE
from job_service.errors import Invalid
from kernels.shell import Shell
from profiles.catalogue.dataset import Dataset
from profiles.loading.live import LiveCatalogue
from profiles.offer.offer import Person
from slurm_ssh.errors import Broken, SiteUnreachable
from slurm_ssh.ssh.login import Login
from slurm_ssh.ssh.remote import Remote
from tests.support import builders
from tests.support.local import LocalSite

ALICE = Person("alice")
_SCANS = [
    {"id": "a", "name": "Mouse 1", "type": "scan", "location": "/data/a", "parameters": {"channels": 2}},
    {"id": "b", "type": "scan", "location": "/data/b"},
    {"id": "c", "type": "mesh", "location": "/data/c"},
]


class Site:
    """Geneva and lugano, both this machine; `away` does not answer."""

    def __init__(self, local: LocalSite, catalogue: LiveCatalogue) -> None:
        self.local, self.catalogue = local, catalogue
        self.away: set[str] = set()
        self.asked = 0

    def reach(self, user: str, system: str) -> Remote:
        self.asked += 1
        if system in self.away:
            raise SiteUnreachable("Lugano cannot be reached.")
        return Remote(self.local, Login(user, user, system), self.catalogue.sites[system])  # type: ignore[arg-type]


@pytest.fixture
async def site(tmp_path: Path, local: LocalSite) -> AsyncIterator[Site]:
    jobs = {"folder": "/scratch/{owner}/jobs"}
    catalogue = builders.live(
        tmp_path,
        sites={"geneva": builders.site(jobs=jobs), "lugano": builders.site(title="Lugano", jobs=jobs)},
        datasets={
            "demo": {"list": _SCANS},
            "own": {"folder": f"{tmp_path}/of/{{owner}}", "pattern": "*.nii", "type": "scan"},
        },
    )
    yield Site(local, catalogue)
    await catalogue.close()


def _own(folder: Path, *names: str, owner: str = "alice") -> None:
    for name in names:
        file = folder / "of" / owner / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def _found(site: Site) -> Datasets:
    return Datasets(site.catalogue, site.reach)


async def _ids(found: Datasets, *words: Any) -> list[str]:
    return [each.id for each in (await found.search(ALICE, *words)).items]


async def test_what_is_in_a_list_is_found_by_words_type_and_id(site: Site) -> None:
    found = _found(site)
    assert await _ids(found) == ["demo:a", "demo:b", "demo:c"]
    assert await _ids(found, "MOUSE") == ["demo:a"]
    assert await _ids(found, "o:B") == ["demo:b"]
    assert await _ids(found, "", "mesh") == ["demo:c"]
    whole = Dataset("demo:a", "Mouse 1", "scan", "/data/a", {"channels": 2})
    assert await found.get(ALICE, ["demo:a", "demo:x", "no:a", "odd"]) == {"demo:a": whole}


async def test_a_folder_is_listed_at_each_site_as_the_person(site: Site, tmp_path: Path) -> None:
    _own(tmp_path, "2.nii", "1.nii", ".hidden.nii", "other.txt", "two\nlines.nii", "ü b.nii")
    _own(tmp_path, "bobs.nii", owner="bob")
    ids = [f"own:{system}/{name}" for system in ("geneva", "lugano") for name in ("1.nii", "2.nii", "ü b.nii")]
    assert await _ids(_found(site), "nii") == ids
    (known,) = (await _found(site).get(ALICE, [ids[0], "own:geneva/3.nii", "own:bern/1.nii"])).values()
    assert known == Dataset(ids[0], "1.nii", "scan", f"{tmp_path}/of/alice/1.nii", {}, "geneva")


async def test_pages_go_through_all_sources_once(site: Site, tmp_path: Path) -> None:
    _own(tmp_path, *(f"{number}.nii" for number in range(AT_ONCE)))
    found, cursor, seen = _found(site), None, []
    while True:
        page = await found.search(ALICE, "", None, cursor)
        seen += [each.id for each in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert len(seen) == len(set(seen)) == 3 + 2 * AT_ONCE
    for wrong in ("x", "demo", "demo:x", "no:1", "demo:-1", "demo:\u0661"):
        with pytest.raises(Invalid):
            await found.search(ALICE, "", None, wrong)


async def test_what_several_sources_have_is_found_at_once(site: Site, tmp_path: Path) -> None:
    _own(tmp_path, "a.nii", "mouse.nii")
    found = _found(site)
    page = await found.search(ALICE, "mouse")
    assert [each.id for each in page.items] == ["demo:a", "own:geneva/mouse.nii", "own:lugano/mouse.nii"]
    assert page.next_cursor is None
    # That there are more is not said where the other sources have none.
    assert (await found.search(ALICE, "demo:")).next_cursor is None


async def test_a_site_that_is_away_hides_nothing_of_the_others(site: Site, tmp_path: Path) -> None:
    _own(tmp_path, "1.nii")
    site.away.add("lugano")
    page = await _found(site).search(ALICE, "nii")
    assert [each.id for each in page.items] == ["own:geneva/1.nii"]
    assert page.problems == ("Lugano cannot be reached.",)
    with pytest.raises(SiteUnreachable):
        await _found(site).get(ALICE, ["own:lugano/1.nii"])


async def test_a_listing_is_kept_for_a_minute_and_ends_somewhere(site: Site, tmp_path: Path) -> None:
    _own(tmp_path, *(f"{number}.nii" for number in range(folders.MOST + 5)))
    now = 0.0
    listings = Listings(site.reach, lambda: now)
    place = f"{tmp_path}/of/{{owner}}"
    assert len(await listings.names("alice", "geneva", place, "*.nii")) == folders.MOST + 1
    _own(tmp_path, "x.nix")
    assert await listings.names("alice", "geneva", place, "*.nix") == ("x.nix",)
    _own(tmp_path, "y.nix")
    assert await listings.names("alice", "geneva", place, "*.nix") == ("x.nix",)
    now = folders.KEPT_SECONDS
    assert await listings.names("alice", "geneva", place, "*.nix") == ("x.nix", "y.nix")
    page = await _found(site).search(ALICE, "nii")
    assert len(page.items) == AT_ONCE
    assert "2000" in page.problems[0]


async def test_a_folder_that_is_not_there_has_nothing_and_one_that_cannot_be_listed_is_told(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings = Listings(site.reach)
    assert await listings.names("alice", "geneva", f"{tmp_path}/no where", None) == ()
    monkeypatch.setattr(folders, "listing", lambda *_: Shell("echo no; exit 1"))
    with pytest.raises(Broken, match="cannot be listed"):
        await listings.names("alice", "geneva", "/else", None)
