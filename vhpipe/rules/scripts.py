"""Commands and the scripts that they run: what one asks for and the other has.

Everything here is silent where the project around the file is not known, or a script cannot be read.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from vhpipe.config.model import Parameter, ParameterType, Step
from vhpipe.diagnostics import Edit, Fix, Location
from vhpipe.rules.places import key_at, name_at, value_at
from vhpipe.rules.subject import Finding, Subject
from vhpipe.wording import nearest

if TYPE_CHECKING:
    from vhpipe.command.script_paths import NamedScripts, ScriptPath
    from vhpipe.rules.surroundings import ScriptFacts


class StepScripts(NamedTuple):
    """A step and the scripts of its command: `read` are those that could be read."""

    step: Step
    named: "NamedScripts"
    read: "tuple[tuple[ScriptPath, ScriptFacts], ...]"

    @property
    def all_are_read(self) -> bool:
        """Whether nothing runs of which it is not known what it reads."""
        return self.named.is_complete and len(self.read) == len(self.named.found)


def missing_scripts(subject: Subject) -> Iterator[Finding]:
    """Scripts that are not in the project, where nothing in the command could put them there."""
    around = subject.surroundings
    for each in _of_steps(subject):
        for script in each.named.found if around is not None and not each.named.fetches else ():
            text = "\n".join(each.step.command)
            is_made = f">{script.path}" in text.replace(" ", "")
            if script.is_module or is_made or around is None or not around.lacks(script.path):
                continue
            near = nearest(script.path, around.beside(script.path))
            at = _place(each.step, script)
            yield Finding(
                f"the project has no `{script.path}`",
                at,
                hint=f"did you mean `{near}`?" if near else "paths are relative to the folder of this file",
                fix=_renamed(at, script, each.step, near),
            )


def _renamed(at: Location, script: "ScriptPath", step: Step, near: str | None) -> Fix | None:
    written = step.command[script.item][script.start : script.end]
    if near is None or written != script.path or any(sign in near for sign in " '\"\\$`{}*?~;&|<>()#"):
        return None
    return Fix(f"write `{near}`", (Edit(at, near),), is_safe=False)


def undeclared_parameters(subject: Subject) -> Iterator[Finding]:
    """Parameters that a script asks for by `valohai`, and options that it cannot do without."""
    for each in _of_steps(subject):
        known = frozenset(parameter.name for parameter in each.step.parameters)
        for script, facts in each.read:
            place = key_at(each.step.at, "parameters") if each.step.parameters else _place(each.step, script)
            for name, line in facts.asked("parameters", known, each.step.name).items():
                message = (
                    f"step `{each.step.name}` has no parameter `{name}`, which `{facts.path}` asks for in line {line}"
                )
                yield Finding(message, place, hint=f"add it, or let `vhpipe new {facts.path}` add it")
            for word, line in facts.required_options(_passed_words(each.step, script)).items():
                yield Finding(
                    f"nothing passes `{word}` to `{facts.path}`, which requires it in line {line}",
                    _place(each.step, script),
                    hint=f"add a parameter `{word.lstrip('-')}` to step `{each.step.name}`",
                )


def undeclared_inputs(subject: Subject) -> Iterator[Finding]:
    for each in _of_steps(subject):
        known = frozenset(item.name for item in each.step.inputs)
        for script, facts in each.read:
            place = key_at(each.step.at, "inputs") if each.step.inputs else _place(each.step, script)
            for name, line in facts.asked("inputs", known, each.step.name).items():
                message = f"step `{each.step.name}` has no input `{name}`, which `{facts.path}` asks for in line {line}"
                yield Finding(message, place, hint=f"add it, or let `vhpipe new {facts.path}` add it")


def refused_options(subject: Subject) -> Iterator[Finding]:
    """Parameters that a command passes as an option which its script ends at."""
    for each in _of_steps(subject):
        for parameter in each.step.parameters:
            for script, facts in each.read:
                word = _option_of(parameter) if _passes(script, parameter) else None
                if word is not None and facts.refuses_option(word):
                    yield Finding(
                        f"`{facts.path}` has no option `{word}`, as which parameter `{parameter.name}` is passed",
                        name_at(parameter.at),
                        hint="add the option to the script, remove the parameter, or change `pass-as`",
                    )
                    break


def unused_inputs(subject: Subject) -> Iterator[Finding]:
    """Inputs that neither the command nor any script in it names."""
    for each in _of_steps(subject):
        text = "\n".join(each.step.command)
        if not each.read or not each.all_are_read or "inputs" in text.lower():
            continue
        if any(facts.reads_everything("inputs") for _, facts in each.read):
            continue
        for item in each.step.inputs:
            if item.name not in text and not any(facts.mentions(item.name) for _, facts in each.read):
                yield Finding(
                    f"neither the command of step `{each.step.name}` nor its script reads input `{item.name}`",
                    name_at(item.at),
                    hint="remove it, or read its files from `$VH_INPUTS_DIR`",
                )


def scripts_of(subject: Subject, step: Step) -> StepScripts:
    """The scripts of a step, those of the project among them read."""
    from vhpipe.command.script_paths import scripts_in  # of no use without the project, mostly

    named = scripts_in(step.command)
    around, read = subject.surroundings, []
    for each in named.found if around is not None else ():
        assert around is not None, "asked a line above"
        facts = around.script(each.path, each.language, each.is_module)
        if facts is not None:
            read.append((each, facts))
    return StepScripts(step, named, tuple(read))


def _of_steps(subject: Subject) -> Iterator[StepScripts]:
    if subject.surroundings is not None:
        from vhpipe.command.script_paths import may_name_scripts

        for step in subject.config.steps:
            if may_name_scripts(step.command) and subject.is_sound(step.at):
                yield scripts_of(subject, step)


def _place(step: Step, script: "ScriptPath") -> Location:
    return value_at(step.at, "command", script.item)._replace(chars=(script.start, script.end))


def _passes(script: "ScriptPath", parameter: Parameter) -> bool:
    own = f"{{parameter:{parameter.name}}}"
    return any(word in ("{parameters}", "{params}", own) for word in script.passed)


def _option_of(parameter: Parameter) -> str | None:
    """The option as which a parameter is passed; None if it is not passed as one."""
    form = parameter.pass_as
    if parameter.type is ParameterType.FLAG:
        form = parameter.pass_true_as or parameter.pass_as
        if not form and parameter.pass_false_as:
            return None
    word = (form or "--{name}").split()[0].partition("=")[0].replace("{name}", parameter.name)
    return word if word.startswith("-") and "{" not in word else None


def _passed_words(step: Step, script: "ScriptPath") -> frozenset[str]:
    """The options that reach the script, as far as they are written; `*` where some are not."""
    words = {word.partition("=")[0] for word in script.passed}
    own = {option for each in step.parameters if _passes(script, each) and (option := _option_of(each)) is not None}
    is_open = any("$" in word or "*" in word or "{parameter-value" in word.partition("=")[0] for word in script.passed)
    return frozenset(words | own | ({"*"} if is_open else set()))
