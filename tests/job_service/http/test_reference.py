from job_service.http import reference
from tests.support.folders import TREE


def test_the_page_of_the_api_is_made_from_its_document() -> None:
    page = (TREE / "docs/api.md").read_text(encoding="utf-8")
    assert page == reference.page(reference.document()), "run: python -m job_service.http.reference > docs/api.md"


def test_models_of_one_name_are_told_apart() -> None:
    names = reference.document()["components"]["schemas"]
    assert {"Job", "OldJob", "System", "Problem"} <= set(names)
    assert not any("__" in each for each in names)
