"""The name of the file itself, and names in it that will be joined to a folder."""

from collections.abc import Sequence

from vhpipe.diagnostics import Diagnostic, Location, Path

DEFAULT_FILE = "valohai.yaml"
FILE_NAMES = (DEFAULT_FILE, "valohai.yml")
MAX_PART_BYTES = 255


def path_fault(text: str) -> str | None:
    """Why a text cannot be joined to a folder, as the end of a sentence; None for a safe one.

    Safe is: relative, without `..`, `.`, empty or NUL parts, at most 255 bytes a part.
    Source: decisions 29 and 65.
    """
    if not text:
        return "is empty"
    if text.startswith("/"):
        return "is absolute"
    if "\0" in text:
        return "has a NUL character"
    parts = text.split("/")
    if ".." in parts:
        return "leads out of its folder with `..`"
    if "" in parts:
        return "has an empty part"
    if "." in parts:
        return "has a part `.`"
    return _fault_of_sizes(parts)


def _fault_of_sizes(parts: Sequence[str]) -> str | None:
    for part in parts:
        try:
            size = len(part.encode("utf-8", "surrogateescape"))
        except UnicodeEncodeError:
            return "has a character that no file name can have"
        if size > MAX_PART_BYTES:
            return f"has a part of {size} bytes, more than {MAX_PART_BYTES}"
    return None


def check_path(text: str | None, what: str, at: Path, notes: list[Diagnostic]) -> None:
    """Adds rule `unsafe-path` for a text that is there and not safe."""
    if text is None or (fault := path_fault(text.rstrip("/") if text.strip("/") else text)) is None:
        return
    hint = "write a path below the folder, such as `data/model.pkl`"
    notes.append(Diagnostic("unsafe-path", "error", f"{what} `{text[:100]}` {fault}", Location(at), hint))
