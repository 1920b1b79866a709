"""Events of a YAML parser to plain data, within limits, without recursion."""

from typing import Any

from vhpipe.diagnostics import MAX_OF_A_SEVERITY, Diagnostic, Fix, RelatedPlace, Severity, Span
from vhpipe.document.limits import (
    MAX_DEPTH,
    MAX_EXPANDED_NODES,
    MAX_NODES,
    MAX_SCALAR_BYTES,
)
from vhpipe.document.parser import event_types
from vhpipe.document.scalars import (
    NUMBER_START,
    RESERVED,
    WORDS,
    NotReadableError,
    ambiguity,
    plain_number,
    resolve,
)
from vhpipe.document.spans import span_of_event
from vhpipe.document.tags import by_tag, is_core_tag
from vhpipe.wording import MAX_LOOKUPS, nearest


class StopReadingError(Exception):
    """Reading cannot go on; the finding says why."""


class _Anchor:
    """What an alias stands for, once its container is closed; `size` counts nodes with what their aliases stand for."""

    __slots__ = ("depth", "height", "open", "size", "span", "value")

    def __init__(self, value: Any, span: Span, depth: int) -> None:
        self.value, self.span, self.depth = value, span, depth
        self.open, self.size, self.height = True, 1, 0


class _Sentinel:
    """A state of the pending key that no key of a file can be."""


_SPECIAL = RESERVED.union(WORDS)
_LONG = MAX_SCALAR_BYTES // 4
"""Characters; a shorter text cannot have too many bytes."""
_NONE, _MERGE, _DROP = _Sentinel(), _Sentinel(), _Sentinel()


QUOTABLE = ("reserved-scalar", "impossible-date")
"""Rules about scalars that are right in quotes."""


class Builder:
    """Plain data from events, without recursion. One use."""

    def __init__(self) -> None:
        self.errors: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []
        self.last_event: Any = None
        self._anchors: dict[str, _Anchor] = {}
        self._open: dict[int, _Anchor] = {}
        self._merges: dict[int, list[Any]] = {}
        self._expanded = 0
        self._lookups = 0
        self.dates: list[tuple[int, int]] = []

    def add_fault(self, diagnostic: Diagnostic) -> None:
        if self._has_room(diagnostic.severity):
            (self.errors if diagnostic.severity == "error" else self.warnings).append(diagnostic)

    def _has_room(self, severity: Severity) -> bool:
        """Asked before a finding is made too: a file of nothing but faults has a hundred thousand."""
        return len(self.errors if severity == "error" else self.warnings) < MAX_OF_A_SEVERITY

    def build(self, next_event: Any) -> Any:  # noqa: C901 - the loop over a file's events, in one piece for speed
        """The data of the first document. This loop is the speed of `validate`: hence the one long function."""
        roots: list[Any] = []
        stack: list[tuple[Any, bool, Any]] = []
        container: Any = roots
        in_mapping = False
        key: Any = _NONE
        nodes = 0
        events = event_types()
        scalar, alias = events.ScalarEvent, events.AliasEvent
        mapping_start, mapping_end = events.MappingStartEvent, events.MappingEndEvent
        sequence_start, sequence_end = events.SequenceStartEvent, events.SequenceEndEvent
        for event in iter(next_event, None):
            kind = type(event)
            if kind is scalar:
                nodes += 1
                value: Any = event.value
                is_plain = not event.style and event.ctag is None
                if not is_plain or value in _SPECIAL or value[0] in NUMBER_START or len(value) > _LONG:
                    value = self._scalar(event, is_plain, in_mapping and key is _NONE)
                if event.anchor is not None:
                    self._close(self._anchor(event, value, len(stack)), 1)
                if in_mapping and key is _NONE:
                    if type(value) is not str or value in container or (value == "<<" and is_plain):
                        key = self._odd_key(event, value, container, is_plain)
                    else:
                        key = value
                    continue
            elif kind is mapping_end or kind is sequence_end:
                if in_mapping and id(container) in self._merges:
                    self._merge(container)
                if self._open and id(container) in self._open:
                    self._close(self._open.pop(id(container)), nodes + self._expanded)
                container, in_mapping, key = stack.pop()
                continue
            elif kind is mapping_start or kind is sequence_start:
                nodes += 1
                value = {} if kind is mapping_start else []
                self.last_event = event
                if event.ctag is not None:
                    self._check_tag(event, "map" if kind is mapping_start else "seq")
                if event.anchor is not None:
                    self._open[id(value)] = self._anchor(event, value, len(stack))
                    self._open[id(value)].size = nodes + self._expanded - 1
                if in_mapping and key is _NONE:
                    self._not_a_string_key(event, "a mapping" if kind is mapping_start else "a list")
                    stack.append((container, True, _DROP))
                else:
                    if in_mapping:
                        self._put(event, container, key, value)
                    else:
                        container.append(value)
                    stack.append((container, in_mapping, _NONE))
                if self._open or len(stack) > MAX_DEPTH:
                    self._check_depth(event, len(stack))
                container, in_mapping, key = value, kind is mapping_start, _NONE
                if nodes > MAX_NODES:
                    self._too_many_nodes(event)
                continue
            elif kind is alias:
                nodes += 1
                value = self._alias(event, len(stack))
                if in_mapping and key is _NONE:
                    key = self._odd_key(event, value, container, False)
                    continue
            elif kind is events.DocumentStartEvent:
                if not self._starts_first_document(event, roots):
                    break
                continue
            elif kind is events.StreamEndEvent:
                break
            else:
                continue
            if in_mapping:
                if key.__class__ is _Sentinel:
                    self._put(event, container, key, value)
                else:
                    container[key] = value
                key = _NONE
            else:
                container.append(value)
            if nodes > MAX_NODES:
                self._too_many_nodes(event)
        return roots[0] if roots else None

    def _put(self, event: Any, container: dict[str, Any], key: Any, value: Any) -> None:
        if key is _MERGE:
            self._merge_later(event, container, value)
        elif key is not _DROP:
            container[key] = value

    # ── limits ──

    def _check_depth(self, event: Any, depth: int) -> None:
        for anchor in self._open.values():
            anchor.height = max(anchor.height, depth - anchor.depth)
        if depth > MAX_DEPTH:
            self._stop("too-deep", f"more than {MAX_DEPTH} levels of nesting", event, "is a bracket not closed?")

    def _too_many_nodes(self, event: Any) -> None:
        self._stop("too-many-nodes", f"more than {MAX_NODES:,} values", event, "split the file")

    def _check_length(self, event: Any) -> None:
        self.last_event = event
        if len(event.value.encode("utf-8", "replace")) > MAX_SCALAR_BYTES:
            hint = "put it into a separate file"
            self._stop("scalar-too-long", f"text of more than {MAX_SCALAR_BYTES // 1024} KiB", event, hint)

    # ── scalars ──

    def _scalar(self, event: Any, is_plain: bool, is_key: bool) -> Any:
        self.last_event = event
        if len(event.value) > _LONG:
            self._check_length(event)
        if not is_plain and (event.style or str(event.tag) != "!"):
            return self._quoted_or_tagged(event)
        text = event.value
        if is_key and text in RESERVED:
            return text
        if (everyday := plain_number(text)) is not None:
            return everyday
        try:
            value = resolve(text)
        except NotReadableError as fault:
            self._quotable(fault.rule, fault.message, event, fault.hint, fault.rule in QUOTABLE)
            return text
        if (differs := ambiguity(text, value)) is not None and not is_key:
            from vhpipe.document.respelling import respelling_fix

            fix = respelling_fix(event, differs.spelling, differs.keeps_meaning)
            if differs.is_date:
                self.dates.append((event.start_mark.line + 1, event.start_mark.column + 1))
            self._warn("ambiguous-scalar", differs.message, event, differs.hint, fix)
        return value

    def _quoted_or_tagged(self, event: Any) -> Any:
        text = event.value
        if event.style == '"' and ("\0" in text or not _is_encodable(text)):
            hint = "no program can be given such text"
            self._error("bad-character", "the text contains a NUL or half of a surrogate pair", event, hint)
            text = text.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")
        tag = None if event.ctag is None else str(event.tag)
        if tag is None or tag == "!":
            return text
        if not is_core_tag(tag):
            self._unknown_tag(event, tag)
            return text
        try:
            return by_tag(tag, text)
        except NotReadableError as fault:
            self._error(fault.rule, fault.message, event, fault.hint)
            return text

    def _check_tag(self, event: Any, kind: str) -> None:
        tag = str(event.tag)
        if tag in ("!", f"tag:yaml.org,2002:{kind}"):
            return
        if is_core_tag(tag):
            what = "a mapping" if kind == "map" else "a list"
            self._error("wrong-tag", f"`{_short(tag)}` is applied to {what}", event, "remove the tag")
        else:
            self._unknown_tag(event, tag)

    def _unknown_tag(self, event: Any, tag: str) -> None:
        hint = "remove it; only !!str, !!int, !!float, !!bool, !!null, !!seq and !!map are understood"
        self._error("unknown-tag", f"tag `{_short(tag)}` is not understood", event, hint)

    # ── keys ──

    def _odd_key(self, event: Any, value: Any, container: dict[str, Any], is_plain: bool) -> Any:
        """The key to use where it is not a new string: a merge key, a repeated one, or none at all."""
        if type(value) is not str:
            what = "nothing" if value is None else f"{str(value).lower()[:40]}, not as text"
            if isinstance(value, dict | list):
                what = "a mapping" if isinstance(value, dict) else "a list"
            self._not_a_string_key(event, what)
            text = getattr(event, "value", "")
            return text if text and text not in container else _DROP
        if value == "<<" and is_plain:
            if id(container) in self._merges:
                self._error("duplicate-key", "`<<` appears twice in one mapping", event, "write `<<: [*a, *b]`")
            return _MERGE
        if value in container:
            self._duplicate_key(event, value)
        return value

    def _not_a_string_key(self, event: Any, what: str) -> None:
        text = getattr(event, "value", "")
        hint = f'write `"{text}"`' if text else "a key is a string; quote `{...}` to make it one"
        self._quotable("non-string-key", f"the key is read as {what}", event, hint, bool(text))

    def _duplicate_key(self, event: Any, key: str) -> None:
        if not self._has_room("error"):
            return
        message = f"key `{key[:60]}` appears twice in one mapping"
        span = span_of_event(event)
        hint = "remove one of them; the platform silently takes the last"
        self.add_fault(Diagnostic("duplicate-key", "error", message, span, hint))

    # ── anchors, aliases, merges ──

    def _anchor(self, event: Any, value: Any, depth: int) -> _Anchor:
        span = span_of_event(event)
        if (first := self._anchors.get(event.anchor)) is not None and self._has_room("warning"):
            message = f"anchor `{_short(event.anchor)}` is used again"
            hint = "aliases after it refer to the new one; give it another name"
            self.add_fault(
                Diagnostic("reused-anchor", "warning", message, span, hint, (RelatedPlace(first.span, "first here"),))
            )
        anchor = self._anchors[event.anchor] = _Anchor(value, span, depth)
        return anchor

    def _close(self, anchor: _Anchor, total: int) -> None:
        anchor.size = max(1, total - anchor.size)
        anchor.open = False

    def _alias(self, event: Any, depth: int) -> Any:
        self.last_event = event
        name = event.anchor
        anchor = self._anchors.get(name)
        if anchor is None:
            self._error(
                "unknown-anchor", f"there is no anchor `{_short(name)}` before this", event, self._nearest(name)
            )
            return None
        if anchor.open:
            related = (RelatedPlace(anchor.span, "the anchor"),)
            message = f"alias `{_short(name)}` appears inside what it refers to"
            self._error("recursive-alias", message, event, "write out what is meant", related)
            return None
        self._expanded += anchor.size
        if self._expanded > MAX_EXPANDED_NODES:
            message = f"aliases expand to more than {MAX_EXPANDED_NODES:,} values"
            self._stop("too-much-expansion", message, event, "write fewer aliases inside aliases")
        self._check_depth(event, depth + anchor.height)
        return anchor.value

    def _nearest(self, name: str) -> str:
        self._lookups += 1
        near = nearest(name, self._anchors) if self._lookups <= MAX_LOOKUPS else None
        return f"write `&{_short(name)}` where it is defined" if near is None else f"did you mean `*{_short(near)}`?"

    def _merge_later(self, event: Any, container: dict[str, Any], value: Any) -> None:
        if not isinstance(value, dict | list):
            if value is not None or type(event).__name__ != "AliasEvent":  # else the alias itself was refused
                self._error("wrong-merge", "`<<` takes a mapping or a list of mappings", event, "write `<<: *name`")
            value = {}
        self._merges.setdefault(id(container), []).append((event, value))

    def _merge(self, container: dict[str, Any]) -> None:
        """Put in front what merge keys bring; own keys win, of a list the earlier ones."""
        own = dict(container)
        brought: dict[str, Any] = {}
        for event, value in self._merges.pop(id(container)):
            sources = value if isinstance(value, list) else [value]
            for source in reversed(sources):
                if not isinstance(source, dict):
                    self._error("wrong-merge", "`<<` takes a mapping or a list of mappings", event)
                    break
                brought.update(source)
        container.clear()
        container.update(brought)
        container.update(own)

    # ── documents and findings ──

    def _starts_first_document(self, event: Any, roots: list[Any]) -> bool:
        self.last_event = event
        if event.tags:
            self._error("unknown-directive", "`%TAG` is not understood", event, "remove it")
        if not roots:
            return True
        message = "a second document begins here, but only the first one is read"
        self._error("several-documents", message, event, "remove the `---` or make it a separate file")
        return False

    def _stop(self, rule: str, message: str, event: Any, hint: str | None = None) -> None:
        self._error(rule, message, event, hint)
        raise StopReadingError

    def _error(
        self, rule: str, message: str, event: Any, hint: str | None = None, related: tuple[RelatedPlace, ...] = ()
    ) -> None:
        if self._has_room("error"):
            self.add_fault(Diagnostic(rule, "error", message, span_of_event(event), hint, related))

    def _quotable(self, rule: str, message: str, event: Any, hint: str, quotes_help: bool) -> None:
        from vhpipe.document.respelling import quotes_around

        if not self._has_room("error"):
            return
        fix = quotes_around(event) if quotes_help else None
        self.add_fault(Diagnostic(rule, "error", message, span_of_event(event), hint, fix=fix))

    def _warn(self, rule: str, message: str, event: Any, hint: str | None = None, fix: Fix | None = None) -> None:
        if self._has_room("warning"):
            self.add_fault(Diagnostic(rule, "warning", message, span_of_event(event), hint, fix=fix))


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:60]}…"


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
