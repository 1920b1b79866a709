"""What the extension item asks of a node that is about to start: its condition, and its configuration objects."""

from vhpipe.language.template import OPENING, filled_parts
from vhpipe.plan.deferred import stand_ins_in_content
from vhpipe.plan.model import ConfigurationObject, Deferred, PlannedNode
from vhpipe.plan.template_values import Lookup, UnfillableError, resolve
from vhpipe.schedule.binding.reference_lookup import NothingThereError, ReferenceLookup
from vhpipe.schedule.binding.upstream import CannotBindError, Upstream
from vhpipe.schedule.terms import Json


def skip_reason(upstream: Upstream, node: PlannedNode, warnings: list[str]) -> str | None:
    """Why the node is skipped by its `when`; None where that holds, or where there is none.

    What refers to nothing is unequal to everything, with a warning; of a task without results nothing is true. Of a
    list every entry has to satisfy it.
    """
    when = node.extras.when
    if when is None:
        return None
    from vhpipe.language.conditions import holds, parse_condition

    referred, references = ReferenceLookup(upstream), dict(when.references)
    values = {name: referred.compared(reference) for name, reference in references.items()}
    verdict = holds(parse_condition(when.condition), values, {})
    missing = [referred.why_missing(references[name]) for name in verdict.missing if name in references]
    outcome = "holds" if verdict.holds else "does not hold"
    problems = (*missing, *((verdict.reason,) if verdict.reason is not None else ()))
    warnings.extend(f"`when: {when.text}` {outcome}: {problem}" for problem in problems)
    return None if verdict.holds else f"`when: {when.text}` does not hold"


def filled_configuration(
    upstream: Upstream, node: PlannedNode
) -> tuple[tuple[ConfigurationObject, ...], tuple[Deferred, ...]]:
    """The configuration objects that have references, these filled in; and what they have stand-ins for.

    A reference without a value raises `CannotBindError`, or `NothingToBindError` after a failure.
    """
    referred = ReferenceLookup(upstream)
    filled: list[ConfigurationObject] = []
    deferred: list[Deferred] = []
    for item in node.extras.configuration:
        if not item.waits:
            continue
        try:
            content = _fill(item.content, referred.value)
        except (NothingThereError, UnfillableError) as problem:
            raise CannotBindError(f"configuration `{item.name}`: {problem}") from problem
        filled.append(ConfigurationObject(item.name, content))
        deferred.extend(stand_ins_in_content(content, referred.deferred))
    return tuple(filled), tuple(dict.fromkeys(deferred))


def _fill(content: Json, lookup: Lookup) -> Json:
    if isinstance(content, str) and OPENING in content:
        value = resolve(filled_parts(content), lookup)
        return list(value) if isinstance(value, tuple) else value
    if isinstance(content, dict):
        return {key: _fill(value, lookup) for key, value in content.items()}
    return [_fill(value, lookup) for value in content] if isinstance(content, list) else content
