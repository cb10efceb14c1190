"""The sentences in other languages: `python -m tests.support.catalogues` brings them to what is in the code.

It writes what there is to translate (`jupyterhub-sites.pot`), adds what is new to each language's `.po`, in the
order of the code, removes what is no more, and compiles the `.mo` that are installed.  It prints what has no
translation.
"""

import io
import string
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from languages.catalogues import DOMAIN
from tests.support import translations
from tests.support.folders import TREE

LOCALE = TREE / "languages/locale"
TEMPLATE = LOCALE / f"{DOMAIN}.pot"
_PACKAGES = ("kerberos_auth", "kernels", "profiles", "slurm_ssh", "slurm_ssh_spawner")
# What people read on the pages of the job service; its API answers in English.
_PAGES = ("accepting", "datasets", "files", "gateways", "http", "nsg", "pages/*", "running", "store")
_KEYWORDS = {"_": None, "counted": (1, 2)}
_HEADERS = {"fr": "Language: fr\nPlural-Forms: nplurals=2; plural=(n > 1);\n"}
_TYPE = "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"

Text = str | tuple[str, ...]


def languages() -> list[str]:
    return sorted(path.name for path in LOCALE.iterdir() if path.is_dir())


def modules() -> Iterator[Path]:
    for package in _PACKAGES:
        yield from sorted([*(TREE / package).glob("sentences.py"), *(TREE / package).glob("sentences/*.py")])
    for page in _PAGES:
        yield from sorted(TREE.glob(f"job_service/sentences/{page}.py"))


def extracted() -> dict[Text, Text]:
    """Return what stands in the code, each with nothing for its translation."""
    found: dict[Text, Text] = {}
    for path in modules():
        for _, text, _, _ in extract_from_file("python", path, keywords=_KEYWORDS):
            found[tuple(text) if isinstance(text, list | tuple) else text] = ""
    return found


def kept(language: str) -> dict[Text, Text]:
    """Return what the `.po` of a language has."""
    with _po(language).open("rb") as file:
        catalogue = read_po(file, locale=language)
    return {
        (message.id if isinstance(message.id, str) else tuple(message.id)): (
            message.string if isinstance(message.string, str) else tuple(message.string)
        )
        for message in catalogue
        if message.id
    }


def updated(language: str) -> dict[Text, Text]:
    known = kept(language) if _po(language).exists() else {}
    return {text: known.get(text, "" if isinstance(text, str) else ("", "")) for text in extracted()}


def written(texts: dict[Text, Text], header: str) -> bytes:
    """Return a `.po`, or with texts that have no translation a `.pot`."""
    catalogue = Catalog(fuzzy=False)
    for text, translation in texts.items():
        catalogue.add(text, translation)
    file = io.BytesIO()
    write_po(file, catalogue, omit_header=True, width=110)
    lines = "".join(f'"{line}\\n"\n' for line in (_TYPE + header).splitlines())
    return f'msgid ""\nmsgstr ""\n{lines}\n'.encode() + file.getvalue()


def compiled(texts: dict[Text, Text], header: str) -> bytes:
    pairs = {_joined(text): _joined(translation) for text, translation in texts.items() if all(_each(translation))}
    return translations.compiled(pairs, _TYPE + header)


def missing(texts: dict[Text, Text]) -> list[str]:
    return [_each(text)[0] for text, translation in texts.items() if not all(_each(translation))]


def differing(texts: dict[Text, Text]) -> list[str]:
    """Return the translations whose places are others than those of their text."""
    return [
        each
        for text, translation in texts.items()
        for each in _each(translation)
        if each and _places(each) not in [_places(one) for one in _each(text)]
    ]


def _each(text: Text) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


def _joined(text: Text) -> str:
    return "\0".join(_each(text))


def _places(text: str) -> set[str]:
    try:
        return {str(name) for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        # JSON, which has braces of its own.
        return set()


def _po(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def files() -> dict[Path, bytes]:
    """Return all files as they have to be."""
    found = {TEMPLATE: written(extracted(), "")}
    for language in languages():
        texts, header = updated(language), _HEADERS[language]
        found[_po(language)] = written(texts, header)
        found[_po(language).with_suffix(".mo")] = compiled(texts, header)
    return found


def main() -> int:
    for path, content in files().items():
        path.write_bytes(content)
    without = [(language, text) for language in languages() for text in missing(kept(language))]
    for language, text in without:
        print(f"{language}: not translated: {text}")
    return 1 if without else 0


if __name__ == "__main__":
    sys.exit(main())
