"""A catalogue in several files."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from profiles.loading import load
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
        right = yaml.safe_load(_SITES.read_text(encoding="utf-8"))
        (tmp_path / "sites").mkdir()
        (tmp_path / "profiles" / "deep").mkdir(parents=True)
        self._write(tmp_path / "sites" / "all.yaml", {"sites": right["sites"]})
        self._write(tmp_path / "profiles" / "b.yaml", {"profiles": {"b": {"name": "B", "sites": ["lugano"]}}})
        deep = {"include": ["deep/*.yaml"], "profiles": {"a": {"name": "A"}}}
        self._write(tmp_path / "profiles" / "a.yaml", deep)
        self._write(tmp_path / "profiles" / "deep" / "c.yaml", {"profiles": {"c": {"name": "C"}}})
        include = ["sites/all.yaml", "profiles/*.yaml", "nothing/*.yaml"]
        self._write(tmp_path / "main.yaml", {"include": include, "profiles": {"first": {"name": "First"}}})
        return tmp_path

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
            "sites/all.yaml",
            "profiles/a.yaml",
            "profiles/deep/c.yaml",
            "profiles/b.yaml",
        ]

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
        self._write(folder / "main.yaml", {"include": ["sites/all.yaml", "profiles/late.yaml"]})
        sources = _problems(folder / "main.yaml").sources
        assert not sources.changed()
        self._write(folder / "profiles" / "late.yaml", {"profiles": {"late": {"name": "Late"}}})
        assert sources.changed()
        assert list(load.read(folder / "main.yaml").profiles) == ["late"]

    def test_an_edit_between_the_reading_and_the_first_look_is_noticed(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = Path.read_bytes

        def edited_meanwhile(path: Path) -> bytes:
            data = read(path)
            if path.name == "b.yaml":
                path.write_text("{}", encoding="utf-8")
            return data

        monkeypatch.setattr(Path, "read_bytes", edited_meanwhile)
        assert load.loaded(folder / "main.yaml").sources.changed()

    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            ("self.yaml", "self.yaml cannot be read: Too many levels of symbolic links"),
            ("profiles", "cannot be read: Is a directory; write such as profiles/*.yaml for the files in it"),
            ("nowhere.yaml", "cannot be read: No such file or directory; write a path relative to this file"),
            ("a\0b", "has a line break or another control character"),
        ],
    )
    def test_what_cannot_be_read_is_told_where_it_is_included(self, folder: Path, entry: str, said: str) -> None:
        (folder / "self.yaml").symlink_to("self.yaml")
        self._write(folder / "main.yaml", {"include": ["sites/all.yaml", entry, "profiles/*.yaml"]})
        (found,) = _problems(folder / "main.yaml").problems
        assert (found.file, found.line, found.path) == (str(folder / "main.yaml"), 3, "include.1")
        assert said in found.text

    def test_text_of_another_encoding_is_told_with_its_place(self, folder: Path) -> None:
        (folder / "profiles" / "b.yaml").write_bytes(b"profiles:\n  b:\n    name: Gen\xe8ve\n")
        (found,) = _problems(folder / "main.yaml").problems
        assert (Path(found.file).name, found.line, found.column) == ("b.yaml", 3, 14)
        assert found.text.endswith("save the file as UTF-8")
