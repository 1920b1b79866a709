"""Ends of edges: `node.kind.key`."""

from vhpipe.config.edge_kinds import EDGE_KINDS
from vhpipe.config.model import EdgeEnd, EdgeKind
from vhpipe.diagnostics import Diagnostic, Edit, Fix, Location, Path
from vhpipe.wording import counted, did_you_mean, is_same_but_for_case, the_one_meant

_KINDS = {kind.value: kind for kind in EdgeKind}
_PLURALS = {row.plural: kind for kind, row in EDGE_KINDS.items() if row.plural is not None}
_FORM = "write `node.kind.key`, such as `train.output.model.pkl`"


def read_edge_end(text: str, at: Path, notes: list[Diagnostic]) -> EdgeEnd | None:
    """The end that a text spells; the key keeps its dots. None, and a diagnostic, for fewer than three parts.

    A plural kind is taken for the singular, with a warning; an unknown one is None in the end, with an error.
    Source: decision 4.
    """
    parts = text.split(".", 2)
    if len(parts) == 3 and (kind := _KINDS.get(parts[1])) is not None and parts[0] and parts[2]:
        return EdgeEnd(parts[0], kind, parts[2], parts[1], at)
    return _odd_end(text, parts, at, notes)


def read_target(text: str, at: Path, notes: list[Diagnostic]) -> EdgeEnd | None:
    """The target of a pipeline parameter. Here the plural is as good as the singular, also for the official linter."""
    found: list[Diagnostic] = []
    end = read_edge_end(text, at, found)
    notes.extend(note for note in found if note.rule != "plural-edge-kind")
    return end


def _odd_end(text: str, parts: list[str], at: Path, notes: list[Diagnostic]) -> EdgeEnd | None:
    if len(parts) < 3 or not all(parts):
        empty = " and one of them is empty" if not all(parts) else ""
        message = f"`{text[:100]}` has {counted(len(parts), 'part')}; 3 are expected{empty}"
        notes.append(Diagnostic("malformed-edge-end", "error", message, Location(at), _FORM))
        return None
    node, written, key = parts
    token = Location(at, chars=(len(node) + 1, len(node) + 1 + len(written)))
    kind = _PLURALS.get(written)
    if kind is not None:
        message = f"the platform accepts `{written}`, its linter does not"
        fix = _fix(kind.value, token, is_safe=True)
        notes.append(Diagnostic("plural-edge-kind", "warning", message, token, fix.title, fix=fix))
    else:
        message = f"`{written[:60]}` is not a kind of edge end"
        meant = the_one_meant(written, _KINDS)
        guess = None if meant is None else _fix(meant, token, is_same_but_for_case(written, meant))
        hint = did_you_mean(written, _KINDS)
        notes.append(Diagnostic("unknown-edge-kind", "error", message, token, hint, fix=guess))
    return EdgeEnd(node, kind, key, written, at)


def _fix(kind: str, token: Location, is_safe: bool) -> Fix:
    return Fix(f"write `{kind}`", (Edit(token, kind),), is_safe)
