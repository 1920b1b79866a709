"""Options and arguments of click as parameters of a step. A short option is passed as two words, as click wants it."""

import ast

from vhpipe.edit.literals import name_of
from vhpipe.edit.option_parts import (
    Call,
    OmittedOption,
    Option,
    Written,
    add_default,
    add_description,
    add_flag_default,
    add_type,
    declared,
    put_choices,
)


def click_option(call: Call, is_argument: bool) -> Option | OmittedOption:
    """What one `click.option` or `click.argument` defines."""
    names = [word for word in call.words if isinstance(word, str) and word.strip("-/")]
    if not names or len(names) < len(call.words):
        return OmittedOption("an option whose name is only known when the script runs is left out")
    if is_argument:
        return _click_argument(call, names[0])
    dashed = [name for name in names if name.startswith("-")] or [f"--{names[0].replace('_', '-')}"]
    spelled, _, off = next((name for name in dashed if name.startswith("--")), dashed[0]).partition("/")
    spelled, off = spelled.strip(), off.strip()
    name = spelled.lstrip("-")
    if call.get("count") is True or call.get("nargs") not in (None, 1):
        return OmittedOption(f"`{spelled}` takes values in a form that no parameter can express: left out")
    is_flag = bool(off) or call.get("is_flag") is True or (
        isinstance(call.get("default"), bool) and not call.has("type") and not call.has("is_flag")
    )  # fmt: skip
    if is_flag:
        written: Written = {"type": "flag"}
        if off:
            written |= {"pass-true-as": spelled, "pass-false-as": off}
            add_flag_default(written, call.told("default", name))
        elif not spelled.startswith("--"):
            written["pass-true-as"] = spelled
    else:
        written = {} if spelled.startswith("--") else {"pass-as": f"{spelled} {{value}}"}
        add_type(written, call, name, call.get("multiple") is True)
        add_default(written, call, name, call.get("required") is True)
        _add_click_limits(written, call, name)
    add_description(written, call, name)
    return Option(declared(name, written))


def _click_argument(call: Call, name: str) -> Option | OmittedOption:
    count = call.get("nargs")
    if count not in (None, 1, -1):
        return OmittedOption(f"`{name}` takes values in a form that no parameter can express: left out")
    written: Written = {"pass-as": "{value}"}
    add_type(written, call, name, count == -1)
    is_required = call.get("required") is True or (call.get("required") is None and count != -1)
    add_default(written, call, name, is_required and not call.has("default"))
    _add_click_limits(written, call, name)
    return Option(declared(name, written), is_positional=True)


def _add_click_limits(written: Written, call: Call, name: str) -> None:
    """What `click.Choice`, `IntRange` and `FloatRange` say."""
    node = call.keywords.get("type")
    if not isinstance(node, ast.Call) or written["type"] == "flag":
        return
    inner = Call(node, call.literals)
    if name_of(node.func) == "Choice":
        choices = inner.words[0] if inner.words else None
        if isinstance(choices, list):
            put_choices(written, choices)
        else:
            call.note(f"choices of `{name}` are only known when the script runs: left out")
    elif name_of(node.func) in ("IntRange", "FloatRange"):
        for place, limit in enumerate(("min", "max")):
            value = inner.words[place] if place < len(inner.words) else inner.get(limit)
            if isinstance(value, int | float) and not isinstance(value, bool):
                written[limit] = value
