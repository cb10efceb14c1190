"""The page of what is logged, made from the code: `python -m tests.support.log_lines > docs/log-lines.md`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.folders import TREE

_OF_THE_HUB = ("kerberos_auth", "profiles", "kernels", "languages", "slurm_ssh", "slurm_ssh_spawner")
PACKAGES = (*_OF_THE_HUB, "job_service")
_GROUPS = {"Hub and tunnel daemon": _OF_THE_HUB, "Job service": ("job_service",)}
_LEVELS = {"critical": "error", "exception": "error", "error": "error", "warning": "warning", "info": "info"}
_ORDER = ("error", "warning", "info")
_PLACE = re.compile(r"%[-+#0 ]*\d*(?:\.\d+)?[a-z]")

_HEAD = """# Lines of the log

Made from the code by `python -m tests.support.log_lines > docs/log-lines.md`.

What is logged, by level; `…` stands for what differs. Which of these to watch, and what to do then, is in [Run a
hub](operations.md#what-to-watch) and [Run the job service](job-service.md#when-something-is-wrong). With systemd:
`journalctl -u jupyterhub -g 'could not be stopped yet'`. Lines that are nothing but a sentence which somebody
reads, and those of JupyterHub itself, are not here. All lines are English, whatever language people read.
"""


def page() -> str:
    """Return the page, in Markdown."""
    parts = [_HEAD]
    for title, packages in _GROUPS.items():
        parts.append(f"## {title}\n\n| level | line | from |\n|---|---|---|")
        found = {each for package in packages for each in _of_package(TREE / package)}
        ordered = sorted(found, key=lambda each: (_ORDER.index(each[0]), *each))
        parts += [f"| {level} | {_code(text)} | {module} |" for level, text, module in ordered]
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _of_package(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted(folder.rglob("*.py")):
        # What runs in jobs logs into the job's log.
        if "jobside" not in path.parts:
            module = path.relative_to(TREE).with_suffix("").as_posix()
            for level, text in _logged(ast.parse(path.read_text(encoding="utf-8"))):
                yield level, text, module


def _logged(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield level and text of each call such as `_log.info("...", ...)` and `self.log.error("...")`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=logger, attr=level),
                args=[ast.Constant(value=str(text)), *_],
            ) if level in _LEVELS and ast.unparse(logger).endswith("log"):
                said = " ".join(_PLACE.sub("…", text).replace("%%", "%").replace("|", "\\|").split())
                if re.search(r"\w", said):
                    yield _LEVELS[level], said


if __name__ == "__main__":
    print(page(), end="")
