"""Why the schema refuses a document, in words for people. Loaded only when it does."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from vhpipe.config import written_fixes
from vhpipe.config.schema import schema_validator
from vhpipe.diagnostics import Diagnostic, Fix, Location, Path
from vhpipe.document.spans import Document
from vhpipe.wording import did_you_mean, is_same_but_for_case, listed, plural, the_one_meant

_MOST = 500
_MOST_LOOKUPS = 100
_ORDER = {"misplaced-key": 0}
_KNOWN_SLIPS = {"overrides": "override", "edge": "edges", "node": "nodes", "env": "environment-variables"}
MAY_BE_EMPTY = frozenset({"edges", "nodes"})
"""Lists that the platform wants written even where nothing is in them."""
_TYPE_NAMES = {
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def explain_refusal(schema: str, document: Document) -> tuple[Diagnostic, ...]:
    """One diagnostic for each fault that jsonschema finds, in the order of the file."""
    from jsonschema import Draft202012Validator

    found: dict[tuple[Location, str, str], Diagnostic] = {}
    for error in Draft202012Validator(json.loads(schema)).iter_errors(document.data):
        for diagnostic in islice(_diagnostics_of(error, document), _MOST):
            found.setdefault((diagnostic.at, diagnostic.rule, diagnostic.message), diagnostic)  # type: ignore[arg-type]
        if len(found) >= _MOST:
            break
    return tuple(found.values())


def _diagnostics_of(error: Any, document: Document) -> Iterator[Diagnostic]:
    path = tuple(error.absolute_path)
    yield from _TELLERS.get(error.validator, _tell_otherwise)(error, path, document)


def _tell_missing(error: Any, path: Path, document: Document) -> Iterator[Diagnostic]:
    """A property that is there under a misspelt name is reported only as an unknown one."""
    known = error.schema.get("properties", {}) if error.schema.get("additionalProperties") is False else {}
    unknown = (key for key in error.instance if known and key not in known)
    misspelt = {did_you_mean(key, known) for key in islice(unknown, _MOST_LOOKUPS)}
    for name in error.validator_value:
        if name not in error.instance and f"did you mean `{name}`?" not in misspelt:
            message = f"{_owner(path)} has no `{name}`"
            written = f"`{name}: []` if there are none" if name in MAY_BE_EMPTY else f"`{name}:`"
            yield Diagnostic("missing-property", "error", message, _head(path), f"write {written}")


def _tell_unknown(error: Any, path: Path, document: Document) -> Iterator[Diagnostic]:
    known = error.schema.get("properties", {})
    for key in error.instance:
        if key in known:
            continue
        slip = _KNOWN_SLIPS.get(key)
        hint = f"write `{slip}`" if slip in known else did_you_mean(key, known)
        message = f"{_owner(path)} has no property `{_cut(key)}`"
        fix = _renaming_fix(key, path, known, error.instance)
        yield Diagnostic("unknown-property", "error", message, Location((*path, key), "key"), hint, fix=fix)


def _renaming_fix(key: str, path: Path, known: dict[str, Any], instance: dict[str, Any]) -> Fix | None:
    """The property that is meant, unless it is there already. One letter for the plural is no guess."""
    slip = _KNOWN_SLIPS.get(key)
    meant = slip if slip in known else the_one_meant(key, known)
    if meant is None or meant in instance:
        return None
    is_plain = f"{key}s" == meant or f"{meant}s" == key or is_same_but_for_case(key, meant)
    return written_fixes.rename_key((*path, key), meant, is_plain)


def _tell_type(error: Any, path: Path, document: Document) -> Iterator[Diagnostic]:
    value, wanted = error.instance, error.validator_value
    wanted = [wanted] if isinstance(wanted, str) else list(wanted)
    if len(path) == 2 and value is None and len(document.data[int(path[0])]) > 1:
        yield _misplaced_key(path, document)
        return
    text_wanted = "string" in wanted
    if text_wanted and isinstance(value, dict) and len(value) == 1:
        yield _unquoted_colon(value, path, document)
        return
    rule, hint, fix = "wrong-type", None, None
    if text_wanted and isinstance(value, bool):
        hint = "put it into quotes"
    elif text_wanted and isinstance(value, int | float):
        hint = f'write it in quotes: `"{_scalar_text(value)}"`'
    if text_wanted and isinstance(value, bool | int | float):
        fix = written_fixes.quote_scalar(path, document)
    if value is None:
        may_be_empty = path[-1] in MAY_BE_EMPTY
        hint = f"write `{path[-1]}: []`" if may_be_empty else "remove the key, or give it a value"
    elif path[-2:-1] == ("edges",):
        hint = "write `[SOURCE, TARGET]`, each as `node.kind.name`"
    elif wanted[-1] in ("array", "object") and isinstance(value, str | dict) and "array" in wanted:
        hint = "begin each item with `- `"
    words = " or ".join(_TYPE_NAMES[name] for name in wanted)
    message = f"{_owner_name(path)} is {_description(value)}, but {words} is expected"
    yield Diagnostic(rule, "error", message, _head(path) if value is None else Location(path), hint, fix=fix)


def _misplaced_key(path: Path, document: Document) -> Diagnostic:
    item, kind = document.data[int(path[0])], str(path[1])
    beside = [key for key in item if key != kind]
    names = listed(map(_cut, beside), most=3)
    message = f"{names} {plural(len(beside), 'is', 'are')} beside `{kind}:`, not inside it"
    hint = f"indent what belongs to `{kind}:` by two more spaces"
    is_safe = schema_validator().is_valid([written_fixes.moved_inside(item, kind, beside)])
    fix = written_fixes.indent_beside(path, beside, document, is_safe)
    return Diagnostic("misplaced-key", "error", message, Location((path[0], beside[0]), "key"), hint, fix=fix)


def _unquoted_colon(value: dict[str, Any], path: Path, document: Document) -> Diagnostic:
    key, inner = next(iter(value.items()))
    if inner is None:
        message = f"{_owner_name(path)} is a mapping, because YAML reads `{{{_cut(key)}}}` as one"
        hint = f'put it into quotes: `"{{{_cut(key)}}}"`'
        fix = written_fixes.quote_braces(path, key, document)
        return Diagnostic("unquoted-braces", "error", message, Location(path), hint, fix=fix)
    message = f"{_owner_name(path)} is a mapping, because YAML reads `{_cut(key)}: ` as a key"
    hint = "put the entire text into quotes"
    fix = written_fixes.quote_command(path, document)
    return Diagnostic("unquoted-colon", "error", message, Location(path), hint, fix=fix)


def _tell_choice(error: Any, path: Path, document: Document) -> Iterator[Diagnostic]:
    allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
    words = [choice for choice in allowed if isinstance(choice, str)]
    message = f"{_owner_name(path)} cannot be {_quoted(error.instance)}"
    hint, fix = did_you_mean(error.instance, words), written_fixes.choose_word(path, error.instance, words)
    yield Diagnostic("invalid-value", "error", message, Location(path), hint, fix=fix)


def _tell_pattern(error: Any, path: Path, document: Document) -> Iterator[Diagnostic]:
    if path[-1:] == ("name",):
        rule, hint = (
            "invalid-name",
            "use lowercase letters, digits and dashes, at least two characters, beginning with a letter",
        )
    elif "node-selector" in path:
        rule, hint = "invalid-value", "write `key=value`"
    else:
        rule, hint = "invalid-value", "write absolute paths, such as `/source:/destination`"
        if path[-1:] == ("destination",):
            hint = "write an absolute path"
    yield Diagnostic(rule, "error", f"{_owner_name(path)} cannot be {_quoted(error.instance)}", Location(path), hint)


def _tell_length(error: Any, path: Path, document: Document) -> Iterator[Diagnostic]:
    length = len(error.instance)
    if error.validator == "minLength":
        yield Diagnostic("invalid-name", "error", f"{_owner_name(path)} is empty", Location(path), "give it a name")
        return
    message = f"{_owner_name(path)} has {length} characters, but at most {error.validator_value} are allowed"
    yield Diagnostic("too-long", "error", message, Location(path), "shorten it")


def _tell_range(error: Any, path: Path, document: Document) -> Iterator[Diagnostic]:
    side = "least" if error.validator == "minimum" else "most"
    message = f"{_owner_name(path)} is {_scalar_text(error.instance)}, it must be at {side} {error.validator_value}"
    yield Diagnostic("out-of-range", "error", message, Location(path))


def _tell_edge_length(error: Any, path: Path, document: Document) -> Iterator[Diagnostic]:
    message = f"an edge has two ends, this one has {len(error.instance)}"
    yield Diagnostic("malformed-edge", "error", message, Location(path), "write `[node.kind.key, node.kind.key]`")


def _tell_alternatives(error: Any, path: Path, document: Document) -> Iterator[Diagnostic]:
    names = [name for choice in error.validator_value for name in choice.get("required", ())]
    words = " and no ".join(f"`{name}`" for name in names)
    yield Diagnostic("missing-property", "error", f"{_owner(path)} has no {words}", _head(path), "write one of them")


def _tell_forbidden(error: Any, path: Path, document: Document) -> Iterator[Diagnostic]:
    names = error.validator_value.get("required")
    if names is None:
        yield from _tell_pattern(error, path, document)
        return
    words = " and ".join(f"`{name}`" for name in names)
    message = f"{_owner(path)} has both {words}"
    yield Diagnostic(
        "conflicting-properties", "error", message, Location((*path, names[-1]), "key"), "remove one of them"
    )


def _tell_otherwise(error: Any, path: Path, document: Document) -> Iterator[Diagnostic]:
    yield Diagnostic("invalid-value", "error", f"{_owner_name(path)}: {_cut(error.message)}", Location(path))


_TELLERS: dict[str, Callable[[Any, Path, Document], Iterator[Diagnostic]]] = {
    "required": _tell_missing,
    "additionalProperties": _tell_unknown,
    "type": _tell_type,
    "enum": _tell_choice,
    "const": _tell_choice,
    "pattern": _tell_pattern,
    "minLength": _tell_length,
    "maxLength": _tell_length,
    "minimum": _tell_range,
    "maximum": _tell_range,
    "minItems": _tell_edge_length,
    "maxItems": _tell_edge_length,
    "anyOf": _tell_alternatives,
    "not": _tell_forbidden,
}

_SINGULAR = {
    "parameters": "parameter",
    "inputs": "input",
    "outputs": "output",
    "mounts": "mount",
    "environment-variables": "environment variable",
    "nodes": "node",
    "edges": "edge",
    "actions": "action",
    "files": "file",
    "tolerations": "toleration",
    "shared-volumes": "shared volume",
    "parameter-sets": "parameter set",
}


def _owner(path: Path) -> str:
    """The object at a path, as a noun: `the step`, `input 2`."""
    if not path:
        return "the file"
    if isinstance(path[-1], str):
        return f"`{_cut(path[-1])}`"
    number = int(path[-1]) + 1
    if len(path) == 1:
        return f"item {number}"
    return f"{_SINGULAR.get(str(path[-2]), f'item of `{_cut(str(path[-2]))}`')} {number}"


def _owner_name(path: Path) -> str:
    return _owner(path)


def _head(path: Path) -> Location:
    """Where an object begins: its key, or of a list's item the item itself."""
    return Location(path, "key") if path and isinstance(path[-1], str) else Location(path)


def _description(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return f"`{_scalar_text(value)}` (true or false)"
    return f"the number `{_scalar_text(value)}`" if isinstance(value, int | float) else f"the text {_quoted(value)}"


def _scalar_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(value: Any) -> str:
    if isinstance(value, dict | list):
        return _description(value)
    return "empty" if value is None else f"`{_cut(_scalar_text(value))}`"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:100]}…"
