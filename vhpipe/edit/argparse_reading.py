"""Options of argparse as parameters of a step that reach the script as its user would type them.

| in the script | the parameter |
|---|---|
| `--rate`, `-r` alone, a positional argument | passed as `--rate=…`, `-r=…`, the bare value |
| a switch | a flag; one with two spellings passes either |
| append, several positional values | `multiple: repeat` |
| argparse's `nargs` of an option | `multiple: repeat` with bare values; the command has the option's name before them |
| no default, and not required | optional: nothing is passed unless somebody gives a value |
"""

import ast

from vhpipe.edit.option_parts import (
    Call,
    OmittedOption,
    Option,
    Written,
    add_choices,
    add_default,
    add_description,
    add_flag_default,
    add_type,
    declared,
    last_name,
)

_SKIPPED_ACTIONS = frozenset({"help", "version"})
_SWITCHES = frozenset({"store_true", "store_false", "store_const", "append_const"})
_REPEATED = frozenset({"append", "extend"})


def argparse_option(call: Call) -> Option | OmittedOption:
    """What one `add_argument` defines; `call.notes` has what is to be said about it."""
    names = [word for word in call.words if isinstance(word, str) and word.strip("-")]
    if not names or len(names) < len(call.words):
        return OmittedOption("an option whose name is only known when the script runs is left out")
    action = _action(call)
    if action in _SKIPPED_ACTIONS or last_name(call, "help") == "SUPPRESS":
        return OmittedOption()
    spelled = next((name for name in names if name.startswith("--")), names[0])
    name = _name(call, spelled)
    written: Written = {}
    if action == "BooleanOptionalAction":
        written = {"type": "flag", "pass-true-as": f"--{name}", "pass-false-as": f"--no-{name}"}
        add_flag_default(written, call.told("default", name))
    elif action in _SWITCHES:
        written = {"type": "flag"}
        if not spelled.startswith("--"):
            written["pass-true-as"] = spelled
    elif action not in _REPEATED | {"store", "None"}:
        return OmittedOption(f"`{spelled}` has the action `{action}`, which no parameter can express: left out")
    else:
        return _with_value(call, spelled, name, action)
    add_description(written, call, name)
    return Option(declared(name, written))


def _with_value(call: Call, spelled: str, name: str, action: str) -> Option | OmittedOption:
    """An option that takes a value, or several."""
    is_positional = not spelled.startswith("-")
    many = _takes_many(call)
    if many is None or (many and action == "append"):
        return OmittedOption(f"`{spelled}` takes values in a form that no parameter can express: left out")
    if not is_positional and not spelled.startswith("--"):
        written: Written = {"pass-as": f"{spelled}={{value}}"}
    else:
        written = {"pass-as": "{value}"} if is_positional else {}
    is_list = many or action in _REPEATED
    add_type(written, call, name, is_list)
    if is_list and written["type"] == "flag":
        return OmittedOption(f"`{spelled}` takes several truth values, which no parameter can: left out")
    is_required = call.get("nargs") not in ("?", "*") if is_positional else call.get("required") is True
    add_default(written, call, name, is_required, keep=action not in _REPEATED)
    add_choices(written, call, name, "choices")
    add_description(written, call, name)
    if not many or is_positional or action == "extend":
        return Option(declared(name, written), is_positional)
    if "default" not in written and not is_required:
        return OmittedOption(f"`{spelled}` takes several values or none at all, and has no default: left out")
    return Option(declared(name, {**written, "pass-as": "{value}"}), False, before=spelled)


def _name(call: Call, spelled: str) -> str:
    """Its long name; an option that has none is called as the script calls it, if that is said."""
    attribute = call.get("dest")
    if spelled.startswith("-") and not spelled.startswith("--") and isinstance(attribute, str) and attribute:
        return attribute
    return spelled.lstrip("-")


def _action(call: Call) -> str:
    value = call.get("action")
    return value if isinstance(value, str) else last_name(call, "action") or ("store" if value is None else "?")


def _takes_many(call: Call) -> bool | None:
    """Whether `nargs` asks for several values; None where it asks for something that cannot be determined."""
    if not call.has("nargs"):
        return False
    count = call.get("nargs")
    if count in (None, "?"):
        return None if count is None and not _is_none(call.keywords["nargs"]) else False
    return True if count in ("+", "*") or (isinstance(count, int) and count > 0) else None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
