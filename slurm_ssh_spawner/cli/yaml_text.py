"""Values as YAML with comments, for an admin to review and change.  Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from slurm_ssh.text import one_line

Place = tuple[str | int, ...]
"""Keys and indices that lead to a value."""
Comments = Mapping[Place, Sequence[str]]
"""Lines above values."""


class _OneLine(yaml.SafeDumper):
    """Writes every text in one line, with escapes for what is not printable."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_OneLine.add_representer(str, _text)

_LONGEST_COMMENT = 400
_LONGEST_KEY = 200
_WIDTH = 100


def written(tree: Mapping[str, Any], comments: Comments) -> str:
    """Return mappings, lists and plain values as YAML, each with its comments above; lists and short mappings in
    one line where no comment stands within.
    """
    return "".join(f"{line}\n" for line in _mapping(tree, comments, ()))


def comment(text: str) -> str:
    """Return any text as one line of a comment."""
    return f"# {one_line(text, _LONGEST_COMMENT)}".rstrip()


def _mapping(tree: Mapping[str, Any], comments: Comments, at: Place) -> Iterator[str]:
    for key, value in tree.items():
        here = (*at, key)
        yield from map(comment, comments.get(here, ()))
        name = _flow(key)
        if len(name) > _LONGEST_KEY:
            # Readers look for the colon within the next 1024 characters.
            yield f"? {name}"
            name = ""
        yield from _entry(f"{name}:", value, comments, here)


def _entry(head: str, value: Any, comments: Comments, here: Place) -> Iterator[str]:
    if isinstance(value, str) and "\n" in value and _is_block(value):
        yield f"{head} |{'' if value.endswith(chr(10)) else '-'}"
        yield from (f"  {line}".rstrip() for line in value.splitlines())
    elif _is_short(head, value, comments, here):
        yield f"{head} {_flow(value)}"
    elif isinstance(value, Mapping):
        yield head
        yield from (f"  {line}" for line in _mapping(value, comments, here))
    else:
        yield head
        for index, each in enumerate(value):
            place = (*here, index)
            yield from (f"  {line}" for line in map(comment, comments.get(place, ())))
            if isinstance(each, Mapping) and each:
                lines = list(_mapping(each, comments, place))
                yield f"  - {lines[0]}"
                yield from (f"    {line}" for line in lines[1:])
            else:
                yield f"  - {_flow(each)}"


def _is_short(head: str, value: Any, comments: Comments, here: Place) -> bool:
    if not isinstance(value, Mapping | list | tuple) or not value:
        return True
    if any(place[: len(here)] == here and len(place) > len(here) for place in comments):
        return False
    inner = value.values() if isinstance(value, Mapping) else value
    is_plain = not any(isinstance(each, Mapping | list | tuple) or "\n" in str(each) for each in inner)
    return is_plain and len(here) > 2 and len(head) + len(_flow(value)) < _WIDTH


def _is_block(text: str) -> bool:
    """Return whether a text can stand as it is, indented."""
    lines = text.removesuffix("\n").split("\n")
    is_plain = all(line.replace("\t", " ").isprintable() and line == line.rstrip() for line in lines)
    return is_plain and not lines[0].startswith(" ") and all((lines[0], lines[-1]))


def _flow(value: Any) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.dump(
        plain, Dumper=_OneLine, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True
    )
    return text.removesuffix("...\n").strip()
