"""What nobody should send as choices: generated from a seed, so that a failure can be repeated."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

NASTY_OPTIONS = (
    "$(id)",
    "`id`",
    "a'b",
    'a"b',
    "a; id #",
    "#SBATCH --uid=0",
    "${HOME}",
    "a && id",
    "a\\",
    "'; id; '",
    "-rf",
    "*",
    "END_OF_STARTER",
    "<b>&amp;",
)
"""Values that an administrator may offer, and that must stay within their quotes."""

_CONTROLS = (
    "\n",
    "\r",
    "\t",
    "\0",
    "\x1b[2J",
    "\x7f",
    "\u2028",
    "\u202e",
    "\u200b",
    "\ufeff",
    "\n#SBATCH --uid=0\n",
)
_PIECES = (
    *NASTY_OPTIONS,
    "\n#SBATCH --wrap=id",
    "../../etc/passwd",
    "' OR 1=1 --",
    "{{ 7*7 }}",
    "{param.version}",
    "%s%n",
    "<script>alert(1)</script>",
    "é",
    "𝕏",
    "١٢",
    "²",
    "1e9",
    "-1",
    "0",
    "99999999999999999999",
    "1" * 5000,
    "A" * 100_000,
    "1h" * 9,
    "00:00:00",
    " ",
    "",
)
_SIZES = (0, 1, 2, 5, 200, 201)

Fields = Sequence[tuple[str, str]]


class Hostile:
    """A source of hostile choices; `good` maps the names of choices to values that are accepted."""

    def __init__(self, seed: int, good: Mapping[str, Sequence[str]]) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._good = good

    def fields(self) -> Fields:
        """Return fields of a form: names with texts, some more than once."""
        pick = self._random
        found = [(self._name(), self._text()) for _ in range(pick.choice((0, 1, 1, 2, 3, 5)))]
        found += [(name, pick.choice(self._good[name])) for name in self._good if pick.random() < 0.2]
        if found and pick.random() < 0.1:
            found.append(pick.choice(found))
        pick.shuffle(found)
        return found

    def options(self) -> dict[str, Any]:
        """Return an object as JSON has it: names with whatever JSON can hold."""
        return {name: text if self._random.random() < 0.7 else self._thing(4) for name, text in self.fields()}

    def _name(self) -> str:
        pick = self._random
        makes: tuple[Callable[[], str], ...] = (
            lambda: pick.choice(tuple(self._good)),
            lambda: pick.choice(tuple(self._good)),
            lambda: f"param.{pick.choice(('version', 'x', 'a b', '', 'A', '../x', '$(id)', 'é'))}",
            lambda: pick.choice(
                ("user", "Profile", "profile ", "__class__", "req_partition", "_xsrf ", "time_file")
            ),
            lambda: pick.choice(("__jupyterhub_bytes__", "display_name ", "constructor", "")),
            lambda: self._text()[:300],
        )
        return pick.choice(makes)()

    def _text(self) -> str:
        pick = self._random
        makes: tuple[Callable[[], str], ...] = (
            lambda: pick.choice(_PIECES),
            lambda: pick.choice(self._good[pick.choice(tuple(self._good))]),
            lambda: self._spoilt(pick.choice(self._good[pick.choice(tuple(self._good))])),
            lambda: "".join(pick.choice(_PIECES)[:40] for _ in range(pick.randint(2, 4))),
            lambda: "".join(chr(self._code()) for _ in range(pick.choice(_SIZES))),
        )
        return pick.choice(makes)()

    def _spoilt(self, good: str) -> str:
        """Return a good value with a control character before, in or after it."""
        place = self._random.randint(0, len(good))
        return good[:place] + self._random.choice(_CONTROLS) + good[place:]

    def _code(self) -> int:
        """Return a code point that UTF-8 can hold."""
        code = self._random.choice((self._random.randint(0, 0xFF), self._random.randint(0, 0x10FFFF)))
        return code if not 0xD800 <= code <= 0xDFFF else 0xFFFD

    def _thing(self, depth: int) -> Any:
        pick = self._random
        plain = (None, True, False, 0, -1, 4, 1.5, 1e308, 10**30, "", "\ud800", [], {}, self._text()[:200])
        if depth == 0 or pick.random() < 0.5:
            return pick.choice(plain)
        if pick.random() < 0.5:
            return [self._thing(depth - 1) for _ in range(pick.randint(0, 3))]
        return {self._name()[:50]: self._thing(depth - 1) for _ in range(pick.randint(0, 3))}
