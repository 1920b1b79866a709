"""What is being typed at a place of a text: found from the text alone, for while typing it is seldom YAML."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

Wanted = Literal["edge-end", "parameter-target", "step", "task", "deployment", "endpoint", "rule"]
Side = Literal["source", "target"]

MAX_LINES_OF_A_LIST = 5
"""How far above the cursor the bracket is looked for that it stands in."""

_LINE = re.compile(r"( *)((?:- +)*)")
_KEY = re.compile(r"([\w-]+|\"[\w-]+\"|'[\w-]+') *:(?:\s+|$)")
_IGNORE = re.compile(r"#\s*vhpipe:\s*ignore(?:-file)?\[(?:[^\]]*,)?\s*([\w-]*)$")
_NAME = re.compile(r"\s*(?:- +)?name *: +(?:\"([^\"]*)\"|'([^']*)'|([^#]*[^#\s]))")


class TypingPlace(NamedTuple):
    """What is wanted at the cursor, and what of it is there: `text`, which begins at column `start`, from 1.

    `quote` is the quotation mark that is open. `other` is the source of the edge whose target is typed.
    `pipeline` is the name of the pipeline around, None where it cannot be determined. `in_flow`: within brackets.
    """

    wanted: Wanted
    text: str
    start: int
    quote: str = ""
    side: Side = "source"
    other: str | None = None
    pipeline: str | None = None
    in_flow: bool = False


def typing_place_at(lines: Sequence[str], line: int, column: int) -> TypingPlace | None:
    """What is being typed before a line and column, both from 1; None where nothing is known to be wanted there."""
    before = lines[line - 1][: column - 1]
    if (ignored := _IGNORE.search(before)) is not None:
        return TypingPlace("rule", ignored[1], column - len(ignored[1]))
    around = tuple(_keys_around(lines, line - 1))
    inline = _inline(lines, line - 1, before)
    if inline is None or len(inline.text) >= column:
        return None
    keys = (*inline.keys, *(key for key, _ in around))
    wanted = _what_is_wanted(keys, inline)
    if wanted is None:
        return None
    pipeline = next((number for key, number in around if key == "pipeline"), None)
    return TypingPlace(
        wanted,
        inline.text,
        column - len(inline.text),
        inline.quote,
        "target" if _is_target(keys, inline) else "source",
        inline.items[0] if inline.items else _source_above(lines, line - 1, before),
        None if pipeline is None else _name_below(lines, pipeline),
        bool(inline.brackets),
    )


# ── in the line ──────────────────────────────────────────────────────────────────────────────────


class _Inline(NamedTuple):
    """The end of a line: keys from inside out, open brackets, earlier items of the innermost list, the open word."""

    keys: tuple[str, ...]
    brackets: str
    items: tuple[str, ...]
    text: str
    quote: str
    dashes: int


def _inline(lines: Sequence[str], number: int, before: str) -> _Inline | None:
    """The line before the cursor, with lines above it where it goes on with a list begun there."""
    found = _scan(before)
    for first in range(number - 1, max(-1, number - MAX_LINES_OF_A_LIST), -1):
        if found is None or found.brackets:
            break
        longer = _scan(" ".join((*lines[first:number], before.lstrip())))
        if longer is not None and longer.brackets:
            return longer
    return found


def _scan(text: str) -> _Inline | None:  # noqa: C901 - a table of characters
    """None inside a comment, or where a quotation mark is closed and nothing can follow."""
    start = _LINE.match(text)
    assert start is not None, "every text begins with some or no blanks"
    rest = text[start.end() :]
    keys: list[str | None] = []
    if (key := _KEY.match(rest)) is not None:
        keys.append(key[1].strip("\"'"))
        rest = rest[key.end() :]
    brackets, items, word, quote, is_closed = "", [[]], "", "", False  # type: tuple[str, list[list[str]], str, str, bool]
    position = 0
    while position < len(rest):
        character = rest[position]
        position += 1
        if quote:
            if character == quote:
                quote, is_closed = "", True
            else:
                word += character
        elif character in "\"'" and not word:
            quote = character
        elif character in "[{":
            brackets += character
            items.append([])
            keys.append(None)
            word, is_closed = "", False
        elif character in "]}" and brackets:
            brackets = brackets[:-1]
            items.pop()
            keys.pop()
            word, is_closed = "", True
        elif character == "," and brackets:
            items[-1].append(word.rstrip())
            word, is_closed = "", False
            keys[-1] = None
        elif character == ":" and brackets.endswith("{") and (rest[position : position + 1] in ("", " ")):
            keys[-1] = word.strip()
            word, is_closed = "", False
        elif character == "#" and rest[position - 2 : position - 1] in ("", " "):
            return None
        elif character != " " or word:
            word += character
    if is_closed:
        return None
    named = tuple(key for key in reversed(keys) if key is not None)
    return _Inline(named, brackets, tuple(items[-1]), word, quote, start[2].count("-"))


# ── around the line ──────────────────────────────────────────────────────────────────────────────


def _keys_around(lines: Sequence[str], number: int) -> Iterator[tuple[str, int]]:
    """The keys that a line stands below, from inside out, with the number of the line of each, from 0."""
    start = _LINE.match(lines[number])
    assert start is not None
    limit, is_item = len(start[1]), bool(start[2])
    for above in range(number - 1, -1, -1):
        text = lines[above]
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        found = _LINE.match(text)
        assert found is not None
        first, has_dash, column = len(found[1]), bool(found[2]), found.end()
        key = _KEY.match(text, column)
        if key is not None and (column < limit or (column == limit and is_item)):
            yield key[1].strip("\"'"), above
            limit, is_item = column, False
        if has_dash and first < limit:
            limit, is_item = first, True
        elif first < limit:
            limit, is_item = first, False
        if limit == 0 and not is_item:
            return


def _name_below(lines: Sequence[str], number: int) -> str | None:
    """The `name` that stands in the mapping of a key."""
    start = _LINE.match(lines[number])
    assert start is not None
    column: int | None = None
    for text in lines[number + 1 :]:
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        indent = len(text) - len(text.lstrip(" "))
        column = indent if column is None else column
        if indent < column or column < start.end():
            return None
        if indent == column and (found := _NAME.match(text)) is not None:
            return next((name for name in found.groups() if name is not None), None)
    return None


def _source_above(lines: Sequence[str], number: int, before: str) -> str | None:
    """In an edge written as several lines the source, if the cursor is on the line of the target below it."""
    here = _LINE.match(before)
    above = _LINE.match(lines[number - 1]) if number else None
    if here is None or above is None or above.end() != here.end():
        return None
    source, target = (_KEY.match(text, start.end()) for text, start in ((lines[number - 1], above), (before, here)))
    if source is None and target is None and (above[2].count("-"), here[2].count("-")) == (2, 1):
        return _strip_quotes(lines[number - 1][above.end() :])
    if source is not None and target is not None and (source[1], target[1]) == ("source", "target"):
        return _strip_quotes(lines[number - 1][source.end() :])
    return None


def _strip_quotes(text: str) -> str:
    return text.strip().strip("\"'")


# ── what it means ────────────────────────────────────────────────────────────────────────────────


def _what_is_wanted(keys: tuple[str, ...], inline: _Inline) -> Wanted | None:
    match keys:
        case ("edges", *_):
            is_end = inline.brackets.endswith("[") and len(inline.items) < 2 and inline.brackets != "["
            is_pair = inline.brackets.endswith("[") and "edges" not in inline.keys
            is_line = not inline.brackets and inline.dashes > 0
            return "edge-end" if (is_end or is_pair or is_line) and len(inline.items) < 2 else None
        case ("source" | "target", "edges", *_):
            return "edge-end"
        case ("target" | "targets", "parameters", *rest) if "pipeline" in rest:
            return "parameter-target"
        case ("step", *rest) if "nodes" in rest or rest[:1] == ["task"]:
            return "step"
        case ("task", *rest) if "nodes" in rest:
            return "task"
        case ("deployment", *rest) if "nodes" in rest:
            return "deployment"
        case ("endpoints", *rest) if "nodes" in rest:
            return "endpoint"
    return None


def _is_target(keys: tuple[str, ...], inline: _Inline) -> bool:
    if keys[0] in ("target", "targets"):
        return True
    if inline.brackets:
        return keys[0] == "edges" and len(inline.items) == 1
    return keys[0] == "edges" and inline.dashes == 1
