"""What the result of one execution stands on, in full, and in what two of them differ.

A fingerprint says that something differs; this says what. Source: decision 59.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from vhpipe.plan.fingerprint import SECRET, FingerprintParts, InputPart

Change = Literal["changed", "added", "removed"]
CodeKind = Literal["declared", "used", "project", "unknown"]


class CountedCode(msgspec.Struct, frozen=True):
    """Which files count as the code of an execution: those that it is `declared` to have, those that its process has
    `used`, or the entire `project`; it is `unknown` before a function has run. `rest` tells the other files of the
    project apart by path.
    """

    kind: CodeKind = "project"
    count: int = 0
    declared: tuple[str, ...] = ()
    because: str = ""
    """Why it is the entire project although that need not be."""
    rest: Mapping[str, str] = {}

    @property
    def is_in_digest(self) -> bool:
        """Whether the digest in a fingerprint is over these files: that of a function step is not."""
        return self.kind == "declared" or (self.kind == "project" and not self.because)


class Evidence(msgspec.Struct, frozen=True):
    """`template` is the command before parameters, `files` tells the files of its code apart by path."""

    parts: FingerprintParts
    template: tuple[str, ...]
    files: Mapping[str, str]
    code: CountedCode = CountedCode()


class Difference(msgspec.Struct, frozen=True):
    """One thing that is not as it was. `name` is empty where there is one such thing only.

    `old` and `new` are shown to users: they are None for contents, secrets, and what is not there.
    """

    part: str
    name: str
    change: Change = "changed"
    old: object = None
    new: object = None


def differences_between(old: Evidence, new: Evidence) -> tuple[Difference, ...]:
    """What became another between two executions, in the order of `FingerprintParts`; empty for equal work."""
    before, after = old.parts, new.parts
    return (
        *_of_texts("step", before.step, after.step),
        *_of_texts("image", before.image, after.image),
        *_of_texts("content of the image", _image_id(before), _image_id(after)),
        *_of_commands(old, new),
        *_of_values("parameter", before.parameters, after.parameters),
        *_of_inputs(before.inputs, after.inputs),
        *_of_variables(before.environment, after.environment),
        *_of_files(old, new),
    )


def uncounted_differences(old: Evidence, new: Evidence) -> tuple[Difference, ...]:
    """What became another among the project's files that are not code of the execution, neither then nor now."""
    names = sorted(old.code.rest.keys() | new.code.rest.keys())
    names = [name for name in names if name not in old.files and name not in new.files]
    before, after = ({name: each.code.rest[name] for name in names if name in each.code.rest} for each in (old, new))
    return tuple(sorted(_of_contents("file", before, after), key=lambda each: each.name))


def _of_texts(part: str, old: str, new: str) -> Iterator[Difference]:
    if old != new:
        yield Difference(part, "", "changed", old, new)


def _image_id(parts: FingerprintParts) -> str:
    return parts.image_id[:12] if parts.image_id else "none"


def _of_commands(old: Evidence, new: Evidence) -> Iterator[Difference]:
    """Line by line. What only the parameters changed is not reported twice."""
    if old.template != new.template:
        yield from _of_lines(_lines(old.template), _lines(new.template))
    elif old.parts.command != new.parts.command and old.parts.parameters == new.parts.parameters:
        yield from _of_lines(_lines(old.parts.command), _lines(new.parts.command))


def _lines(items: Iterable[str]) -> list[str]:
    return [line for item in items for line in item.splitlines()]


def _of_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[Difference]:
    """Lines are numbered from 1 as they stand now, removed ones as they stood."""
    from difflib import SequenceMatcher

    for kind, from_old, to_old, from_new, to_new in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        both = min(to_old - from_old, to_new - from_new)
        for step in range(both):
            line = str(from_new + step + 1)
            yield Difference("command line", line, "changed", old[from_old + step], new[from_new + step])
        for position in range(from_old + both, to_old):
            yield Difference("command line", str(position + 1), "removed", old=old[position])
        for position in range(from_new + both, to_new):
            yield Difference("command line", str(position + 1), "added", new=new[position])


def _of_values(part: str, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[Difference]:
    for name in dict.fromkeys((*old, *new)):
        if name not in new:
            yield Difference(part, name, "removed", old=old[name])
        elif name not in old:
            yield Difference(part, name, "added", new=new[name])
        elif (type(old[name]), old[name]) != (type(new[name]), new[name]):
            yield Difference(part, name, "changed", old[name], new[name])


def _of_inputs(
    old: Mapping[str, tuple[InputPart, ...]], new: Mapping[str, tuple[InputPart, ...]]
) -> Iterator[Difference]:
    for name in dict.fromkeys((*old, *new)):
        if name not in old or name not in new:
            yield Difference("input", name, "added" if name in new else "removed")
        yield from _of_input(f"input {name}", old.get(name, ()), new.get(name, ()))


def _of_input(part: str, old: tuple[InputPart, ...], new: tuple[InputPart, ...]) -> Iterator[Difference]:
    before, after = ({file.path: file for file in files} for files in (old, new))
    yield from _of_contents(part, *({path: str(each.blob) for path, each in it.items()} for it in (before, after)))
    for path in sorted(before.keys() & after.keys()):
        if before[path].blob == after[path].blob and before[path].properties != after[path].properties:
            yield Difference(f"{part} metadata", path)
    if list(before) != list(after) and before.keys() == after.keys():
        yield Difference(f"{part} order", "")


def _of_variables(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    for difference in _of_values("environment variable", old, new):
        if any(str(value).startswith(SECRET) for value in (difference.old, difference.new)):
            yield Difference("secret", difference.name, difference.change)
        else:
            yield difference


def _of_files(old: Evidence, new: Evidence) -> Iterator[Difference]:
    """Where another set of files counts, a file that is in both projects is no news for being counted."""
    if old.parts.code == new.parts.code and old.code.is_in_digest and new.code.is_in_digest:
        return
    before, after = {**old.code.rest, **old.files}, {**new.code.rest, **new.files}
    counted = old.files.keys() | new.files.keys()
    yield from (each for each in _of_contents("file", before, after) if each.name in counted)


def _of_contents(part: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    for difference in _of_values(part, old, new):
        yield Difference(part, difference.name, difference.change)
