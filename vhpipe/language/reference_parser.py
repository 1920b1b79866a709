"""One reference, read: `train.metadata.accuracy` and the other forms that may stand in `${…}`."""

from typing import NamedTuple

from vhpipe.language.reference import (
    FILE_ATTRIBUTES,
    GOALS,
    INPUT_FILE_ATTRIBUTES,
    PIPELINE,
    SIDES,
    BareWord,
    MalformedReference,
    Reference,
    ReferenceKind,
)


class _Segment(NamedTuple):
    """What stands between two dots: `name`, and in `bracket` what stands in brackets behind it."""

    name: str
    bracket: str | None
    start: int
    end: int
    is_quoted: bool = False


class _WrongError(Exception):
    """Why a reference cannot be read; becomes a MalformedReference."""

    def __init__(self, message: str, hint: str | None, at: tuple[int, int], word: str = "",
                 known: tuple[str, ...] = ()) -> None:  # fmt: skip
        super().__init__(message)
        self.message, self.hint, self.at, self.word, self.known = message, hint, at, word, known


class ReferenceReader:
    """Reads the reference between `${` at `start` and `}` at `end`."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text, self._start, self._end = text, start, end
        self._written = text[start : end + 1]

    def read(self) -> Reference | BareWord | MalformedReference:
        try:
            return self._parse()
        except _WrongError as wrong:
            return MalformedReference(wrong.message, wrong.hint, wrong.at, wrong.word, wrong.known, self._written)

    def _parse(self) -> Reference | BareWord:
        segments = self._segments()
        first = segments[0]
        if len(segments) == 1:
            if first.is_quoted:
                raise self._wrong("does not say which value of the node", f"write for example `${{{first.name}.id}}`")
            return BareWord(first.name, self._written, self._start)
        place = (first.start, first.end)
        if first.name == PIPELINE and not first.is_quoted:
            key, key_at = self._dotted_name(segments[1:])
            found = Reference(PIPELINE, ReferenceKind.PIPELINE, key, key_at=key_at)
        else:
            found = self._of_node(segments[1:])
        return found._replace(node=first.name, text=self._written, start=self._start, node_at=place)

    def _of_node(self, segments: list[_Segment], is_best: bool = False) -> Reference:
        kind = segments[0]
        readers = {"id": self._identifier, "version_id": self._identifier, "parameters": self._pipeline_reference,
                   "metadata": self._pipeline_reference, "outputs": self._output, "artifacts": self._artifact,
                   "models": self._model, "best": self._best}  # fmt: skip
        if is_best:
            del readers["best"], readers["version_id"]
        if kind.name not in readers or (kind.bracket is not None and kind.name != "outputs"):
            known = tuple(readers)
            raise _WrongError(f"`{self._segment_text(kind)}` is nothing that a reference can refer to", None,
                              (kind.start, kind.end), kind.name, known)  # fmt: skip
        return readers[kind.name](segments)

    def _identifier(self, segments: list[_Segment]) -> Reference:
        kind = segments[0]
        if len(segments) > 1:
            raise self._wrong(f"continues after `{kind.name}`", f"end it after `{kind.name}`")
        return Reference("", ReferenceKind(kind.name), key_at=(kind.start, kind.end))

    def _pipeline_reference(self, segments: list[_Segment]) -> Reference:
        kind = ReferenceKind.PARAMETER if segments[0].name == "parameters" else ReferenceKind.METADATA
        if len(segments) == 1:
            raise self._wrong(f"does not say which {kind}", f"write the name after `{segments[0].name}.`")
        key, key_at = self._dotted_name(segments[1:])
        return Reference("", kind, key, key_at=key_at)

    def _output(self, segments: list[_Segment]) -> Reference:
        outputs = segments[0]
        if outputs.bracket is None:
            raise self._wrong("does not say which outputs", "write a pattern, such as `outputs[*.pkl].url`")
        attribute = self._attribute(segments[1:], FILE_ATTRIBUTES)
        start = outputs.start + len("outputs[")
        return Reference("", ReferenceKind.OUTPUT, outputs.bracket, attribute, key_at=(start, outputs.end - 1))

    def _artifact(self, segments: list[_Segment]) -> Reference:
        if len(segments) < 3:
            raise self._wrong("does not say which value of which artifact", "write `artifacts.NAME.url`")
        attribute = self._attribute(segments[-1:], FILE_ATTRIBUTES)
        key, key_at = self._dotted_name(segments[1:-1])
        return Reference("", ReferenceKind.ARTIFACT, key, attribute, key_at=key_at)

    def _model(self, segments: list[_Segment]) -> Reference:
        side = segments[1] if len(segments) > 1 else None
        if side is not None and side.name not in SIDES:
            raise _WrongError(f"a node has no `{side.name}` models", None, (side.start, side.end), side.name, SIDES)
        if side is None or len(segments) < 4:
            raise self._wrong("does not say which value of which model", "write `models.output.-1.url`")
        is_input = side.name == "input"
        attribute = self._attribute(segments[-1:], INPUT_FILE_ATTRIBUTES if is_input else FILE_ATTRIBUTES)
        key, key_at = self._dotted_name(segments[2:-1])
        kind = ReferenceKind.MODEL_INPUT if is_input else ReferenceKind.MODEL_OUTPUT
        return Reference("", kind, key, attribute, key_at=key_at)

    def _best(self, segments: list[_Segment]) -> Reference:
        goal = next((index for index in range(2, len(segments)) if segments[index].name in GOALS), None)
        if goal is None or goal == len(segments) - 1:
            raise self._wrong("does not say what is best", "write `best.METRIC.max.parameters.NAME`, or `min`")
        metric, _ = self._dotted_name(segments[1:goal])
        found = self._of_node(segments[goal + 1 :], is_best=True)
        return found._replace(metric=metric, goal=segments[goal].name)

    def _attribute(self, segments: list[_Segment], known: tuple[str, ...]) -> str:
        if not segments:
            raise self._wrong("does not say which value of the file", f"write one of {', '.join(known)} after it")
        word = segments[-1]
        if len(segments) > 1 or word.name not in known:
            raise _WrongError(
                f"a file has no `{self._segment_text(word)}`", None, (word.start, word.end), word.name, known
            )
        return word.name

    def _dotted_name(self, segments: list[_Segment]) -> tuple[str, tuple[int, int]]:
        """A name that may have dots in it; any part of it may stand in quotes."""
        parts = (each.name if each.is_quoted else self._text[each.start : each.end] for each in segments)
        return ".".join(parts), (segments[0].start, segments[-1].end)

    def _segment_text(self, segment: _Segment) -> str:
        return self._text[segment.start : segment.end][:60]

    def _wrong(self, what: str, hint: str) -> _WrongError:
        return _WrongError(f"`{self._written[:80]}` {what}", hint, (self._start, self._end + 1))

    # ── segments ─────────────────────────────────────────────────────────────────────────────────────

    def _segments(self) -> list[_Segment]:
        start, end = self._start + 2, self._end
        while start < end and self._text[start].isspace():
            start += 1
        while end > start and self._text[end - 1].isspace():
            end -= 1
        if start == end:
            raise self._wrong("is empty", "write for example `${NODE.metadata.KEY}`, or `$${` for the text")
        segments = []
        while True:
            stop = self._stop_of(start, end)
            segments.append(self._segment(start, stop))
            if stop >= end:
                return segments
            start = stop + 1

    def _stop_of(self, start: int, end: int) -> int:
        """The next dot outside of quotes and brackets, or the end."""
        depth, quoted = 0, False
        for position in range(start, end):
            sign = self._text[position]
            if sign == '"':
                quoted = not quoted
            elif not quoted and sign in "[]":
                depth += 1 if sign == "[" else -1
            elif sign == "." and depth <= 0 and not quoted:
                return position
        if quoted or depth > 0:
            sign = '"' if quoted else "]"
            raise self._wrong(f"has no closing `{sign}`", "close it")
        return end

    def _segment(self, start: int, stop: int) -> _Segment:
        text = self._text[start:stop]
        if not text:
            raise self._wrong("has an empty part", "remove a dot, or write a name between the dots")
        if len(text) >= 2 and text[0] == text[-1] == '"':
            return _Segment(text[1:-1].replace('""', '"'), None, start, stop, is_quoted=True)
        if text.endswith("]") and "[" in text:
            name, _, bracket = text[:-1].partition("[")
            if not bracket:
                raise self._wrong("has nothing in its brackets", "write a pattern, such as `[*.pkl]`")
            return _Segment(name, bracket, start, stop)
        return _Segment(text, None, start, stop)
