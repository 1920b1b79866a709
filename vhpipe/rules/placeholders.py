"""Commands whose items are not what they seem: braces that are no placeholder, and one command in two items."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.diagnostics import Edit, Fix
from vhpipe.rules.commands import inside
from vhpipe.rules.places import value_at
from vhpipe.rules.subject import CommandText, Finding, Subject
from vhpipe.wording import nearest

if TYPE_CHECKING:
    from vhpipe.command.interpreters import Interpreter

LANGUAGES = ("sh", "python", "pypy", "perl", "ruby", "node", "php", "Rscript", "julia", "lua")
"""Parts of the names of interpreters."""
MAX_KIND = 200
"""Longer words in braces are no misspelled placeholders."""
KINDS = ("parameters", "params", "parameter", "parameter-value", "source-path")
SLIPS = (
    "param", "paramter", "paramters", "paramaters", "paramater", "parmeters", "parmeter", "parametrs", "paremeters",
)  # fmt: skip
ALONE = {
    **dict.fromkeys(("parameter", "parameters", *SLIPS), "parameters"),
    **dict.fromkeys(("source-path", "sourcepath", "source-dir"), "source-path"),
}
"""What words in braces are probably meant to be, if nothing follows."""
BEFORE_A_NAME = {
    **dict.fromkeys(("parameter", "parameters", "params", *SLIPS), "parameter"),
    **dict.fromkeys(
        ("parameter-value", "parameters-value", "parameter-values", "param-value", "value", "values", "v"),
        "parameter-value",
    ),
}
"""What words in braces are probably meant to be, if a colon or a dot and a name follow."""
FOLDERS = {
    **dict.fromkeys(("input", "inputs", "input-path", "input-value", "input-file"), "$VH_INPUTS_DIR"),
    **dict.fromkeys(("output", "outputs", "output-path"), "$VH_OUTPUTS_DIR"),
}
"""Words in braces that mean a folder, which has a variable."""
VARIABLES = ("env", "environment", "environment-variable", "secret", "secrets")
"""Words in braces before the name of a variable."""


class Slip(NamedTuple):
    """Braces that are no placeholder: the text that was probably meant, what to do, and the change that does it.

    `change` has the characters, counted from the opening brace, that another text replaces.
    """

    text: str
    hint: str
    change: tuple[int, int, str] | None = None


def misspelled_placeholders(subject: Subject) -> Iterator[Finding]:
    """Words in braces that look like a placeholder and are none."""
    for command in subject.commands:
        for index, item in enumerate(command.items):
            for start, inner in in_braces(item) if "{" in item else ():
                slip = _slip(inner, item[:start], command)
                if slip is not None:
                    yield _misspelled(command, index, start, inner, slip)


def _misspelled(command: CommandText, index: int, start: int, inner: str, slip: Slip) -> Finding:
    place = inside(command, index, start, start + len(inner) + 2)
    message = f"`{{{inner}}}` is not a placeholder, so it stays in the command as it is"
    fix = None
    if slip.change is not None:
        first, last, text = slip.change
        edit = Edit(inside(command, index, start + first, start + last), text)
        fix = Fix(f"write `{slip.text}`", (edit,), is_safe=False)
    return Finding(message, place, hint=slip.hint, fix=fix)


def has_slips(item: str) -> bool:
    """Whether the item has a misspelled placeholder of a parameter."""
    return any(_parameter_kind(*_parts(inner)) is not None for _, inner in in_braces(item))


def _slip(inner: str, before: str, command: CommandText) -> Slip | None:
    """What is wrong with a word in braces, of which `before` stands before it in the command."""
    kind, sign, name = _parts(inner)
    word, names = _plain(kind), tuple(parameter.name for parameter in command.parameters)
    if word in FOLDERS and (sign or word.endswith("s")):
        return _folder(FOLDERS[word], inner, name, command)
    if word in VARIABLES and sign and name.isidentifier():
        return Slip(f"${name}", f"write `${name}`, the variable")
    meant = _parameter_kind(kind, sign, name) or (_meant_with(kind, name, names) if sign else None)
    if meant is None:
        return _bare(inner, before, names) if not sign else None
    if sign and meant == "parameter" and _is_value(before):
        meant = "parameter-value"
    text = f"{{{meant}:{name}}}" if sign else f"{{{meant}}}"
    return Slip(text, f"write `{text}`", (1, 1 + len(inner), text[1:-1]))


def _parts(inner: str) -> tuple[str, str, str]:
    """Kind, sign and name: `parameters.rate` is meant as `parameters:rate` is."""
    kind, sign, name = inner.partition(":")
    if not sign and _plain(inner.partition(".")[0]) in (*BEFORE_A_NAME, *FOLDERS, *VARIABLES):
        kind, sign, name = inner.partition(".")
    return kind, sign, name


def parameter_meant(inner: str) -> str | None:
    """The name behind a word in braces that is like the one of a placeholder; None where it is like none."""
    kind, sign, name = _parts(inner)
    if _parameter_kind(kind, sign, name) or kind in KINDS[:-1]:
        return name.strip()
    return None


def _plain(kind: str) -> str:
    return kind.strip().lower().replace("_", "-")


def _parameter_kind(kind: str, sign: str, name: str) -> str | None:
    """The right word for a wrong one; None for a right one, and for one that is like none."""
    meant = (BEFORE_A_NAME if sign else ALONE).get(_plain(kind))
    return None if meant == kind and sign != "." else meant


def _meant_with(kind: str, name: str, names: tuple[str, ...]) -> str | None:
    """The kind that was meant by a word that is near to one, or stands before the name of a parameter."""
    word = _plain(kind)
    if kind in KINDS or not word.replace("-", "").isalpha() or not (name in names or word.startswith("par")):
        return None
    return nearest(word, ("parameter", "parameter-value")) or ("parameter" if name in names else None)


def _folder(variable: str, inner: str, name: str, command: CommandText) -> Slip:
    is_known = variable == "$VH_OUTPUTS_DIR" or not name or any(each.name == name for each in command.inputs)
    text = f"{variable}/{name}" if name else variable
    changed = (0, len(inner) + 2, text) if is_known and "'" not in name else None
    return Slip(text, f"write `{text}`, the folder of its files", changed)


def _bare(inner: str, before: str, names: tuple[str, ...]) -> Slip | None:
    """The name of a parameter alone, or a word that means something in `pass-as` only; in quotes it may be anything."""
    if before.count("'") % 2 or before.count('"') % 2 or not names:
        return None
    if inner in names:
        text = f"{'parameter-value' if _is_value(before) else 'parameter'}:{inner}"
        return Slip(f"{{{text}}}", f"write `{{{text}}}`", (1, 1 + len(inner), text))
    if inner in ("value", "v", "name"):
        name = names[0] if len(names) == 1 else "NAME"
        shown = f"{{parameter-value:{name}}}"
        changed = (1, 1 + len(inner), shown[1:-1]) if len(names) == 1 else None
        return Slip(shown, f"`{{{inner}}}` means something in `pass-as` only; write `{shown}`", changed)
    return None


def _is_value(before: str) -> bool:
    """Whether what comes is the value of an option that is written out, or part of a word."""
    if before and not before[-1].isspace():
        return True
    last = before.split()[-1:] or [""]
    return last[0].startswith("-") and "=" not in last[0]


def in_braces(item: str) -> Iterator[tuple[int, str]]:
    """Where braces open in the item, and what stands in them; not those of `${…}`."""
    start = item.find("{")
    while start >= 0:
        end = item.find("}", start)
        if end < 0:
            return
        again = item.rfind("{", start, end)
        if item[again - 1 : again] != "$" and end - again < MAX_KIND:
            yield again, item[again + 1 : end]
        start = item.find("{", end)


def hidden_placeholders(subject: Subject) -> Iterator[Finding]:
    """Placeholders that are read together with an open brace before them, and so stay. Source: decision 8."""
    for command in subject.commands:
        for index, item in enumerate(command.items):
            if item.count("{") < 2:
                continue
            right = [(start, inner) for start, inner in in_braces(item) if inner.partition(":")[0] in KINDS]
            if not right:
                continue
            from vhpipe.command.substitution import mentions

            filled = {mention.start for mention in mentions(item)}
            for start, inner in right:
                if start not in filled:
                    yield _hidden(command, index, start, inner)


def _hidden(command: CommandText, index: int, start: int, inner: str) -> Finding:
    item, end = command.items[index], start + len(inner) + 2
    message = f"`{{{inner}}}` stays in the command as it is, because of the `{{` before it"
    before = item[:start].rstrip(" ")
    if item[start - 1 : start] == "{" and item[end : end + 1] == "}":
        edits = (Edit(inside(command, index, start - 1, start), ""), Edit(inside(command, index, end, end + 1), ""))
        fix = Fix("write single braces", edits, is_safe=False)
        return Finding(
            message, inside(command, index, start, end), hint=f"write `{{{inner}}}` in single braces", fix=fix
        )
    hint = (
        "put it before the `{}`" if before.rpartition("{")[2][:1] == "}" else "begin a new line between the two braces"
    )
    return Finding(message, inside(command, index, start, end), hint=hint)


def split_commands(subject: Subject) -> Iterator[Finding]:
    """Items such as `bash -c` or `python`, whose other words stand in the next item. Source: decision 7."""
    for command in subject.commands:
        if len(command.items) < 2:
            continue
        items = [(index, item) for index, item in enumerate(command.items) if item.strip()]
        for (index, item), (_, following) in pairwise(items):
            words = item.split()
            interpreter = _interpreter(words)
            if interpreter is None or not _lacks_a_word(interpreter, words[1:]):
                continue
            hint = f"write both in one item: `{item.strip()} {following.strip().partition(chr(10))[0][:60]}`"
            if "sh" in words[0]:
                hint = "remove this item: a shell runs every item already"
            yield Finding(
                f"`{item.strip()}` ends without what it is to run, and the next item is a command of its own",
                value_at(command.at, "command", index),
                hint=hint,
            )


def _interpreter(words: list[str]) -> "Interpreter | None":
    """The interpreter that an item begins with, if nothing but options is behind it; the table is read only then."""
    name = words[0].rpartition("/")[2]
    if not any(part in name for part in LANGUAGES) or not all(word[:1] in "-+" for word in words[1:]):
        return None
    from vhpipe.command.interpreters import interpreter_called

    return interpreter_called(name)


def _lacks_a_word(interpreter: "Interpreter", words: list[str]) -> bool:
    """Whether the words behind an interpreter are options only, the last of which may wait for its value."""
    from vhpipe.command.interpreters import role_of

    waits = False
    for word in words:
        role = role_of(word, interpreter)
        if waits or role not in ("flag", "value", "code", "module") or any(sign in word for sign in "'\"<>|&;$`"):
            return False
        waits = role != "flag"
    return True
