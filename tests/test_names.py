"""Names say of what: no class twice, no bare participle, no module that explains nothing, nothing for tests alone."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "vhpipe"

UNTELLING = {
    "base", "common", "core", "helper", "helpers", "impl", "lib", "manager", "managers", "misc", "reading", "running",
    "shared", "stuff", "things", "tools", "util", "utils", "various",
}  # fmt: skip

IRREGULAR = {
    "again",
    "begun",
    "bound",
    "built",
    "chosen",
    "cut",
    "done",
    "drawn",
    "driven",
    "found",
    "given",
    "gone",
    "held",
    "hidden",
    "kept",
    "known",
    "laid",
    "left",
    "lost",
    "made",
    "meant",
    "put",
    "read",
    "run",
    "said",
    "seen",
    "sent",
    "set",
    "shown",
    "split",
    "spread",
    "stood",
    "taken",
    "thought",
    "told",
    "typed",
    "understood",
    "worn",
    "written",
}
"""Participles that do not end in `ed`; "again" explains as little."""
NOUNS = {"Binding", "Cleaning", "Ending", "Finding", "Firing", "Masking", "Quoting", "Run", "Settling"}
"""What looks like a participle and is a noun of the domain."""
NAMED_WITH_THEIR_MODULE = {"schedule/events.py", "schedule/effects.py", "schedule/stimuli.py"}
"""`events.Published` is read with its module: an event is what has happened."""

OPEN_TO_USERS = ("api/__init__.py", "publishing.py", "function_step/")
"""Modules whose names are for the users of the package."""


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    """Path from the package, and tree, of every module."""
    return tuple(
        (path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(PACKAGE.rglob("*.py"))
    )


@cache
def classes() -> tuple[tuple[str, str], ...]:
    """Module and name of every class, also of those inside of others."""
    return tuple(
        (path, node.name) for path, tree in modules() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    )


def is_bare_participle(name: str) -> bool:
    """Whether a name is one word that says what was done, and not to what."""
    word = name.lstrip("_")
    if word in NOUNS or not re.fullmatch(r"[A-Z][a-z]+", word):
        return False
    folded = word.lower()
    return folded in IRREGULAR or folded.endswith(("ed", "ing"))


def test_no_class_name_stands_twice() -> None:
    counts = Counter(name for _, name in classes())
    assert {name for name, count in counts.items() if count > 1} == set()


def test_no_class_is_called_by_a_bare_participle() -> None:
    found = {name for path, name in classes() if path not in NAMED_WITH_THEIR_MODULE and is_bare_participle(name)}
    assert found == set()


def test_no_module_has_a_name_that_explains_nothing() -> None:
    assert [path for path in sorted(PACKAGE.rglob("*")) if path.stem in UNTELLING] == []


def test_nothing_is_there_for_tests_alone() -> None:
    assert set(unused_definitions()) == set()


def test_the_rules_see_what_they_are_for() -> None:
    assert is_bare_participle("Chosen")
    assert is_bare_participle("_Wanted")
    assert not is_bare_participle("CarriedResults")
    assert not is_bare_participle("Finding")
    tree = ast.parse("def used(): pass\ndef recursive(): recursive()\nused()\n")
    assert [name for name, _ in unused_in(tree, mentions(tree))] == ["recursive"]


def unused_definitions() -> Iterator[str]:
    """Public functions and classes at the top of modules that nothing but tests mentions, as `module:name`."""
    trees = dict(modules())
    everywhere: Counter[str] = Counter()
    for tree in trees.values():
        everywhere.update(mentions(tree))
    for path in sorted((ROOT / "benchmarks").rglob("*.py")):
        everywhere.update(mentions(ast.parse(path.read_text(encoding="utf-8"))))
    for name in re.findall(r"\w+", (ROOT / "pyproject.toml").read_text(encoding="utf-8")):
        everywhere[name] += 1
    for path, tree in trees.items():
        if not path.startswith(OPEN_TO_USERS):
            yield from (f"{path}:{name}" for name, _ in unused_in(tree, everywhere))


def unused_in(tree: ast.Module, everywhere: Counter[str]) -> Iterator[tuple[str, ast.stmt]]:
    """The definitions that are mentioned inside themselves at most. What has a decorator is found by that."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if node.decorator_list and not {"cache", "lru_cache"} & set(map(ast.unparse, node.decorator_list)):
            continue
        if everywhere[node.name] <= mentions(node)[node.name]:
            yield node.name, node


def mentions(tree: ast.AST) -> Counter[str]:
    """How often each name is used: as itself, as an attribute, or in a text that is a name or a path of names."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found[node.id] += 1
        elif isinstance(node, ast.Attribute):
            found[node.attr] += 1
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for name in set(re.findall(r"[A-Za-z_]\w*", node.value)) if is_code(node.value) else ():
                found[name] += 1
    return found


def is_code(text: str) -> bool:
    """Whether a text is a name, a dotted path, or an annotation in quotes."""
    return len(text) < 200 and re.fullmatch(r"[\w.:|\[\], ]+", text) is not None and not re.search(r"[a-z] [a-z]", text)


if __name__ == "__main__":
    places = defaultdict(list)
    for module, class_name in classes():
        places[class_name].append(module)
    print(*(f"{name}: {found}" for name, found in places.items() if len(found) > 1), sep="\n")
    print(*sorted(f"{module}:{name}" for module, name in classes() if is_bare_participle(name)), sep="\n")
    print(*unused_definitions(), sep="\n")
