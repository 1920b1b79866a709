"""Who may import whom. The table is the one of docs/architecture.md; it is checked by reading the imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "vhpipe"

EVERYWHERE = {"vhpipe", "vhpipe.diagnostics", "vhpipe.errors", "vhpipe.wording"}

FLOORS = (
    "language", "document", "function_step", "config", "settings", "graph", "edit", "command", "sweep", "plan", "rules",
    "schedule", "store", "views", "code", "attempt", "runners", "engine", "history", "project", "cli", "api", "lsp",
)  # fmt: skip

ALLOWED = {
    "language": set(),
    "document": set(),
    "function_step": {"publishing"},
    "config": {"document", "language"},
    "settings": {"document", "config"},
    "graph": {"config", "language"},
    "edit": {"document", "config"},
    "command": {"config"},
    "sweep": {"config", "command"},
    # `document` reads the lists that a user types, as it reads those of the file
    "plan": {"config", "graph", "document", "language", "command", "sweep"},
    "rules": {"config", "graph", "language", "command", "sweep", "plan.input_places"},
    "schedule": {"config", "plan", "language", "command", "sweep"},
    "store": {"config", "plan", "schedule.events", "schedule.terms"},
    "views": {"config", "document", "plan", "sweep", "schedule.events", "schedule.terms"},
    "code": {"store", "config.paths"},
    "attempt": {"config", "language", "command", "plan", "schedule.events", "schedule.terms", "schedule.stimuli",
                "store.atomic", "store.manifest", "store.json_codec", "store.blobs", "store.snapshots", "code",
                "publishing"},
    "runners": {"plan", "schedule.capacity", "schedule.terms", "schedule.stimuli", "store", "code", "attempt"},
    "engine": {"config", "plan", "sweep", "schedule", "store", "code", "attempt", "runners"},
    "history": {"plan", "schedule", "store", "code", "attempt", "engine"},
    "project": {"config", "document", "graph", "edit", "plan", "rules", "schedule", "settings", "store", "views",
                "code", "attempt", "engine", "history"},
    # `vhpipe lsp` hands the server what it checks texts with
    "cli": {*FLOORS, "publishing"} - {"api", "function_step"},
    "web": set(FLOORS) - {"api", "cli", "lsp"},
    "lsp": set(FLOORS) - {"api", "cli"},
    "api": set(FLOORS) - {"cli", "lsp"},
}  # fmt: skip
"""Folder → folders or single modules. A folder's own modules and the two at the root are always allowed."""

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


def test_every_folder_of_the_package_stands_in_the_table() -> None:
    assert set(folders()) <= set(ALLOWED)


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


@pytest.mark.parametrize("name", sorted(name for name in ALLOWED["rules"] if name.startswith("plan.")))
def test_what_rules_take_from_plan_imports_nothing_slow_and_no_plan(name: str) -> None:
    path = PACKAGE / f"{name.replace('.', '/')}.py"
    if not path.exists():
        pytest.skip("not written yet")
    imported = set(imports_at_the_top(path))
    assert not {module for module in imported if module.split(".")[0] in SLOW_TO_IMPORT}
    assert "vhpipe.plan.model" not in imported


def test_the_plan_package_itself_is_empty() -> None:
    assert (PACKAGE / "plan" / "__init__.py").read_text(encoding="utf-8").strip() == ""


def test_the_reading_of_imports_sees_modules_and_names(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text("import os.path\nfrom vhpipe.plan import model\nfrom vhpipe.plan.model import Plan\n")
    assert list(imports_in(source)) == ["os.path", "vhpipe.plan.model", "vhpipe.plan.model"]
    assert not is_allowed("graph", "vhpipe.plan.model")
    assert is_allowed("rules", "vhpipe.language.globs")
    assert not is_allowed("rules", "vhpipe.plan.compile")
