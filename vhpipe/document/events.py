"""The events of ruamel.yaml's C parser, made in one call each instead of three.

Making events is two thirds of reading a large file: 340,000 of them for 10,000 nodes. These are the same classes to
everybody else, with the same attributes; only their constructors do not call one another. To be imported after the
parser's package is in place.
"""

from types import ModuleType
from typing import Any

from ruamel.yaml import events as originals


class ScalarEvent(originals.ScalarEvent):  # type: ignore[misc,unused-ignore]
    __slots__ = ()

    def __init__(
        self,
        anchor: Any,
        tag: Any,
        implicit: Any,
        value: Any,
        start_mark: Any = None,
        end_mark: Any = None,
        style: Any = None,
        comment: Any = None,
    ) -> None:
        self.anchor, self.ctag, self.implicit, self.value = anchor, tag, implicit, value
        self.start_mark, self.end_mark, self.style, self.comment = start_mark, end_mark, style, comment


class MappingStartEvent(originals.MappingStartEvent):  # type: ignore[misc,unused-ignore]
    __slots__ = ()

    def __init__(
        self,
        anchor: Any,
        tag: Any,
        implicit: Any,
        start_mark: Any = None,
        end_mark: Any = None,
        flow_style: Any = None,
        comment: Any = None,
        nr_items: Any = None,
    ) -> None:
        self.anchor, self.ctag, self.implicit, self.flow_style = anchor, tag, implicit, flow_style
        self.start_mark, self.end_mark, self.comment, self.nr_items = start_mark, end_mark, comment, nr_items


class SequenceStartEvent(originals.SequenceStartEvent):  # type: ignore[misc,unused-ignore]
    __slots__ = ()
    __init__ = MappingStartEvent.__init__


class MappingEndEvent(originals.MappingEndEvent):  # type: ignore[misc,unused-ignore]
    __slots__ = ()

    def __init__(self, start_mark: Any = None, end_mark: Any = None, comment: Any = None) -> None:
        self.start_mark, self.end_mark, self.comment = start_mark, end_mark, comment


class SequenceEndEvent(originals.SequenceEndEvent):  # type: ignore[misc,unused-ignore]
    __slots__ = ()
    __init__ = MappingEndEvent.__init__


def give_to(parser: ModuleType) -> None:
    """Lets the C parser make these: it looks for its classes among its globals each time."""
    for event in (ScalarEvent, MappingStartEvent, SequenceStartEvent, MappingEndEvent, SequenceEndEvent):
        setattr(parser, event.__name__, event)
