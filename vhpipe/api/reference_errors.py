"""Mistakes in `${STEP.RETURN}` in the words of who built the pipeline: which step has it, and what is there instead."""

import re
from collections.abc import Iterator, Mapping, Sequence

from vhpipe.api.references import texts_in
from vhpipe.api.steps import StepDefinition
from vhpipe.diagnostics import Diagnostic, Span
from vhpipe.wording import did_you_mean, listed

_result = re.compile(r"\$\{\s*([\w-]+)\.(\w+)[^{}]*\}")
UNKNOWN = "is nothing that a reference can refer to"


def explained(lines: Sequence[str], steps: Mapping[str, StepDefinition], error: Diagnostic) -> Diagnostic:
    """An error that is about what a step returns, said so; every other one as it is. `lines` are those of the file."""
    if not isinstance(error.at, Span) or UNKNOWN not in error.message:
        return error
    found = _reference_at(lines, error.at, error.message)
    if found is None:
        return error
    step, name = found[1], found[2]
    where = "".join(f"{place}: " for place in list(_places_of(found[0], steps))[:1])
    if step not in steps:
        hint = did_you_mean(step, steps, f"steps: {listed(steps)}")
        return error._replace(message=f"{where}there is no step `{step}`", hint=hint)
    returns = steps[step].returns
    hint = did_you_mean(name, returns, f"it returns {listed(returns)}" if returns else "no result of it is named")
    return error._replace(message=f"{where}step `{step}` returns no `{name}`", hint=hint)


def _reference_at(lines: Sequence[str], at: Span, message: str) -> re.Match[str] | None:
    """The reference at a place; of a text whose characters the file escapes, one on its line that is spoken of."""
    found = list(_result.finditer(lines[at.line - 1] if at.line <= len(lines) else ""))
    there = [each for each in found if each.start() < at.column <= each.end()]
    return next(iter([*there, *(each for each in found if f"`{each[2]}`" in message)]), None)


def _places_of(text: str, steps: Mapping[str, StepDefinition]) -> Iterator[str]:
    """Where a text stands, as messages say it."""
    for step in steps.values():
        for name, value in step.values.items():
            if any(text in each for each in texts_in(value)):
                yield f"`{name}` of step `{step.name}`"
