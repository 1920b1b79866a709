"""The scripts of the project around a file, read when a rule asks for one."""

import os
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.paths import FILE_NAMES
from vhpipe.errors import VhpipeError
from vhpipe.regular_files import read_regular

if TYPE_CHECKING:
    from vhpipe.edit.script_needs import ScriptNeeds

MAX_BYTES = 1 << 20
MAX_IMPORTED = 200
"""So many modules of the project are looked into for one script."""
_WAYS_TO_ALL = {
    "parameters": ("parameters.json", "parameters.yaml", "VH_PARAM_", "get_parameters"),
    "inputs": ("inputs.json", "inputs.yaml", "VH_INPUTS_DIR", "valohai/inputs", "get_inputs_path", "sys.argv[1]"),
}


class ProjectScripts:
    """The folder of a file, as rules see it. Nothing outside of it is looked at.

    `looked_at` has, in order, the paths of what was read, and of what was missed.
    """

    def __init__(self, path: str) -> None:
        self._folder = os.path.dirname(path) or "."
        self._is_project_file = os.path.basename(path) in FILE_NAMES
        self._known: dict[tuple[str, bool], ProjectScript | None] = {}
        self.looked_at: dict[str, None] = {}

    def script(self, path: str, language: str, is_module: bool) -> "ProjectScript | None":
        """The script at a path; None where there is none, or none that can be read."""
        key = path, is_module
        if key not in self._known:
            candidates = (f"{path}.py", f"{path}/__main__.py") if is_module else (path,)
            found = ((each, self.text(each)) for each in candidates)
            read = next(((each, text) for each, text in found if text is not None), None)
            self._known[key] = None if read is None else ProjectScript(self, read[0], read[1], language)
        return self._known[key]

    def text(self, path: str) -> bytes | None:
        """The bytes of a file of the project, None where it is no plain file, too long, or outside."""
        full = os.path.join(self._folder, path)
        try:
            text = read_regular(full, MAX_BYTES)
        except (OSError, ValueError):
            return None
        self.looked_at[full] = None
        return text

    def lacks(self, path: str) -> bool:
        """Whether there is no such file, in the folder of a `valohai.yaml` with git or with scripts of the kind."""
        self.looked_at[os.path.join(self._folder, path)] = None
        try:
            if not self._is_project_file or os.path.lexists(os.path.join(self._folder, path)):
                return False
            return os.path.lexists(os.path.join(self._folder, ".git")) or bool(self.beside(path))
        except (OSError, ValueError):
            return False

    def has_no_code(self, pattern: str) -> bool:
        """Whether no file of the project is selected by a pattern of `code`, where there is more than one file.

        One that takes files away need not match any.
        """
        from vhpipe.code.step_code import unmatched

        return not pattern.startswith("!") and len(self._code) > 1 and bool(unmatched((pattern,), self._code))

    @cached_property
    def _code(self) -> tuple[str, ...]:
        """The paths of the project's code, none where they are not known."""
        from pathlib import Path

        from vhpipe.code.code_files import list_code_files

        try:
            return list_code_files(Path(self._folder)).paths if self._is_project_file else ()
        except (VhpipeError, OSError, ValueError):
            return ()

    def names_variable(self, variable: str, groups: tuple[str, ...]) -> bool:
        """Whether the project's settings name the variable for every step, or for one of the groups."""
        of_project, by_group = self._variables
        return variable in of_project or any(variable in by_group.get(group, ()) for group in groups)

    def variable_groups(self) -> tuple[str, ...]:
        """The groups of variables that the project's settings define."""
        return tuple(self._variables[1])

    @cached_property
    def _variables(self) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
        """The variables of every step and those of groups, none where the settings cannot be read."""
        from vhpipe.settings.run import named_by_project

        try:
            return named_by_project(os.path.abspath(self._folder))
        except VhpipeError:
            return (), {}

    def beside(self, path: str) -> tuple[str, ...]:
        """The paths of files in the folder of a path that end as it does."""
        folder, name = os.path.split(path)
        suffix = os.path.splitext(name)[1]
        try:
            names = sorted(os.listdir(os.path.join(self._folder, folder)))
        except (OSError, ValueError):
            return ()
        return tuple(os.path.join(folder, each) for each in names if suffix and each.endswith(suffix))


class ScriptLine(NamedTuple):
    """Where something was found in a file of the project, and what it was."""

    path: str
    number: int
    found: str


class ProjectScript:
    """One script; it is parsed only if its text leaves a question open."""

    def __init__(self, project: ProjectScripts, path: str, text: bytes, language: str) -> None:
        self.path = path
        self._project, self._text = project, text
        self._is_python = path.endswith(".py") or language == ".py"

    def mentions(self, name: str) -> bool:
        """Whether the script, or what it imports from the project, has the name in its text in any spelling."""
        spellings = {name, name.replace("-", "_"), name.replace("_", "-"), name.upper().replace("-", "_")}
        wanted = [spelling.encode("utf-8", "surrogatepass") for spelling in spellings]
        return any(word in text for text in self._texts for word in wanted)

    def reads_everything(self, kind: str) -> bool:
        """Whether it reads all `parameters` or `inputs` without naming them."""
        return any(way.encode() in text for text in self._texts for way in _WAYS_TO_ALL[kind])

    def asked(self, kind: str, known: frozenset[str], step: str) -> dict[str, int]:
        """Names of `parameters` or `inputs` that the script asks for and that are not known, with their lines."""
        if not self._is_python or b"valohai" not in self._text or self._names_only(kind, known):
            return {}
        if self._needs is None:
            return {}
        needs = self._needs
        asked = needs.parameters if kind == "parameters" else needs.inputs
        prepared = needs.prepared_parameters if kind == "parameters" else needs.prepared_inputs
        if needs.step == step:
            asked = dict.fromkeys(sorted(prepared), 1) | asked
        else:
            asked = {name: line for name, line in asked.items() if name not in prepared}
        return {name: line for name, line in asked.items() if name not in known}

    def required_options(self, words: frozenset[str]) -> dict[str, int]:
        """Options without which the script refuses to start and that are not among the words, with their lines."""
        if "*" in words or not self._is_python or b"required" not in self._text or self._needs is None:
            return {}
        return {word: line for word, line in self._needs.required.items() if word not in words}

    def refuses_option(self, word: str) -> bool:
        """Whether the script is known to end with an error at this option; a start of a long one will do."""
        if not self._is_python or b"add_argument" not in self._text:
            return False
        if f'"{word}"'.encode() in self._text or f"'{word}'".encode() in self._text or self._needs is None:
            return False
        options = self._needs.options
        return options is not None and not any(each.startswith(word) for each in options)

    def _names_only(self, kind: str, known: frozenset[str]) -> bool:
        """Whether the text asks for known names only, as far as can be seen without parsing it."""
        if b"prepare" in self._text:
            return False
        asked = self._text.split(f"{kind}(".encode())[1:]
        starts = [part[:200].lstrip() for part in asked]
        return all(start[:1] not in (b'"', b"'") or _quoted(start) in known for start in starts)

    @cached_property
    def _needs(self) -> "ScriptNeeds | None":
        from vhpipe.edit.script_needs import read_needs

        return read_needs(self._text)

    def line_with(self, find: Callable[[str], str | None]) -> ScriptLine | None:
        """The first line of the script, else of what it imports from the project, in which something is found."""
        for path, text in self._files.items():
            for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), 1):
                if (found := find(line)) is not None:
                    return ScriptLine(path, number, found)
        return None

    @property
    def _texts(self) -> Collection[bytes]:
        return self._files.values()

    @cached_property
    def _files(self) -> dict[str, bytes]:
        """The texts of the script and of all modules of the project that it imports, as far as they are few."""
        seen: dict[str, bytes] = {self.path: self._text}
        waiting = [self.path]
        while waiting and len(seen) < MAX_IMPORTED:
            path = waiting.pop()
            for other in _imported_from(path, seen[path]) if path.endswith(".py") else ():
                text = None if other in seen else self._project.text(other)
                if text is not None:
                    seen[other] = text
                    waiting.append(other)
        return seen


def _quoted(start: bytes) -> str:
    end = start.find(start[:1], 1)
    return start[1:end].decode("utf-8", "replace") if end > 0 else ""


def _imported_from(path: str, text: bytes) -> Iterator[str]:
    """Paths that the imports of a module may mean: beside it, and from the project's folder."""
    folder = os.path.dirname(path)
    for line in text.splitlines():
        words = line.decode("utf-8", "replace").replace(",", " ").split()
        if len(words) < 2 or words[0] not in ("import", "from"):
            continue
        level = len(words[1]) - len(words[1].lstrip("."))
        base = folder
        for _ in range(level - 1):
            base = os.path.dirname(base)
        module = words[1].lstrip(".").replace(".", "/")
        imported = [word.strip("()") for word in words[3:]] if words[0] == "from" else []
        names = [module] if words[0] == "from" else [word.replace(".", "/") for word in words[1:]]
        names += [f"{module}/{name}".lstrip("/") for name in imported]
        for name in filter(None, names):
            for start in (base, ""):
                whole = f"{start}/{name}" if start else name
                yield f"{whole}.py"
                yield f"{whole}/__init__.py"
