"""Secret values in what steps print, and in all that is recorded of it: each is replaced by `***`.

A value is found as it is and in the forms that programs commonly give it: base64 wherever it begins, hexadecimal,
quoted for URLs, JSON and shells. A stream is masked as the entire text would be, however it is cut into pieces.
Source: decisions 30 and 67.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

import msgspec

from vhpipe.attempt.launch import OutputSink, Stream
from vhpipe.plan.model import Datum
from vhpipe.schedule.terms import Json

MASK = b"***"
SHORTEST = 4
"""Characters; what is shorter stands in every text."""
SHORTEST_LINE = 8
"""Characters of a line of a longer value that is masked by itself."""
WRAPPED = (76, 64)
"""Where `base64` and `openssl` end a line."""
_TOO_COMMON = frozenset({"true", "false", "none", "null"})


def can_be_masked(value: str) -> bool:
    """Whether a value can be distinguished from ordinary text."""
    bare = value.strip()
    return len(bare) >= SHORTEST and bare.lower() not in _TOO_COMMON and bare.strip("*") != ""


class Masking:
    """The forms of some values, to be replaced. Of two that begin at one place the longer counts. Thread-safe."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = {value for value in values if can_be_masked(value)}
        forms = {form for value in known for form in _forms(value)}
        self._pattern = re.compile(_any_of(forms)) if forms else None
        heads = {form[:SHORTEST] for form in forms}
        self._heads = re.compile(b"(?=%s)" % _any_of(heads)) if forms else None
        self._by_head = {head: tuple(form for form in forms if form.startswith(head)) for head in heads}
        self._beginnings = {head[:size] for head in heads for size in range(1, SHORTEST)}
        self._longest = max(map(len, forms), default=0)

    @property
    def is_needed(self) -> bool:
        return self._pattern is not None

    def content(self, content: bytes) -> bytes:
        return content if self._pattern is None else self._pattern.sub(MASK, content)

    def text(self, text: str) -> str:
        if self._pattern is None:
            return text
        content = text.encode("utf-8", "surrogatepass")
        masked = self.content(content)
        return text if masked == content else masked.decode("utf-8", "replace")

    def json(self, value: Json) -> Json:
        """A value with its texts masked, also the names in objects; a number that is a secret becomes a text."""
        if self._pattern is None:
            return value
        match value:
            case str():
                return self.text(value)
            case dict():
                return self.object(value)
            case list() | tuple():
                return [self.json(each) for each in value]
            case int() | float() if not isinstance(value, bool):
                masked = self.text(json.dumps(value))
                return value if masked == json.dumps(value) else masked
            case _:
                return value

    def object(self, value: Mapping[str, Json]) -> dict[str, Json]:
        return {self.text(name): self.json(each) for name, each in value.items()}

    def cut(self, content: bytes) -> tuple[bytes, bytes]:
        """What is decided of a stream that goes on, masked, and the end that may be the beginning of a secret."""
        assert self._pattern is not None, "without secrets nobody asks"
        masked: list[bytes] = []
        place = 0
        for hold in (*self._undecided(content), len(content)):
            while (match := self._pattern.search(content, place)) and match.start() < hold:
                masked += (content[place : match.start()], MASK)
                place = match.end()
            if place <= hold:
                masked.append(content[place:hold])
                return b"".join(masked), content[hold:]
        return b"".join(masked), b""

    def _undecided(self, content: bytes) -> Iterator[int]:
        """The places, in order, from which the rest of the content begins a form without being a complete one."""
        assert self._heads is not None, "without secrets nobody asks"
        size = len(content)
        for match in self._heads.finditer(content, max(0, size - self._longest + 1)):
            place = match.start()
            rest = content[place:]
            forms = self._by_head[rest[:SHORTEST]]
            if any(len(form) > len(rest) and form.startswith(rest) for form in forms):
                yield place
        for place in range(max(0, size - SHORTEST + 1), size):
            if content[place:] in self._beginnings:
                yield place


NOTHING = Masking()


class MaskedSink:
    """Stands before the sink of an attempt. What may be the beginning of a secret is held back until it is decided."""

    def __init__(self, masking: Masking, sink: OutputSink) -> None:
        self._masking, self._sink = masking, sink
        self._held: dict[Stream, bytes] = {}

    def write(self, stream: Stream, content: bytes) -> None:
        masked, self._held[stream] = self._masking.cut(self._held.get(stream, b"") + content)
        if masked:
            self._sink.write(stream, masked)

    def close(self) -> None:
        for stream, held in self._held.items():
            if held:
                self._sink.write(stream, self._masking.content(held))
        self._sink.close()


def masked_outputs(masking: Masking, outputs: tuple[Datum, ...]) -> tuple[Datum, ...]:
    """Outputs as they are recorded: what sidecars say of them is masked. Their names and bytes are the step's own."""
    if not masking.is_needed:
        return outputs
    return tuple(
        msgspec.structs.replace(each, properties=tuple(map(masking.object, each.properties))) for each in outputs
    )


def _any_of(forms: Iterable[bytes]) -> bytes:
    """A pattern for the longest form that fits. Equal beginnings stand once: alternatives are tried one by one."""
    given = set(forms)
    beginning = _common_beginning(min(given), max(given))
    rests: dict[bytes, set[bytes]] = {}
    for form in given - {beginning}:
        rest = form[len(beginning) :]
        rests.setdefault(rest[:1], set()).add(rest)
    if not rests:
        return re.escape(beginning)
    branches = b"|".join(_any_of(rest) for _, rest in sorted(rests.items()))
    return re.escape(beginning) + b"(?:%s)" % branches + (b"?" if beginning in given else b"")


def _common_beginning(first: bytes, last: bytes) -> bytes:
    size = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:size]


# ── the forms of a value ─────────────────────────────────────────────────────────────────────────


def _forms(value: str) -> Iterator[bytes]:
    """All texts, of four bytes at least, that stand for the value."""
    for text in {value, value.strip(), *_lines(value)}:
        content = text.encode("utf-8", "surrogateescape")
        yield content
        yield from (content.hex().encode(), content.hex().upper().encode())
        yield from _base64_forms(content)
        yield from _quoted_forms(content)


def _lines(value: str) -> list[str]:
    """The lines of a value of several: programs print them one by one, or indented."""
    return [line for each in value.splitlines() if len(line := each.strip()) >= SHORTEST_LINE]


def _base64_forms(content: bytes) -> Iterator[bytes]:
    """In both alphabets: the value alone, the same in lines, and the part of it that is sure within a longer text."""
    alone = b64encode(content)
    found = {alone, alone.rstrip(b"="), *(_sure_part(content, before) for before in range(3))}
    for width in WRAPPED:
        lines = [alone[place : place + width] for place in range(0, len(alone), width)]
        found |= {line for line in lines if len(line) >= 2 * SHORTEST_LINE}
    for form in found:
        yield form
        yield form.translate(_URLSAFE)


_URLSAFE = bytes.maketrans(b"+/", b"-_")


def _sure_part(content: bytes, before: int) -> bytes:
    """The characters that depend on nothing but the value, where so many bytes (0 to 2) of a group stand before it."""
    encoded = b64encode(bytes(before) + content)
    return encoded[(before * 8 + 5) // 6 : (before + len(content)) * 8 // 6]


def _quoted_forms(content: bytes) -> Iterator[bytes]:
    for safe in ("", "/"):
        quoted = quote(content, safe=safe)
        yield from (quoted.encode(), re.sub("%..", lambda match: match[0].lower(), quoted).encode())
    yield quote_plus(content).encode()
    printable = content.decode("utf-8", "replace")
    for as_ascii in (True, False):
        escaped = json.dumps(printable, ensure_ascii=as_ascii)[1:-1]
        yield from (escaped.encode(), escaped.replace("/", "\\/").encode())
    yield repr(printable)[1:-1].encode()
    yield from (content.replace(b"'", b"'\\''"), content.replace(b"'", b"'\"'\"'"))
