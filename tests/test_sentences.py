"""What people read is worded in the packages' `sentences` alone, where it can be translated."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.folders import TREE

# Three words in a row are prose; keys, paths and commands have fewer.
_PROSE = re.compile(r"[A-Za-z']{2,},? [A-Za-z']+,? [A-Za-z']{2,}")
_DESCRIPTIONS = {"description", "help", "thread_name_prefix"}
_LOGS = re.compile(r"(^|\.)_?log\.\w+$")
# Their last argument is a detail for the log; of those with a sentence of their own it is the only one.
_DETAILED = {
    "AuthFailed": 1,
    "SignOnRefused": 1,
    "NotDelegated": 1,
    "LoginRefused": 0,
    "NameRefused": 0,
    "PasswordExpired": 0,
    "LoginServersUnreachable": 0,
    "TicketMissing": 0,
    "TicketExpired": 0,
    "RenewalRefused": 0,
    "BadTicket": 0,
    "ForeignTicket": 0,
}
# What other programs say, to be found in their answers.
_OF_OTHERS = {"_NEVER_AGAIN", "_NOT_NOW", "_HINTS", "_BEGIN_BEFORE"}
# Bugs of ours, which no person can cause or cure.
_FOR_DEVELOPERS = {"kernels/shell.py", "job_client/hubjobs/transport.py"}
# A page of the documentation, which is English as the descriptions are.
_PAGES = {"profiles/catalogue/reference_page.py"}


def _prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts in a module that a person might read, each with its line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = set(_skipped(tree))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(each.value if isinstance(each, ast.Constant) else "x" for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if _PROSE.search(re.sub(r"\{\w*\}", "x", text)):
            yield node.lineno, text


def _skipped(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what is inside docstrings, descriptions, lines of a log and others' words."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.keyword) and node.arg in _DESCRIPTIONS:
            yield from ast.walk(node.value)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in _OF_OTHERS:
            yield from ast.walk(node)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            first = 0 if _LOGS.search(name) else _DETAILED.get(name, len(node.args))
            for argument in node.args[first:]:
                yield from ast.walk(argument)


def _modules(package: str) -> list[Path]:
    return [
        path
        for path in sorted((TREE / package).rglob("*.py"))
        if not {"jobside", "sentences", "sentences.py"} & set(path.parts)
        and str(path.relative_to(TREE)) not in _FOR_DEVELOPERS | _PAGES
    ]


@pytest.mark.parametrize("package", ["kerberos_auth", "profiles", "kernels", "job_client/hubjobs"])
def test_no_module_words_a_sentence_of_its_own(package: str) -> None:
    modules = _modules(package)
    assert len(modules) > 8
    found = [f"{path.relative_to(TREE)}:{line}: {text}" for path in modules for line, text in _prose(path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("folder", ["kerberos_auth", "profiles", "slurm_ssh_spawner"])
def test_no_page_words_a_sentence_of_its_own(folder: str) -> None:
    pages = [*(TREE / folder).rglob("*.html"), *(TREE / folder).rglob("*.html.jinja")]
    assert pages
    for page in pages:
        text = re.sub(r"\{[{%#].*?[}%#]\}", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        outside = re.sub(r"<[^>]*>", "", text)
        # A label is one word, which begins with a capital letter.
        found = re.search(r"\b[A-Z]\w+", outside) or _PROSE.search(outside)
        assert not found, f"{page.relative_to(TREE)}: {found[0]}"


def test_a_sentence_that_a_module_words_itself_is_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""What this module is for."""\n'
        '_log.warning("This is for the log")\n'
        'raise LoginRefused("the detail of it")\n'
        'raise AuthFailed(sentences.X, "the detail of it")\n'
        'raise AuthFailed(f"The ticket {x} has ended.")\n'
        'text = "The ticket is over."\n'
        'raise WrongAt(("a",), "is not {x} at all".format(x=1))\n'
    )
    assert sorted(line for line, _ in _prose(module)) == [5, 6, 7]


@pytest.mark.parametrize("path", sorted(TREE.glob("*/sentences*")), ids=lambda path: str(path.relative_to(TREE)))
def test_no_name_is_given_twice(path: Path) -> None:
    for module in [path] if path.is_file() else sorted(path.glob("*.py")):
        named = [
            target.id
            for each in ast.parse(module.read_text()).body
            if isinstance(each, ast.Assign)
            for target in each.targets
            if isinstance(target, ast.Name)
        ]
        assert {name for name in named if named.count(name) > 1} == set(), module
