"""Why an execution ran, or did not: what happened to it, and what differs from an earlier one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from vhpipe.plan.provenance import CountedCode, Difference
from vhpipe.plan.reuse_policy import off_text, reuses
from vhpipe.schedule.terms import Status, what_became
from vhpipe.views.json_values import SCHEMA, json_value
from vhpipe.views.node_progress import ExecutionView, NodeView
from vhpipe.views.run_text import shortened, value_text
from vhpipe.views.safe_text import brief, one_line
from vhpipe.wording import counted

SHOWN_DIFFERENCES = 20
LONGEST_VALUE = 60
REUSE_WAS_OFF = "reuse was off"


class EnvironmentUsed(NamedTuple):
    """The Python environment that steps shared: its name, what was installed beforehand, and which versions these are.

    `packages` is None where the environment is gone.
    """

    name: str
    lines: tuple[str, ...] = ()
    packages: Mapping[str, str] | None = None


class PastComparison(NamedTuple):
    """Another execution to compare with, and what differs; `differences` is None where that cannot be known.

    `uncounted` is what differs in files that are not its code, `environment` its Python environment.
    """

    run: int
    label: str
    status: Status
    differences: tuple[Difference, ...] | None
    uncounted: tuple[Difference, ...] = ()
    environment: EnvironmentUsed | None = None


class Why(NamedTuple):
    """`happened` completes "train#1 of run 3 …"; `action` is `run`, `reuse`, `given` or `skip`.

    `reuse_option` is what would have reuse on for the node; None where it was on.
    """

    run: int
    label: str
    action: str
    happened: str
    reuse_option: str | None
    compared: PastComparison | None = None
    code: CountedCode | None = None
    environment: EnvironmentUsed | None = None


def what_happened(node: NodeView, execution: ExecutionView | None) -> tuple[str, str]:
    """Action and words; `execution` is None for a node that has started none."""
    if execution is None or (execution.status is Status.SKIPPED and not execution.attempts):
        because = f": {brief(node.because)}" if node.because else ""
        return "skip", f"did not run{because}"
    if execution.reused_from is not None:
        is_given = node.planned.given is not None
        origin = one_line(str(execution.reused_from))
        return ("given", f"was provided by {origin}") if is_given else ("reuse", f"was reused from {origin}")
    if not execution.attempts:
        waits = f": {one_line(execution.reuse)}" if execution.reuse else ""
        return "run", f"is {execution.status}{waits}"
    reason = execution.reuse if reuses(node.planned) else off_text(node.planned, REUSE_WAS_OFF)
    return "run", f"ran: {brief(reason)}" if reason else "ran"


def why_lines(why: Why) -> Iterator[str]:
    """Lines that are safe to show."""
    yield f"{one_line(why.label)} of run {why.run} {why.happened}"
    compared = why.compared
    if text := code_text(why.code):
        yield text
    if why.environment is not None:
        yield environment_text(why.environment)
    if compared is None:
        yield "no earlier run has it"
        return
    yield f"compared with {one_line(compared.label)} of run {compared.run} ({compared.status}):"
    yield from (f"  {line}" for line in difference_lines(compared.differences))
    yield from (f"  {line}" for line in uncounted_lines(compared.uncounted, SHOWN_DIFFERENCES))
    yield from (f"  {line}" for line in environment_lines(compared.environment, why.environment))
    advice = _advice(why, compared)
    if advice:
        yield f"  {advice}"


def difference_lines(differences: Sequence[Difference] | None) -> Iterator[str]:
    if differences is None:
        yield "what it depended on is no longer kept"
        return
    yield from map(difference_text, differences[:SHOWN_DIFFERENCES])
    more = len(differences) - SHOWN_DIFFERENCES
    if more > 0:
        yield f"and {more} more"
    yield "the rest is the same" if differences else "nothing differs"


def difference_text(difference: Difference) -> str:
    """`parameter lr: 0.1 → 0.3`, `file train.py changed`, `command line 2 added: make`."""
    what = one_line(f"{_subject(difference)} {difference.name}".rstrip())
    old, new = (shortened(value_text(value), LONGEST_VALUE) for value in (difference.old, difference.new))
    match difference.change:
        case "changed" if difference.old is None and difference.new is None:
            return f"{what} changed"
        case "changed":
            return f"{what}: {old} → {new}"
        case "added":
            return f"{what} added" + ("" if difference.new is None else f": {new}")
        case "removed":
            return f"{what} removed" + ("" if difference.old is None else f", it was: {old}")


def code_text(code: CountedCode | None) -> str | None:
    """Which files count as its code, where that is not simply the entire project."""
    if code is None or (code.kind == "project" and not code.because):
        return None
    match code.kind:
        case "declared":
            return one_line(f"code: {', '.join(code.declared)} ({counted(code.count, 'file')})")
        case "used":
            return f"code: {counted(code.count, 'file')} of the project, those that it has used"
        case "unknown":
            return "code: what its function imports and opens"
    return one_line(f"code: the entire project, for {code.because}")


def environment_text(used: EnvironmentUsed) -> str:
    """Which environment its step had."""
    if used.packages is None:
        return one_line(f"environment: {used.name}, which is gone")
    asked = "; ".join(used.lines) or "nothing beforehand"
    return one_line(f"environment: {used.name} ({counted(len(used.packages), 'package')}): {asked}")


def environment_lines(old: EnvironmentUsed | None, new: EnvironmentUsed | None) -> Iterator[str]:
    """What differs of two environments; they are no part of what makes executions equal."""
    if old is None or new is None or (old.name == new.name and old.packages == new.packages):
        return
    before, after = old.packages or {}, new.packages or {}
    changed = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    if not changed or old.packages is None or new.packages is None:
        yield "its environment is another one"
    for name in changed[:SHOWN_DIFFERENCES] if old.packages is not None and new.packages is not None else ():
        yield one_line(f"package {name}: {before.get(name, 'none')} → {after.get(name, 'none')}")


def uncounted_lines(differences: Sequence[Difference], most: int) -> Iterator[str]:
    """`evaluate.py changed, is not code of this step`."""
    for each in differences[:most]:
        yield f"{one_line(each.name)} {each.change}, is not code of this step"
    if len(differences) > most:
        yield f"and {len(differences) - most} more that are not code of this step"


def code_json(code: CountedCode | None) -> dict[str, object] | None:
    """None where it is not known."""
    if code is None:
        return None
    return {"counts": code.kind, "files": code.count, "patterns": json_value(list(code.declared)),
            "because": json_value(code.because or None)}  # fmt: skip


def _subject(difference: Difference) -> str:
    """Contents of inputs read as `input data: x.csv changed`."""
    is_file = difference.part.startswith("input ") and difference.name
    return f"{difference.part}:" if is_file else difference.part


def _advice(why: Why, compared: PastComparison) -> str | None:
    """What follows where nothing differs and it ran all the same."""
    if why.action != "run" or compared.differences != ():
        return None
    if compared.status is not Status.COMPLETE:
        return f"it was not reused because it {what_became(compared.status)}: only complete executions are"
    return f"with {why.reuse_option} its result would have been taken" if why.reuse_option else None


def why_json(why: Why) -> dict[str, object]:
    compared = why.compared
    return {
        "schema": SCHEMA,
        "run": why.run,
        "execution": json_value(why.label),
        "action": why.action,
        "because": json_value(why.happened),
        "code": code_json(why.code),
        "environment": _environment_json(why.environment),
        "against": None if compared is None else {
            "run": compared.run,
            "execution": json_value(compared.label),
            "status": str(compared.status),
            "differences": differences_json(compared.differences),
            "uncounted": differences_json(compared.uncounted),
            **({} if compared.environment is None else {"environment": _environment_json(compared.environment)}),
        },
    }  # fmt: skip


def _environment_json(used: EnvironmentUsed | None) -> dict[str, object] | None:
    """None where its step had none of its own."""
    if used is None:
        return None
    packages = None if used.packages is None else dict(used.packages)
    return {"name": used.name, "lines": json_value(list(used.lines)), "packages": json_value(packages)}


def differences_json(differences: Sequence[Difference] | None) -> list[dict[str, object]] | None:
    """None where they are not known."""
    if differences is None:
        return None
    return [
        {
            "part": json_value(each.part),
            "name": json_value(each.name),
            "change": each.change,
            "old": json_value(each.old),
            "new": json_value(each.new),
        }
        for each in differences
    ]
