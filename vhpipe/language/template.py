"""References in values of the file: `${train.metadata.accuracy}` and the like.

A text is literal but for what stands in `${…}`; `$${` is a `${` that means itself. Nothing is looked up here.
"""

from collections.abc import Iterator

from vhpipe.language.reference import MalformedReference, Part, Reference, Template

OPENING = "${"


def parse_template(text: str) -> tuple[Part, ...]:
    """The parts of a text in order, adjacent literals as one; never raises, takes time in proportion to the text."""
    from vhpipe.language.reference_parser import ReferenceReader  # most files have no reference

    parts: list[Part] = []
    literal, position = "", 0
    while (start := text.find(OPENING, position)) >= 0:
        if start > position and text[start - 1] == "$":
            literal, position = literal + text[position : start - 1] + OPENING, start + 2
            continue
        literal += text[position:start]
        if literal:
            parts.append(literal)
        literal = ""
        end = _closing(text, start + 2)
        if end is None:
            parts.append(_unclosed_reference(text, start))
            return tuple(parts)
        parts.append(ReferenceReader(text, start, end).read())
        position = end + 1
    literal += text[position:]
    return (*parts, literal) if literal or not parts else tuple(parts)


def filled_parts(text: str) -> Template:
    """The parts of a text that the rules have no fault to find with; what is no reference is text."""
    merged: list[str | Reference] = []
    for part in parse_template(text):
        piece = part if isinstance(part, str | Reference) else part.text
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return tuple(merged)


def references_in(text: str) -> Iterator[Reference]:
    return (part for part in parse_template(text) if isinstance(part, Reference))


def has_references(value: object) -> bool:
    """Whether a value of the file is something else than it seems until references in it are filled in."""
    if not isinstance(value, str) or OPENING not in value:
        return False
    return any(isinstance(part, Reference | MalformedReference) for part in parse_template(value))


def _closing(text: str, start: int) -> int | None:
    """Where the `}` stands that ends a reference; those in brackets and quotes do not, if these are closed."""
    depth, quoted, first = 0, False, None
    for position in range(start, len(text)):
        sign = text[position]
        if sign == "}" and first is None:
            first = position
        if sign == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif sign == "[":
            depth += 1
        elif sign == "]":
            depth -= 1
        elif sign == "}" and depth <= 0:
            return position
        elif text.startswith(OPENING, position):
            break
    return first


def _unclosed_reference(text: str, start: int) -> MalformedReference:
    message = f"`{text[start : start + 60]}` has no `}}`"
    return MalformedReference(message, "close it, or write `$${` for the text", (start, len(text)), text=text[start:])
