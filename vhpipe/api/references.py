"""What the arguments of a step refer to: results of other steps, and parameters of the pipeline."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

_only_result = re.compile(r"\$\{\s*([\w-]+)\.(\w+)\s*\}")
_only_parameter = re.compile(r"\$\{\s*pipeline\.([^{}]+?)\s*\}")
_only_artifact = re.compile(r"\$\{\s*([\w-]+)\.artifacts\.([^{}]+?)\.url\s*\}")
_only_step_parameter = re.compile(r"\$\{\s*([\w-]+)\.parameters\.([\w/-]+)\s*\}")
_any = re.compile(r"(?<!\$)\$\{\s*([\w-]+)\.(\w+)\s*\}")

OPENING = "${"


class NotYetKnownError(TypeError):
    """The value of a step was asked for before the step has run."""


class Result:
    """What a step will return under a name: to be given to other steps, and known only when the pipeline has run."""

    __slots__ = ("name", "step")

    def __init__(self, step: str, name: str) -> None:
        self.step, self.name = step, name

    def __repr__(self) -> str:
        return f"${{{self.step}.{self.name}}}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            raise self._unknown()
        return (self.step, self.name) == (other.step, other.name)

    def __hash__(self) -> int:
        return hash((self.step, self.name))

    def _refuse(self, *others: object) -> NoReturn:
        raise self._unknown()

    __bool__ = __float__ = __int__ = __index__ = __len__ = __iter__ = __getitem__ = _refuse
    __lt__ = __gt__ = __le__ = __ge__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
    __truediv__ = __rtruediv__ = __neg__ = __call__ = _refuse

    def _unknown(self) -> NotYetKnownError:
        return NotYetKnownError(
            f"`{self.name}` of step `{self.step}` is known only when the pipeline runs, and this builds it: "
            "decide in a step, or in a `pre_execute_callback`"
        )


class PipelineParameterReference(NamedTuple):
    """The value of a parameter of the pipeline."""

    name: str


class _KnownValue:
    """A value of a parameter that still knows which one: what is computed from it is a plain value again.

    Its parameter is added to `vhpipe_uses` when something is computed from it.
    """

    vhpipe_parameter: str
    vhpipe_uses: set[str]


_UNNOTED = frozenset(
    ("__class__", "__new__", "__init__", "__init_subclass__", "__subclasshook__", "__class_getitem__",
     "__getattribute__", "__setattr__", "__delattr__", "__hash__", "__repr__", "__reduce__", "__reduce_ex__",
     "__getnewargs__", "__getstate__", "__sizeof__", "__dir__", "__getformat__")
)  # fmt: skip
"""What can be done with a value without computing anything from it."""


def _known_kind(kind: type) -> Any:
    """The kind of known values that are of this type."""

    def noting(name: str) -> Any:
        original = getattr(kind, name)

        def method(self: Any, *arguments: Any, **named: Any) -> Any:
            self.vhpipe_uses.add(self.vhpipe_parameter)
            return original(self, *arguments, **named)

        return method

    methods = {name: noting(name) for name in dir(kind) if name not in _UNNOTED and callable(getattr(kind, name))}
    return type(f"Known{kind.__name__}", (_KnownValue, kind), {**methods, "__hash__": kind.__hash__})


_KNOWN: dict[type, Any] = {kind: _known_kind(kind) for kind in (str, int, float, list, tuple, dict)}


def known_value(name: str, value: object, uses: set[str]) -> object:
    """The value, so that handed on as it is it means the parameter; what cannot carry that stays as it is.

    `uses` gets the names of parameters that something is computed from, and of those that cannot carry it.
    """
    kind = _KNOWN.get(type(value))
    if kind is None:
        uses.add(name)
        return value
    known: _KnownValue = kind(value)
    known.vhpipe_parameter, known.vhpipe_uses = name, uses
    return known


def is_known(value: object) -> bool:
    """Whether it is a value of a parameter that was handed to the program. Within data it is a value like any other."""
    return isinstance(value, _KnownValue)


def meaning(value: object, returns: Mapping[str, tuple[str, ...]]) -> object:
    """A Result or OfPipeline where a text is exactly that, else the value. `returns` has the steps' results by name."""
    if isinstance(value, _KnownValue):
        return PipelineParameterReference(value.vhpipe_parameter)
    if isinstance(value, Result) or not isinstance(value, str):
        return value
    if found := _only_parameter.fullmatch(value):
        return PipelineParameterReference(found[1])
    found = _only_result.fullmatch(value)
    if found and found[2] in returns.get(found[1], ()):
        return Result(found[1], found[2])
    return value


def parameter_of(value: object) -> tuple[str, str] | None:
    """The step and the parameter in `${STEP.parameters.NAME}`; a section before the name is passed over."""
    found = _only_step_parameter.fullmatch(value) if isinstance(value, str) else None
    return (found[1], found[2].rpartition("/")[2]) if found else None


def artifact(value: object) -> tuple[str, str] | None:
    """The step and the name of the file in `${STEP.artifacts.NAME.url}`."""
    found = _only_artifact.fullmatch(value) if isinstance(value, str) else None
    return (found[1], found[2]) if found else None


def as_text(value: str, returns: Mapping[str, tuple[str, ...]]) -> str:
    """The text with results of functions as the file refers to them: plain values are metadata of their steps."""

    def written(found: re.Match[str]) -> str:
        is_result = found[2] in returns.get(found[1], ())
        return f"${{{found[1]}.metadata.{found[2]}}}" if is_result else found[0]

    return _any.sub(written, value)


def refers(value: object) -> bool:
    return isinstance(value, str) and OPENING in value


def texts_in(value: object) -> Iterator[str]:
    """The texts that a value is or holds, in order; none of what stands for a parameter."""
    if isinstance(value, _KnownValue):
        return
    if isinstance(value, str | Result):
        yield str(value)
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_in(item)
