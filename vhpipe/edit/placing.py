"""Changes inside a YAML text: values set, items added or taken out, every other character as it was.

All places are those of the text as it was read; the changes are put in together at the end.
"""

from collections.abc import Mapping, Sequence

from vhpipe.diagnostics import Location, Path, Span
from vhpipe.document.spans import Document, value_at
from vhpipe.edit.apply import line_starts
from vhpipe.edit.writing import Scalar, Tree, block_lines, flow_text, item_lines, scalar_text


class OutOfReach(Exception):
    """What is to be changed stands behind an alias or a merge key, where a change would have other effects too."""


class DocumentEdits:
    """A document, and the changes that are to be made to its text."""

    def __init__(self, document: Document) -> None:
        self.document, self.text = document, document.text
        self._starts = line_starts(self.text)
        self._changes: list[tuple[int, int, int, str]] = []
        self._newline = "\r\n" if "\r\n" in self.text else "\n"

    def result(self) -> str:
        """The text with all changes in it, those at one place in the order in which they were asked for."""
        parts, done = [], 0
        for start, end, _, new in sorted(self._changes):
            parts += [self.text[done:start], new.replace("\n", self._newline)]
            done = end
        return "".join((*parts, self.text[done:]))

    def set_value(self, path: Path, value: Scalar | Sequence[Scalar]) -> None:
        """Another value where one stands. Errors: OutOfReach."""
        start, end = self._range(self._own_span(path))
        in_flow = self._is_in_flow(path[:-1])
        if start == end:
            gap = " " if self.text[start - 1 : start] == ":" else ""
            self._change(start, end, gap + flow_text(value))
        elif self.text[start] == "-" and self.text[start + 1 : start + 2].isspace() and not isinstance(value, Scalar):
            margin = " " * (self._own_span(path).column - 1)
            self._change(start, end, f"\n{margin}".join(f"- {scalar_text(item)}" for item in value))
        else:
            self._change(start, end, scalar_text(value, in_flow) if isinstance(value, Scalar) else flow_text(value))

    def add_key(self, path: Path, key: str, value: Tree) -> None:
        """A key with its value at the end of a mapping. Errors: OutOfReach."""
        span = self._own_span(path)
        if self._is_in_flow(path):
            self._into_brackets(span, f"{scalar_text(key, True)}: {flow_text(value)}")
        else:
            self._below(span, block_lines({key: value}), span.column - 1)

    def add_item(self, path: Path, item: Mapping[str, Tree]) -> None:
        """A mapping at the end of a list, which may be empty or nothing. Errors: OutOfReach."""
        span = self._own_span(path)
        if not value_at(self.document.data, path):
            self._into_empty_list(path, span, [item])
        elif self._is_in_flow(path):
            self._into_brackets(span, flow_text(item))
        else:
            self._below(span, item_lines(item), span.column - 1)

    def add_items(self, path: Path, items: Sequence[Mapping[str, Tree]]) -> None:
        """Several mappings, see `add_item`; into a list that is not there at all too. Errors: OutOfReach."""
        parent = value_at(self.document.data, path[:-1])
        if isinstance(parent, dict) and path[-1] not in parent:
            self.add_key(path[:-1], str(path[-1]), list(items))
        elif value_at(self.document.data, path):
            for item in items:
                self.add_item(path, item)
        else:
            self._into_empty_list(path, self._own_span(path), items)

    def remove_items(self, path: Path, numbers: Sequence[int]) -> None:
        """Items of a block list with their lines; with the last of them goes the key. Errors: OutOfReach."""
        if self._is_in_flow(path):
            raise OutOfReach
        if len(numbers) == len(value_at(self.document.data, path)):
            self._remove_lines(self.document.span(Location(path, "key")).line, self._own_span(path).end_line)
            return
        for number in numbers:
            span = self._own_span((*path, number))
            self._remove_lines(span.line, span.end_line)

    def append(self, lines: Sequence[str], after: Path | None) -> None:
        """Lines behind an item of the file, or at its end, with an empty line around."""
        if self.document.data:
            margin = " " * (self._own_span(()).column - 1)
            lines = [margin + line for line in lines]
        if after is None:
            gap = "" if not self.text.strip() else "\n" if self.text.endswith(("\n", "\r")) else "\n\n"
            self._change(len(self.text), len(self.text), gap + "\n".join(lines) + "\n")
            return
        end = self._end_of_line(self._own_span(after).end_line)
        tail = "\n" if end == len(self.text) else ""
        self._change(end, end, "\n\n" + "\n".join(lines) + tail)

    # ── places ──

    def _own_span(self, path: Path) -> Span:
        """Where a value stands; it has to stand inside of what it belongs to."""
        span = self.document.span(Location(path))
        for length in range(len(path)):
            outer = self.document.span(Location(path[:length]))
            if not outer[:2] <= span[:2] or not span[2:] <= outer[2:]:
                raise OutOfReach
        return span

    def _is_in_flow(self, path: Path) -> bool:
        start, _ = self._range(self._own_span(path))
        return self.text[start : start + 1] in ("[", "{")

    def _range(self, span: Span) -> tuple[int, int]:
        return self._offset(span.line, span.column), self._offset(span.end_line, span.end_column)

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column - 1 if line <= len(self._starts) else len(self.text)

    def _end_of_line(self, line: int) -> int:
        return self._offset(line, len(self.document.lines[line - 1]) + 1)

    # ── changes ──

    def _change(self, start: int, end: int, new: str) -> None:
        self._changes.append((start, end, len(self._changes), new))

    def _below(self, span: Span, lines: Sequence[str], margin: int) -> None:
        end = self._end_of_line(span.end_line)
        self._change(end, end, "".join(f"\n{' ' * margin}{line}" for line in lines))

    def _into_brackets(self, span: Span, new: str) -> None:
        start, end = self._range(span)
        inner = self.text[start + 1 : end - 1].rstrip()
        place = start + 1 + len(inner)
        comma = "" if not inner.strip() else " " if inner.endswith(",") else ", "
        self._change(place, place, comma + new)

    def _into_empty_list(self, path: Path, span: Span, items: Sequence[Mapping[str, Tree]]) -> None:
        """`[]` or nothing behind the key gives way to a block below it; a remark on the line stays."""
        if self._is_in_flow(path[:-1]):
            raise OutOfReach
        start, end = self._range(span)
        if start < end:
            self._change(start - (self.text[start - 1 : start] == " "), end, "")
        key = self.document.span(Location(path, "key"))
        margin = " " * (key.column + 1)
        place = self._end_of_line(max(key.line, span.end_line if start < end else key.line))
        lines = [line for item in items for line in item_lines(item)]
        self._change(place, place, "".join(f"\n{margin}{line}" for line in lines))

    def _remove_lines(self, first: int, last: int) -> None:
        start = self._offset(first, 1)
        end = self._offset(last + 1, 1)
        self._change(start, end, "")
