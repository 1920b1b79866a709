"""What the wheel allows, the lowest versions that are tested, and the lock of the tools say the same."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKED_EXTRAS = ("dev", "examples")


def requirements_of(name: str) -> list[str]:
    lines = (ROOT / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def locked() -> dict[str, str]:
    """Name → version; what is no plain `name==version` fails here."""
    pairs = [line.split("==") for line in requirements_of("requirements-dev.lock")]
    return {canonicalize_name(name): version for name, version in pairs}


def direct_requirements() -> list[Requirement]:
    extras = [text for extra in LOCKED_EXTRAS for text in EXTRAS[extra]]
    return [Requirement(text) for text in (*PROJECT["dependencies"], *extras)]


def all_that_is_needed(roots: list[Requirement]) -> Iterator[str]:
    """The names of the packages that these bring on this interpreter, as far as they are installed."""
    seen: set[tuple[str, str]] = set()
    waiting = [(root, "") for root in roots]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        yield name
        for asked in {"", *requirement.extras}:
            if (name, asked) not in seen:
                seen.add((name, asked))
                waiting += [(Requirement(text), asked) for text in requirements_of_package(name)]


def requirements_of_package(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


@pytest.mark.parametrize("text", PROJECT["dependencies"])
def test_a_dependency_at_run_time_has_a_lower_bound_and_no_upper_one(text):
    assert [one.operator for one in Requirement(text).specifier] == [">="]


def test_the_lowest_versions_that_are_tested_are_the_lower_bounds():
    assert requirements_of("requirements-lowest.txt") == [d.replace(">=", "==") for d in PROJECT["dependencies"]]


@pytest.mark.parametrize("requirement", direct_requirements(), ids=str)
def test_the_lock_has_a_version_that_pyproject_allows(requirement):
    assert requirement.specifier.contains(locked()[canonicalize_name(requirement.name)], prereleases=True)


def test_the_lock_has_every_package_that_is_brought_along_on_this_python():
    assert set(all_that_is_needed(direct_requirements())) - locked().keys() == set()
