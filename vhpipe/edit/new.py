"""A script's step put into a `valohai.yaml`: appended, or merged into the step that is there.

| of a step that is there | what happens |
|---|---|
| type, default, choices, limits and `multiple` of what the script takes | become what the script says |
| other properties of what it takes | are added where the file says nothing of the kind |
| what the script takes and the file lacks | is added at the end of its list |
| what `prepare` does not name any more | is removed if all of the script could be read; not what the command uses |
| image, environment, upload store | change only if `prepare` names one |
| everything else, remarks and order too | stays |
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from posixpath import splitext
from shlex import quote
from typing import Any, NamedTuple

from vhpipe.diagnostics import Path
from vhpipe.document.spans import Document, value_at
from vhpipe.edit.placing import DocumentEdits, OutOfReach
from vhpipe.edit.script import DeclaredName, Script
from vhpipe.edit.writing import Tree, item_lines
from vhpipe.wording import listed

DEFAULT_IMAGE = "python:3.11-slim"
"""The one that `vh yaml step` writes."""

_FROM_THE_SCRIPT = frozenset({"type", "default", "choices", "min", "max", "multiple", "multiple-separator"})
_IMPLIED: Mapping[str, object] = {"type": "string", "optional": False, "multiple": "none", "keep-directories": "none"}
_WAYS_TO_PASS = frozenset({"pass-as", "pass-true-as", "pass-false-as"})


class StepInsertion(NamedTuple):
    """A file's text with a script's step in it. `how` is `added`, `updated` or `kept`; `notes` say what else became."""

    text: str
    step: str
    how: str
    notes: tuple[str, ...] = ()


def with_step(document: Document, path: str, script: Script, image: str = DEFAULT_IMAGE) -> StepInsertion:
    """The file with the step of the script at a path relative to the project; removals come by `without_leftovers`."""
    found = step_of(document, path, script)
    if len(found) > 1:
        names = listed(name_at(document, number) for number in found)
        return StepInsertion(document.text, "", "kept", (f"several steps run it ({names}): none is changed",))
    if not found:
        return _append_step(document, path, script, image)
    name = name_at(document, found[0])
    try:
        text = _merge_step(document, (found[0], "step"), script)
    except OutOfReach:
        note = f"step `{name}` is not changed: parts of it come from an alias or a merge key"
        return StepInsertion(document.text, name, "kept", (note,))
    return StepInsertion(text, name, "kept" if text == document.text else "updated")


def without_leftovers(document: Document, path: str, script: Script) -> StepInsertion:
    """The file without what a script that is known as a whole does not take any more."""
    found = step_of(document, path, script)
    if len(found) != 1 or not script.is_prepared or not script.is_complete:
        return StepInsertion(document.text, "", "kept")
    at: Path = (found[0], "step")
    placing, notes = DocumentEdits(document), []
    name = name_at(document, found[0])
    for key, kind, known in (("parameters", "parameter", script.parameters), ("inputs", "input", script.inputs)):
        gone = _leftovers(document, at, key, {item.name for item in known})
        if not gone:
            continue
        names = listed(value_at(document.data, (*at, key, number, "name")) for number in gone)
        try:
            placing.remove_items((*at, key), gone)
            notes.append(f"{kind} {names} of step `{name}` is no longer in the script: removed")
        except OutOfReach:
            notes.append(f"{kind} {names} of step `{name}` is no longer in the script: remove it yourself")
    text = placing.result()
    return StepInsertion(text, name, "kept" if text == document.text else "updated", tuple(notes))


def step_of(document: Document, path: str, script: Script) -> tuple[int, ...]:
    """The items of the file that are the script's step: by the name in `prepare`, else those that run the script."""
    steps = tuple(_steps(document))
    if script.step is not None:
        return tuple(number for number, step in steps if step.get("name") == script.step)[-1:]
    running = re.compile(rf"(?<![\w/.-])(?:\./)?{re.escape(path)}(?![\w/-]|\.\w)")
    return tuple(number for number, step in steps if running.search(_command_text(step)))


def name_at(document: Document, number: int) -> str:
    return str(value_at(document.data, (number, "step", "name")))


def _steps(document: Document) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, item in enumerate(document.data or ()):
        if isinstance(item, dict) and isinstance(item.get("step"), dict):
            yield number, item["step"]


def _command_text(step: Mapping[str, Any]) -> str:
    command = step.get("command")
    return "\n".join(map(str, command)) if isinstance(command, list) else str(command)


# ── a step that is new ───────────────────────────────────────────────────────────────────────────


def _append_step(document: Document, path: str, script: Script, image: str) -> StepInsertion:
    steps = tuple(_steps(document))
    name = script.step or _free_name(path, {str(step.get("name")) for _, step in steps})
    placing = DocumentEdits(document)
    placing.append(item_lines({"step": new_step(name, path, script, image)}), (steps[-1][0],) if steps else None)
    return StepInsertion(placing.result(), name, "added")


def new_step(name: str, path: str, script: Script, image: str) -> dict[str, Tree]:
    """The step of a script, as it is written in a file."""
    step: dict[str, Tree] = {"name": name, "image": script.image or image}
    for key, value in _of_the_machine(script, path):
        step[key] = value
    source = "{source-path}" if script.is_multifile else quote(path if path[:1] != "-" else f"./{path}")
    step["command"] = " ".join(("python", source, *map(_word, script.arguments)))
    if script.parameters:
        step["parameters"] = [_item(parameter) for parameter in script.parameters]
    if script.inputs:
        step["inputs"] = [_item(input_) for input_ in script.inputs]
    return step


def _of_the_machine(script: Script, path: str) -> Iterator[tuple[str, str]]:
    if script.environment:
        yield "environment", script.environment
    if script.upload_store:
        yield "upload-store", script.upload_store
    if script.is_multifile:
        yield "source-path", path


def _word(word: str) -> str:
    return word if word.startswith("{") else quote(word)


def _item(declared: DeclaredName) -> dict[str, Tree]:
    return {"name": declared.name, **dict(declared.properties)}


def _free_name(path: str, taken: set[str]) -> str:
    whole = splitext(path)[0]
    for name in (whole.rpartition("/")[2], whole.replace("/", "-")):
        if name not in taken:
            return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"


# ── a step that is there ─────────────────────────────────────────────────────────────────────────


def _merge_step(document: Document, at: Path, script: Script) -> str:
    """First what stands inside of lists, then what comes behind them: both may end on one line."""
    placing, step = DocumentEdits(document), value_at(document.data, at)
    lists = (("parameters", script.parameters), ("inputs", script.inputs))
    for key, declared in lists:
        present = _positions_by_name(step.get(key))
        for item in declared:
            if item.name in present:
                _merge_item(placing, (*at, key, present[item.name]), item)
        if key in step:
            _add_missing(placing, (*at, key), declared, present)
    for key, value in (("image", script.image), *_of_the_machine(script, str(step.get("source-path", "")))):
        if key != "source-path" and value and value not in (step.get(key), DEFAULT_IMAGE):
            _set(placing, at, key, value)
    for key, declared in lists:
        if key not in step:
            _add_missing(placing, (*at, key), declared, {})
    return placing.result()


def _add_missing(
    placing: DocumentEdits, path: Path, declared: Sequence[DeclaredName], present: Mapping[str, int]
) -> None:
    missing = [_item(item) for item in declared if item.name not in present]
    if missing:
        placing.add_items(path, missing)


def _merge_item(placing: DocumentEdits, path: Path, declared: DeclaredName) -> None:
    written = value_at(placing.document.data, path)
    properties = dict(declared.properties)
    for key, value in properties.items():
        if key in written:
            if (key in _FROM_THE_SCRIPT or isinstance(value, list)) and not _is_same(written[key], value):
                placing.set_value((*path, key), value)
        elif _is_to_be_added(key, value, written):
            placing.add_key(path, key, value)


def _is_to_be_added(key: str, value: object, written: Mapping[str, Any]) -> bool:
    if key in _IMPLIED and _IMPLIED[key] == value:
        return False
    if key in _WAYS_TO_PASS:
        return not _WAYS_TO_PASS & written.keys()
    return key != "optional" or "default" not in written


def _is_same(written: object, value: object) -> bool:
    """Whether both mean the same to Valohai: one default and a list of one do, `1` and `true` do not."""
    one, other = ([item] if not isinstance(item, list) else item for item in (written, value))
    return one == other and [isinstance(item, bool) for item in one] == [isinstance(item, bool) for item in other]


def _set(placing: DocumentEdits, at: Path, key: str, value: str) -> None:
    if key in value_at(placing.document.data, at):
        placing.set_value((*at, key), value)
    else:
        placing.add_key(at, key, value)


def _positions_by_name(items: object) -> dict[str, int]:
    found = enumerate(items if isinstance(items, list) else ())
    return {str(item.get("name")): number for number, item in found if isinstance(item, dict)}


def _leftovers(document: Document, at: Path, key: str, known: set[str]) -> tuple[int, ...]:
    command = _command_text(value_at(document.data, at))
    present = _positions_by_name(value_at(document.data, (*at, key)))
    return tuple(number for name, number in present.items() if name not in known and f":{name}}}" not in command)
