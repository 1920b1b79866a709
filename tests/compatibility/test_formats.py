"""What is written to disk keeps its names: tags and fields of 0.1.0 exist for ever, later fields have defaults.

`formats.json` is the golden file. `python -m tests.compatibility.test_formats` adds what a release begins to write.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.compatibility.shapes import as_text, breaches, from_text, shape_of
from vhpipe.plan.model import Plan
from vhpipe.schedule import events
from vhpipe.store.manifest import Manifest
from vhpipe.store.owner import Owner
from vhpipe.store.registry import Entry
from vhpipe.store.requests import Request
from vhpipe.store.run_folder import RunInfo
from vhpipe.store.snapshots import Snapshot

STORED: dict[str, Any] = {
    "journal": events.RecordedEvent,
    "plan.json": Plan,
    "run.json": RunInfo,
    "manifest.json": Manifest,
    "registry": Entry,
    "snapshot.json": Snapshot,
    "requests": Request,
    "owner": Owner,
}
"""The type by which each file is read. A reuse entry is a manifest under another name."""
GOLDEN = Path(__file__).with_name("formats.json")


@pytest.mark.parametrize("file", STORED)
def test_what_was_written_can_be_read_for_ever(file: str) -> None:
    golden = json.loads(GOLDEN.read_text())[file]
    assert breaches(from_text(golden), shape_of(STORED[file])) == []


def test_no_stored_file_was_forgotten() -> None:
    assert set(json.loads(GOLDEN.read_text())) == set(STORED)


# ── the comparison itself ────────────────────────────────────────────────────────────────────────


class Inner(msgspec.Struct, tag="inner"):
    one: int


class Other(msgspec.Struct, tag="other"):
    two: str = ""


def changed(**fields: Any) -> list[str]:
    """Breaches of a file that had `name: str`, `size: int = 0` and `part: Inner`, by one that has these fields."""
    old = msgspec.defstruct("Old", [("name", str), ("size", int, 0), ("part", Inner)], kw_only=True)
    new = msgspec.defstruct("New", [(name, *given) for name, given in fields.items()], kw_only=True)
    return breaches(shape_of(old), shape_of(new))


def test_more_fields_with_defaults_and_more_tags_are_welcome() -> None:
    assert changed(name=(str,), size=(int | None, 0), part=(Inner | Other,), more=(list[Other], [])) == []


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": (str,), "part": (Inner,)}, "/size"),
        ({"title": (str, ""), "size": (int, 0), "part": (Inner,)}, "/name"),
        ({"name": (str,), "size": (int,), "part": (Inner,)}, "/size"),
        ({"name": (str,), "size": (str, ""), "part": (Inner,)}, "/size"),
        ({"name": (str,), "size": (int, 0), "part": (Inner,), "more": (int,)}, "/more"),
        ({"name": (str,), "size": (int, 0), "part": (Other,)}, "/part/<type=inner>"),
    ],
    ids=["gone", "renamed", "required", "of another kind", "new and required", "without its tag"],
)
def test_what_would_not_be_read_is_named(fields: dict[str, Any], path: str) -> None:
    assert any(f"`{path}`" in breach for breach in changed(**fields))


def write_golden() -> None:
    """Add what is new to the golden file; what is there stays as it is."""
    known = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    for file, stored in STORED.items():
        known[file] = dict(sorted((as_text(shape_of(stored)) | known.get(file, {})).items()))
    GOLDEN.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    write_golden()
