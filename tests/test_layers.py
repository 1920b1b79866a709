"""Who may import whom: the table stands in docs/architecture.md, and every import is checked by it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "vhpipe"
DOCUMENT = ROOT / "docs" / "architecture.md"

EVERYWHERE = {
    "vhpipe", "vhpipe.diagnostics", "vhpipe.errors", "vhpipe.platform_paths", "vhpipe.regular_files", "vhpipe.wording",
}  # fmt: skip


def table() -> dict[str, set[str]]:
    """Folder → folders or single modules that it may import, from the bottom floor to the top, as the document says."""
    floors = DOCUMENT.read_text(encoding="utf-8").partition("## The floors")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| [^|]+ \|([^|]*)\|$", floors, re.M)[1:]
    return {folder: {name for each in allowed.split(",") if (name := each.strip())} for folder, allowed in rows}


ALLOWED = table()
"""A folder's own modules and those at the root are always allowed."""
FLOORS = tuple(ALLOWED)
DOORS = ("api", "lsp", "cli", "web")

PURE = ("language", "document", "config", "graph", "command", "sweep", "rules", "plan", "schedule", "views")

WORLDLY = {
    "asyncio", "click", "concurrent", "fcntl", "glob", "multiprocessing", "os", "pathlib", "psutil", "random",
    "rich", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "subprocess", "tempfile", "threading",
    "time", "urllib", "uuid",
}  # fmt: skip
"""What pure folders do not import, with the exceptions below."""

EXCEPTIONS = {
    ("sweep/axes.py", "random"): "draws from a seed that is given to it",
}

ON_THE_WAY_TO_A_VERDICT = ("language", "document", "config", "graph", "command", "sweep", "rules")
SLOW_TO_IMPORT = {"dataclasses", "msgspec", "networkx", "rich", "asyncio", "sqlite3", "optuna", "yaml"}


def modules_of(folder: str) -> list[Path]:
    return sorted((PACKAGE / folder).rglob("*.py"))


def imports_in(path: Path) -> Iterator[str]:
    """The full names of the modules that a file imports anywhere, also inside functions and for type checkers."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        yield from names_imported_by(node)


def names_imported_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are written in full"
        module = node.module or ""
        for alias in node.names:
            as_module = PACKAGE.parent / module.replace(".", "/") / f"{alias.name}.py"
            is_module = as_module.exists() or as_module.with_suffix("").is_dir()
            yield f"{module}.{alias.name}" if module.startswith("vhpipe") and is_module else module


def imports_at_the_top(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        yield from names_imported_by(node)


def is_allowed(folder: str, imported: str) -> bool:
    if imported in EVERYWHERE:
        return True
    inside = imported.removeprefix("vhpipe.")
    return any(inside == name or inside.startswith(f"{name}.") for name in ALLOWED[folder] | {folder})


def folders() -> list[str]:
    return sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def test_the_table_has_a_row_for_every_folder_of_the_package_and_for_no_other() -> None:
    assert set(folders()) == set(ALLOWED)


@pytest.mark.parametrize("floor", FLOORS)
def test_the_table_lets_no_arrow_climb(floor: str) -> None:
    below = FLOORS[: FLOORS.index(floor)]
    folders_allowed = {name.partition(".")[0] for name in ALLOWED[floor]} - {"publishing"}
    assert folders_allowed <= {name for name in below if name not in DOORS}


@pytest.mark.parametrize("folder", FLOORS)
def test_the_table_names_nothing_that_is_not_imported(folder: str) -> None:
    imported = {name.removeprefix("vhpipe.") for path in modules_of(folder) for name in imports_in(path)}
    unused = {
        name for name in ALLOWED[folder] if not any(each == name or each.startswith(f"{name}.") for each in imported)
    }
    assert unused == set()


@pytest.mark.parametrize("folder", folders())
def test_a_folder_imports_only_what_the_table_allows(folder: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {imported}"
        for path in modules_of(folder)
        for imported in imports_in(path)
        if imported.split(".")[0] == "vhpipe" and not is_allowed(folder, imported)
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", PURE)
def test_a_pure_folder_imports_nothing_of_the_world(folder: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {imported}"
        for path in modules_of(folder)
        for imported in imports_in(path)
        if imported.split(".")[0] in WORLDLY
        and (path.relative_to(PACKAGE).as_posix(), imported.split(".")[0]) not in EXCEPTIONS
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", ON_THE_WAY_TO_A_VERDICT)
def test_what_validate_loads_imports_nothing_slow_at_its_top(folder: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {imported}"
        for path in modules_of(folder)
        for imported in imports_at_the_top(path)
        if imported.split(".")[0] in SLOW_TO_IMPORT
    ]
    assert wrong == []


def test_the_plan_package_itself_is_empty() -> None:
    assert (PACKAGE / "plan" / "__init__.py").read_text(encoding="utf-8").strip() == ""


def test_the_reading_of_imports_sees_modules_and_names(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text("import os.path\nfrom vhpipe.plan import model\nfrom vhpipe.plan.model import Plan\n")
    assert list(imports_in(source)) == ["os.path", "vhpipe.plan.model", "vhpipe.plan.model"]
    assert not is_allowed("graph", "vhpipe.plan.model")
    assert is_allowed("rules", "vhpipe.language.globs")
    assert not is_allowed("rules", "vhpipe.plan.compile")
