"""A catalogue in several files."""

import gc
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from profiles.loading import include, load
from profiles.loading.problems import CatalogueInvalid
from tests.support.folders import DATA

_SITES = DATA / "catalogues" / "good" / "shared-parts.yaml"


def _problems(path: Path) -> CatalogueInvalid:
    with pytest.raises(CatalogueInvalid) as found:
        load.read(path)
    return found.value


class TestSeveralFiles:
    """What `include` names is read as if it stood in the first file, but for problems, which name their own."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "profiles" / "deep").mkdir(parents=True)
        self._write(tmp_path / "profiles" / "b.yaml", {"profiles": {"b": {"name": "B", "sites": ["lugano"]}}})
        deep = {"include": ["deep/*.yaml"], "profiles": {"a": {"name": "A"}}}
        self._write(tmp_path / "profiles" / "a.yaml", deep)
        self._write(tmp_path / "profiles" / "deep" / "c.yaml", {"profiles": {"c": {"name": "C"}}})
        self._main(tmp_path, "profiles/*.yaml", "nothing/*.yaml")
        return tmp_path

    def _main(self, folder: Path, *include: str) -> None:
        sites = yaml.safe_load(_SITES.read_text(encoding="utf-8"))["sites"]
        profiles = {"first": {"name": "First"}}
        self._write(folder / "main.yaml", {"include": [*include], "sites": sites, "profiles": profiles})

    @staticmethod
    def _write(path: Path, data: object) -> None:
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")

    def test_the_files_are_one_catalogue_in_the_order_of_include(self, folder: Path) -> None:
        found = load.loaded(folder / "main.yaml")
        assert list(found.catalogue.profiles) == ["first", "a", "c", "b"]
        assert list(found.catalogue.sites) == ["geneva", "lugano"]
        names = [str(path.relative_to(folder)) for path in found.sources.files]
        assert names == [
            "main.yaml",
            "profiles/a.yaml",
            "profiles/deep/c.yaml",
            "profiles/b.yaml",
        ]

    def test_a_list_of_datasets_is_a_file_beside_the_one_that_names_it(self, folder: Path) -> None:
        listed = folder / "profiles" / "scans.yaml"
        self._write(listed, [{"id": "a", "type": "scan", "location": "/data/a"}])
        self._write(folder / "profiles" / "a.yaml", {"datasets": {"demo": {"list": "scans.yaml"}}})
        found = load.loaded(folder / "main.yaml")
        (known,) = found.catalogue.datasets["demo"].list or ()
        assert (known.id, known.location) == ("a", "/data/a")
        assert not found.sources.changed()
        self._write(listed, [{"id": "a", "type": "scan", "location": "relative"}])
        assert found.sources.changed()
        (problem,) = _problems(folder / "main.yaml").problems
        assert (problem.file, problem.path) == (str(listed), "datasets.demo.list.0.location")

    def test_included_files_may_have_job_types(self, folder: Path) -> None:
        main = yaml.safe_load((folder / "main.yaml").read_text(encoding="utf-8"))
        main["sites"]["geneva"]["jobs"] = {"folder": "/scratch/{owner}/jobs"}
        self._write(folder / "main.yaml", {**main, "job_types": {"first": {"name": "First", "command": "any"}}})
        self._write(folder / "profiles" / "b.yaml", {"job_types": {"second": {"name": "Second", "run": ["id"]}}})
        assert list(load.read(folder / "main.yaml").jobs.entries) == ["first", "second"]
        self._write(folder / "profiles" / "b.yaml", {"job_types": {"first": {"name": "Again", "run": ["id"]}}})
        assert [each.path for each in _problems(folder / "main.yaml").problems] == ["job_types.first"]

    def test_a_file_that_two_others_include_is_read_once(self, folder: Path) -> None:
        self._write(folder / "profiles" / "b.yaml", {"include": ["deep/c.yaml"]})
        assert list(load.read(folder / "main.yaml").profiles) == ["first", "a", "c"]

    def test_a_glob_may_match_the_file_that_has_it(self, folder: Path) -> None:
        self._write(folder / "profiles" / "a.yaml", {"include": ["*.yaml"], "profiles": {"a": {"name": "A"}}})
        assert list(load.read(folder / "main.yaml").profiles) == ["first", "a", "b"]

    def test_hidden_files_and_folders_are_not_read(self, folder: Path) -> None:
        (folder / "profiles" / ".#a.yaml").write_text("{", encoding="utf-8")
        (folder / "profiles" / "folder.yaml").mkdir()
        load.read(folder / "main.yaml")

    def test_a_problem_names_the_file_it_is_in(self, folder: Path) -> None:
        self._write(folder / "profiles" / "deep" / "c.yaml", {"profiles": {"c": {"name": "C", "core": "many"}}})
        (problem,) = _problems(folder / "main.yaml").problems
        assert (problem.file, problem.line) == (str(folder / "profiles" / "deep" / "c.yaml"), 4)

    def test_the_profile_of_one_file_may_name_the_site_of_another(self, folder: Path) -> None:
        self._write(folder / "profiles" / "b.yaml", {"profiles": {"b": {"name": "B", "sites": ["luganno"]}}})
        assert "b.yaml:5:7: profiles.b.sites.luganno: there is no site `luganno`; did you mean `lugano`?" in str(
            _problems(folder / "main.yaml")
        )

    @pytest.mark.parametrize(
        "edit",
        [
            lambda folder: (folder / "main.yaml").write_text("{}"),
            lambda folder: (folder / "profiles" / "deep" / "c.yaml").write_text("{}"),
            lambda folder: (folder / "profiles" / "new.yaml").write_text("{}"),
            lambda folder: (folder / "profiles" / "deep" / "new.yaml").write_text("{}"),
            lambda folder: (folder / "profiles" / "b.yaml").unlink(),
            lambda folder: (folder / "profiles" / "b.yaml").rename(folder / "profiles" / "z.yaml"),
        ],
    )
    def test_any_edit_is_noticed_without_reading(self, folder: Path, edit: Any) -> None:
        sources = load.loaded(folder / "main.yaml").sources
        assert not sources.changed()
        edit(folder)
        assert sources.changed()

    def test_a_broken_catalogue_says_which_files_to_watch(self, folder: Path) -> None:
        (folder / "profiles" / "b.yaml").write_text("{", encoding="utf-8")
        sources = _problems(folder / "main.yaml").sources
        assert not sources.changed()
        self._write(folder / "profiles" / "b.yaml", {})
        assert sources.changed()

    def test_a_missing_file_is_noticed_when_it_comes(self, folder: Path) -> None:
        self._main(folder, "profiles/late.yaml")
        sources = _problems(folder / "main.yaml").sources
        assert not sources.changed()
        self._write(folder / "profiles" / "late.yaml", {"profiles": {"late": {"name": "Late"}}})
        assert sources.changed()
        assert list(load.read(folder / "main.yaml").profiles) == ["first", "late"]

    def test_an_edit_between_the_reading_and_the_first_look_is_noticed(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened = os.open

        def edited_meanwhile(path: Path, flags: int) -> int:
            file = opened(path, flags)
            if path.name == "b.yaml":
                path.write_text("{}", encoding="utf-8")
            return file

        monkeypatch.setattr(os, "open", edited_meanwhile)
        assert load.loaded(folder / "main.yaml").sources.changed()

    def test_garbage_is_collected_while_files_are_read(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Reading may take for ever, and the collector is that of the whole hub."""
        opened, seen = os.open, []

        def looks(path: Path, flags: int) -> int:
            seen.append(gc.isenabled())
            return opened(path, flags)

        monkeypatch.setattr(os, "open", looks)
        load.loaded(folder / "main.yaml")
        assert seen == [True] * 4

    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            ("self.yaml", "self.yaml cannot be read: Too many levels of symbolic links"),
            ("profiles", "cannot be read: Is a directory; write such as profiles/*.yaml for the files in it"),
            ("nowhere.yaml", "cannot be read: No such file or directory; write a path relative to this file"),
            ("pipe.yaml", "pipe.yaml is not a file, but a pipe or a device; write the path of a file"),
            ("/dev/zero", "/dev/zero is not a file, but a pipe or a device; write the path of a file"),
            ("socket.yaml", "socket.yaml is not a file, but a pipe or a device; write the path of a file"),
            ("sparse.yaml", "sparse.yaml is larger than 2 MB; write a smaller file, or several"),
            ("a\0b", "has a line break or another control character"),
        ],
    )
    def test_what_cannot_be_read_is_told_where_it_is_included(self, folder: Path, entry: str, said: str) -> None:
        (folder / "self.yaml").symlink_to("self.yaml")
        os.mkfifo(folder / "pipe.yaml")
        with socket.socket(socket.AF_UNIX) as listener, (folder / "sparse.yaml").open("wb") as sparse:
            listener.bind(str(folder / "socket.yaml"))
            sparse.truncate(10 * 1024**3)
        self._main(folder, "profiles/a.yaml", entry, "profiles/*.yaml")
        (found,) = _problems(folder / "main.yaml").problems
        assert (found.file, found.line, found.path) == (str(folder / "main.yaml"), 3, "include.1")
        assert said in found.text

    def test_text_of_another_encoding_is_told_with_its_place(self, folder: Path) -> None:
        (folder / "profiles" / "b.yaml").write_bytes(b"profiles:\n  b:\n    name: Gen\xe8ve\n")
        (found,) = _problems(folder / "main.yaml").problems
        assert (Path(found.file).name, found.line, found.column) == ("b.yaml", 3, 14)
        assert found.text.endswith("save the file as UTF-8")

    def test_a_pattern_names_files_alone(self, folder: Path) -> None:
        os.mkfifo(folder / "profiles" / "pipe.yaml")
        load.read(folder / "main.yaml")

    def test_a_first_file_of_any_length_is_told(self, folder: Path) -> None:
        with (folder / "main.yaml").open("wb") as sparse:
            sparse.truncate(10 * 1024**3)
        (found,) = _problems(folder / "main.yaml").problems
        assert found.text == "cannot be read: File too large"

    def test_only_the_first_file_names_sites(self, folder: Path) -> None:
        site = yaml.safe_load(_SITES.read_text(encoding="utf-8"))["sites"]["geneva"]
        self._write(folder / "profiles" / "b.yaml", {"sites": {"bern": site}, "profiles": {"b": {"name": "B"}}})
        (found,) = _problems(folder / "main.yaml").problems
        assert (Path(found.file).name, found.line, found.path) == ("b.yaml", 1, "sites")
        assert found.text.startswith("only the first file may name sites")

    def test_files_that_include_ever_more_files_come_to_an_end(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(include, "_MOST_FILES", 3)
        (found,) = _problems(folder / "main.yaml").problems
        assert found.text == "there are more than 3 files; include fewer"


_LAUGHS = {
    "lists": ("[x, x]", "[*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}]"),
    "merged mappings": ("{k: v}", "{{<<: [*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}]}}"),
}


@pytest.mark.parametrize("kind", _LAUGHS)
@pytest.mark.parametrize("place", ["directives", "include"])
def test_a_few_lines_that_repeat_each_other_are_told_at_once(kind: str, place: str, tmp_path: Path) -> None:
    """Written out they would fill any memory."""
    first, more = _LAUGHS[kind]
    lines = [f"  a0: &a0 {first}", *(f"  a{n}: &a{n} {more.format(n - 1)}" for n in range(1, 40))]
    text = "\n".join(["x:", *lines, "sites: {geneva: {directives: {comment: *a39}}}"])
    path = tmp_path / "catalogue.yaml"
    if place == "include":
        (tmp_path / "more.yaml").write_text(text.replace("sites", "profiles").replace("geneva", "one"))
        text = "include: [more.yaml]\nsites: {}\n"
    path.write_text(text)
    assert "repeated by aliases" in str(_problems(path))
