"""Values as YAML with comments: they read back as what they were, whatever they hold."""

import string
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from slurm_ssh_spawner.cli import yaml_text
from slurm_ssh_spawner.cli.yaml_text import Comments

_TEXT = st.one_of(st.text(string.printable, max_size=30), st.text(max_size=10))
_LEAF = st.one_of(st.none(), st.booleans(), st.integers(), _TEXT)
_VALUE = st.recursive(
    _LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXT, inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_TEXT, _VALUE, max_size=3), _TEXT)
def test_what_is_written_reads_back(tree: dict[str, Any], said: str) -> None:
    comments: Comments = {(key,): (said, "two") for key in tree}
    assert yaml.safe_load(yaml_text.written(tree, comments)) == (tree or None)


def test_comments_stand_above_what_they_are_about() -> None:
    tree = {
        "sites": {
            "a": {
                "front_ends": [{"host": "x", "host_keys": ["k1", "k2"]}, {"host": "y"}],
                "partitions": {"long": {"time_max": "8h"}, "gpu": {}},
                "prologue": "module purge\nexport A=1\n",
                "projects": ["p", "q"],
            }
        }
    }
    at = ("sites", "a")
    comments: Comments = {
        at: ("a cluster",),
        (*at, "front_ends", 0, "host_keys", 1): ("the second\x1b[31m\nkey",),
        (*at, "front_ends", 1): ("the other",),
        (*at, "partitions", "gpu"): ("for few",),
    }
    assert yaml_text.written(tree, comments) == (
        "sites:\n"
        "  # a cluster\n"
        "  a:\n"
        "    front_ends:\n"
        "      - host: x\n"
        "        host_keys:\n"
        "          - k1\n"
        "          # the second [31m key\n"
        "          - k2\n"
        "      # the other\n"
        "      - host: y\n"
        "    partitions:\n"
        "      long: {time_max: 8h}\n"
        "      # for few\n"
        "      gpu: {}\n"
        "    prologue: |\n"
        "      module purge\n"
        "      export A=1\n"
        "    projects: [p, q]\n"
    )


def test_a_long_key_reads_back() -> None:
    tree = {"sites": {"x" * 3000: {"a": 1}, "y" * 3000: {}, "z" * 3000: "z"}}
    assert yaml.safe_load(yaml_text.written(tree, {})) == tree


@pytest.mark.parametrize("text", ["\n", "a\u2028\n", "a\x85b\n", "a\r\nb", "\na", "a\n\n", "a\nb\n", "a\n\n  b"])
def test_lines_read_back_whatever_ends_them(text: str) -> None:
    assert yaml.safe_load(yaml_text.written({"sites": {"a": {"b": text}}}, {})) == {"sites": {"a": {"b": text}}}
