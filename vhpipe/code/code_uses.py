"""What a process was seen to use of the project's code, and what each use stands for in a given state of the code.

A use is a text `KIND:PATH`. The same uses are looked up in the code of a later run: where all of them stand for the
same, the process would have found the same. Source: decision 118.
"""

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256

from vhpipe.store.snapshots import SnapshotEntry, content_of

EVERYTHING = "*"
"""The use of a process of which not all can be known."""
FILE, LOOK, LISTING, MODULE, FUNCTION = "file", "look", "listing", "module", "function"
"""A file was opened, or all that is below a folder; it was asked whether something is there; the names in a folder
were listed; a module was looked for at this place, which has no ending; a function of a script was called, and nothing
else has looked at the script: its name stands behind the path and a colon."""
KINDS = frozenset({FILE, LOOK, LISTING, MODULE, FUNCTION})
MOST_LINKS = 40

Folders = Mapping[str, tuple[str, ...]]
"""The names in each folder of the code."""


Sources = Callable[[SnapshotEntry], bytes | None]
"""The content of a file of the code; None where it cannot be had."""


def no_source(entry: SnapshotEntry) -> bytes | None:
    return None


def use_value(use: str, entries: Mapping[str, SnapshotEntry], folders: Folders, source: Sources = no_source) -> str:
    """What a use stands for; the empty text where nothing is there."""
    kind, path, function = _read(use)
    real, links = _followed(path, entries)
    if kind == MODULE:
        found = _module(real, entries, folders)
    elif kind == LISTING:
        found = "\0".join(_marked(real, folders)) if real in folders else _entry(real, entries)
    elif real in folders:
        found = _below(real, entries) if kind == FILE else "folder"
    elif kind == FUNCTION and real in entries:
        found = _reached(entries[real], function, source)
    else:
        found = _entry(real, entries)
    return f"{links}{found}"


def used_files(
    uses: Iterable[str], entries: Mapping[str, SnapshotEntry], folders: Folders, source: Sources = no_source
) -> dict[str, str]:
    """What was found in each file that was used, by path; listed folders end in a slash."""
    found: dict[str, str] = {}
    for use in sorted(uses, key=lambda each: each.startswith((f"{FILE}:", f"{FUNCTION}:"))):
        kind, path, function = _read(use)
        real, _ = _followed(path, entries)
        if kind == LISTING and real in folders:
            found[f"{real or '.'}/"] = use_value(use, entries, folders)
        elif kind == MODULE:
            folder = real.rpartition("/")[0]
            names = _module(real, entries, folders).split("\0")
            found |= {f"{folder}/{name}".lstrip("/"): "a module" for name in names if name}
        elif kind == FUNCTION and real in entries:
            found[real] = _reached(entries[real], function, source)
        elif real in entries:
            found[real] = _entry(real, entries)
        elif kind == FILE and real in folders:
            found |= {path: _entry(path, entries) for path in entries if path.startswith(f"{real}/" if real else "")}
    return found


def _read(use: str) -> tuple[str, str, str]:
    """Kind and path of a use, and the function of one that is called."""
    kind, _, path = use.partition(":")
    if kind != FUNCTION:
        return kind, path, ""
    path, _, function = path.rpartition(":")
    return kind, path, function


def _reached(entry: SnapshotEntry, function: str, source: Sources) -> str:
    """What counts of a script for a function of it, as a hash; the entire file where that is not known."""
    from vhpipe.code.function_source import reached_text  # only function steps need it

    content = source(entry)
    text = None if content is None else reached_text(content, function)
    if text is None:
        return _entry(entry.path, {entry.path: entry})
    return f"{function} {sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _followed(path: str, entries: Mapping[str, SnapshotEntry]) -> tuple[str, str]:
    """The path without symbolic links on it, and which those were."""
    done: list[str] = []
    waiting, links = path.split("/")[::-1], ""
    while waiting:
        part = waiting.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if done:
                done.pop()
            continue
        done.append(part)
        entry = entries.get("/".join(done))
        if entry is not None and entry.link is not None and links.count("\0") < MOST_LINKS:
            links += f"{entry.path} -> {entry.link}\0"
            done.pop()
            waiting.extend(entry.link.split("/")[::-1])
    return "/".join(done), links


def _entry(path: str, entries: Mapping[str, SnapshotEntry]) -> str:
    entry = entries.get(path)
    return "" if entry is None else f"{entry.mode:o} {content_of(entry)}"


def _marked(folder: str, folders: Folders) -> list[str]:
    """The names in a folder, those of folders with a slash."""
    prefix = f"{folder}/" if folder else ""
    return [f"{name}/" if f"{prefix}{name}" in folders else name for name in folders[folder]]


def _below(folder: str, entries: Mapping[str, SnapshotEntry]) -> str:
    prefix = f"{folder}/" if folder else ""
    return "\0".join(f"{path} {_entry(path, entries)}" for path in entries if path.startswith(prefix))


def _module(path: str, entries: Mapping[str, SnapshotEntry], folders: Folders) -> str:
    """The names that could be the module: `x.py`, `x.so`, `x.cpython-312.so`, the package `x/`."""
    folder, _, name = path.rpartition("/")
    found = [each for each in folders.get(folder, ()) if each == name or each.startswith(f"{name}.")]
    return "\0".join(each for each in found if each == name or each.endswith((".py", ".pyc", ".so", ".zip")))
