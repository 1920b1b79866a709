"""Commands of steps and overrides: what the shell will make of them.

The modules that read commands are imported only where a file gives a reason to: their patterns cost time at each start.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.command.script_text import trailing_backslash
from vhpipe.config.model import DeploymentNode, Parameter, ParameterType, Value
from vhpipe.diagnostics import Edit, Fix, Location, Path
from vhpipe.rules.places import value_at
from vhpipe.rules.subject import Finding, NameChoice, Subject

if TYPE_CHECKING:
    from vhpipe.command.step_command import Placeholder

PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-")
"""Characters of which any number in any place means itself to a shell."""
NAMING = ("{parameter:", "{parameter-value:")
MAX_KIND = 200
"""Longer words in braces are no misspelled placeholders."""
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
    **dict.fromkeys(("parameter-value", "parameters-value", "parameter-values", "param-value"), "parameter-value"),
}
"""What words in braces are probably meant to be, if a colon and a name follow."""


class CommandText(NamedTuple):
    """A command, the object that it is written in, and the parameters and source path that its placeholders name.

    `complete` says whether these are all the parameters there are.
    """

    items: tuple[str, ...]
    at: Path
    parameters: tuple[Parameter, ...]
    source_path: str | None
    complete: bool


def trailing_backslashes(subject: Subject) -> Iterator[Finding]:
    """Of all items but the last, behind which nothing comes that could be swallowed. Source: decision 7."""
    for command in _commands(subject):
        last = max((index for index, item in enumerate(command.items) if item.strip()), default=0)
        for index, item in enumerate(command.items[:last]):
            if trailing_backslash(item):
                end = len(item.rstrip())
                yield Finding(
                    "a backslash at the end joins this item with what comes after it",
                    value_at(command.at, "command", index),
                    hint="remove it; each item is a separate command",
                    fix=Fix("remove it", (Edit(_inside(command, index, end - 1, end), ""),), is_safe=False),
                )


def quoted_placeholders(subject: Subject) -> Iterator[Finding]:
    """Placeholders that are no bare words, where the default is known to be unsafe there. Source: decision 9."""
    for command in _commands(subject):
        if not any("{" in item for item in command.items) or _is_plain(command):
            continue
        from vhpipe.command.step_command import interpolation_problems

        flags = _flag_defaults(command.parameters)
        for problem in interpolation_problems(command.items, command.parameters, flags, command.source_path):
            if problem.context:
                place = _inside(command, problem.item, problem.start, problem.end)
                yield Finding(problem.message, place, hint=problem.hint)


def unknown_placeholders(subject: Subject) -> Iterator[Finding]:
    for command in _commands(subject):
        known = tuple(parameter.name for parameter in command.parameters)
        for index, item in enumerate(command.items):
            if not command.complete or not any(start in item for start in NAMING):
                continue
            from vhpipe.command.step_command import placeholders

            for mention in placeholders(item):
                if mention.name and mention.name not in known:
                    yield Finding(
                        f"there is no parameter `{mention.name}`, so `{mention.text}` stays in the command as it is",
                        _inside(command, index, mention.start, mention.end),
                        choice=NameChoice(mention.name, known, "the parameters", _name_in(command, index, mention)),
                    )


def misspelled_placeholders(subject: Subject) -> Iterator[Finding]:
    """Words in braces that look like a placeholder and are none."""
    for command in _commands(subject):
        for index, item in enumerate(command.items):
            for start, inner in _in_braces(item):
                kind, colon, _ = inner.partition(":")
                meant = _right_kind(kind, colon)
                if meant is not None:
                    place = _inside(command, index, start, start + len(inner) + 2)
                    at = place._replace(chars=(start + 1, start + 1 + len(kind)))
                    yield Finding(
                        f"`{{{inner}}}` is not a placeholder, so it stays in the command as it is",
                        place,
                        hint=f"write `{{{meant}{inner[len(kind) :]}}}`" if colon else f"write `{{{meant}}}`",
                        fix=Fix(f"write `{meant}`", (Edit(at, meant),), is_safe=False),
                    )


def has_slips(item: str) -> bool:
    """Whether the item has a misspelled placeholder."""
    parts = (inner.partition(":") for _, inner in _in_braces(item))
    return any(_right_kind(kind, colon) is not None for kind, colon, _ in parts)


def _right_kind(kind: str, colon: str) -> str | None:
    """The right word for a wrong one; None for a right one, and for one that is like none."""
    meant = (BEFORE_A_NAME if colon else ALONE).get(kind.strip().lower().replace("_", "-"))
    return None if meant == kind else meant


def _in_braces(item: str) -> Iterator[tuple[int, str]]:
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


def _name_in(command: CommandText, index: int, mention: "Placeholder") -> Location:
    start = mention.start + mention.text.index(":") + 1
    return _inside(command, index, start, start + len(mention.name))


def _inside(command: CommandText, index: int, start: int, end: int) -> Location:
    return value_at(command.at, "command", index)._replace(chars=(start, end))


def _commands(subject: Subject) -> Iterator[CommandText]:
    """The command of each step, and each one that an override writes in its place."""
    for step in subject.config.steps:
        complete = subject.is_sound(step.at)
        if not (step.command or complete):
            continue  # the schema has said that there is none
        yield CommandText(step.command, step.at, step.parameters, step.source_path, complete)
    for graph in subject.graphs:
        for name, node in graph.nodes.items():
            override = None if isinstance(node, DeploymentNode) else node.override
            if override is not None and override.command:
                merged = graph.steps.get(name)
                complete = merged is not None and subject.is_sound(merged.at)
                parameters = merged.parameters if merged else override.parameters
                source_path = merged.source_path if merged else None
                yield CommandText(override.command, override.at, parameters, source_path, complete)


def _is_plain(command: CommandText) -> bool:
    """Whether nothing that could be put into the command can mean something to a shell."""
    texts = [command.source_path or ""]
    for parameter in command.parameters:
        default = parameter.default if isinstance(parameter.default, tuple) else (parameter.default,)
        forms = (parameter.pass_as, parameter.pass_true_as, parameter.pass_false_as)
        written = [form.replace("{", "").replace("}", "").replace(" ", "") for form in forms if form]
        texts += [parameter.name, *map(_text, default), *written]
        if parameter.multiple != "none":
            texts.append(parameter.separator)
    return all(PLAIN.issuperset(text) for text in texts)


def _text(value: Value) -> str:
    """The value as far as it matters here: a number is plain, and one of 5,000 digits cannot be written out."""
    return value if isinstance(value, str) else ""


def _flag_defaults(parameters: tuple[Parameter, ...]) -> dict[str, Value]:
    """What is put in for flags beside the other defaults. Source: decision 8."""
    flags = (parameter for parameter in parameters if parameter.type is ParameterType.FLAG)
    return {flag.name: flag.default for flag in flags if flag.default is not None}
