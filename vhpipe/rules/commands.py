"""Commands of steps and overrides: what the shell will make of them.

The modules that read commands are imported only where a file gives a reason to: their patterns cost time at each start.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vhpipe.command.script_text import trailing_backslash
from vhpipe.config.model import DeploymentNode, Parameter, ParameterType, Value
from vhpipe.diagnostics import Edit, Fix, Location
from vhpipe.rules.places import value_at
from vhpipe.rules.subject import CommandText, Finding, NameChoice, Subject

if TYPE_CHECKING:
    from vhpipe.command.step_command import Placeholder

PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-")
"""Characters of which any number in any place means itself to a shell."""
NAMING = ("{parameter:", "{parameter-value:")


def trailing_backslashes(subject: Subject) -> Iterator[Finding]:
    """Of all items but the last, behind which nothing comes that could be swallowed. Source: decision 7."""
    for command in subject.commands:
        last = max((index for index, item in enumerate(command.items) if item.strip()), default=0)
        for index, item in enumerate(command.items[:last]):
            if trailing_backslash(item):
                end = len(item.rstrip())
                yield Finding(
                    "a backslash at the end joins this item with what comes after it",
                    value_at(command.at, "command", index),
                    hint="remove it; each item is a separate command",
                    fix=Fix("remove it", (Edit(inside(command, index, end - 1, end), ""),), is_safe=False),
                )


def quoted_placeholders(subject: Subject) -> Iterator[Finding]:
    """Placeholders that are no bare words, where the default is known to be unsafe there. Source: decision 9."""
    for command in subject.commands:
        if not any("{" in item for item in command.items) or _is_plain(command):
            continue
        from vhpipe.command.step_command import interpolation_problems

        flags = _flag_defaults(command.parameters)
        for problem in interpolation_problems(command.items, command.parameters, flags, command.source_path):
            if problem.context:
                place = inside(command, problem.item, problem.start, problem.end)
                yield Finding(problem.message, place, hint=problem.hint)


def unknown_placeholders(subject: Subject) -> Iterator[Finding]:
    for command in subject.commands:
        known = tuple(parameter.name for parameter in command.parameters)
        for index, item in enumerate(command.items):
            if not command.complete or not any(start in item for start in NAMING):
                continue
            from vhpipe.command.step_command import placeholders

            for mention in placeholders(item):
                if mention.name and mention.name not in known:
                    yield Finding(
                        f"there is no parameter `{mention.name}`, so `{mention.text}` stays in the command as it is",
                        inside(command, index, mention.start, mention.end),
                        choice=NameChoice(mention.name, known, "the parameters", _name_in(command, index, mention)),
                    )


def _name_in(command: CommandText, index: int, mention: "Placeholder") -> Location:
    start = mention.start + mention.text.index(":") + 1
    return inside(command, index, start, start + len(mention.name))


def inside(command: CommandText, index: int, start: int, end: int) -> Location:
    return value_at(command.at, "command", index)._replace(chars=(start, end))


def commands_of(subject: Subject) -> Iterator[CommandText]:
    """The command of each step, and each one that an override writes in its place."""
    for step in subject.config.steps:
        complete = subject.is_sound(step.at)
        if not (step.command or complete):
            continue  # the schema has said that there is none
        yield CommandText(step.command, step.at, step.parameters, step.source_path, complete, step.inputs)
    for graph in subject.graphs:
        for name, node in graph.nodes.items():
            override = None if isinstance(node, DeploymentNode) else node.override
            if override is not None and override.command:
                merged = graph.steps.get(name)
                complete = merged is not None and subject.is_sound(merged.at)
                parameters = merged.parameters if merged else override.parameters
                source_path = merged.source_path if merged else None
                inputs = (merged or override).inputs
                yield CommandText(override.command, override.at, parameters, source_path, complete, inputs)


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
