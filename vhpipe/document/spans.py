"""Where things are written. Found by a second pass over the text, and only when somebody asks."""

from array import array
from typing import Any

from vhpipe.diagnostics import Location, Path, Span
from vhpipe.document.parser import event_source, event_types, refuses_inner_colon
from vhpipe.document.text import LINE_BREAK

START_OF_FILE = Span(1, 1, 1, 1)


class Document:
    """A file as plain data, and the places of all that stands in it.

    `dates` are line and column of the texts that the platform reads as dates.
    """

    __slots__ = ("_lines", "_places", "data", "dates", "name", "text")

    def __init__(
        self,
        name: str,
        text: str,
        data: Any,
        places: "Places | None" = None,
        dates: frozenset[tuple[int, int]] = frozenset(),
    ) -> None:
        self.name, self.text, self.data, self.dates = name, text, data, dates
        self._lines: tuple[str, ...] | None = None
        self._places = places

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the file without their ends."""
        if self._lines is None:
            self._lines = tuple(LINE_BREAK.split(self.text))
        return self._lines

    def span(self, at: Location) -> Span:
        """Where the thing at a location is written: for an alias or a merged key, where it really stands.

        A path that does not exist is where its nearest existing parent is. `chars` is honoured in a scalar that
        stands unchanged on one line, else the entire scalar is meant. Item 0 of a scalar is the scalar itself.
        """
        if self._places is None:
            self._places = Places(self.text)
        if at.path[-1:] == (0,) and isinstance(value_at(self.data, at.path[:-1]), str):
            at = at._replace(path=at.path[:-1])
        place, is_complete = self._places.find(at)
        if place is None:
            return START_OF_FILE
        span = self._without_line_end(self._places.span(place))
        if at.chars is None or not is_complete or at.part == "key":
            return span
        return self._span_of_chars(span, at)

    def _without_line_end(self, span: Span) -> Span:
        """Block scalars end on the next line for the parser; for a reader at the end of their last line."""
        line, column, end_line, end_column = span
        while end_column == 1 and end_line > line:
            end_line -= 1
            end_column = len(self.lines[end_line - 1].rstrip()) + 1
        return Span(line, column, end_line, end_column)

    def _span_of_chars(self, span: Span, at: Location) -> Span:
        text = value_at(self.data, at.path)
        if span.line != span.end_line or not isinstance(text, str) or at.chars is None:
            return span
        written = self.lines[span.line - 1][span.column - 1 : span.end_column - 1]
        shift = 0 if written == text else 1
        if written != text and (len(written) < 2 or written[1:-1] != text):
            return span
        start, end = (min(max(0, offset), len(text)) for offset in at.chars)
        first = span.column + shift + start
        return Span(span.line, first, span.line, max(first, span.column + shift + end))


def value_at(data: Any, path: Path) -> Any:
    """What stands at a path, None where nothing does."""
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def span_of_event(event: Any) -> Span:
    """From the marks of a parser's event, which count from 0. A container's event is its first character only."""
    if event is None or event.start_mark is None:
        return START_OF_FILE
    start, end = event.start_mark, event.end_mark
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


class Places:
    """Line and column of every node, by its number in the order of the text, in flat arrays.

    `after[n]` is the number of the first node behind n and all that is in it, so that siblings are found by jumps.
    """

    def __init__(self, text: str) -> None:
        self._clear()
        error = self._index(text, spare_colons=False)
        if error is not None and refuses_inner_colon(error):
            self._clear()
            self._index(text, spare_colons=True)

    def _clear(self) -> None:
        self.lines, self.columns = array("I"), array("I")
        self.end_lines, self.end_columns = array("I"), array("I")
        self.after = array("I")
        self.kinds = bytearray()
        self.targets: dict[int, int] = {}
        self.repeats: dict[tuple[int, int], int] = {}
        self._keys: dict[int, str] = {}
        self._children: dict[int, dict[str | int, tuple[int, int]]] = {}
        self._merges: dict[int, list[int]] = {}
        self._last = 0

    def find(self, at: Location) -> tuple[int | None, bool]:
        """The node of a location, or of its nearest parent; and whether it is the location itself."""
        if not self.kinds:
            return None, False
        node = 0
        for depth, part in enumerate(at.path):
            pair = self._child(self._real(node), part)
            if pair is None:
                return node, False
            is_last = depth == len(at.path) - 1
            node = pair[0] if is_last and at.part == "key" and isinstance(part, str) else pair[1]
        return self._real(node), True

    def span(self, node: int) -> Span:
        return Span(self.lines[node], self.columns[node], self.end_lines[node], self.end_columns[node])

    def _real(self, node: int) -> int:
        while node in self.targets:
            node = self.targets[node]
        return node

    def _child(self, node: int, part: str | int) -> tuple[int, int] | None:
        """Key node and value node of a member; of a list both are the item."""
        if node not in self._children:
            self._children[node] = self._members(node)
        pair = self._children[node].get(part)
        if pair is None and node in self._merges and isinstance(part, str):
            return self._member_by_merge(node, part)
        return pair

    def _member_by_merge(self, node: int, key: str) -> tuple[int, int] | None:
        for source in self._merges[node]:
            real = self._real(source)
            items = [real] if self.kinds[real] == _MAPPING else [self._real(item) for item in self._items(real)]
            for item in items:
                if self.kinds[item] == _MAPPING and (pair := self._child(item, key)) is not None:
                    return pair
        return None

    def _items(self, node: int) -> list[int]:
        found, child = [], node + 1
        while child < self.after[node]:
            found.append(child)
            child = self.after[child]
        return found

    def _members(self, node: int) -> dict[str | int, tuple[int, int]]:
        items = self._items(node)
        if self.kinds[node] == _SEQUENCE:
            return {number: (item, item) for number, item in enumerate(items)}
        members: dict[str | int, tuple[int, int]] = {}
        for key, value in zip(items[::2], items[1::2], strict=False):
            text = self._keys.get(self._real(key))
            if text is not None:
                members[text] = (key, value)
                if text == "<<":
                    self._merges.setdefault(node, []).append(value)
        return members

    def _index(self, text: str, spare_colons: bool) -> Exception | None:
        try:
            self._fill(event_source(text, spare_colons))
        except Exception as error:  # the reader has stopped at the same place and said so; what is before it counts
            while len(self.after) < len(self.kinds):
                self.after.append(0)
            for node, after in enumerate(self.after):
                self.after[node] = after or len(self.kinds)
            return error
        return None

    def _fill(self, next_event: Any) -> None:
        """Of one document. This loop and `_add` are the speed of a report about a large file."""
        kinds = _kinds_of_events()
        anchors: dict[str, int] = {}
        open_nodes: list[int] = []
        seen: list[dict[str, int] | None] = [None]
        turn = [0]
        documents = 0
        while True:
            event = next_event()
            kind = kinds.get(type(event), _NOTHING)
            if kind <= _ALIAS:
                node = self._add(event, kind)
                keys = seen[-1]
                if keys is not None:
                    turn[-1] += 1
                    if turn[-1] % 2 and kind == _SCALAR:
                        self._add_key(node, event.value, keys)
                if event.anchor is not None:
                    self._add_anchor(node, event.anchor, kind, anchors)
                if kind in (_MAPPING, _SEQUENCE):
                    open_nodes.append(node)
                    seen.append({} if kind == _MAPPING else None)
                    turn.append(0)
            elif kind == _END:
                self._end(event, open_nodes.pop())
                seen.pop()
                turn.pop()
            elif kind == _DOCUMENT:
                documents += 1
            if kind == _STREAM_END or documents > 1:
                return

    def _add(self, event: Any, kind: int) -> int:
        start, end = event.start_mark, event.end_mark
        self.lines.append(start.line + 1)
        self.columns.append(start.column + 1)
        self.end_lines.append(end.line + 1)
        self.end_columns.append(end.column + 1)
        self.kinds.append(kind)
        node = len(self.after)
        self.after.append(node + 1 if kind in (_SCALAR, _ALIAS) else 0)
        self._last = node
        return node

    def _add_anchor(self, node: int, name: str, kind: int, anchors: dict[str, int]) -> None:
        if kind != _ALIAS:
            anchors[name] = node
        elif name in anchors:
            self.targets[node] = anchors[name]

    def _add_key(self, node: int, text: str, keys: dict[str, int]) -> None:
        self._keys[node] = text
        if text in keys:
            self.repeats[(self.lines[node], self.columns[node])] = keys[text]
        keys.setdefault(text, node)

    def _end(self, event: Any, node: int) -> None:
        """A block ends for the parser where the next thing begins; for a reader where its last part ends."""
        self.after[node] = len(self.kinds)
        mark = event.end_mark
        if mark.index > event.start_mark.index:
            self.end_lines[node], self.end_columns[node] = mark.line + 1, mark.column + 1
        elif self._last != node:
            last = self._last
            self.end_lines[node], self.end_columns[node] = self.end_lines[last], self.end_columns[last]
        self._last = node


_SCALAR, _SEQUENCE, _MAPPING, _ALIAS, _END, _DOCUMENT, _STREAM_END, _NOTHING = range(8)


def _kinds_of_events() -> dict[type, int]:
    events = event_types()
    return {
        events.ScalarEvent: _SCALAR,
        events.SequenceStartEvent: _SEQUENCE,
        events.MappingStartEvent: _MAPPING,
        events.AliasEvent: _ALIAS,
        events.SequenceEndEvent: _END,
        events.MappingEndEvent: _END,
        events.DocumentStartEvent: _DOCUMENT,
        events.StreamEndEvent: _STREAM_END,
    }
