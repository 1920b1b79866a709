"""Fixes until none is left, none of them for the worse: after each round the file is read again."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from vhpipe.config.model import Config
from vhpipe.diagnostics import Diagnostic, Location, Span
from vhpipe.edit.apply import apply_fixes

MAX_ROUNDS = 20
"""One is enough, but where a fix lets another be seen, or there is more to say than is said at once."""
MAX_READINGS = 40
"""How often the file is read in all; only fixes that have to be separated from bad ones take more than one reading."""

_MARK = b"\xef\xbb\xbf"


class _Source(Protocol):
    def span(self, location: Location) -> Span: ...


class FixableFile(Protocol):
    """What is needed of a file that was read: what is wrong with it, where that stands, and what it hides.

    `findings` is everything that is wrong, `diagnostics` what is reported of it: only that is fixed.
    """

    @property
    def document(self) -> object | None: ...

    @property
    def source(self) -> _Source: ...

    @property
    def config(self) -> Config: ...

    @property
    def findings(self) -> tuple[Diagnostic, ...]: ...

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]: ...


_Loaded = TypeVar("_Loaded", bound=FixableFile)
_Load = Callable[[bytes, str], _Loaded]


class StableFile(NamedTuple, Generic[_Loaded]):
    """A file after its fixes: the bytes, what they read as now, and whose fixes are in."""

    content: bytes
    loaded: _Loaded
    applied: tuple[Diagnostic, ...]


def fix_until_stable(content: bytes, name: str, load: _Load[_Loaded], unsafe: bool) -> StableFile[_Loaded]:
    """The file with all fixes of what `load` reports that make it no worse.

    No worse: it can still be read, and no rule has more errors than before; with unsafe fixes, there are no more
    errors in all. Errors that show because more of the file can be understood now are not counted: they were there.
    A file that cannot be read at all stays as it is. The byte order mark stays.
    """
    reading = _FileReader(name, load, unsafe)
    loaded = load(content, name)
    applied: list[Diagnostic] = []
    for _ in range(MAX_ROUNDS):
        found = reading.next_round(content, loaded)
        if found is None:
            break
        content, loaded, more = found
        applied += more
    return StableFile(content, loaded, tuple(applied))


class _FileReader(Generic[_Loaded]):
    def __init__(self, name: str, load: _Load[_Loaded], unsafe: bool) -> None:
        self.name, self.load, self.unsafe = name, load, unsafe
        self.left = MAX_READINGS
        self.refused: set[tuple[str, str]] = set()

    def next_round(self, content: bytes, loaded: _Loaded) -> StableFile[_Loaded] | None:
        """The file after as many fixes as can be put in at once; None where none can."""
        if loaded.document is None:
            return None
        candidates = [item for item in loaded.diagnostics if self._may_be_put_in(item)]
        found = self._best(content, loaded, [], candidates)
        if found is not None:
            self.refused.clear()  # what did not fit before may fit now
        return found

    def _may_be_put_in(self, item: Diagnostic) -> bool:
        return item.fix is not None and (item.fix.is_safe or self.unsafe) and _title(item) not in self.refused

    def _best(
        self, content: bytes, before: _Loaded, kept: list[Diagnostic], more: list[Diagnostic]
    ) -> StableFile[_Loaded] | None:
        """With the fixes kept so far and as many more as make it no worse. By halves: bad ones are rare."""
        if not more or self.left <= 0:
            return None
        found = self._try_fixes(content, before, [*kept, *more])
        if found is not None:
            return found
        if len(more) == 1:
            self.refused.add(_title(more[0]))
            return None
        half = len(more) // 2
        first = self._best(content, before, kept, more[:half])
        good = kept if first is None else [*first.applied]
        return self._best(content, before, good, more[half:]) or first

    def _try_fixes(self, content: bytes, before: _Loaded, fixes: Sequence[Diagnostic]) -> StableFile[_Loaded] | None:
        text, mark = content.removeprefix(_MARK).decode("utf-8"), content[:3] if content.startswith(_MARK) else b""

        def span_of(at: Location | Span) -> Span:
            return at if isinstance(at, Span) else before.source.span(at)

        self.left -= 1
        fixed = apply_fixes(text, _with_errors(fixes, before), span_of, self.unsafe)
        if not fixed.applied or fixed.text == text:
            return None
        after = mark + fixed.text.encode("utf-8")
        loaded = self.load(after, self.name)
        return None if _is_worse(before, loaded, self.unsafe) else StableFile(after, loaded, fixed.applied)


def _with_errors(fixes: Sequence[Diagnostic], before: FixableFile) -> list[Diagnostic]:
    """The errors that are not to be fixed now still tell where a warning's fix has to wait."""
    others = (item._replace(fix=None) for item in before.findings if item.severity == "error")
    return [*fixes, *others]


def _is_worse(before: FixableFile, after: FixableFile, is_lenient: bool) -> bool:
    if after.document is None:
        return True
    if after.config.broken < before.config.broken:
        return False
    old, new = _errors(before), _errors(after)
    return new.total() > old.total() if is_lenient else bool(new - old)


def _errors(loaded: FixableFile) -> "Counter[str]":
    return Counter(item.rule for item in loaded.findings if item.severity == "error")


def _title(item: Diagnostic) -> tuple[str, str]:
    assert item.fix is not None, "only those with a fix are candidates"
    return item.message, item.fix.title
