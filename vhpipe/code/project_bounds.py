"""What of a folder can belong to a project: no folder that tools make, nothing that `.valohaiignore` names."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

STATE_PREFIX = ".vhpipe"

TOOL_FOLDERS = frozenset(
    {
        ".direnv", ".eggs", ".git", ".hg", ".hypothesis", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pixi",
        ".pyre", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", "__pycache__", "__pypackages__",
        "node_modules",
    }
)  # fmt: skip
"""Folders of environments, packages and caches, by name; state folders too, and every folder with one of the marks."""

ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")
"""What is in a folder that is a Python environment."""

IGNORABLE_FOLDERS = TOOL_FOLDERS | {".venv", "venv"}
"""Where git does not say what is tracked, names that environments mostly have count as well."""

Reason = Literal["tool", "rule"]


class ProjectBounds:
    """Which paths below `root` belong to the project; paths are relative. `rules` are the lines of `.valohaiignore`.

    A folder that is left out is left out with all that is in it, and need not be looked into. As for git, a rule with
    `!` brings back nothing from such a folder, unless it names the folder (also one of a tool) or a path inside it.
    """

    def __init__(self, root: str, rules: "GitIgnoreSpec | None", lines: Sequence[str], names: frozenset[str]) -> None:
        self._root, self._rules, self._names = root, rules, names
        self._brought_back = tuple(line[1:].strip().lstrip("/") for line in lines if line.startswith("!"))
        self._reasons: dict[str, Reason | None] = {"": None}

    def has(self, path: str) -> bool:
        """Whether a file belongs to the project."""
        return self.left_out_with(path) is None and not (self._rules is not None and self._rules.match_file(path))

    def left_out_with(self, path: str) -> str | None:
        """The folder on the way to a path that is left out, with all that is in it; None without such a folder."""
        folder = os.path.dirname(path)
        if folder in self._reasons and self._reasons[folder] is None:
            return None
        end = path.find("/")
        while end >= 0:
            if not self.looks_into(path[:end]):
                return path[:end]
            end = path.find("/", end + 1)
        return None

    def looks_into(self, folder: str) -> bool:
        """Whether something in the folder may belong to the project, if those around it do."""
        if folder not in self._reasons:
            self._reasons[folder] = self._reason(folder)
        return self._reasons[folder] is None

    def is_of_a_tool(self, folder: str) -> bool:
        """Whether a folder is left out because of what it is, and by no rule."""
        return self._reasons.get(folder) == "tool"

    def _reason(self, folder: str) -> Reason | None:
        verdict = None if self._rules is None else self._rules.check_file(f"{folder}/").include
        if verdict:
            return None if any(line.startswith(f"{folder}/") for line in self._brought_back) else "rule"
        name = os.path.basename(folder)
        if name.startswith(STATE_PREFIX):
            return "rule"
        is_of_a_tool = name in self._names or is_environment(f"{self._root}/{folder}")
        return "tool" if is_of_a_tool and verdict is None else None


def is_environment(folder: str) -> bool:
    """Whether a folder is a Python environment."""
    return any(os.path.lexists(f"{folder}/{mark}") for mark in ENVIRONMENT_MARKS)


def repository_of(folder: str) -> str | None:
    """The root of the repository that a folder is in, None outside of one."""
    current = os.path.realpath(folder)
    while not os.path.lexists(os.path.join(current, ".git")):
        parent = os.path.dirname(current)
        if parent == current:
            return None
        current = parent
    return current
